import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { CompiledSchema } from '#core/schema/compile.ts'
import { compileSchema } from '#core/schema/compile.ts'
import type { GroupVersionKind, GroupVersionResource, Kinds, ServedKind } from '../matching/kinds.ts'

const text = { type: 'string' } as const
const texts = { type: 'object', additionalProperties: text } as const

/** What most tests are about: `core/v1` ConfigMaps, and `example.com` Widgets in two versions. */
export const served: readonly ServedKind[] = [
  { group: '', version: 'v1', resource: 'configmaps', kind: 'ConfigMap', namespaced: true },
  { group: 'example.com', version: 'v1', resource: 'widgets', kind: 'Widget', namespaced: true },
  { group: 'example.com', version: 'v2', resource: 'widgets', kind: 'Widget', namespaced: true },
  { group: 'example.com', version: 'v1', resource: 'limits', kind: 'Limit', namespaced: false },
]

const schema = compileSchema(
  {
    type: 'object',
    properties: {
      data: texts,
      spec: {
        type: 'object',
        properties: {
          size: { type: 'integer' },
          parts: {
            type: 'array',
            items: {
              type: 'object',
              required: ['name'],
              properties: { name: text, colour: { ...text, default: 'red' } },
            },
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['name'],
          },
          words: { type: 'array', items: text },
        },
      },
    },
  },
  {},
)

/** Converts by renaming, slowly where that is asked for. */
export class FakeKinds implements Kinds {
  readonly isSlow: boolean

  constructor({ isSlow = false } = {}) {
    this.isSlow = isSlow
  }

  byKind({ group, version, kind }: GroupVersionKind): ServedKind | undefined {
    return served.find((one) => one.group === group && one.version === version && one.kind === kind)
  }

  byResource({ group, version, resource }: GroupVersionResource): ServedKind | undefined {
    return served.find((one) => one.group === group && one.version === version && one.resource === resource)
  }

  equivalents(group: string, resource: string): readonly ServedKind[] {
    return served.filter((one) => one.group === group && one.resource === resource)
  }

  convert(
    object: Readonly<UnstructuredObject>,
    { group, version }: GroupVersionResource,
  ): UnstructuredObject | Promise<UnstructuredObject> {
    const made = {
      ...structuredClone(object),
      apiVersion: group ? `${group}/${version}` : version,
    } as UnstructuredObject
    return this.isSlow ? Promise.resolve(made) : made
  }

  schema(of: GroupVersionKind): CompiledSchema | undefined {
    return this.byKind(of) && schema
  }

  settle({ object }: { object?: UnstructuredObject }): void {
    schema.applyDefaults(object)
  }
}
