import type { ResourceDefinition } from '#core/registry/resource.ts'
import type { WebhookClient } from '#core/webhooks/client.ts'
import type { Converter } from './converter.ts'
import { WebhookConverter } from './webhook-converter.ts'

/** The converter of a custom resource whose versions differ in more than their names. */
export function convertersWith(client: WebhookClient): (definition: ResourceDefinition) => Converter | undefined {
  return ({ conversion }) => conversion?.webhook && new WebhookConverter(client, conversion.webhook)
}
