import assert from 'node:assert/strict'
import { pods, serviceaccounts } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import { runningPod } from '../runner/fixtures.ts'

const docs = 'https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/'

async function tokenOf(t: CaseContext, spec: object = {}): Promise<string> {
  const door = await t.in(serviceaccounts)
  await door.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } })
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec }
  const { status } = await door.createSubresource<{ status: { token: string } }>('robot', 'token', body)
  return status.token
}

async function review(t: CaseContext, token: string, audiences?: string[]) {
  const { status } = await t.api<{
    status: { authenticated?: boolean; user?: { username: string; groups: string[] } }
  }>('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token, ...(audiences && { audiences }) } })
  return status
}

export const cases = [
  defineCase({
    name: 'tokens: who leaves the time open, also with a null, gets an hour',
    stands: docs,
    async run(t) {
      const token = await tokenOf(t, { expirationSeconds: null })
      const [, claims = ''] = token.split('.')
      const { iat, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { iat: number; exp: number }
      assert.equal(exp - iat, 3600)
    },
  }),
  defineCase({
    name: 'tokens: one is issued for a service account and recognised',
    stands: 'ServiceAccounts should mount an API token into pods',
    async run(t) {
      const token = await tokenOf(t)
      const namespace = await t.namespace()
      const { authenticated, user } = await review(t, token)
      assert.equal(authenticated, true)
      assert.equal(user?.username, `system:serviceaccount:${namespace}:robot`)
      for (const group of ['system:serviceaccounts', `system:serviceaccounts:${namespace}`])
        assert.ok(user?.groups.includes(group), group)
      const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
      assert.equal(claims.sub, `system:serviceaccount:${namespace}:robot`)
      assert.equal(claims['kubernetes.io'].serviceaccount.name, 'robot')
    },
  }),
  defineCase({
    name: 'tokens: one opens the API as its service account',
    stands: docs,
    async run(t) {
      const authorization = `Bearer ${await tokenOf(t)}`
      const { status, json } = await t.http({
        path: `/api/v1/namespaces/${await t.namespace()}/secrets`,
        headers: { authorization },
      })
      // With a client certificate on the connection the certificate may win; then the answer is a list.
      if (status === 200) return
      assert.equal(status, 403)
      assert.match(
        json<{ message: string }>().message,
        /^secrets is forbidden: User "system:serviceaccount:.*:robot" cannot list resource "secrets"/,
      )
    },
  }),
  defineCase({
    name: 'tokens: one is for those it is meant for, and for its time',
    stands: docs,
    async run(t) {
      const token = await tokenOf(t, { audiences: ['vault'], expirationSeconds: 600 })
      assert.notEqual((await review(t, token)).authenticated, true)
      assert.equal((await review(t, token, ['vault'])).authenticated, true)
      const { exp, iat, aud } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
      assert.deepEqual([exp - iat, aud], [600, ['vault']])
    },
  }),
  defineCase({
    name: 'tokens: one that was tampered with is worth nothing',
    stands: docs,
    async run(t) {
      const [head, claims, signature] = (await tokenOf(t)).split('.') as [string, string, string]
      const forged = JSON.parse(Buffer.from(claims, 'base64url').toString())
      forged.sub = 'system:serviceaccount:kube-system:admin'
      const other = Buffer.from(JSON.stringify(forged)).toString('base64url')
      assert.notEqual((await review(t, `${head}.${other}.${signature}`)).authenticated, true)
    },
  }),
  defineCase({
    name: 'tokens: one ends with its service account',
    stands: docs,
    async run(t) {
      const token = await tokenOf(t)
      await (await t.in(serviceaccounts)).delete('robot')
      await t.eventually(async () => (await review(t, token)).authenticated !== true)
    },
  }),
  defineCase({
    name: 'tokens: every pod is given one, unless it wants none',
    stands: 'ServiceAccounts should allow opting out of API token automount',
    async run(t) {
      const door = await t.in(pods)
      const { spec } = await door.create(runningPod(t, 'one', { schedulerName: 'nobody' }))
      const mount = spec.containers[0]!.volumeMounts?.find(
        ({ mountPath }) => mountPath === '/var/run/secrets/kubernetes.io/serviceaccount',
      )
      assert.match(mount?.name ?? '', /^kube-api-access-/)
      const sources = spec.volumes?.find(({ name }) => name === mount?.name)?.projected?.sources
      assert.deepEqual(sources?.flatMap((source) => Object.keys(source)).toSorted(), [
        'configMap',
        'downwardAPI',
        'serviceAccountToken',
      ])
      const bare = await door.create(
        runningPod(t, 'two', { schedulerName: 'nobody', automountServiceAccountToken: false }),
      )
      assert.deepEqual(bare.spec.volumes ?? [], [])
    },
  }),
  defineCase({
    name: 'tokens: a pod of a service account that does not exist is refused',
    stands: docs,
    async run(t) {
      await t.rejects((await t.in(pods)).create(runningPod(t, 'one', { serviceAccountName: 'none' })), {
        code: 403,
        messageIncludes: 'error looking up service account',
      })
    },
  }),
]
