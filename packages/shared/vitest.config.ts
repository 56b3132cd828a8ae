import { mergeConfig } from 'vitest/config'
import type { ViteUserConfig } from 'vitest/config'

import { packageTests } from '../../vitest.package.config.ts'

/** Everything rests on the protocol core: its tests fail where they leave more than one line or branch in twenty out. */
const covered: ViteUserConfig = {
  test: {
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['src/**/*.d.ts'],
      reporter: ['text'],
      reportOnFailure: true,
      thresholds: { lines: 95, branches: 95, functions: 95, statements: 95 }
    }
  }
}

export default mergeConfig(packageTests(), covered)
