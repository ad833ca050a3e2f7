/** How the OpenAPI documents follow the definitions of custom kinds. */
import assert from 'node:assert/strict'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import { type CustomKind, customResourceDefinitions, establish, widgetKind } from '../runner/fixtures.ts'

interface Version {
  name: string
  served: boolean
  storage: boolean
}

interface Schema {
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[]
  properties?: Record<string, unknown>
}

/** The kinds whose schemas the document of a group's version has; undefined when there is no such document. */
async function publishedKinds(t: CaseContext, group: string, version: string): Promise<string[] | undefined> {
  const { status, json } = await t.http({ path: `/openapi/v3/apis/${group}/${version}` })
  if (status !== 200) return undefined
  const { components } = json<{ components: { schemas: Record<string, Schema> } }>()
  return Object.values(components.schemas)
    .flatMap((schema) => schema['x-kubernetes-group-version-kind'] ?? [])
    .filter((one) => one.group === group && one.version === version)
    .map(({ kind }) => kind)
}

const isPublished = async (t: CaseContext, group: string, version: string, kind = 'Widget') =>
  (await publishedKinds(t, group, version))?.includes(kind) ?? false

const isGone = async (t: CaseContext, group: string, version: string) => !(await isPublished(t, group, version))

function withVersions(kind: CustomKind, names: readonly string[]): CustomKind {
  const [version] = kind.definition.spec.versions as [Version]
  kind.definition.spec.versions = names.map((name, at) => ({ ...version, name, storage: at === 0 }))
  return kind
}

const changeVersions = (t: CaseContext, { definition }: CustomKind, change: (versions: Version[]) => Version[]) =>
  t.client.resource(customResourceDefinitions).patch(definition.metadata.name!, {
    type: 'merge',
    body: { spec: { versions: change(structuredClone(definition.spec.versions) as Version[]) } },
  })

export const cases = [
  defineCase({
    name: 'openapi: custom kinds of several groups are published',
    stands: 'CustomResourcePublishOpenAPI works for multiple CRDs of different groups',
    async run(t) {
      const kinds = [widgetKind(t), widgetKind(t)]
      for (const kind of kinds) await establish(t, kind)
      for (const { group } of kinds) await t.eventually(() => isPublished(t, group, 'v1'))
    },
  }),
  defineCase({
    name: 'openapi: every served version of a custom kind is published',
    stands: 'CustomResourcePublishOpenAPI works for multiple CRDs of same group but different versions',
    async run(t) {
      const kind = withVersions(widgetKind(t), ['v2', 'v3'])
      await establish(t, kind)
      for (const version of ['v2', 'v3']) await t.eventually(() => isPublished(t, kind.group, version))
    },
  }),
  defineCase({
    name: 'openapi: several custom kinds of one group and version are published together',
    stands: 'CustomResourcePublishOpenAPI works for multiple CRDs of same group and version but different kinds',
    async run(t) {
      const first = widgetKind(t)
      const second = structuredClone(first)
      second.definition.metadata.name = `gadgets.${first.group}`
      second.definition.spec.names = { plural: 'gadgets', singular: 'gadget', kind: 'Gadget', listKind: 'GadgetList' }
      await establish(t, first)
      await establish(t, second)
      for (const kind of ['Widget', 'Gadget']) await t.eventually(() => isPublished(t, first.group, 'v1', kind))
    },
  }),
  defineCase({
    name: 'openapi: a version that is renamed is published under its new name only',
    stands: 'CustomResourcePublishOpenAPI updates the published spec when one version gets renamed',
    async run(t) {
      const kind = withVersions(widgetKind(t), ['v2', 'v3'])
      await establish(t, kind)
      await t.eventually(() => isPublished(t, kind.group, 'v3'))
      await changeVersions(t, kind, (versions) => [versions[0]!, { ...versions[1]!, name: 'v4' }])
      await t.eventually(() => isPublished(t, kind.group, 'v4'))
      await t.eventually(() => isGone(t, kind.group, 'v3'))
      assert.ok(await isPublished(t, kind.group, 'v2'))
    },
  }),
  defineCase({
    name: 'openapi: a version that is served no more is published no more',
    stands: 'CustomResourcePublishOpenAPI removes definition from spec when one version gets changed to not be served',
    async run(t) {
      const kind = withVersions(widgetKind(t), ['v5', 'v6alpha1'])
      await establish(t, kind)
      await t.eventually(() => isPublished(t, kind.group, 'v6alpha1'))
      await changeVersions(t, kind, (versions) => [versions[0]!, { ...versions[1]!, served: false }])
      await t.eventually(() => isGone(t, kind.group, 'v6alpha1'))
      assert.ok(await isPublished(t, kind.group, 'v5'))
      const { text } = await t.http({ path: '/openapi/v2' })
      assert.ok(!text.includes(`/apis/${kind.group}/v6alpha1/`))
    },
  }),
]
