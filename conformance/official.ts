import type { ConformanceCase } from './runner/case.ts'

/**
 * The official conformance tests of Kubernetes v1.36 of the groups that are about the API, its command line and its
 * instrumentation, by the names of `test/conformance/testdata/conformance.yaml` without the tags in brackets. A case says
 * in `stands` which of them it stands for; those without a case say here what they would need.
 */

/** `node`: programs of their own in containers. */
export type Missing = 'webhook' | 'node'

type Tests = Record<string, Missing | 'covered'>

const apiMachinery = {
  'API priority and fairness should support FlowSchema API operations': 'covered',
  'API priority and fairness should support PriorityLevelConfiguration API operations': 'covered',
  'AdmissionWebhook listing mutating webhooks should work': 'webhook',
  'AdmissionWebhook listing validating webhooks should work': 'webhook',
  'AdmissionWebhook patching/updating a mutating webhook should work': 'webhook',
  'AdmissionWebhook patching/updating a validating webhook should work': 'webhook',
  'AdmissionWebhook should be able to create and update mutating webhook configurations with match conditions':
    'webhook',
  'AdmissionWebhook should be able to create and update validating webhook configurations with match conditions':
    'webhook',
  'AdmissionWebhook should be able to deny attaching pod': 'webhook',
  'AdmissionWebhook should be able to deny custom resource creation, update and deletion': 'webhook',
  'AdmissionWebhook should be able to deny pod and configmap creation': 'webhook',
  'AdmissionWebhook should deny crd creation': 'webhook',
  'AdmissionWebhook should honor timeout': 'webhook',
  'AdmissionWebhook should include webhook resources in discovery documents': 'covered',
  'AdmissionWebhook should mutate configmap': 'webhook',
  'AdmissionWebhook should mutate custom resource': 'webhook',
  'AdmissionWebhook should mutate custom resource with different stored version': 'webhook',
  'AdmissionWebhook should mutate custom resource with pruning': 'webhook',
  "AdmissionWebhook should mutate everything except 'skip-me' configmaps": 'webhook',
  'AdmissionWebhook should mutate pod and apply defaults after mutation': 'webhook',
  'AdmissionWebhook should not be able to mutate or prevent deletion of webhook configuration objects': 'webhook',
  'AdmissionWebhook should reject mutating webhook configurations with invalid match conditions': 'webhook',
  'AdmissionWebhook should reject validating webhook configurations with invalid match conditions': 'webhook',
  'AdmissionWebhook should unconditionally reject operations on fail closed webhook': 'webhook',
  'AggregatedDiscovery should support aggregated discovery interface': 'covered',
  'AggregatedDiscovery should support aggregated discovery interface for CRDs': 'covered',
  'AggregatedDiscovery should support raw aggregated discovery endpoint Accept headers': 'covered',
  'AggregatedDiscovery should support raw aggregated discovery request for CRDs': 'covered',
  'Aggregator Should be able to support the 1.17 Sample API Server using the current Aggregator': 'covered',
  'CustomResourceConversionWebhook should be able to convert a non homogeneous list of CRs': 'covered',
  'CustomResourceConversionWebhook should be able to convert from CR v1 to CR v2': 'covered',
  'CustomResourceDefinition Watch CustomResourceDefinition Watch watch on custom resource definition objects':
    'covered',
  'CustomResourceDefinition resources Simple CustomResourceDefinition creating/deleting custom resource definition objects works':
    'covered',
  'CustomResourceDefinition resources Simple CustomResourceDefinition getting/updating/patching custom resource definition status sub-resource works':
    'covered',
  'CustomResourceDefinition resources Simple CustomResourceDefinition listing custom resource definition objects works':
    'covered',
  'CustomResourceDefinition resources custom resource defaulting for requests and from storage works': 'covered',
  'CustomResourceDefinition resources should include custom resource definition resources in discovery documents':
    'covered',
  'CustomResourceFieldSelectors CustomResourceFieldSelectors MUST list and watch custom resources matching the field selector':
    'covered',
  'CustomResourcePublishOpenAPI removes definition from spec when one version gets changed to not be served': 'covered',
  'CustomResourcePublishOpenAPI updates the published spec when one version gets renamed': 'covered',
  'CustomResourcePublishOpenAPI works for CRD preserving unknown fields at the schema root': 'covered',
  'CustomResourcePublishOpenAPI works for CRD preserving unknown fields in an embedded object': 'covered',
  'CustomResourcePublishOpenAPI works for CRD with validation schema': 'covered',
  'CustomResourcePublishOpenAPI works for CRD without validation schema': 'covered',
  'CustomResourcePublishOpenAPI works for multiple CRDs of different groups': 'covered',
  'CustomResourcePublishOpenAPI works for multiple CRDs of same group and version but different kinds': 'covered',
  'CustomResourcePublishOpenAPI works for multiple CRDs of same group but different versions': 'covered',
  'Discovery should locate the groupVersion and a resource within each APIGroup': 'covered',
  'Discovery should validate PreferredVersion for each APIGroup': 'covered',
  'FieldValidation should create/apply a CR with unknown fields for CRD with no validation schema': 'covered',
  'FieldValidation should create/apply a valid CR for CRD with validation schema': 'covered',
  'FieldValidation should create/apply an invalid CR with extra properties for CRD with validation schema': 'covered',
  'FieldValidation should detect duplicates in a CR when preserving unknown fields': 'covered',
  'FieldValidation should detect unknown and duplicate fields of a typed object': 'covered',
  'FieldValidation should detect unknown metadata fields in both the root and embedded object of a CR': 'covered',
  'FieldValidation should detect unknown metadata fields of a typed object': 'covered',
  'Garbage collector should delete RS created by deployment when not orphaning': 'covered',
  'Garbage collector should delete pods created by rc when not orphaning': 'covered',
  'Garbage collector should keep the rc around until all its pods are deleted if the deleteOptions says so': 'covered',
  'Garbage collector should not be blocked by dependency circle': 'covered',
  "Garbage collector should not delete dependents that have both valid owner and owner that's waiting for dependents to be deleted":
    'covered',
  'Garbage collector should orphan RS created by deployment when deleteOptions.PropagationPolicy is Orphan': 'covered',
  'Garbage collector should orphan pods created by rc if delete options say so': 'covered',
  'MutatingAdmissionPolicy should mutate a Deployment': 'covered',
  'MutatingAdmissionPolicy should mutate a Deployment with annotations': 'covered',
  'MutatingAdmissionPolicy should support MutatingAdmissionPolicy API operations': 'covered',
  'MutatingAdmissionPolicy should support MutatingAdmissionPolicyBinding API operations': 'covered',
  'Namespaces should apply a finalizer to a Namespace': 'covered',
  'Namespaces should apply an update to a Namespace': 'covered',
  'Namespaces should apply changes to a namespace status': 'covered',
  'Namespaces should ensure that all pods are removed when a namespace is deleted': 'covered',
  'Namespaces should ensure that all services are removed when a namespace is deleted': 'covered',
  'Namespaces should patch a Namespace': 'covered',
  'OrderedNamespaceDeletion namespace deletion should delete pod first': 'covered',
  'ResourceQuota should apply changes to a resourcequota status': 'covered',
  'ResourceQuota should be able to update and delete ResourceQuota.': 'covered',
  'ResourceQuota should create a ResourceQuota and capture the life of a configMap.': 'covered',
  'ResourceQuota should create a ResourceQuota and capture the life of a pod.': 'covered',
  'ResourceQuota should create a ResourceQuota and capture the life of a replica set.': 'covered',
  'ResourceQuota should create a ResourceQuota and capture the life of a replication controller.': 'covered',
  'ResourceQuota should create a ResourceQuota and capture the life of a secret.': 'covered',
  'ResourceQuota should create a ResourceQuota and capture the life of a service.': 'covered',
  'ResourceQuota should create a ResourceQuota and ensure its status is promptly calculated.': 'covered',
  'ResourceQuota should manage the lifecycle of a ResourceQuota': 'covered',
  'ResourceQuota should verify ResourceQuota with best effort scope.': 'covered',
  'ResourceQuota should verify ResourceQuota with terminating scopes.': 'covered',
  'Servers with support for API chunking should return chunks of results for list calls': 'covered',
  'Servers with support for API chunking should support continue listing from the last key if the original version has been compacted away, though the list is inconsistent':
    'covered',
  'Servers with support for Table transformation should return a 406 for a backend which does not implement metadata':
    'covered',
  'ValidatingAdmissionPolicy should allow expressions to refer variables.': 'covered',
  'ValidatingAdmissionPolicy should support ValidatingAdmissionPolicy API operations': 'covered',
  'ValidatingAdmissionPolicy should support ValidatingAdmissionPolicyBinding API operations': 'covered',
  'ValidatingAdmissionPolicy should validate against a Deployment': 'covered',
  'Watchers should be able to restart watching from the last resource version observed by the previous watch':
    'covered',
  'Watchers should be able to start watching from a specific resource version': 'covered',
  'Watchers should observe add, update, and delete watch notifications on configmaps': 'covered',
  'Watchers should observe an object deletion if it stops meeting the requirements of the selector': 'covered',
  'Watchers should receive events on concurrent watches in same order': 'covered',
  'server version should find the server version': 'covered',
} as const satisfies Tests

