import type { ImportRules } from './allowed-imports.ts'

/** A part of the tree with walls of its own. `files` are globs, as the linter reads them. */
export interface Room {
  readonly files: readonly string[]
  readonly imports: ImportRules
}

/** Modules of Node that open no socket and start no program. */
const quietBuiltins = [
  'node:assert/strict',
  'node:async_hooks',
  'node:buffer',
  'node:crypto',
  'node:events',
  'node:fs',
  'node:fs/promises',
  'node:os',
  'node:path',
  'node:readline',
  'node:readline/promises',
  'node:stream',
  'node:stream/promises',
  'node:string_decoder',
  'node:timers/promises',
  'node:tty',
  'node:url',
  'node:util',
  'node:zlib'
]
const open = (names: readonly string[]): Record<string, true> =>
  Object.fromEntries(names.map((name) => [name, true as const]))

const noDoor =
  'This room has no door to the network: ask for a TorProvider (packages/client/src/tor). ' +
  'A package that opens no socket is let in by adding it to lint/rooms.ts.'
const pure = 'The core is pure: take clocks, randomness and I/O as arguments.'
const downwards =
  'Dependencies point down: test-net > im-daemon > client > shared, registry-node > shared.'

const client = {
  home: 'packages/client/src',
  packages: ['@hushlamp/shared'],
  modules: open([...quietBuiltins, 'cborg']),
  reason: noDoor
} satisfies ImportRules

const daemon = {
  home: 'packages/im-daemon/src',
  packages: ['@hushlamp/client', '@hushlamp/shared'],
  modules: open([...quietBuiltins, 'classic-level', 'commander', 'saxes']),
  reason: noDoor
} satisfies ImportRules

/** The commands find a Node.js that runs the package and hand over to it. */
const launcher = {
  packages: [],
  modules: {
    ...open(quietBuiltins),
    'node:child_process': ['spawn'],
    'node:module': ['createRequire']
  },
  reason: 'A launcher starts its own package and nothing else.'
} satisfies Omit<ImportRules, 'home'>

/** The rooms by name. Where two cover a file, the later one holds. */
export const rooms = {
  shared: {
    files: ['packages/shared/src/**'],
    imports: {
      home: 'packages/shared/src',
      packages: [],
      modules: open(['cborg', 'openpgp']),
      reason: pure
    }
  },
  crypto: {
    files: ['packages/shared/src/crypto/**'],
    imports: {
      home: 'packages/shared/src/crypto',
      packages: [],
      modules: {
        'node:crypto': [
          'createCipheriv',
          'createDecipheriv',
          'createHash',
          'createHmac',
          'createPrivateKey',
          'createPublicKey',
          'createSecretKey',
          'diffieHellman',
          'hkdfSync',
          'sign',
          'timingSafeEqual',
          'verify'
        ]
      },
      reason: 'Primitives come from node:crypto; randomness comes from the caller.'
    }
  },
  argon2id: {
    // Older versions of Node.js lack argon2: only an import of everything can ask whether it is there.
    files: ['packages/shared/src/crypto/argon2id.ts'],
    imports: {
      home: 'packages/shared/src/crypto',
      packages: [],
      modules: { 'node:crypto': ['*'] },
      reason: 'This file derives keys from passphrases and nothing else.'
    }
  },
  client: { files: ['packages/client/src/**'], imports: client },
  tor: {
    // The one door: it dials the local Tor and starts it. Names are never resolved here.
    files: ['packages/client/src/tor/**'],
    imports: {
      ...client,
      modules: { ...client.modules, ...open(['node:child_process', 'node:net']) },
      reason: 'The door leads to Tor, by node:net and node:child_process, and nowhere else.'
    }
  },
  daemon: { files: ['packages/im-daemon/src/**'], imports: daemon },
  inwardDoor: {
    // The daemon's own door listens on loopback or a unix socket. It never dials.
    files: ['packages/im-daemon/src/inward-door.ts'],
    imports: {
      ...daemon,
      modules: {
        ...daemon.modules,
        'node:http': ['createServer', 'STATUS_CODES'],
        'node:net': ['createServer', 'isIP', 'isIPv4', 'isIPv6', 'BlockList'],
        'node:tls': ['createSecureContext', 'createServer', 'TLSSocket']
      },
      reason: 'The inward door listens; it never dials.'
    }
  },
  daemonLauncher: {
    files: ['packages/im-daemon/bin/**'],
    imports: { ...launcher, home: 'packages/im-daemon' }
  },
  registryNode: {
    files: ['packages/registry-node/src/**'],
    imports: {
      home: 'packages/registry-node/src',
      packages: ['@hushlamp/shared'],
      reason: downwards
    }
  },
  xmlRpc: {
    // Reads what strangers send, and calls a registry that it is given.
    files: ['packages/registry-node/src/xml-rpc/**'],
    imports: {
      home: 'packages/registry-node/src/xml-rpc',
      packages: ['@hushlamp/shared'],
      modules: open(['saxes']),
      reason: 'OpenDHT’s interface is a codec and a table of methods: no server, no disk, no clock.'
    }
  },
  registryNodeLauncher: {
    files: ['packages/registry-node/bin/**'],
    imports: { ...launcher, home: 'packages/registry-node' }
  },
  testNet: {
    files: ['test-net/src/**'],
    imports: {
      home: 'test-net/src',
      packages: [
        '@hushlamp/client',
        '@hushlamp/client/testing',
        '@hushlamp/im-daemon',
        '@hushlamp/registry-node',
        '@hushlamp/shared',
        '@hushlamp/shared/testing'
      ],
      reason: downwards
    }
  }
} satisfies Record<string, Room>
