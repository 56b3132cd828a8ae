import { allowedImports } from './allowed-imports.ts'
import { noAmbientValues } from './no-ambient-values.ts'
import { plainGlobals } from './plain-globals.ts'

/** The rules behind the walls, as a plugin of the linter. test-net/test/walls.test.ts shows that they hold. */
export default {
  meta: { name: 'walls' },
  rules: {
    'allowed-imports': allowedImports,
    'no-ambient-values': noAmbientValues,
    'plain-globals': plainGlobals
  }
}