const cli = {
  'Kubectl client Guestbook application should create and stop a working application': 'node',
  'Kubectl client Kubectl api-versions should check if v1 is in available api versions': 'covered',
  'Kubectl client Kubectl cluster-info should check if Kubernetes control plane services is included in cluster-info':
    'covered',
  'Kubectl client Kubectl describe should check if kubectl describe prints relevant information for rc and pods':
    'covered',
  'Kubectl client Kubectl diff should check if kubectl diff finds a difference for Deployments': 'covered',
  'Kubectl client Kubectl expose should create services for rc': 'covered',
  'Kubectl client Kubectl label should update the label on a resource': 'covered',
  'Kubectl client Kubectl patch should add annotations for pods in rc': 'covered',
  "Kubectl client Kubectl replace should update a single-container pod's image": 'covered',
  'Kubectl client Kubectl run pod should create a pod from an image when restart is Never': 'covered',
  'Kubectl client Kubectl server-side dry-run should check if kubectl can dry-run update Pods': 'covered',
  'Kubectl client Kubectl version should check is all data is printed': 'covered',
  'Kubectl client Proxy server should support --unix-socket=/path': 'covered',
  'Kubectl client Proxy server should support proxy with --port 0': 'covered',
  'Kubectl client Update Demo should create and stop a replication controller': 'covered',
  'Kubectl client Update Demo should scale a replication controller': 'covered',
  'Kubectl logs logs should be able to retrieve and filter logs': 'covered',
} as const satisfies Tests

