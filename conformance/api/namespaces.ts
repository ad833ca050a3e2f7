import assert from 'node:assert/strict'
import { configmaps, namespaces, serviceaccounts } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { isNamespaceTerminating } from '@keelson/client'
import { defineCase } from '../runner/case.ts'
import { configMap } from '../runner/fixtures.ts'

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
    stands: 'Namespaces should ensure that all services are removed when a namespace is deleted',
    async run(t) {
      const name = await t.namespace()
      await (await t.in(configmaps)).create(configMap('one'))
      await t.client.resource(namespaces).delete(name)
      await t.untilGone(namespaces, name)
      await t.rejects((await t.in(configmaps)).get('one'), { code: 404 })
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
