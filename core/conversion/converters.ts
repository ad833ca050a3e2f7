import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { JsonSchema, ResourceDefinition } from '#core/registry/resource.ts'
import type { WebhookClient } from '#core/webhooks/client.ts'
import { type Converter, ownBatchSize } from './converter.ts'
import { DeclarativeConverter } from './declarative/declarative-converter.ts'
import { WebhookConverter } from './webhook-converter.ts'

/**
 * The converters of custom resources whose versions differ in more than their names.
 * @param options.declarative whether definitions may say themselves how their versions are converted
 */
export function convertersWith(
  client: WebhookClient,
  options: { declarative: boolean },
): (definition: ResourceDefinition) => Converter | undefined {
  return (definition) => {
    const { webhook, declarative } = definition.conversion ?? {}
    if (webhook) return new WebhookConverter(client, webhook)
    return declarative !== undefined && options.declarative ? new LateConverter(declarative, definition) : undefined
  }
}

/** Compiles what a definition says when there is something to convert: of most definitions that are served there never is. */
class LateConverter implements Converter {
  readonly keepsLabels = true
  readonly batchSize = ownBatchSize
  readonly #text: string
  readonly #definition: ResourceDefinition
  #converter: DeclarativeConverter | undefined

  constructor(text: string, definition: ResourceDefinition) {
    this.#text = text
    this.#definition = definition
  }

  convert(objects: readonly UnstructuredObject[], apiVersion: string): readonly UnstructuredObject[] {
    this.#converter ??= new DeclarativeConverter(this.#text, schemasOf(this.#definition))
    return this.#converter.convert(objects, apiVersion)
  }
}

function schemasOf({ versions }: ResourceDefinition): Map<string, JsonSchema> {
  return new Map(versions.map(({ name, schema }) => [name, schema]))
}