const instrumentation = {
  'Events API should delete a collection of events': 'covered',
  'Events API should ensure that an event can be fetched, patched, deleted, and listed': 'covered',
  'Events should delete a collection of events': 'covered',
  'Events should manage the lifecycle of an event': 'covered',
} as const satisfies Tests

export const officialTests: Readonly<Record<'api-machinery' | 'cli' | 'instrumentation', Readonly<Tests>>> = {
  'api-machinery': apiMachinery,
  cli,
  instrumentation,
}

/** The cases that stand for each official test, by its name. */
export function casesByOfficialTest(cases: readonly ConformanceCase[]): Map<string, string[]> {
  const byTest = new Map<string, string[]>()
  for (const { name, stands } of cases)
    for (const test of [stands].flat()) byTest.set(test, [...(byTest.get(test) ?? []), name])
  return byTest
}

/** The table of the official tests, as lines: each with the cases that stand for it, or what it would need. */
export function describeCoverage(cases: readonly ConformanceCase[]): string[] {
  const byTest = casesByOfficialTest(cases)
  return Object.entries(officialTests).flatMap(([group, tests]) =>
    Object.entries(tests).flatMap(([test, by]) => {
      const found = byTest.get(test) ?? [`none: needs ${by}`]
      return [`[sig-${group}] ${test}`, ...found.map((name) => `    ${name}`)]
    }),
  )
}
