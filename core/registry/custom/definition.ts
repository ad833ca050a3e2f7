import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from '#apis/apiextensions/v1/zz_generated.types.ts'
import { compareVersions } from '#core/machinery/version-order.ts'
import type { ResourceDefinition, VersionDefinition } from '../resource.ts'

/** The definition a CustomResourceDefinition object stands for. @param crd valid, with defaults applied */
export function definitionOf(crd: CustomResourceDefinition): ResourceDefinition {
  const { group, names, scope, versions } = crd.spec
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
    versions: inOrder.map(versionOf),
    builtin: false,
    ...(crd.metadata.deletionTimestamp && { terminating: true }),
  }
}

function versionOf(version: CustomResourceDefinitionVersion): VersionDefinition {
  const { name, served, deprecated, deprecationWarning, subresources } = version
  return {
    name,
    served,
    ...(deprecated && { deprecated }),
    ...(deprecationWarning && { deprecationWarning }),
    schema: (version.schema?.openAPIV3Schema ?? {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
    }) as VersionDefinition['schema'],
    subresources: {
      ...(subresources?.status && { status: true }),
      ...(subresources?.scale && { scale: subresources.scale }),
    },
    printerColumns: (version.additionalPrinterColumns ?? []) as VersionDefinition['printerColumns'],
    selectableFields: (version.selectableFields ?? []).map((field) => field.jsonPath),
  }
}
