import assert from 'node:assert/strict'
import type { KubeObject } from '@keelson/apis/meta/v1/types.ts'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'

const docs = 'https://kubernetes.io/docs/reference/using-api/api-concepts/#api-verbs'

const labels = { app: 'least' }
const selector = { matchLabels: labels }
const podSpec = { containers: [{ name: 'main', image: 'example.com/main:1' }], schedulerName: 'nobody' }
const template = { metadata: { labels }, spec: podSpec }
const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' }
const noReplicas = { replicas: 0, selector, template }
const everyPod = {
  resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
}

type Fields = Record<string, unknown>

/** The least of each kind that has to say more than its name, by `resource.group`. */
const least: Readonly<Record<string, Fields>> = {
  persistentvolumeclaims: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
  persistentvolumes: {
    spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/tmp/least' } },
  },
  pods: { spec: podSpec },
  podtemplates: { template },
  replicationcontrollers: { spec: { replicas: 0, selector: labels, template } },
  services: { spec: { ports: [{ port: 80 }] } },
  'controllerrevisions.apps': { data: {}, revision: 1 },
  'daemonsets.apps': {
    spec: { selector, template: { ...template, spec: { ...podSpec, nodeSelector: { no: 'node' } } } },
  },
  'deployments.apps': { spec: noReplicas },
  'replicasets.apps': { spec: noReplicas },
  'statefulsets.apps': { spec: { ...noReplicas, serviceName: 'least' } },
  'horizontalpodautoscalers.autoscaling': {
    spec: { maxReplicas: 1, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'nobody' } },
  },
  'cronjobs.batch': {
    spec: {
      schedule: '0 0 1 1 *',
      suspend: true,
      jobTemplate: { spec: { template: { spec: { ...podSpec, restartPolicy: 'Never' } } } },
    },
  },
  'jobs.batch': { spec: { suspend: true, template: { spec: { ...podSpec, restartPolicy: 'Never' } } } },
  'ingressclasses.networking.k8s.io': { spec: { controller: 'example.com/least' } },
  'ingresses.networking.k8s.io': { spec: { defaultBackend: { service: { name: 'nobody', port: { number: 80 } } } } },
  'clusterrolebindings.rbac.authorization.k8s.io': { roleRef },
  'rolebindings.rbac.authorization.k8s.io': { roleRef },
  'csistoragecapacities.storage.k8s.io': { storageClassName: 'least' },
  'storageclasses.storage.k8s.io': { provisioner: 'example.com/least' },
  'volumeattachments.storage.k8s.io': {
    spec: { attacher: 'example.com', nodeName: 'nobody', source: { persistentVolumeName: 'nobody' } },
  },
  'volumeattributesclasses.storage.k8s.io': { driverName: 'example.com', parameters: { a: 'b' } },
  'mutatingadmissionpolicybindings.admissionregistration.k8s.io': { spec: { policyName: 'nobody' } },
  'validatingadmissionpolicybindings.admissionregistration.k8s.io': {
    spec: { policyName: 'nobody', validationActions: ['Deny'] },
  },
  'validatingadmissionpolicies.admissionregistration.k8s.io': {
    spec: { matchConstraints: everyPod, validations: [{ expression: 'true' }] },
  },
  'runtimeclasses.node.k8s.io': { handler: 'least' },
  'endpointslices.discovery.k8s.io': { addressType: 'IPv4', endpoints: [] },
  'flowschemas.flowcontrol.apiserver.k8s.io': { spec: { priorityLevelConfiguration: { name: 'nobody' } } },
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io': { spec: { type: 'Limited', limited: {} } },
  'resourceclaimtemplates.resource.k8s.io': { spec: { spec: {} } },
}

/** Kinds whose names or contents are for cases of their own. */
const elsewhere = new Set([
  'events',
  'events.events.k8s.io',
  'namespaces',
  'apiservices.apiregistration.k8s.io',
  'certificatesigningrequests.certificates.k8s.io',
  'customresourcedefinitions.apiextensions.k8s.io',
  'ipaddresses.networking.k8s.io',
  'servicecidrs.networking.k8s.io',
  'mutatingadmissionpolicies.admissionregistration.k8s.io',
  'resourceslices.resource.k8s.io',
  'storageversionmigrations.storagemigration.k8s.io',
])

