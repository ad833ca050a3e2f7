import assert from 'node:assert/strict'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import { configMap } from '../runner/fixtures.ts'

const docs = 'https://kubernetes.io/docs/reference/access-authn-authz/rbac/'
const group = 'rbac.authorization.k8s.io'

/** Sends as somebody who has nothing but what the case grants. */
function actAs(t: CaseContext, user: string) {
  return async (method: string, path: string, body?: unknown) => {
    const response = await t.http({ method, path, body, headers: { 'impersonate-user': user } })
    return { code: response.status, ...response.json<{ message?: string; reason?: string }>() }
  }
}

async function grant(t: CaseContext, user: string, rules: object[]): Promise<void> {
  const path = `/apis/${group}/v1/namespaces/${await t.namespace()}`
  await t.api('POST', `${path}/roles`, { metadata: { name: 'some' }, rules })
  await t.api('POST', `${path}/rolebindings`, {
    metadata: { name: 'some' },
    roleRef: { apiGroup: group, kind: 'Role', name: 'some' },
    subjects: [{ apiGroup: group, kind: 'User', name: user }],
  })
}

const review = (t: CaseContext, kind: string, spec: object) =>
  t.api<{ status: { allowed: boolean } }>('POST', `/apis/authorization.k8s.io/v1/${kind}`, { spec })

