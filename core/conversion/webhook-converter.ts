import { randomUUID } from 'node:crypto'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { StatusError } from '#core/errors/status-error.ts'
import type { WebhookClient, WebhookClientConfig } from '#core/webhooks/client.ts'
import { checkConverted, conversionReview, convertedObjects, formatKind, reviewVersionOf } from './conversion-review.ts'
import type { Converter } from './converter.ts'

/** What a CustomResourceDefinition says of its conversion webhook. */
export interface WebhookConversion {
  clientConfig: WebhookClientConfig
  /** In order of preference. */
  reviewVersions: readonly string[]
}

/** So many objects go in one review. */
const batchSize = 500
const timeoutMs = 30_000
/** More than what comes of the largest batch; an object may grow by its conversion. */
const limitBytes = 64 * 1024 * 1024

/** Conversion by a webhook that a CustomResourceDefinition names. */
export class WebhookConverter implements Converter {
  readonly keepsLabels = false
  readonly batchSize = batchSize
  readonly #client: WebhookClient
  readonly #conversion: WebhookConversion

  constructor(client: WebhookClient, conversion: WebhookConversion) {
    this.#client = client
    this.#conversion = conversion
  }

  /** @throws StatusError naming the kind and the webhook's fault */
  async convert(objects: readonly UnstructuredObject[], apiVersion: string): Promise<readonly UnstructuredObject[]> {
    const [first] = objects
    if (!first) return []
    const of = `conversion webhook for ${formatKind(first.apiVersion, first.kind)}`
    const converted = await this.#ask(of, objects, apiVersion)
    if (converted.length !== objects.length) {
      throw newFault(`${of} returned ${converted.length} objects, expected ${objects.length}`)
    }
    return objects.map((object, at) => {
      try {
        return checkConverted(object, converted[at], apiVersion, placeOf(at, objects.length))
      } catch (cause) {
        throw newFault(`${of} returned ${(cause as Error).message}`, cause)
      }
    })
  }

  async #ask(of: string, objects: readonly UnstructuredObject[], apiVersion: string): Promise<readonly unknown[]> {
    const { clientConfig, reviewVersions } = this.#conversion
    const version = reviewVersionOf(reviewVersions)
    if (!version) throw newFault('no supported conversion review versions')
    const uid = randomUUID()
    const review = JSON.stringify(conversionReview(version, uid, apiVersion, objects))
    try {
      const answer = await this.#client.post(clientConfig, review, { timeoutMs, limitBytes })
      return convertedObjects(answer, version, uid)
    } catch (cause) {
      throw newFault(`${of} failed: ${(cause as Error).message}`, cause)
    }
  }
}

function placeOf(at: number, count: number) {
  if (count === 1) return { object: 'invalid object', metadata: 'invalid metadata', at: ' at index 0' }
  return {
    object: `invalid converted object at index ${at}`,
    metadata: `invalid metadata in object at index ${at}`,
    at: '',
  }
}

/** Kubernetes gives no reason for what webhooks do, and the code of its own faults. */
function newFault(message: string, cause?: unknown): StatusError {
  return new StatusError({ reason: '', code: 500, message }, { cause })
}
