import { defineProject } from 'vitest/config'

export default defineProject({
  ssr: { resolve: { conditions: ['source', 'node', 'import', 'module', 'default'] } },
  test: { include: ['test/**/*.test.ts'] }
})
