import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from '#apis/apiextensions/v1/zz_generated.types.ts'
import { compareVersions } from '#core/machinery/version-order.ts'
import type { JsonSchema, ResourceDefinition, VersionDefinition } from '../resource.ts'
import { conversionOf } from './conversion-rules.ts'

/**
 * The definition a CustomResourceDefinition object stands for.
 * @param crd valid, with defaults applied; nothing of its schemas is kept
 * @param schemaOf gives the schema of a version whenever it is asked for, which of most is never
 */
export function definitionOf(
  crd: CustomResourceDefinition,
  schemaOf: (version: string) => JsonSchema,
): ResourceDefinition {
  const { group, names, scope, versions } = crd.spec
  const { deletionTimestamp, generation, uid } = crd.metadata
  const conversion = conversionOf(crd)
  const inOrder = [...versions].sort((a, b) => compareVersions(a.name, b.name))
  return {
    group,
    resource: names.plural,
    singular: names.singular || names.kind.toLowerCase(),
    kind: names.kind,
    listKind: names.listKind || `${names.kind}List`,
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: scope === 'Namespaced',
    storageVersion: versions.find((version) => version.storage)!.name,
    versions: inOrder.map((version) => versionOf(version, schemaOf)),
    builtin: false,
    ...(deletionTimestamp && { terminating: true }),
    ...(conversion && { conversion }),
    fingerprint: `${uid}/${generation}`,
  }
}

/** The schema of one version of a definition: of one that has none, anything. */
export function schemaIn({ spec }: CustomResourceDefinition, version: string): JsonSchema {
  const found = spec.versions.find(({ name }) => name === version)?.schema?.openAPIV3Schema
  return (found ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }) as JsonSchema
}

function versionOf(
  version: CustomResourceDefinitionVersion,
  schemaOf: (version: string) => JsonSchema,
): VersionDefinition {
  const { name, served, deprecated, deprecationWarning, subresources } = version
  return {
    name,
    served,
    ...(deprecated && { deprecated }),
    ...(deprecationWarning && { deprecationWarning }),
    get schema() {
      return schemaOf(name)
    },
    subresources: {
      ...(subresources?.status && { status: true }),
      ...(subresources?.scale && { scale: subresources.scale }),
    },
    printerColumns: (version.additionalPrinterColumns ?? []) as VersionDefinition['printerColumns'],
    selectableFields: (version.selectableFields ?? []).map((field) => field.jsonPath),
  }
}
