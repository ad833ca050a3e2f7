/**
 * A conversion webhook: crontabs of v1beta1 say `cronSpec` where those of v1 say `schedule`.
 *
 *     node examples/crd/convert.ts tls.crt tls.key [port]
 *
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#webhook-conversion
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'

interface CronTab {
  apiVersion: string
  kind: string
  metadata: object
  spec?: { cronSpec?: string; schedule?: string }
}

interface ConversionReview {
  apiVersion: string
  kind: string
  request: { uid: string; desiredAPIVersion: string; objects: CronTab[] }
}

/** The crontab in another version. Converting it back gives what it was. */
export function converted(crontab: CronTab, apiVersion: string): CronTab {
  const { cronSpec, schedule, ...others } = crontab.spec ?? {}
  const when = cronSpec ?? schedule
  const named = apiVersion.endsWith('/v1beta1') ? { cronSpec: when } : { schedule: when }
  return { ...crontab, apiVersion, spec: { ...others, ...(when !== undefined && named) } }
}

function answered({ apiVersion, kind, request }: ConversionReview): object {
  const { uid, desiredAPIVersion, objects } = request
  const convertedObjects = objects.map((crontab) => converted(crontab, desiredAPIVersion))
  return { apiVersion, kind, response: { uid, convertedObjects, result: { status: 'Success' } } }
}

function serve([certificate = 'tls.crt', key = 'tls.key', port = '9443']: readonly string[]): void {
  const server = createServer(
    { cert: readFileSync(certificate), key: readFileSync(key) },
    async (request, response) => {
      const review = (await json(request)) as ConversionReview
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answered(review)))
    },
  )
  server.listen(Number(port), 'localhost', () => {
    console.log(`converting at https://localhost:${(server.address() as AddressInfo).port}/`)
  })
  process.once('SIGTERM', () => {
    server.close()
    server.closeAllConnections()
  })
}

if (import.meta.url === pathToFileURL(process.argv[1]!).href) serve(process.argv.slice(2))
