import assert from 'node:assert/strict'
import {
  configmaps,
  type Namespace,
  namespaces,
  pods,
  serviceaccounts,
  services,
} from '@keelson/apis/core/v1/zz_generated.types.ts'
import { isNamespaceTerminating } from '@keelson/client'
import { defineCase } from '../runner/case.ts'
import { configMap, runningPod } from '../runner/fixtures.ts'

const docs = 'https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/'

export const cases = [
  defineCase({
    name: 'namespaces: a new one is active and carries its name as a label',
    stands: `${docs}#automatic-labelling`,
    async run(t) {
      const name = await t.namespace()
      const { status, spec, metadata } = await t.client.resource(namespaces).get(name)
      assert.equal(status?.phase, 'Active')
      assert.deepEqual(spec?.finalizers, ['kubernetes'])
      assert.equal(metadata.labels?.['kubernetes.io/metadata.name'], name)
    },
  }),
  defineCase({
    name: 'namespaces: each has a default service account and the cluster’s certificate authority',
    stands: 'ServiceAccounts should guarantee kube-root-ca.crt exist in any namespace',
    async run(t) {
      await t.until(serviceaccounts, 'default', () => true)
      const { data } = await t.until(configmaps, 'kube-root-ca.crt', () => true)
      assert.match(data?.['ca.crt'] ?? '', /BEGIN CERTIFICATE/)
    },
  }),
  defineCase({
    name: 'namespaces: a deleted one takes everything in it along',
    stands: [
      'Namespaces should ensure that all services are removed when a namespace is deleted',
      'Namespaces should ensure that all pods are removed when a namespace is deleted',
    ],
    async run(t) {
      const name = await t.namespace()
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
      await (await t.in(configmaps)).create(configMap('one'))
      await (await t.in(services)).create({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web' },
        spec: { clusterIP: 'None', ports: [{ port: 80 }], selector: { app: 'web' } },
      })
      await (await t.in(pods)).create(runningPod(t, 'web', { schedulerName: 'nobody' }))
      await t.client.resource(namespaces).delete(name)
      await t.untilGone(namespaces, name)
      await t.client.resource(namespaces).create(namespace)
      await t.until(serviceaccounts, 'default', () => true)
      await t.rejects((await t.in(configmaps)).get('one'), { code: 404 })
      assert.deepEqual((await (await t.in(services)).list()).items, [])
      assert.deepEqual((await (await t.in(pods)).list()).items, [])
    },
  }),
  defineCase({
    name: 'namespaces: the pods of one go before anything else of it does',
    stands: 'OrderedNamespaceDeletion namespace deletion should delete pod first',
    async run(t) {
      const name = await t.namespace()
      const door = await t.in(pods)
      await door.create(runningPod(t, 'held', { schedulerName: 'nobody' }, { finalizers: ['example.com/hold'] }))
      const release = () => door.patch('held', { type: 'merge', body: { metadata: { finalizers: null } } })
      t.cleanup(release)
      await (await t.in(configmaps)).create(configMap('one'))
      await t.client.resource(namespaces).delete(name)
      const going = await t.until(namespaces, name, ({ status }) =>
        status?.conditions?.some(({ type, status }) => type === 'NamespaceContentRemaining' && status === 'True'),
      )
      const told = going.status?.conditions?.map(({ message }) => message).join('\n') ?? ''
      assert.match(told, /pods\. has 1 resource instances/)
      assert.match(told, /example\.com\/hold in 1 resource instances/)
      assert.ok((await door.get('held')).metadata.deletionTimestamp)
      assert.equal((await (await t.in(configmaps)).get('one')).metadata.deletionTimestamp, undefined)
      await release()
      await t.untilGone(namespaces, name)
    },
  }),
  defineCase({
    name: 'namespaces: one is patched and updated',
    stands: ['Namespaces should patch a Namespace', 'Namespaces should apply an update to a Namespace'],
    async run(t) {
      const name = await t.namespace()
      const door = t.client.resource(namespaces)
      await door.patch(name, { type: 'strategic', body: { metadata: { labels: { patched: 'true' } } } })
      const patched = await door.get(name)
      assert.equal(patched.metadata.labels?.patched, 'true')
      patched.metadata.labels!.updated = 'true'
      await door.update(patched)
      assert.partialDeepStrictEqual((await door.get(name)).metadata.labels, { patched: 'true', updated: 'true' })
    },
  }),
  defineCase({
    name: 'namespaces: the status of one is read, patched and updated',
    stands: 'Namespaces should apply changes to a namespace status',
    async run(t) {
      const name = await t.namespace()
      const door = t.client.resource(namespaces)
      const read = () => door.getSubresource<Namespace>(name, 'status')
      assert.equal((await read()).status?.phase, 'Active')
      const patched = { type: 'Patched', status: 'True', reason: 'Tested', message: 'by the suite' }
      await door.patch(name, { type: 'merge', body: { status: { conditions: [patched] } } }, { subresource: 'status' })
      assert.deepEqual(
        (await read()).status?.conditions?.map(({ type }) => type),
        ['Patched'],
      )
      const current = await door.get(name)
      current.status!.conditions!.push({ ...patched, type: 'Updated' })
      await door.updateStatus(current)
      assert.deepEqual(
        (await read()).status?.conditions?.map(({ type }) => type),
        ['Patched', 'Updated'],
      )
    },
  }),
  defineCase({
    name: 'namespaces: finalizers come and go through the finalize subresource only',
    stands: 'Namespaces should apply a finalizer to a Namespace',
    async run(t) {
      const name = await t.namespace()
      const door = t.client.resource(namespaces)
      const finalize = async (finalizers: string[]) =>
        t.api<Namespace>('PUT', `/api/v1/namespaces/${name}/finalize`, {
          ...(await door.get(name)),
          spec: { finalizers },
        })
      assert.deepEqual((await finalize(['kubernetes', 'example.com/held'])).spec?.finalizers, [
        'kubernetes',
        'example.com/held',
      ])
      await door.update({ ...(await door.get(name)), spec: { finalizers: [] } })
      assert.deepEqual((await door.get(name)).spec?.finalizers, ['kubernetes', 'example.com/held'])
      await finalize(['kubernetes'])
      assert.deepEqual((await door.get(name)).spec?.finalizers, ['kubernetes'])
    },
  }),
  defineCase({
    name: 'namespaces: nothing new comes into one that is going',
    stands: docs,
    async run(t) {
      const name = await t.namespace()
      const door = await t.in(configmaps)
      await door.create(configMap('held', {}, { finalizers: ['example.com/hold'] }))
      t.cleanup(() => door.patch('held', { type: 'merge', body: { metadata: { finalizers: null } } }))
      await t.client.resource(namespaces).delete(name)
      const going = await t.until(namespaces, name, ({ status }) => status?.phase === 'Terminating')
      assert.ok(going.metadata.deletionTimestamp)
      const refusal = await door.create(configMap('late')).catch((error: unknown) => error)
      assert.ok(isNamespaceTerminating(refusal), String(refusal))
      assert.match(
        String(refusal),
        /is forbidden: unable to create new content in namespace .* because it is being terminated/,
      )
    },
  }),
  defineCase({
    name: 'namespaces: nothing is made in one that does not exist',
    stands: docs,
    async run(t) {
      await t.rejects(t.client.resource(configmaps).in('no-such-namespace').create(configMap('one')), {
        code: 404,
        message: 'namespaces "no-such-namespace" not found',
      })
    },
  }),
  defineCase({
    name: 'namespaces: a list of one that does not exist is empty',
    stands: docs,
    async run(t) {
      assert.deepEqual((await t.client.resource(configmaps).in('no-such-namespace').list()).items, [])
    },
  }),
  defineCase({
    name: 'namespaces: those of the system stay',
    stands: docs,
    async run(t) {
      for (const name of ['default', 'kube-system', 'kube-public']) {
        await t.rejects(t.client.resource(namespaces).delete(name, { dryRun: ['All'] }), {
          code: 403,
          reason: 'Forbidden',
        })
      }
    },
  }),
  ...['Upper', 'dots.in.it', 'a'.repeat(64)].map((name) =>
    defineCase({
      name: `namespaces: the name ${name} is refused`,
      stands: docs,
      async run(t) {
        await t.rejects(
          t.client.resource(namespaces).create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }),
          { code: 422 },
        )
      },
    }),
  ),
]
