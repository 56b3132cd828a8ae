import { stoppedBy } from './attempt.ts'
import type { Attempt } from './attempt.ts'

/** Clocks, chance and I/O in the pure core, by whatever name. */
export const impureAttempts: readonly Attempt[] = [
  ...stoppedBy('eslint(no-restricted-globals)', {
    'Date.now': `export const held: unknown = Date.now()\n`,
    'new Date': `export const held: unknown = new Date()\n`,
    'Date under another name': `const Clock = Date\nexport const held: unknown = new Clock()\n`,
    'the present by Intl': `export const held: unknown = new Intl.DateTimeFormat().format()\n`,
    performance: `export const held: unknown = performance.now()\n`,
    setTimeout: `setTimeout(() => undefined, 1)\n`,
    setInterval: `setInterval(() => undefined, 1)\n`,
    setImmediate: `setImmediate(() => undefined)\n`,
    process: `export const held: unknown = process.hrtime()\n`,
    'crypto.getRandomValues': `export const held: unknown = crypto.getRandomValues(new Uint8Array(1))\n`,
    console: `console.log('seen')\n`
  }),
  ...stoppedBy('walls(plain-globals)', {
    'Math under another name': `const m = Math\nexport const held: unknown = m.random()\n`
  }),
  ...stoppedBy('eslint(no-restricted-properties)', {
    'Math.random destructured': `const { random } = Math\nexport const held: unknown = random()\n`
  })
]

/** Modules of Node that the core outside of `crypto/` does not know. */
export const coreImportAttempts: readonly Attempt[] = stoppedBy(
  'walls(allowed-imports)',
  Object.fromEntries(
    ['crypto', 'fs', 'fs/promises', 'os', 'path', 'timers', 'buffer', 'util'].map((name) => [
      `core with node:${name}`,
      `import * as held from 'node:${name}'\nexport const kept: unknown = held\n`
    ])
  )
)

/** What `crypto/` may not take although it may use node:crypto. */
export const cryptoImportAttempts: readonly Attempt[] = stoppedBy('walls(allowed-imports)', {
  'crypto with node:fs': `import { readFileSync } from 'node:fs'\nexport const held: unknown = readFileSync\n`,
  'crypto with node:buffer': `import { Buffer } from 'node:buffer'\nexport const held: unknown = Buffer\n`,
  'crypto with node:timers': `import { setTimeout } from 'node:timers'\nexport const held: unknown = setTimeout\n`,
  'randomness of its own': `import { randomBytes } from 'node:crypto'\nexport const held: unknown = randomBytes(1)\n`,
  'randomness under another name': `import { randomBytes as sign } from 'node:crypto'\nexport const held: unknown = sign(1)\n`,
  'randomness by WebCrypto': `import { webcrypto } from 'node:crypto'\nexport const held: unknown = webcrypto\n`,
  'randomness passed on': `export { randomBytes } from 'node:crypto'\n`,
  'all of node:crypto': `import * as all from 'node:crypto'\nexport const held: unknown = all\n`,
  'node:crypto by default': `import all from 'node:crypto'\nexport const held: unknown = all\n`,
  'node:crypto, lazily': `export const held: unknown = await import('node:crypto')\n`,
  'rest of the core': `import '../errors.ts'\n`
})

/** What the core's compiler does not know at all, because it runs without Node's types and without the DOM's. */
export const unknownToCompiler: readonly Attempt[] = [
  ...['setTimeout', 'performance', 'process', 'crypto', 'fetch', 'Buffer', 'console'].flatMap(
    (name) => [
      {
        name: `compiled ${name}`,
        code: `export const held: unknown = ${name}\n`,
        caughtBy: 'TS2304|TS2580|TS2584|TS2591'
      }
    ]
  ),
  ...['fs', 'crypto', 'net'].map((name) => ({
    name: `compiled node:${name}`,
    code: `import * as held from 'node:${name}'\nexport const kept: unknown = held\n`,
    caughtBy: 'TS2307|TS2591'
  })),
  {
    name: 'compiled any',
    code: `export function held(value) {\n  return value\n}\n`,
    caughtBy: 'TS7006|TS9007|TS9011'
  },
  {
    name: 'compiled enum',
    code: `export enum Held {\n  One\n}\n`,
    caughtBy: 'TS1294'
  }
]
