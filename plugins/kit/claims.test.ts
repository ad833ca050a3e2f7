import { type Pod, pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { KubeObject } from '@keelson/apis/meta/v1/types.ts'
import { expect, test } from 'vitest'
import { claim, planClaims } from './claims.ts'
import { ownerReferenceTo } from './owners.ts'
import { createFakeClient } from './testing/fake-client.ts'

const owner: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'web', namespace: 'x', uid: 'me' },
}
const other: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'db', namespace: 'x', uid: 'other' },
}
const selector = { matchLabels: { app: 'web' } }
const pod = (name: string, app: string, by?: KubeObject, deletionTimestamp?: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace: 'x',
    labels: { app },
    ...(by && { ownerReferences: [ownerReferenceTo(by)] }),
    ...(deletionTimestamp && { deletionTimestamp }),
  },
  spec: { containers: [] },
})

const cases = [
  { name: 'keeps its own that match', pods: [pod('a', 'web', owner)], want: { keep: ['a'], adopt: [], release: [] } },
  {
    name: 'releases its own that do not match',
    pods: [pod('a', 'db', owner)],
    want: { keep: [], adopt: [], release: ['a'] },
  },
  { name: 'adopts orphans that match', pods: [pod('a', 'web')], want: { keep: [], adopt: ['a'], release: [] } },
  { name: 'leaves orphans that do not match', pods: [pod('a', 'db')], want: { keep: [], adopt: [], release: [] } },
  { name: 'leaves those of others', pods: [pod('a', 'web', other)], want: { keep: [], adopt: [], release: [] } },
  {
    name: 'adopts nothing that is being deleted',
    pods: [pod('a', 'web', undefined, 'now')],
    want: { keep: [], adopt: [], release: [] },
  },
]
test.each(cases)('an owner $name', ({ pods, want }) => {
  const plan = planClaims(owner, selector, pods)
  const names = (list: readonly { metadata: { name?: string } }[]) => list.map((object) => object.metadata.name)
  expect({ keep: names(plan.keep), adopt: names(plan.adopt), release: names(plan.release) }).toEqual(want)
})

test('an owner that is being deleted adopts and releases nothing', () => {
  const leaving = { ...owner, metadata: { ...owner.metadata, deletionTimestamp: 'now' } }
  const plan = planClaims(leaving, selector, [pod('a', 'web'), pod('b', 'db', owner)])
  expect(plan).toMatchObject({ adopt: [], release: [] })
})

test('claiming writes owners, and skips what changed since it was seen', async () => {
  const client = createFakeClient()
  const [orphan, stray, changed] = client.seed(
    pods,
    pod('orphan', 'web'),
    pod('stray', 'db', owner),
    pod('changed', 'web'),
  )
  const resource = client.resource(pods)
  await resource.in('x').patch('changed', { type: 'merge', body: { metadata: { labels: { app: 'db' } } } })
  const claimer = { owner, selector, client: resource, readOwner: async () => owner }
  const claimed = await claim(claimer, [orphan!, stray!, changed!])
  expect(claimed.map((object) => object.metadata.name)).toEqual(['orphan'])
  const owners = client.stored(pods).map(({ metadata }) => [metadata.name, metadata.ownerReferences?.[0]?.uid])
  expect(Object.fromEntries(owners)).toEqual({ orphan: 'me', stray: undefined, changed: undefined })
})

test('an owner that was replaced adopts nothing', async () => {
  const client = createFakeClient()
  const orphans = client.seed(pods, pod('orphan', 'web'))
  const readOwner = async () => ({ ...owner, metadata: { ...owner.metadata, uid: 'newer' } })
  const claiming = claim({ owner, selector, client: client.resource(pods), readOwner }, orphans)
  await expect(claiming).rejects.toThrow('original ReplicaSet web is gone')
})
