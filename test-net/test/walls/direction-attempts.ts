import { stoppedBy } from './attempt.ts'
import type { Attempt } from './attempt.ts'

const packages = ['shared', 'client', 'registry-node', 'im-daemon', 'test-net']
const imports = 'walls(allowed-imports)'

/** Imports from packages that do not lie below this one, in the forms in which they could be made. */
export function upwardAttempts(below: readonly string[]): Attempt[] {
  const others = packages.filter((name) => !below.includes(name))
  return others.flatMap((name) =>
    stoppedBy(imports, {
      [`upward to ${name}`]: `import { stub } from '@hushlamp/${name}'\nexport const held: unknown = stub\n`,
      [`upward to ${name}, lazily`]: `export const held: unknown = await import('@hushlamp/${name}')\n`,
      [`upward to ${name}, types`]: `import type { Stub } from '@hushlamp/${name}'\nexport type Held = Stub\n`
    })
  )
}

/** Imports past the front door of a package that does lie below, and out of the room by a path. */
export function deepAttempts(below: readonly string[]): Attempt[] {
  return [
    ...below.flatMap((name) =>
      stoppedBy(imports, {
        [`deep import of ${name}`]: `import '@hushlamp/${name}/dist/index.js'\n`,
        [`source of ${name}`]: `import '@hushlamp/${name}/src/index.ts'\n`,
        [`path to ${name}`]: `import '../../${name}/src/index.ts'\n`
      })
    ),
    ...stoppedBy(imports, {
      'own test folder': `import '../testing/index.ts'\n`,
      'own output': `import '../dist/index.js'\n`
    })
  ]
}

/** The same, as the compiler sees it. */
export function deepAttemptsForCompiler(name: string): Attempt[] {
  return [
    ...stoppedBy('TS2307', {
      [`compiled deep import of ${name}`]: `import { stub } from '@hushlamp/${name}/dist/index.js'\nexport const held: unknown = stub\n`
    }),
    ...stoppedBy('TS2878', {
      [`compiled path to ${name}`]: `import { stub } from '../../${name}/src/index.ts'\nexport const held: unknown = stub\n`
    })
  ]
}

/** What no package may do. */
export const formAttempts: readonly Attempt[] = [
  ...stoppedBy('import(no-default-export)', {
    'default export': `export default 1\n`,
    'default export by name': `const held: number = 1\nexport { held as default }\n`
  }),
  ...stoppedBy('eslint(no-restricted-properties)', {
    'Math.random': `export const held: number = Math.random()\n`
  }),
  {
    name: 'import cycle',
    code: `import { other } from './attempt-cycle-other.ts'\nexport const one: () => number = () => other()\n`,
    caughtBy: 'import(no-cycle)',
    companions: {
      'attempt-cycle-other.ts': `import { one } from './attempt-import-cycle.ts'\nexport const other: () => number = () => one()\n`
    }
  }
]
