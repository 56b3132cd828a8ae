import { defineConfig } from 'vitest/config'
import type { ViteUserConfig } from 'vitest/config'

/**
 * How the tests of one package run: from its sources, with a report that `.ci/run` counts. A `*.tor.test.ts` sets its
 * own, longer times with `vi.setConfig`.
 */
export function packageTests(): ViteUserConfig {
  return defineConfig({
    ssr: { resolve: { conditions: ['source', 'node', 'import', 'module', 'default'] } },
    test: {
      include: ['test/**/*.test.ts'],
      testTimeout: 60_000,
      hookTimeout: 120_000,
      // A machine that is busy with other things is slow, not wrong.
      expect: { poll: { timeout: 30_000, interval: 50 } },
      reporters: ['default', 'json'],
      outputFile: { json: 'test-results.json' }
    }
  })
}
