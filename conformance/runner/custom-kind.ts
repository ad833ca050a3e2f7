import type { KubeObject } from '@keelson/apis/meta/v1/types.ts'
import type { CaseContext } from './context.ts'
import type { CustomKind } from './fixtures.ts'

/** A custom resource of any shape. */
export type Thing = KubeObject & Record<string, unknown>

export interface KindOptions {
  /** Of the whole object; absent: of its spec. */
  root?: object
  /** Of the fields of its spec. */
  spec?: object
  /** Beside the schema of its one version. */
  version?: object
  /** Beside what every definition has. */
  definition?: object
  names?: object
  scope?: 'Cluster' | 'Namespaced'
}

export const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more })
export const text = { type: 'string' }
export const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

/** A custom kind of one version, whose group is its own. */
export function thingKind(t: CaseContext, options: KindOptions = {}): CustomKind {
  const { root = object({ spec: object(options.spec ?? {}) }), scope = 'Namespaced' } = options
  const group = `${t.unique('group')}.example.com`
  const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: root }, ...options.version }
  const names = { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList', ...options.names }
  return {
    group,
    ref: { group, version: 'v1', resource: names.plural, kind: names.kind, namespaced: scope === 'Namespaced' },
    definition: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${names.plural}.${group}` },
      spec: { group, scope, names, versions: [version], ...options.definition },
    },
  }
}

export const thing = ({ group, ref }: CustomKind, name: string, more: object = {}): Thing => ({
  apiVersion: `${group}/v1`,
  kind: ref.kind,
  metadata: { name },
  ...more,
})

/** The path of its collection: in the case's namespace, or of the cluster. */
export async function pathOf(t: CaseContext, { group, ref }: CustomKind): Promise<string> {
  const { version, resource, namespaced } = ref
  return namespaced
    ? `/apis/${group}/${version}/namespaces/${await t.namespace()}/${resource}`
    : `/apis/${group}/${version}/${resource}`
}
