/** The objects cases are about, as short to write as they are to read. */

import type { Deployment } from '@keelson/apis/apps/v1/zz_generated.types.ts'
import type {
  ConfigMap,
  Container,
  Pod,
  PodSpec,
  ReplicationController,
} from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { KubeObject, ObjectMeta, ResourceRef } from '@keelson/apis/meta/v1/types.ts'
import type { CaseContext } from './context.ts'

export function configMap(name: string, data: Record<string, string> = {}, metadata: ObjectMeta = {}): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data }
}

/** What tells the simulated runtime to end a container by itself; real ones run the command and do not look at it. */
export const endsWith = (exitCode: number) => ({
  'sim.keelson.dev/run-ms': '20',
  'sim.keelson.dev/exit-code': String(exitCode),
})

export const container = (t: CaseContext, command: string[], more: Partial<Container> = {}): Container => ({
  name: 'main',
  image: t.image,
  imagePullPolicy: 'IfNotPresent',
  command,
  ...more,
})

const sleepsUntilKilled = ['sh', '-c', 'trap exit TERM; sleep 3600 & wait']

/** A pod that runs until it is deleted. */
export function runningPod(t: CaseContext, name: string, spec: Partial<PodSpec> = {}, metadata: ObjectMeta = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...metadata },
    spec: { terminationGracePeriodSeconds: 5, containers: [container(t, sleepsUntilKilled)], ...spec },
  }
}

/** A pod whose one container ends with `exitCode`. */
export function endingPod(t: CaseContext, name: string, exitCode: number, spec: Partial<PodSpec> = {}): Pod {
  const containers = [container(t, ['sh', '-c', `exit ${exitCode}`])]
  return runningPod(t, name, { restartPolicy: 'Never', containers, ...spec }, { annotations: endsWith(exitCode) })
}

/** Its pods are placed on no node, so that nothing runs and deletions wait for nobody. */
export function replicationController(
  t: CaseContext,
  name: string,
  replicas: number,
  spec: Partial<PodSpec> = { schedulerName: 'nobody' },
): ReplicationController {
  const { spec: podSpec } = runningPod(t, name, { terminationGracePeriodSeconds: 1, ...spec })
  const labels = { app: name }
  return {
    apiVersion: 'v1',
    kind: 'ReplicationController',
    metadata: { name, labels },
    spec: { replicas, selector: labels, template: { metadata: { labels }, spec: podSpec } },
  }
}

export function deployment(t: CaseContext, name: string, replicas: number, env = 'one'): Deployment {
  const labels = { app: name }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [container(t, sleepsUntilKilled, { env: [{ name: 'VERSION', value: env }] })],
        },
      },
    },
  }
}

export interface Widget extends KubeObject {
  spec?: { size?: number; colour?: string; extra?: unknown } & Record<string, unknown>
  status?: Record<string, unknown>
}

export interface CustomKind {
  group: string
  definition: KubeObject & { spec: Record<string, unknown> }
  ref: ResourceRef<Widget>
}

/** A custom kind with a schema, a default, columns, status and scale; its group is its own. */
export function widgetKind(t: CaseContext, properties: object = {}): CustomKind {
  const group = `${t.unique('group')}.example.com`
  const version = {
    name: 'v1',
    served: true,
    storage: true,
    schema: { openAPIV3Schema: widgetSchema(properties) },
    subresources: { status: {}, scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' } },
    additionalPrinterColumns: [
      { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
      { name: 'Colour', type: 'string', jsonPath: '.spec.colour', priority: 1 },
    ],
  }
  return {
    group,
    ref: { group, version: 'v1', resource: 'widgets', kind: 'Widget', namespaced: true },
    definition: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `widgets.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
        versions: [version],
      },
    },
  }
}

const widgetSchema = (properties: object) => ({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 1, maximum: 100 },
        colour: { type: 'string', default: 'red', enum: ['red', 'green', 'blue'] },
        ...properties,
      },
    },
    status: { type: 'object', properties: { size: { type: 'integer' }, phase: { type: 'string' } } },
  },
})

export interface Established extends KubeObject {
  status?: { conditions?: { type: string; status: string }[] }
}

export const customResourceDefinitions: ResourceRef<Established> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
}

/** Creates the kind, waits until it is served, and removes it after the case. */
export async function establish(t: CaseContext, kind: CustomKind): Promise<void> {
  const name = kind.definition.metadata.name!
  t.cleanup(() => t.client.resource(customResourceDefinitions).delete(name))
  await t.client.resource(customResourceDefinitions).create(kind.definition)
  await t.until(customResourceDefinitions, name, ({ status }) =>
    status?.conditions?.some((condition) => condition.type === 'Established' && condition.status === 'True'),
  )
}

export const widget = ({ group }: CustomKind, name: string, spec: Widget['spec'] = { size: 3 }): Widget => ({
  apiVersion: `${group}/v1`,
  kind: 'Widget',
  metadata: { name },
  spec,
})