interface Kind {
  name: string
  kind: string
  namespaced: boolean
  verbs: string[]
}

const whole = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']

/** Every kind of Kubernetes' groups that this server stores, with the path of its version and its name in `least`. */
async function storedKinds(t: CaseContext) {
  const { groups } = await t.api<{ groups: { name: string; preferredVersion: { groupVersion: string } }[] }>(
    'GET',
    '/apis',
  )
  const native = groups.filter(({ name }) => !name.includes('.') || name.endsWith('.k8s.io'))
  const all = ['v1', ...native.map(({ preferredVersion }) => preferredVersion.groupVersion)]
  const lists = await Promise.all(
    all.map(async (groupVersion) => {
      const root = groupVersion === 'v1' ? '/api/v1' : `/apis/${groupVersion}`
      const group = groupVersion === 'v1' ? '' : `.${groupVersion.split('/')[0]}`
      const { resources } = await t.api<{ resources: Kind[] }>('GET', root)
      return resources
        .filter(({ name, verbs }) => !name.includes('/') && whole.every((verb) => verbs.includes(verb)))
        .map((one) => ({ ...one, root, groupVersion, id: `${one.name}${group}` }))
    }),
  )
  return lists.flat().filter(({ id }) => !elsewhere.has(id))
}

type StoredKind = Awaited<ReturnType<typeof storedKinds>>[number]

/** Everything that can be done with an object, from its creation to its end. */
async function live(t: CaseContext, { id, root, name: resource, groupVersion, kind, namespaced }: StoredKind) {
  const name = t.unique('least')
  const collection = `${root}${namespaced ? `/namespaces/${await t.namespace()}` : ''}/${resource}`
  const path = `${collection}/${name}`
  const object = { apiVersion: groupVersion, kind, metadata: { name, labels: { least: name } }, ...least[id] }
  const watch = await t.watch(`${collection}?watch=1&labelSelector=least%3D${name}&resourceVersion=0`)
  await t.api('POST', collection, object)
  t.cleanup(() => t.http({ method: 'DELETE', path }))
  assert.equal((await t.api('GET', path)).kind, kind)
  const { items } = await t.api<{ items: KubeObject[] }>('GET', `${collection}?labelSelector=least%3D${name}`)
  assert.deepEqual(
    items.map(({ metadata }) => metadata.name),
    [name],
  )
  await t.api('PATCH', path, { metadata: { annotations: { patched: 'yes' } } })
  const { metadata, ...patched } = await t.api('GET', path)
  const labels = { ...metadata.labels, updated: 'yes' }
  // Controllers write, too: the update is to win all the same.
  const { resourceVersion: _, ...unversioned } = metadata
  await t.api('PUT', path, { ...patched, metadata: { ...unversioned, labels } })
  const updated = await t.api('GET', path)
  assert.deepEqual([updated.metadata.annotations?.patched, updated.metadata.labels?.updated], ['yes', 'yes'])
  await t.api('DELETE', path, {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    gracePeriodSeconds: 0,
    propagationPolicy: 'Background',
  })
  const seen = new Set<string>()
  for (let event = await watch.next(); event; event = await watch.next()) {
    seen.add(event.type)
    if (event.type === 'DELETED') break
    // What protects an object while it is used lets go of it in its own time.
    if (event.object.metadata.deletionTimestamp && event.object.metadata.finalizers?.length) break
  }
  assert.ok(seen.has('ADDED') && seen.has('MODIFIED'), `${id}: ${[...seen]}`)
}

export const cases = [
  defineCase({
    name: 'every kind: what is stored can be created, read, listed, watched, changed and deleted',
    stands: docs,
    async run(t) {
      const kinds = await storedKinds(t)
      assert.ok(kinds.length >= 35, `${kinds.length} kinds`)
      for (const kind of kinds) {
        await live(t, kind).catch((cause: Error) => {
          throw new Error(`${kind.id}: ${cause.message}`, { cause })
        })
      }
    },
  }),
]
