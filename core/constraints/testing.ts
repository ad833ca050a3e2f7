import type { JsonSchema } from '#core/registry/resource.ts'
import { openTestRegistry, type TestRegistry } from '#core/testing/test-registry.ts'

/** Custom resources with constraints, in a registry of their own. */

export const group = 'constraints.example.dev'
export const widgets = `${group}/v1/widgets`
const definitions = 'apiextensions.k8s.io/v1/customresourcedefinitions'

export function definition(
  spec: Record<string, JsonSchema>,
  kind = 'Widget',
  scope = 'Namespaced',
): Record<string, unknown> {
  const plural = `${kind.toLowerCase()}s`
  return {
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: { plural, kind },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: spec } } } },
          subresources: { status: {} },
        },
      ],
    },
  }
}

export async function openWith(...kinds: object[]): Promise<TestRegistry> {
  const registry = await openTestRegistry()
  for (const kind of kinds) await registry.create(definitions, kind)
  return registry
}

export const define = (registry: TestRegistry, kind: object) => registry.create(definitions, kind)

export const widget = (name: string, spec: object, namespace = 'default', kind = 'Widget') => ({
  apiVersion: `${group}/v1`,
  kind,
  metadata: { name, ...(namespace && { namespace }) },
  spec,
})
