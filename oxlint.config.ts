import { defineConfig } from 'oxlint'
import type { OxlintOverride } from 'oxlint'
import { rooms } from './lint/rooms.ts'
import type { Room } from './lint/rooms.ts'

const networkGlobals = ['fetch', 'WebSocket', 'WebSocketStream', 'EventSource', 'XMLHttpRequest']
/** Ways round the other rules: to a global by its owner, to code by its text, to a module by a back door. */
const backDoors = [
  'globalThis',
  'global',
  'self',
  'window',
  'eval',
  'Function',
  'require',
  'module'
]
const clocksAndChance = [
  'Date',
  'Intl',
  'performance',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'crypto',
  'console',
  'process'
]
/** Members of `process` that reach modules or programs. In the private rooms `process` itself cannot be renamed. */
const processDoors = [
  'getBuiltinModule',
  'binding',
  '_linkedBinding',
  'dlopen',
  'execve',
  'mainModule'
]
const restrictedProperties = [
  ...['globalThis', 'global'].flatMap((object) =>
    networkGlobals.map((property) => ({ object, property }))
  ),
  ...processDoors.map((property) => ({ object: 'process', property })),
  { object: 'Math', property: 'random' }
]
/** `constructor` leads from any function to one that compiles text. */
const privateProperties = [
  ...restrictedProperties,
  { property: 'constructor' },
  { property: 'getBuiltinModule' }
]
const privateRooms = [rooms.shared, rooms.client, rooms.daemon, rooms.daemonLauncher].flatMap(
  ({ files }) => files
)
const walled = ({ files, imports }: Room): OxlintOverride => ({
  files: [...files],
  rules: { 'walls/allowed-imports': ['error', imports] }
})

export default defineConfig({
  plugins: ['typescript', 'import', 'node', 'promise', 'unicorn', 'oxc', 'vitest'],
  jsPlugins: ['./lint/walls.config.ts'],
  categories: { correctness: 'error', suspicious: 'error' },
  ignorePatterns: [
    '/packages/*/dist',
    '/packages/*/coverage',
    '/test-net/dist',
    '/coverage',
    '/docs/api'
  ],
  options: { reportUnusedDisableDirectives: 'error', respectEslintDisableDirectives: false },
  rules: {
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/switch-exhaustiveness-check': [
      'error',
      { considerDefaultExhaustiveForUnions: true }
    ],
    'typescript/consistent-type-imports': 'error',
    'typescript/no-explicit-any': 'error',
    // The compiler's noImplicitReturns knows that a switch over a union is complete; this rule does not.
    'typescript/consistent-return': 'off',
    'import/no-cycle': 'error',
    'import/no-default-export': 'error',
    'import/no-dynamic-require': ['error', { esmodule: true }],
    'import/no-named-as-default-member': 'off',
    'import/no-unassigned-import': 'off',
    'no-await-in-loop': 'off',
    'no-new-func': 'error',
    'no-underscore-dangle': 'off',
    'oxc/no-async-endpoint-handlers': 'off',
    'promise/always-return': 'off',
    'unicorn/no-array-sort': 'off',
    'no-restricted-globals': ['error', ...networkGlobals],
    'no-restricted-properties': ['error', ...restrictedProperties]
  },
  overrides: [
    ...Object.values<Room>(rooms).map(walled),
    {
      files: privateRooms,
      rules: {
        'no-restricted-globals': ['error', ...networkGlobals, ...backDoors],
        'no-restricted-properties': ['error', ...privateProperties],
        'typescript/ban-ts-comment': [
          'error',
          { 'ts-expect-error': true, 'ts-ignore': true, 'ts-nocheck': true }
        ],
        'typescript/triple-slash-reference': [
          'error',
          { lib: 'never', path: 'never', types: 'never' }
        ],
        'walls/no-ambient-values': 'error',
        'walls/plain-globals': ['error', 'process', 'Math']
      }
    },
    {
      files: [...rooms.shared.files],
      rules: {
        'no-restricted-globals': ['error', ...networkGlobals, ...backDoors, ...clocksAndChance]
      }
    },
    {
      // A socket that came in could be sent out again: `connect` dials from an object that one already has.
      files: [...rooms.inwardDoor.files],
      rules: {
        'no-restricted-properties': ['error', ...privateProperties, { property: 'connect' }]
      }
    },
    {
      files: [...rooms.daemonLauncher.files, ...rooms.registryNodeLauncher.files],
      rules: {
        'no-restricted-globals': ['error', ...networkGlobals, 'globalThis', 'global', 'eval'],
        'no-restricted-properties': [
          'error',
          ...privateProperties.filter(({ property }) => property !== 'execve')
        ]
      }
    },
    {
      files: ['packages/*/{test,testing}/**', 'test-net/test/**'],
      rules: {
        'typescript/unbound-method': 'off',
        'unicorn/consistent-function-scoping': 'off',
        'vitest/expect-expect': [
          'error',
          { assertFunctionNames: ['expect', 'expect*', 'fc.assert'] }
        ],
        'vitest/valid-expect': ['error', { maxArgs: 2 }],
        'vitest/valid-title': ['error', { allowArguments: true }],
        'no-restricted-globals': 'off',
        'no-restricted-properties': 'off'
      }
    },
    {
      // Runs in a browser, where the policy of the node's pages lets it ask the node and nobody else.
      files: ['packages/registry-node/assets/**'],
      rules: { 'no-restricted-globals': 'off' }
    },
    {
      files: ['*.config.ts', '{packages/*,test-net,lint}/*.config.ts'],
      rules: { 'import/no-default-export': 'off' }
    }
  ]
})
