import { defineConfig } from 'vitest/config'

/** Suites that start servers, containers or kubectl: one at a time, since each takes the whole machine. */
const system = [
  'codegen/packed.test.ts',
  'conformance/conformance.test.ts',
  'conformance/system/**/*.test.ts',
  'core/flow-control/starvation.test.ts',
  'core/host/*.test.ts',
  'core/server/{abuse,bad-input,crash,process,protobuf-watch,quotas,requests}.test.ts',
  'core/server/openapi/openapi.kubectl.test.ts',
  'core/service-addresses/kubernetes-service.test.ts',
  'core/cli/store-copy.test.ts',
  'core/storage/etcd/*.test.ts',
  'core/storage/embedded/{crash,disk-failure,embedded-storage}.test.ts',
  'examples/**/*.test.ts',
  'plugins/**/*.docker.test.ts',
  'plugins/cri/docker/runtime.test.ts',
  'plugins/kit/streaming/{port-forward,remote-command}.test.ts',
]
const all = ['{apis,core,admission,plugins,codegen,conformance,bench,examples}/**/*.test.ts']
const shared = { pool: 'forks', testTimeout: 30_000, hookTimeout: 60_000 } as const

export default defineConfig({
  test: {
    reporters: ['default', './conformance/testing/summary-reporter.ts'],
    projects: [
      {
        test: {
          ...shared,
          name: 'parts',
          include: all,
          exclude: ['**/node_modules/**', '**/dist/**', ...system],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...shared,
          name: 'system',
          include: system,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
