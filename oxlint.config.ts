import { defineConfig } from 'oxlint'

interface Pattern {
  regex: string
  message: string
}

/** Everything that can open a socket or escape this lint run. */
const socketModules: Pattern = {
  regex:
    '^(node:)?(net|tls|dns|dgram|http|https|http2|child_process|worker_threads|cluster|module|inspector|vm|repl|wasi)(/.*)?$|^(undici|ws|socks|socks-proxy-agent|libp2p|fastify)$|^@(libp2p|fastify)/',
  message: 'This room has no door to the network. Ask for a TorProvider (packages/client/src/tor).'
}
const nodeModules: Pattern = {
  regex: '^node:',
  message: 'The core is pure: take clocks, randomness and I/O as arguments.'
}
const upward = (packages: string): Pattern => ({
  regex: `^@hushlamp/(${packages})(/.*)?$`,
  message:
    'Dependencies point down: test-net > im-daemon > client > shared, registry-node > shared.'
})
const forbid = (...patterns: Pattern[]): ['error', { patterns: Pattern[] }] => [
  'error',
  { patterns }
]
const networkGlobals = ['fetch', 'WebSocket', 'WebSocketStream', 'EventSource', 'XMLHttpRequest']
const networkProperties = [
  ...networkGlobals.map((property) => ({ object: 'globalThis', property })),
  ...networkGlobals.map((property) => ({ object: 'global', property })),
  { object: 'process', property: 'getBuiltinModule' },
  { object: 'process', property: 'binding' },
  { object: 'process', property: 'dlopen' },
  { object: 'Math', property: 'random' }
]

export default defineConfig({
  plugins: ['typescript', 'import', 'node', 'promise', 'unicorn', 'oxc', 'vitest'],
  categories: { correctness: 'error', suspicious: 'error' },
  ignorePatterns: ['dist', 'coverage', 'docs/api'],
  rules: {
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/switch-exhaustiveness-check': [
      'error',
      { considerDefaultExhaustiveForUnions: true }
    ],
    // The compiler's noImplicitReturns does this with knowledge of exhaustive switches.
    'typescript/consistent-return': 'off',
    'consistent-return': 'off',
    'typescript/consistent-type-imports': 'error',
    'typescript/no-explicit-any': 'error',
    'import/no-cycle': 'error',
    'import/no-default-export': 'error',
    'import/no-dynamic-require': ['error', { esmodule: true }],
    'import/no-named-as-default-member': 'off',
    'import/no-unassigned-import': 'off',
    'no-await-in-loop': 'off',
    'no-underscore-dangle': 'off',
    'oxc/no-async-endpoint-handlers': 'off',
    'unicorn/no-array-sort': 'off',
    'no-restricted-globals': ['error', ...networkGlobals],
    'no-restricted-properties': ['error', ...networkProperties]
  },
  overrides: [
    {
      files: ['packages/shared/src/**'],
      rules: {
        'no-restricted-globals': [
          'error',
          'Date',
          'performance',
          'setTimeout',
          'setInterval',
          'setImmediate',
          'process',
          ...networkGlobals
        ],
        'no-restricted-imports': forbid(nodeModules, socketModules, upward('.*'))
      }
    },
    {
      files: ['packages/shared/src/crypto/**'],
      rules: {
        'no-restricted-imports': forbid(
          { regex: '^node:(?!crypto$)', message: 'Primitives come from node:crypto and @noble.' },
          socketModules,
          upward('.*')
        )
      }
    },
    {
      files: ['packages/client/src/**'],
      rules: {
        'no-restricted-imports': forbid(socketModules, upward('registry-node|im-daemon|test-net'))
      }
    },
    {
      files: ['packages/client/src/tor/**'],
      rules: { 'no-restricted-imports': forbid(upward('registry-node|im-daemon|test-net')) }
    },
    {
      files: ['packages/im-daemon/src/**'],
      rules: { 'no-restricted-imports': forbid(socketModules, upward('registry-node|test-net')) }
    },
    {
      // The daemon's own inward door: it listens on loopback or a unix socket, it never dials.
      files: ['packages/im-daemon/src/inward-door.ts'],
      rules: { 'no-restricted-imports': forbid(upward('registry-node|test-net')) }
    },
    {
      files: ['packages/registry-node/src/**'],
      rules: { 'no-restricted-imports': forbid(upward('client|im-daemon|test-net')) }
    },
    {
      files: ['**/test/**', '**/testing/**'],
      rules: {
        'typescript/unbound-method': 'off',
        'no-restricted-globals': 'off',
        'no-restricted-properties': 'off'
      }
    },
    { files: ['**/*.config.ts'], rules: { 'import/no-default-export': 'off' } }
  ]
})
