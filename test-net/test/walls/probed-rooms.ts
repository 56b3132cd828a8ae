import type { Attempt, ProbedRoom } from './attempt.ts'
import {
  coreImportAttempts,
  cryptoImportAttempts,
  impureAttempts,
  unknownToCompiler
} from './core-attempts.ts'
import {
  deepAttempts,
  deepAttemptsForCompiler,
  formAttempts,
  upwardAttempts
} from './direction-attempts.ts'
import { diallingAttempts, torDoorAttempts } from './door-attempts.ts'
import { networkAttempts } from './network-attempts.ts'

const harmless = `import { stub } from '@hushlamp/shared'\n\nexport const held: number = stub + Math.max(1, 2)\n`
const listening = `import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'

export const serve = (onSocket: (socket: Socket) => void): Server => createServer(onSocket)
`

/** In the core `process` and the `Function` family fall to other rules first: they have no name there at all. */
const byAnotherRule = new Set([
  'process under another name',
  'process handed on',
  'process by computed index'
])
const openToLaunchers = new Set([
  'createRequire',
  'process.execve',
  'require',
  'self',
  'Function under another name'
])
const networkAttemptsOfCore = networkAttempts.map((attempt): Attempt =>
  byAnotherRule.has(attempt.name)
    ? { ...attempt, caughtBy: 'eslint(no-restricted-globals)' }
    : attempt
)

/** Every room with the attempts to leave it. Rooms that two lists meet in come last. */
export const probedRooms: readonly ProbedRoom[] = [
  {
    name: 'the core',
    folder: 'packages/shared/src',
    attempts: [
      ...networkAttemptsOfCore,
      ...upwardAttempts([]),
      ...formAttempts,
      ...impureAttempts,
      ...coreImportAttempts,
      ...unknownToCompiler
    ],
    controls: {
      'control.ts': `import { held as sum } from './crypto/control.ts'\n\nexport const held: number = sum.length + Math.max(1, 2)\n`,
      'control-package.ts': `import { encode } from 'cborg'\n\nexport const held: Uint8Array = encode(1)\n`
    }
  },
  {
    name: 'the primitives',
    folder: 'packages/shared/src/crypto',
    attempts: [
      ...networkAttemptsOfCore,
      ...upwardAttempts([]),
      ...impureAttempts,
      ...cryptoImportAttempts
    ],
    controls: {
      'control.ts': `import { createHash } from 'node:crypto'\nimport type { KeyObject } from 'node:crypto'\n\nexport type Key = KeyObject\nexport const held: string = createHash('sha256').digest('hex')\n`
    }
  },
  {
    name: 'the client',
    folder: 'packages/client/src',
    attempts: [
      ...networkAttempts,
      ...upwardAttempts(['shared']),
      ...deepAttempts(['shared']),
      ...deepAttemptsForCompiler('shared'),
      ...formAttempts
    ],
    controls: {
      'control.ts': harmless,
      'control-node.ts': `import { readFile } from 'node:fs/promises'\nimport type { Duplex } from 'node:stream'\n\nexport type Stream = Duplex\nexport const read = (path: string): Promise<string> => readFile(path, 'utf8')\nexport const home: string | undefined = process.env['HOME']\nsetTimeout(() => undefined, 1).unref()\n`
    }
  },
  {
    name: 'the door to Tor',
    folder: 'packages/client/src/tor',
    attempts: torDoorAttempts,
    controls: {
      'control.ts': `import { spawn } from 'node:child_process'\nimport { connect } from 'node:net'\n\nexport const held: readonly unknown[] = [spawn, connect]\n`
    }
  },
  {
    name: 'the daemon',
    folder: 'packages/im-daemon/src',
    attempts: [
      ...networkAttempts,
      ...upwardAttempts(['client', 'shared']),
      ...deepAttempts(['client', 'shared']),
      ...deepAttemptsForCompiler('client'),
      ...diallingAttempts,
      ...formAttempts
    ],
    controls: {
      'control.ts': harmless,
      'control-client.ts': `import { stub } from '@hushlamp/client'\n\nexport const held: number = stub\n`,
      'inward-door.ts': listening
    }
  },
  {
    name: "the daemon's launcher",
    folder: 'packages/im-daemon/bin',
    attempts: networkAttempts.filter(
      ({ name, file }) => file === undefined && !openToLaunchers.has(name)
    ),
    controls: {
      'control.js': `import { spawn } from 'node:child_process'\nimport '../src/control.ts'\n\nexport const held = spawn\n`
    }
  },
  {
    name: 'the registry node',
    folder: 'packages/registry-node/src',
    attempts: [
      ...upwardAttempts(['shared']),
      ...deepAttempts(['shared']),
      ...deepAttemptsForCompiler('shared'),
      ...formAttempts
    ],
    controls: {
      'control.ts': harmless,
      'control-net.ts': `import { connect } from 'node:net'\n\nexport const held: unknown = connect\n`
    }
  },
  {
    name: 'the test network',
    folder: 'test-net/src',
    attempts: [
      ...deepAttempts(['shared', 'client', 'im-daemon', 'registry-node']),
      ...formAttempts
    ],
    controls: { 'control.ts': harmless }
  }
]
