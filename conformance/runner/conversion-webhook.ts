import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { KubeObject } from '@keelson/apis/meta/v1/types.ts'

/** A conversion webhook on this machine, for cases about versions: what it makes of objects is the case's to say. */
export interface ConversionWebhook extends AsyncDisposable {
  readonly port: number
  /** `https://127.0.0.1:<port>` */
  readonly url: string
  /** How many objects came with each review. */
  readonly reviews: number[]
  /** Vouches for it, as `caBundle` has it: also for the service `conversion-webhook` in the namespace `default`. */
  readonly caBundle: string
  /** Replaced by cases in which it misbehaves; undefined: it never answers. */
  answer: (review: ConversionRequest) => object | undefined | number
}

export interface ConversionRequest {
  uid: string
  desiredAPIVersion: string
  objects: KubeObject[]
}

/** @param convert one object to an apiVersion; may change it */
export async function openConversionWebhook(
  convert: (object: KubeObject, apiVersion: string) => KubeObject,
): Promise<ConversionWebhook> {
  const reviews: number[] = []
  const server = createServer(serving)
  const webhook: ConversionWebhook = {
    get port() {
      return (server.address() as AddressInfo).port
    },
    get url() {
      return `https://127.0.0.1:${webhook.port}`
    },
    reviews,
    caBundle: Buffer.from(authority).toString('base64'),
    answer: ({ uid, desiredAPIVersion, objects }) =>
      successful(
        uid,
        objects.map((object) => convert(object, desiredAPIVersion)),
      ),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
  server.on('request', async (request: IncomingMessage, response: ServerResponse) => {
    const { request: review } = JSON.parse(await text(request)) as { request: ConversionRequest }
    reviews.push(review.objects.length)
    const body = webhook.answer(review)
    if (body === undefined) return
    const status = typeof body === 'number' ? body : 200
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(typeof body === 'number' ? 'the webhook is not well' : JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return webhook
}

/** An answer as a webhook gives it that converted everything. */
export function successful(uid: string, convertedObjects: unknown[]): object {
  return {
    kind: 'ConversionReview',
    apiVersion: 'apiextensions.k8s.io/v1',
    response: { uid, convertedObjects, result: { status: 'Success' } },
  }
}

/**
 * Certificates that nobody but these cases trusts, and a key that is therefore no secret:
 * of an authority, and of a server with the subjectAltName `IP:127.0.0.1,DNS:localhost,DNS:conversion-webhook.default.svc`;
 * good from 2024 to 2048.
 */
const authority = `-----BEGIN CERTIFICATE-----
MIIBoDCCAUegAwIBAgIQUBYYeF1lWgQyt6j8z0eTbzAKBggqhkjOPQQDAjAgMR4w
HAYDVQQDDBVjb252ZXJzaW9uLXdlYmhvb2stY2EwHhcNMjQwMTAxMDAwMDAwWhcN
NDkwMTAxMDAwMDAwWjAgMR4wHAYDVQQDDBVjb252ZXJzaW9uLXdlYmhvb2stY2Ew
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQlVdd4dXRorQCtwcb/+wN5lFMaGa/L
1pyF0uxSjkHMNBUhLxBluex0cDgWgmoBBh53z8lsFvIOgDzqkvKrNp/ao2MwYTAO
BgNVHQ8BAf8EBAMCAYYwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQUxhiFLuRS
UWkK3Iz4Ib2A0fZK2jAwHwYDVR0jBBgwFoAUxhiFLuRSUWkK3Iz4Ib2A0fZK2jAw
CgYIKoZIzj0EAwIDRwAwRAIgfrIfWe5ysBzMjy5t+jIvV+WOuWaMKaMVTi0iGRoW
GQgCID8LoMn+KNjzUkHkitMnVyfa0hvDfSlrTGL/uPkQjdan
-----END CERTIFICATE-----
`

const serving = {
  cert: `-----BEGIN CERTIFICATE-----
MIIB7jCCAZSgAwIBAgIQbK79Z+BGZcJhmw0BHmF7tDAKBggqhkjOPQQDAjAgMR4w
HAYDVQQDDBVjb252ZXJzaW9uLXdlYmhvb2stY2EwHhcNMjQwMTAxMDAwMDAwWhcN
NDkwMTAxMDAwMDAwWjAdMRswGQYDVQQDDBJjb252ZXJzaW9uLXdlYmhvb2swWTAT
BgcqhkjOPQIBBggqhkjOPQMBBwNCAAShCIn0c3uk13jn5ka9W8Hry1E5J54Sy0qY
EPkMlaGY86n2OnhvMU7QqUO5ntr6NyHhLJNgAzW0l1VI58YKTzkZo4GyMIGvMA4G
A1UdDwEB/wQEAwIHgDAMBgNVHRMBAf8EAjAAMB0GA1UdDgQWBBQ63/X1MgCuZpts
sFG5KTmPKbC6AzAfBgNVHSMEGDAWgBTGGIUu5FJRaQrcjPghvYDR9kraMDATBgNV
HSUEDDAKBggrBgEFBQcDATA6BgNVHREEMzAxhwR/AAABgglsb2NhbGhvc3SCHmNv
bnZlcnNpb24td2ViaG9vay5kZWZhdWx0LnN2YzAKBggqhkjOPQQDAgNIADBFAiEA
7s1n+q0DQqhUdrkv4uuXimPPIpSLpjsiJwnXsTWhkF0CIF3ryxjZjDRuJkjE7RkA
JrSuXL+62pAhRQZWWrlCbWId
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXmqiJauFKguY7enU
BiWjEpm31s5u9tM/Y7XfJzbuvBChRANCAAShCIn0c3uk13jn5ka9W8Hry1E5J54S
y0qYEPkMlaGY86n2OnhvMU7QqUO5ntr6NyHhLJNgAzW0l1VI58YKTzkZ
-----END PRIVATE KEY-----
`,
}
