import { expect, test } from 'vitest'
import { discover } from './discovery.ts'
import { ApiError } from './errors.ts'
import type { Client } from './types.ts'

const serving = (answers: Record<string, unknown>): Pick<Client, 'request'> => ({
  async request<R>({ path }: { path: string }): Promise<R> {
    const answer = answers[path]
    if (answer instanceof Error) throw answer
    return answer as R
  },
})

const aggregated = {
  '/api': {
    kind: 'APIGroupDiscoveryList',
    items: [{ metadata: {}, versions: [{ version: 'v1', resources: [entry('pods', 'Pod', 'Namespaced', ['log'])] }] }],
  },
  '/apis': {
    kind: 'APIGroupDiscoveryList',
    items: [
      {
        metadata: { name: 'autoscaling' },
        versions: [
          { version: 'v2', resources: [entry('hpas', 'HPA', 'Namespaced')] },
          { version: 'v1', freshness: 'Stale', resources: [entry('hpas', 'HPA', 'Namespaced')] },
        ],
      },
    ],
  },
}
function entry(resource: string, kind: string, scope: string, subresources: string[] = []) {
  return {
    resource,
    scope,
    responseKind: { kind },
    verbs: ['list', 'watch'],
    subresources: subresources.map((subresource) => ({ subresource })),
  }
}

const legacyOf = (name: string, kind: string) => ({ name, kind, namespaced: true, verbs: ['list', 'watch'] })
const legacy = {
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/api/v1': { resources: [legacyOf('pods', 'Pod'), legacyOf('pods/log', 'Pod')] },
  '/apis': {
    kind: 'APIGroupList',
    groups: [
      {
        name: 'autoscaling',
        versions: [{ version: 'v1' }, { version: 'v2' }],
        preferredVersion: { version: 'v2' },
      },
    ],
  },
  '/apis/autoscaling/v2': { resources: [legacyOf('hpas', 'HPA')] },
  '/apis/autoscaling/v1': new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    code: 503,
  }),
}

const servers = [
  { name: 'aggregated', answers: aggregated, count: 3 },
  { name: 'legacy', answers: legacy, count: 2 },
]
test.each(servers)('$name discovery names resources, what is preferred and what failed', async ({ answers, count }) => {
  const { resources, failed } = await discover(serving(answers))
  expect(resources).toHaveLength(count)
  expect(resources[0]).toMatchObject({ group: '', version: 'v1', resource: 'pods', kind: 'Pod', subresources: ['log'] })
  const preferred = resources.filter((one) => one.isPreferred).map((one) => `${one.resource}.${one.version}`)
  expect(preferred).toEqual(['pods.v1', 'hpas.v2'])
  expect(failed).toEqual(['autoscaling/v1'])
})