export const cases = [
  defineCase({
    name: 'rbac: a stranger is told what is forbidden, in one namespace and in all',
    stands: docs,
    needs: ['impersonation'],
    async run(t) {
      const namespace = await t.namespace()
      const send = actAs(t, 'stranger')
      const one = await send('GET', `/api/v1/namespaces/${namespace}/configmaps/one`)
      assert.deepEqual([one.code, one.reason], [403, 'Forbidden'])
      assert.equal(
        one.message,
        `configmaps "one" is forbidden: User "stranger" cannot get resource "configmaps" in API group "" in the namespace "${namespace}"`,
      )
      const all = await send('GET', '/apis/apps/v1/deployments')
      assert.equal(
        all.message,
        'deployments.apps is forbidden: User "stranger" cannot list resource "deployments" in API group "apps" at the cluster scope',
      )
      const path = await send('GET', '/metrics')
      assert.equal(path.message, 'forbidden: User "stranger" cannot get path "/metrics"')
    },
  }),
  defineCase({
    name: 'rbac: a role bound to a user grants what it says and no more',
    stands: docs,
    needs: ['impersonation'],
    async run(t) {
      const user = t.unique('user')
      await grant(t, user, [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'create'] }])
      const path = `/api/v1/namespaces/${await t.namespace()}/configmaps`
      const send = actAs(t, user)
      await t.eventually(async () => (await send('POST', path, configMap('one'))).code === 201)
      assert.equal((await send('GET', `${path}/one`)).code, 200)
      assert.equal((await send('DELETE', `${path}/one`)).code, 403)
      assert.equal((await send('GET', path)).code, 403)
      assert.equal((await send('GET', '/api/v1/namespaces/default/configmaps/one')).code, 403)
    },
  }),
  defineCase({
    name: 'rbac: a rule may name the only objects it is about',
    stands: `${docs}#referring-to-resources`,
    needs: ['impersonation'],
    async run(t) {
      const user = t.unique('user')
      await grant(t, user, [
        { apiGroups: [''], resources: ['configmaps'], resourceNames: ['kube-root-ca.crt'], verbs: ['get'] },
      ])
      const path = `/api/v1/namespaces/${await t.namespace()}/configmaps`
      const send = actAs(t, user)
      await t.eventually(async () => (await send('GET', `${path}/kube-root-ca.crt`)).code === 200)
      assert.equal((await send('GET', `${path}/other`)).code, 403)
    },
  }),
  defineCase({
    name: 'rbac: a subresource is a grant of its own',
    stands: `${docs}#referring-to-resources`,
    needs: ['impersonation'],
    async run(t) {
      const user = t.unique('user')
      await grant(t, user, [{ apiGroups: [''], resources: ['pods'], verbs: ['*'] }])
      const path = `/api/v1/namespaces/${await t.namespace()}/pods`
      const send = actAs(t, user)
      await t.eventually(async () => (await send('GET', path)).code === 200)
      const { code, message } = await send('GET', `${path}/one/log`)
      assert.equal(code, 403)
      assert.match(message ?? '', /cannot get resource "pods\/log"/)
    },
  }),
  defineCase({
    name: 'rbac: nobody grants what he does not have',
    stands: `${docs}#privilege-escalation-prevention-and-bootstrapping`,
    needs: ['impersonation'],
    async run(t) {
      const user = t.unique('user')
      await grant(t, user, [{ apiGroups: [group], resources: ['roles'], verbs: ['create', 'get'] }])
      const path = `/apis/${group}/v1/namespaces/${await t.namespace()}/roles`
      const send = actAs(t, user)
      await t.eventually(async () => (await send('GET', `${path}/some`)).code === 200)
      const { code, message } = await send('POST', path, {
        metadata: { name: 'more' },
        rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }],
      })
      assert.equal(code, 403)
      assert.match(message ?? '', /is attempting to grant RBAC permissions not currently held/)
    },
  }),
  defineCase({
    name: 'rbac: to whom a binding points cannot be changed',
    stands: `${docs}#clusterrolebinding-example`,
    async run(t) {
      await grant(t, 'somebody', [])
      const path = `/apis/${group}/v1/namespaces/${await t.namespace()}/rolebindings/some`
      const { status, text } = await t.http({
        method: 'PATCH',
        path,
        body: { roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'view' } },
        headers: { 'content-type': 'application/merge-patch+json' },
      })
      assert.equal(status, 422)
      assert.match(text, /cannot change roleRef/)
    },
  }),
  defineCase({
    name: 'rbac: the roles for users are there',
    stands: `${docs}#user-facing-roles`,
    async run(t) {
      for (const name of ['cluster-admin', 'admin', 'edit', 'view'])
        await t.api('GET', `/apis/${group}/v1/clusterroles/${name}`)
    },
  }),
  defineCase({
    name: 'rbac: a review of oneself tells what one may do',
    stands: 'https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access',
    needs: ['impersonation'],
    async run(t) {
      const resourceAttributes = { verb: 'delete', resource: 'nodes' }
      assert.equal((await review(t, 'selfsubjectaccessreviews', { resourceAttributes })).status.allowed, true)
      const body = { spec: { resourceAttributes } }
      const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
      const { json, status } = await t.http({
        method: 'POST',
        path,
        body,
        headers: { 'impersonate-user': 'stranger', 'impersonate-group': 'system:authenticated' },
      })
      assert.equal(status, 201)
      assert.equal(json<{ status: { allowed: boolean } }>().status.allowed, false)
    },
  }),
  defineCase({
    name: 'rbac: a review of others tells what they may do',
    stands: 'SubjectReview should support SubjectReview API operations',
    async run(t) {
      const user = t.unique('user')
      await grant(t, user, [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }])
      const namespace = await t.namespace()
      const allowed = async (verb: string) =>
        (
          await review(t, 'subjectaccessreviews', {
            user,
            resourceAttributes: { verb, namespace, resource: 'configmaps' },
          })
        ).status.allowed
      assert.equal(await t.eventually(() => allowed('get')), true)
      assert.equal(await allowed('delete'), false)
    },
  }),
  defineCase({
    name: 'rbac: who one is, is told',
    stands: 'SelfSubjectReview should support SelfSubjectReview API operations',
    needs: ['impersonation'],
    async run(t) {
      const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
      const headers = { 'impersonate-user': 'jane', 'impersonate-group': 'crew', 'impersonate-extra-team': 'red' }
      const { json } = await t.http({ method: 'POST', path, body: {}, headers })
      const { userInfo } = json<{ status: { userInfo: { username: string; groups: string[]; extra: object } } }>()
        .status
      assert.equal(userInfo.username, 'jane')
      assert.ok(userInfo.groups.includes('crew'))
      assert.deepEqual(userInfo.extra, { team: ['red'] })
    },
  }),
  defineCase({
    name: 'rbac: a bad token is no identity',
    stands: 'https://kubernetes.io/docs/reference/access-authn-authz/authentication/',
    async run(t) {
      const { status, json } = await t.http({
        path: '/api/v1/namespaces',
        headers: { authorization: 'Bearer nonsense' },
      })
      assert.ok(status === 401 || json<{ kind: string }>().kind === 'NamespaceList', String(status))
    },
  }),
]
