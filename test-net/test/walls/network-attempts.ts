import { stoppedBy } from './attempt.ts'
import type { Attempt } from './attempt.ts'

const imports = 'walls(allowed-imports)'
const globals = 'eslint(no-restricted-globals)'
const properties = 'eslint(no-restricted-properties)'

const socketModules = [
  'net',
  'tls',
  'dns',
  'dns/promises',
  'dgram',
  'http',
  'https',
  'http2',
  'child_process',
  'cluster',
  'worker_threads',
  'inspector',
  'inspector/promises',
  'module',
  'process',
  'repl',
  'test',
  'vm',
  'wasi'
]
const socketPackages = [
  '@libp2p/tcp',
  'fastify',
  'libp2p',
  'socks',
  'socks-proxy-agent',
  'undici',
  'ws'
]

/** Attempts to open a socket, or to reach what could, from a room without a door. */
export const networkAttempts: readonly Attempt[] = [
  ...socketModules.flatMap((module) =>
    stoppedBy(imports, {
      [`node:${module}`]: `import * as door from 'node:${module}'\nexport const held: unknown = door\n`,
      [`${module} without prefix`]: `import '${module}'\n`
    })
  ),
  ...socketPackages.flatMap((name) =>
    stoppedBy(imports, { [`package ${name}`]: `export * as door from '${name}'\n` })
  ),
  ...stoppedBy(imports, {
    'static import': `import { connect } from 'node:net'\nexport const held: unknown = connect\n`,
    'default import': `import net from 'node:net'\nexport const held: unknown = net\n`,
    'bare import': `import 'node:net'\n`,
    'dynamic import': `export const held: unknown = await import('node:net')\n`,
    'template-dynamic import': 'export const held: unknown = await import(`node:net`)\n',
    'holed template-dynamic import':
      'const n: string = "net"\nexport const held: unknown = await import(`node:${n}`)\n',
    'import of an expression': `export const held: unknown = await import('node:' + 'net')\n`,
    're-export of one name': `export { connect } from 'node:net'\n`,
    're-export of everything': `export * from 'node:net'\n`,
    'type-only import': `import type { Socket } from 'node:net'\nexport type Held = Socket\n`,
    'inline type import': `export type Held = import('node:net').Socket\n`,
    'import equals': `import net = require('node:net')\nexport const held: unknown = net\n`,
    createRequire: `import { createRequire } from 'node:module'\nexport const held: unknown = createRequire(import.meta.url)('node:net')\n`,
    'process by import': `import process from 'node:process'\nexport const held: unknown = process.getBuiltinModule('net')\n`,
    'data address': `export const held: unknown = await import('data:text/javascript,fetch("http://localhost")')\n`,
    'file address': `import 'file:///etc/door.js'\n`,
    'path into node_modules': `import '../../../node_modules/undici/index.js'\n`,
    'unknown package': `import 'a-package-that-nobody-has-looked-at'\n`,
    'private alias of the package': `import '#net'\n`
  }),
  ...stoppedBy(globals, {
    fetch: `export const held: unknown = await fetch('http://localhost')\n`,
    'fetch under another name': `const get = fetch\nexport const held: unknown = get('http://localhost')\n`,
    'globalThis.fetch': `export const held: unknown = globalThis.fetch('http://localhost')\n`,
    'globalThis by index': `export const held: unknown = globalThis['fetch']('http://localhost')\n`,
    'globalThis destructured': `const { fetch: get } = globalThis\nexport const held: unknown = get('http://localhost')\n`,
    'globalThis under another name': `const g = globalThis\nexport const held: unknown = g.fetch('http://localhost')\n`,
    'globalThis handed on': `export const held: unknown = Reflect.get(globalThis, 'fet' + 'ch')\n`,
    'global under another name': `const g = global\nexport const held: unknown = g.fetch('http://localhost')\n`,
    self: `export const held: unknown = Reflect.get(self, 'fetch')\n`,
    WebSocket: `export const held: unknown = new WebSocket('ws://localhost')\n`,
    EventSource: `export const held: unknown = new EventSource('http://localhost')\n`,
    XMLHttpRequest: `export const held: unknown = new XMLHttpRequest()\n`,
    require: `export const held: unknown = require('node:net')\n`,
    'Function under another name': `const compile = Function\nexport const held: unknown = compile('return fetch')()\n`,
    'indirect eval': `export const held: unknown = (0, eval)('fetch')\n`
  }),
  ...stoppedBy(properties, {
    getBuiltinModule: `export const held: unknown = process.getBuiltinModule('net')\n`,
    'getBuiltinModule by index': `export const held: unknown = process['getBuiltinModule']('net')\n`,
    'getBuiltinModule destructured': `const { getBuiltinModule } = process\nexport const held: unknown = getBuiltinModule('net')\n`,
    'process.binding': `export const held: unknown = Reflect.apply(process.binding, process, ['tcp_wrap'])\n`,
    'process.dlopen': `process.dlopen({ exports: {} }, './door.node')\n`,
    'process.execve': `process.execve?.('/usr/bin/curl', ['localhost'])\n`,
    'compiler by constructor': `export const held: unknown = (() => 1).constructor('return fetch')()\n`,
    'compiler by constructor destructured': `const { constructor } = () => 1\nexport const held: unknown = constructor('return fetch')()\n`
  }),
  ...stoppedBy('walls(plain-globals)', {
    'process under another name': `const p = process\nexport const held: unknown = p.cwd()\n`,
    'process handed on': `export const held: unknown = Reflect.get(process, 'getBuiltin' + 'Module')\n`,
    'process by computed index': `const name: 'pid' = 'pid'\nexport const held: unknown = process[name]\n`
  }),
  ...stoppedBy('walls(no-ambient-values)', {
    'ambient constant': `declare const fetch: (url: string) => Promise<unknown>\nexport const held: unknown = fetch('http://localhost')\n`,
    'ambient function': `declare function fetch(url: string): Promise<unknown>\nexport const held: unknown = fetch('http://localhost')\n`,
    'ambient global': `declare global {\n  var held: unknown\n}\nexport {}\n`,
    'ambient module': `declare module 'node:dgram' {\n  export const held: unknown\n}\n`
  }),
  {
    name: 'ambient constant in a declaration file',
    code: `declare const held: unknown\n`,
    caughtBy: 'walls(no-ambient-values)',
    file: 'attempt-ambient.d.ts'
  },
  ...stoppedBy('eslint(no-eval)', {
    eval: `export const held: unknown = eval('fetch')\n`
  }),
  ...stoppedBy('eslint(no-new-func)', {
    'new Function': `export const held: unknown = new Function('return fetch')()\n`
  }),
  ...stoppedBy('typescript(ban-ts-comment)', {
    '@ts-ignore': `// @ts-ignore\nexport const held: unknown = hidden\n`,
    '@ts-expect-error': `// @ts-expect-error: for a reason\nexport const held: unknown = hidden\n`,
    '@ts-nocheck': `// @ts-nocheck\nexport const held: unknown = hidden\n`
  }),
  ...stoppedBy('typescript(triple-slash-reference)', {
    'reference to types': `/// <reference types="node" />\nexport {}\n`,
    'reference to a library': `/// <reference lib="dom" />\nexport {}\n`
  }),
  ...[globals, imports].flatMap((caughtBy) =>
    ['src', 'testing', 'test', 'nested/test'].map((folder) => ({
      name: `a folder ${folder} that looks exempt, for ${caughtBy}`,
      code:
        caughtBy === globals
          ? `export const held: unknown = fetch('http://localhost')\n`
          : `import 'node:net'\n`,
      caughtBy,
      file: `${folder}/attempt-${caughtBy === globals ? 'fetch' : 'net'}.ts`
    }))
  ),
  ...['mts', 'cts', 'js', 'mjs', 'cjs', 'tsx'].map((extension) => ({
    name: `a file .${extension}`,
    code: `fetch('http://localhost')\n`,
    caughtBy: globals,
    file: `attempt-extension.${extension}`
  })),
  {
    name: 'eslint-disable',
    code: `/* eslint-disable */\nexport const held: unknown = fetch('http://localhost')\n`,
    caughtBy: globals
  }
]
