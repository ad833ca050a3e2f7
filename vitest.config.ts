import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{apis,core,admission,plugins,codegen,conformance,bench,examples}/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['default', './conformance/testing/summary-reporter.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
