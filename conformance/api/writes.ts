import assert from 'node:assert/strict'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import { configMap, deployment, runningPod } from '../runner/fixtures.ts'

const concepts = 'https://kubernetes.io/docs/reference/using-api/api-concepts/'
const warnings = 'https://kubernetes.io/blog/2020/09/03/warnings/'
const collection = 'https://kubernetes.io/docs/concepts/architecture/garbage-collection/'
const merge = { 'content-type': 'application/merge-patch+json' }
const json = { 'content-type': 'application/json-patch+json' }

const unplaced = { schedulerName: 'nobody' }
const container = (more: object = {}) => ({ name: 'main', image: 'x', ...more })

async function paths(t: CaseContext) {
  const core = `/api/v1/namespaces/${await t.namespace()}`
  return {
    configMaps: `${core}/configmaps`,
    pods: `${core}/pods`,
    services: `${core}/services`,
    jobs: core.replace('/api/v1', '/apis/batch/v1').concat('/jobs'),
    deployments: core.replace('/api/v1', '/apis/apps/v1').concat('/deployments'),
    budgets: core.replace('/api/v1', '/apis/policy/v1').concat('/poddisruptionbudgets'),
  }
}

/** The texts of a Warning header. */
function warningsOf(headers: { warning?: string | string[] }): string[] {
  return [...String(headers.warning ?? '').matchAll(/299 - "((?:\\.|[^"\\])*)"/g)].map((found) =>
    found[1]!.replace(/\\(.)/g, '$1'),
  )
}

