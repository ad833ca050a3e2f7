import assert from 'node:assert/strict'
import { defineCase } from '../runner/case.ts'
import { establish, widgetKind } from '../runner/fixtures.ts'

const reference = 'https://kubernetes.io/docs/reference/kubectl/generated/'
const needs = ['kubectl'] as const

export const cases = [
  defineCase({
    name: 'kubectl version: tells the server’s',
    stands: 'Kubectl client Kubectl version should check is all data is printed',
    needs,
    async run(t) {
      const { serverVersion } = JSON.parse((await t.kubectl(['version', '-o', 'json'])).stdout)
      assert.match(serverVersion.gitVersion, /^v1\./)
    },
  }),
  defineCase({
    name: 'kubectl cluster-info: names the control plane',
    stands:
      'Kubectl client Kubectl cluster-info should check if Kubernetes control plane services is included in cluster-info',
    needs,
    async run(t) {
      assert.match((await t.kubectl(['cluster-info'])).stdout, /Kubernetes control plane.* is running at/)
    },
  }),
  defineCase({
    name: 'kubectl api-versions: has v1 and the groups',
    stands: 'Kubectl client Kubectl api-versions should check if v1 is in available api versions',
    needs,
    async run(t) {
      const versions = (await t.kubectl(['api-versions'])).stdout.trim().split('\n')
      for (const version of ['v1', 'apps/v1', 'rbac.authorization.k8s.io/v1'])
        assert.ok(versions.includes(version), version)
    },
  }),
  defineCase({
    name: 'kubectl api-resources: has the built-in kinds and custom ones',
    stands: `${reference}kubectl_api-resources/`,
    needs,
    async run(t) {
      assert.match((await t.kubectl(['api-resources'])).stdout, /^pods\s+po\s+v1\s+true\s+Pod$/m)
      const kind = widgetKind(t)
      await establish(t, kind)
      await t.eventually(async () =>
        (await t.kubectl(['api-resources', '--api-group', kind.group, '--cached=false'])).stdout.includes('Widget'),
      )
    },
  }),
  defineCase({
    name: 'kubectl explain: describes fields, of custom kinds too',
    stands: 'CustomResourcePublishOpenAPI works for CRD with validation schema',
    needs,
    async run(t) {
      const { stdout } = await t.kubectl(['explain', 'deployment.spec.replicas'])
      assert.match(stdout, /^FIELD:\s+replicas <integer>$/m)
      assert.match((await t.kubectl(['explain', 'pods', '--recursive'])).stdout, /nodeName\s+<string>/)
      const kind = widgetKind(t, { shape: { type: 'string', description: 'What it looks like.' } })
      await establish(t, kind)
      const explained = await t.eventually(() =>
        t.kubectl(['explain', `widgets.spec.shape`, '--api-version', `${kind.group}/v1`]),
      )
      assert.match(explained.stdout, /What it looks like\./)
    },
  }),
  defineCase({
    name: 'kubectl auth: tells what one may do',
    stands: `${reference}kubectl_auth/`,
    needs: ['kubectl', 'impersonation'],
    async run(t) {
      await t.namespace()
      assert.equal((await t.kubectl(['auth', 'can-i', 'create', 'pods'])).stdout, 'yes\n')
      const { stdout, exitCode } = await t.kubectl(['auth', 'can-i', 'create', 'pods', '--as', 'stranger'], {
        mayFail: true,
      })
      assert.deepEqual([stdout.split('\n')[0]?.slice(0, 2), exitCode], ['no', 1])
      assert.match((await t.kubectl(['auth', 'can-i', '--list'])).stdout, /^\*\.\*\s+\[\]\s+\[\]\s+\[\*\]$/m)
    },
  }),
  defineCase({
    name: 'kubectl auth: tells who one is',
    stands: `${reference}kubectl_auth/kubectl_auth_whoami/`,
    needs: ['kubectl', 'impersonation'],
    kubectlSince: 28,
    async run(t) {
      assert.match((await t.kubectl(['auth', 'whoami', '--as', 'jane'])).stdout, /Username\s+jane/)
    },
  }),
  defineCase({
    name: 'kubectl get --raw: reads any path',
    stands: `${reference}kubectl_get/`,
    needs,
    async run(t) {
      assert.equal((await t.kubectl(['get', '--raw', '/healthz'])).stdout, 'ok')
    },
  }),
  defineCase({
    name: 'kubectl namespaces: are made, listed and deleted',
    stands: `${reference}kubectl_create/kubectl_create_namespace/`,
    needs,
    async run(t) {
      const name = t.unique('made')
      await t.kubectl(['create', 'namespace', name])
      assert.match((await t.kubectl(['get', 'namespace', name])).stdout, /\s+Active\s+\d+s\n$/)
      await t.kubectl(['delete', 'namespace', name])
      assert.equal((await t.kubectl(['get', 'namespace', name, '--ignore-not-found'])).stdout, '')
    },
  }),
]
