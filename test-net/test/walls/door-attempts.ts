import { stoppedBy } from './attempt.ts'
import type { Attempt } from './attempt.ts'

const imports = 'walls(allowed-imports)'
const properties = 'eslint(no-restricted-properties)'

/**
 * Ways to dial from the daemon's inward door, which may only listen. They all stand in the one file that is the door,
 * so each gives its own number (`$`) to the names it makes.
 */
export const diallingAttempts: readonly Attempt[] = [
  ...stoppedBy(imports, {
    'net.connect': `import { connect as dial$ } from 'node:net'\nexport const held$: unknown = dial$(80)\n`,
    'net.createConnection': `import { createConnection as dial$ } from 'node:net'\nexport const held$: unknown = dial$(80)\n`,
    'net.Socket': `import { Socket as Dial$ } from 'node:net'\nexport const held$: unknown = new Dial$()\n`,
    'all of node:net': `import * as net$ from 'node:net'\nexport const held$: unknown = net$.connect(80)\n`,
    'node:net by default': `import net$ from 'node:net'\nexport const held$: unknown = net$.connect(80)\n`,
    'node:net, bare': `import 'node:net'\n`,
    'node:net, lazily': `const { connect: dial$ } = await import('node:net')\nexport const held$: unknown = dial$(80)\n`,
    'net.connect passed on': `export { connect as dial$ } from 'node:net'\n`,
    'everything passed on': `export * from 'node:net'\n`,
    'tls.connect': `import { connect as dial$ } from 'node:tls'\nexport const held$: unknown = dial$(443)\n`,
    'http.request': `import { request as dial$ } from 'node:http'\nexport const held$: unknown = dial$('http://localhost')\n`,
    'http.get': `import { get as dial$ } from 'node:http'\nexport const held$: unknown = dial$('http://localhost')\n`,
    'http.Agent': `import { Agent as Dial$ } from 'node:http'\nexport const held$: unknown = new Dial$()\n`,
    https: `import { createServer as serve$ } from 'node:https'\nexport const held$: unknown = serve$()\n`,
    dns: `import { lookup as lookup$ } from 'node:dns'\nexport const held$: unknown = lookup$\n`
  }),
  ...stoppedBy(properties, {
    'connect of a socket that came in': `export const held$ = (socket: Socket): unknown => socket.connect(80)\n`,
    'class of a socket that came in': `export const held$ = (socket: Socket): unknown => socket.constructor\n`
  })
].map((attempt) => ({ ...attempt, file: 'inward-door.ts' }))

/** What the one door to Tor has no use for: names are resolved by Tor's exits, and programs speak through it. */
export const torDoorAttempts: readonly Attempt[] = [
  ...stoppedBy(
    imports,
    Object.fromEntries(
      ['dns', 'dns/promises', 'dgram', 'http', 'https', 'http2', 'tls', 'module', 'vm'].map(
        (name) => [`door with node:${name}`, `import 'node:${name}'\n`]
      )
    )
  ),
  ...stoppedBy('eslint(no-restricted-globals)', {
    'fetch at the door': `export const held: unknown = fetch('http://localhost')\n`
  })
]