export const cases = [
  defineCase({
    name: 'writes: a dry run of each verb goes all the way and changes nothing',
    stands: 'https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run',
    async run(t) {
      const { configMaps, pods, deployments } = await paths(t)
      await t.api('POST', configMaps, configMap('one', { a: '1' }))
      await t.api('POST', pods, runningPod(t, 'one', unplaced))
      await t.api('POST', deployments, { ...deployment(t, 'one', 0), metadata: { name: 'one' } })
      const state = async () =>
        Promise.all(
          [configMaps, pods, deployments].map(async (path) => {
            const { items } = await t.api<{ items: { metadata: { generation?: number; uid: string } }[] }>('GET', path)
            return items.map(({ metadata: { generation, uid }, ...rest }) => ({
              generation,
              uid,
              data: (rest as { data?: unknown }).data,
            }))
          }),
        )
      const before = await state()
      const dry = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
        t.http({ method, path: `${path}?dryRun=All`, body, headers })
      const made = await dry('POST', configMaps, configMap('two'))
      assert.equal(made.status, 201)
      assert.ok(made.json<{ metadata: { uid?: string } }>().metadata.uid)
      assert.equal((await dry('POST', configMaps, configMap('one'))).status, 409)
      assert.equal((await dry('POST', configMaps, configMap('A'))).status, 422)
      assert.equal((await dry('PUT', `${configMaps}/one`, configMap('one', { a: '2' }))).status, 200)
      const patched = await dry('PATCH', `${configMaps}/one`, { data: { b: '2' } }, merge)
      assert.deepEqual(patched.json<{ data: unknown }>().data, { a: '1', b: '2' })
      assert.equal((await dry('DELETE', `${configMaps}/one`)).status, 200)
      assert.equal((await dry('DELETE', configMaps)).status, 200)
      assert.equal((await dry('DELETE', `${pods}/one`)).status, 200)
      const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'one' } }
      assert.equal((await dry('POST', `${pods}/one/eviction`, eviction)).status, 201)
      const binding = {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'one' },
        target: { kind: 'Node', name: 'a' },
      }
      assert.equal((await dry('POST', `${pods}/one/binding`, binding)).status, 201)
      assert.equal((await dry('PATCH', `${deployments}/one/scale`, { spec: { replicas: 3 } }, merge)).status, 200)
      assert.deepEqual(await state(), before)
    },
  }),
  defineCase({
    name: 'writes: options of a deletion in its body make it dry, too',
    stands: concepts,
    async run(t) {
      const { configMaps } = await paths(t)
      await t.api('POST', configMaps, configMap('one'))
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', dryRun: ['All'] }
      assert.equal((await t.http({ method: 'DELETE', path: `${configMaps}/one`, body })).status, 200)
      assert.equal((await t.http({ path: `${configMaps}/one` })).status, 200)
    },
  }),
  defineCase({
    name: 'writes: a deletion that names another state is a conflict',
    stands: 'https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/delete-options/',
    async run(t) {
      const { configMaps } = await paths(t)
      const { metadata } = await t.api('POST', configMaps, configMap('one'))
      const remove = (preconditions: object) =>
        t.http({ method: 'DELETE', path: `${configMaps}/one`, body: { preconditions } })
      const other = await remove({ uid: 'other' })
      assert.equal(other.status, 409)
      assert.match(
        other.text,
        new RegExp(`the UID in the precondition \\(other\\) does not match the UID in record \\(${metadata.uid}\\)`),
      )
      const old = await remove({ uid: metadata.uid, resourceVersion: '1' })
      assert.equal(old.status, 409)
      assert.match(
        old.text,
        /the ResourceVersion in the precondition \(1\) does not match the ResourceVersion in record/,
      )
      const { uid, resourceVersion } = metadata
      assert.equal((await remove({ uid, resourceVersion })).status, 200)
    },
  }),
  defineCase({
    name: 'writes: a name that is given is kept, whatever generateName says',
    stands: concepts,
    async run(t) {
      const { configMaps } = await paths(t)
      const body = configMap('taken-name', {}, { generateName: 'taken-' })
      assert.equal((await t.http({ method: 'POST', path: configMaps, body })).status, 201)
      const again = await t.http({ method: 'POST', path: configMaps, body })
      assert.equal(again.status, 409)
      assert.equal(again.json().reason, 'AlreadyExists')
    },
  }),
  defineCase({
    name: 'writes: a collection is deleted in pages',
    stands: concepts,
    async run(t) {
      const { configMaps } = await paths(t)
      const labels = { set: 'paged' }
      for (const name of ['a', 'b', 'c']) await t.api('POST', configMaps, configMap(name, {}, { labels }))
      const remove = (query: string) =>
        t.api<{ items: object[]; metadata: { continue?: string } }>(
          'DELETE',
          `${configMaps}?labelSelector=set%3Dpaged${query}`,
        )
      const first = await remove('&limit=2')
      assert.equal(first.items.length, 2)
      assert.ok(first.metadata.continue)
      const rest = await remove('')
      assert.equal(rest.items.length, 1)
      assert.equal(rest.metadata.continue, undefined)
    },
  }),
  defineCase({
    name: 'writes: a job that is deleted without a word leaves its pods',
    stands: collection,
    async run(t) {
      const { jobs } = await paths(t)
      const spec = { suspend: true, template: { spec: { restartPolicy: 'Never', containers: [container()] } } }
      const make = (name: string) => t.api('POST', jobs, { metadata: { name, finalizers: ['example.com/hold'] }, spec })
      const release = (name: string) => t.api('PATCH', `${jobs}/${name}`, { metadata: { finalizers: null } })
      const remove = async (name: string, body?: object) => {
        await make(name)
        t.cleanup(() => release(name))
        const { headers, text } = await t.http({ method: 'DELETE', path: `${jobs}/${name}`, body })
        const { metadata } = JSON.parse(text) as { metadata: { finalizers?: string[] } }
        return { warnings: warningsOf(headers), finalizers: (metadata.finalizers ?? []).toSorted() }
      }
      const silent = await remove('silent')
      assert.deepEqual(silent.finalizers, ['example.com/hold', 'orphan'])
      assert.match(silent.warnings.join(), /child pods are preserved by default when jobs are deleted/)
      const background = await remove('background', { propagationPolicy: 'Background' })
      assert.deepEqual(background, { warnings: [], finalizers: ['example.com/hold'] })
      const foreground = await remove('foreground', { propagationPolicy: 'Foreground' })
      assert.deepEqual(foreground, { warnings: [], finalizers: ['example.com/hold', 'foregroundDeletion'] })
      const older = await remove('older', { orphanDependents: false })
      assert.deepEqual(older, { warnings: [], finalizers: ['example.com/hold'] })
    },
  }),
  defineCase({
    name: 'writes: a deleted service is answered with itself, a ConfigMap with a Status',
    stands: concepts,
    async run(t) {
      const { configMaps, services } = await paths(t)
      await t.api('POST', services, { metadata: { name: 'one' }, spec: { clusterIP: 'None', ports: [{ port: 80 }] } })
      assert.equal((await t.api('DELETE', `${services}/one`)).kind, 'Service')
      await t.api('POST', configMaps, configMap('one'))
      assert.equal((await t.api('DELETE', `${configMaps}/one`)).kind, 'Status')
    },
  }),
  defineCase({
    name: 'writes: what a pod hardly means is warned of, each thing once',
    stands: warnings,
    async run(t) {
      const { pods } = await paths(t)
      const env = [
        { name: 'A', value: '1' },
        { name: 'A', value: '2' },
      ]
      const body = {
        metadata: { name: 'dotted.name' },
        spec: { ...unplaced, nodeSelector: { 'beta.kubernetes.io/os': 'linux' }, containers: [container({ env })] },
      }
      const { status, headers } = await t.http({ method: 'POST', path: pods, body })
      assert.equal(status, 201)
      assert.deepEqual(warningsOf(headers).toSorted(), [
        "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
        'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
        'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
      ])
    },
  }),
  defineCase({
    name: 'writes: a template is warned of where it is, and again only when it changes',
    stands: warnings,
    async run(t) {
      const { deployments } = await paths(t)
      const body = deployment(t, 'one', 0)
      body.spec.template.spec!.hostAliases = [{ ip: '1.1.1.1' }, { ip: '1.1.1.1' }]
      const warning = 'spec.template.spec.hostAliases[1].ip: duplicate ip "1.1.1.1"'
      const made = await t.http({ method: 'POST', path: deployments, body })
      assert.deepEqual(warningsOf(made.headers), [warning])
      const patch = (body: object) => t.http({ method: 'PATCH', path: `${deployments}/one`, body, headers: merge })
      assert.deepEqual(warningsOf((await patch({ metadata: { labels: { a: 'b' } } })).headers), [])
      assert.deepEqual(warningsOf((await patch({ spec: { minReadySeconds: 1 } })).headers), [warning])
    },
  }),
  defineCase({
    name: 'writes: what is on its way out says so with each answer',
    stands: warnings,
    async run(t) {
      const { headers } = await t.http({ path: `/api/v1/namespaces/${await t.namespace()}/endpoints` })
      assert.deepEqual(warningsOf(headers), [
        'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
      ])
      assert.deepEqual(warningsOf((await t.http({ path: '/api/v1/componentstatuses' })).headers), [
        'v1 ComponentStatus is deprecated in v1.19+',
      ])
    },
  }),
  defineCase({
    name: 'writes: an owner that is named twice counts once, with a warning',
    stands: collection,
    async run(t) {
      const { configMaps } = await paths(t)
      const { metadata } = await t.api('POST', configMaps, configMap('owner'))
      const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: metadata.uid! }
      const body = configMap('owned', {}, { ownerReferences: [owner, owner] })
      const { headers, text } = await t.http({ method: 'POST', path: configMaps, body })
      assert.match(warningsOf(headers).join(), /^.metadata.ownerReferences contains duplicate entries/)
      assert.equal((JSON.parse(text) as { metadata: { ownerReferences: object[] } }).metadata.ownerReferences.length, 1)
    },
  }),
  defineCase({
    name: 'writes: what is odd about a patch is warned of, or refused when strict',
    stands:
      'https://kubernetes.io/docs/reference/using-api/api-concepts/#validation-for-unrecognized-or-duplicate-fields',
    async run(t) {
      const { configMaps } = await paths(t)
      await t.api('POST', configMaps, configMap('one'))
      const patch = (query: string, body: unknown, headers: Record<string, string>) =>
        t.http({ method: 'PATCH', path: `${configMaps}/one${query}`, body, headers })
      const twice = '{"data":{"a":"1","a":"2"},"dta":{}}'
      const warned = await patch('', twice, merge)
      assert.deepEqual(warningsOf(warned.headers).toSorted(), ['duplicate field "data.a"', 'unknown field "dta"'])
      const strict = await patch('?fieldValidation=Strict', twice, merge)
      assert.equal(strict.status, 422)
      assert.equal(strict.json().reason, 'Invalid')
      const silent = await patch('?fieldValidation=Ignore', twice, merge)
      assert.deepEqual([silent.status, warningsOf(silent.headers)], [200, []])
      const operations = [{ op: 'test', path: '/data/a', value: '2', why: 'a' }]
      assert.deepEqual(warningsOf((await patch('', operations, json)).headers), ['json patch unknown field "[0].why"'])
    },
  }),
  defineCase({
    name: 'writes: a patch meets whatever others write meanwhile',
    stands: concepts,
    async run(t) {
      const { configMaps } = await paths(t)
      await t.api('POST', configMaps, configMap('one'))
      const keys = Array.from({ length: 24 }, (_, n) => `k${n}`)
      const answers = await Promise.all(
        keys.map((key) =>
          t.http({ method: 'PATCH', path: `${configMaps}/one`, body: { data: { [key]: 'x' } }, headers: merge }),
        ),
      )
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
      const { data } = await t.api<{ data: object }>('GET', `${configMaps}/one`)
      assert.deepEqual(Object.keys(data).toSorted(), keys.toSorted())
    },
  }),
  defineCase({
    name: 'writes: an eviction waits for the budget of its pod',
    stands: 'https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/',
    async run(t) {
      const { pods, budgets } = await paths(t)
      const labels = { app: 'budget' }
      await t.api('POST', pods, runningPod(t, 'one', unplaced, { labels }))
      const conditions = [{ type: 'Ready', status: 'True' }]
      await t.api('PATCH', `${pods}/one/status`, { status: { phase: 'Running', conditions } })
      const spec = { minAvailable: 1, selector: { matchLabels: labels } }
      await t.api('POST', budgets, { metadata: { name: 'one' }, spec })
      const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'one' } }
      const evict = () => t.http({ method: 'POST', path: `${pods}/one/eviction`, body: eviction })
      const refused = await evict()
      assert.equal(refused.status, 429)
      const { reason, message, details } = refused.json<{
        reason: string
        message: string
        details: { causes: { reason: string }[] }
      }>()
      assert.equal(reason, 'TooManyRequests')
      assert.equal(message, "Cannot evict pod as it would violate the pod's disruption budget.")
      assert.equal(details.causes[0]!.reason, 'DisruptionBudget')
      await t.api('DELETE', `${budgets}/one`)
      assert.equal((await evict()).status, 201)
    },
  }),
  defineCase({
    name: 'writes: finalizers of built-in kinds say whose they are',
    stands: 'https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/',
    async run(t) {
      const { configMaps } = await paths(t)
      const body = configMap('one', {}, { finalizers: ['mine'] })
      const { status, text } = await t.http({ method: 'POST', path: configMaps, body })
      assert.equal(status, 422)
      assert.match(
        text,
        /metadata.finalizers\[0\]: Invalid value: .*name is neither a standard finalizer name nor is it fully qualified/,
      )
    },
  }),
]
