import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import { type Extensions, extensionsIn } from '#core/constraints/extensions.ts'
import { unknownFormats } from '#core/schema/formats.ts'
import type { JsonSchema } from '../resource.ts'

type Spec = CustomResourceDefinition['spec']

/** What is asked of the schemas of a sound definition beside its faults, and takes a walk through all of them. */
export interface SchemaFacts {
  /** The formats that hold nothing up: those of one version after the other. */
  formats: string[]
  /** What the version that is stored says beyond Kubernetes; absent when it says nothing. */
  extensions: Extensions | undefined
}

export function schemaFactsOf(spec: Spec): SchemaFacts {
  return { formats: formatsIn(spec), extensions: extensionsOfStored(spec) }
}

export function formatsIn({ versions }: Spec): string[] {
  return (versions ?? []).flatMap(({ schema }) => unknownFormats((schema?.openAPIV3Schema ?? {}) as JsonSchema))
}

export function extensionsOfStored({ versions, scope }: Spec): Extensions | undefined {
  const stored = versions.find((version) => version.storage)
  const schema = stored?.schema?.openAPIV3Schema as JsonSchema | undefined
  return schema && extensionsIn(schema, { namespaced: scope === 'Namespaced' })
}
