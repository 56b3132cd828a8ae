import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: ['packages/*', 'test-net'],
    coverage: { provider: 'v8', include: ['packages/*/src/**', 'test-net/src/**'] }
  }
})
