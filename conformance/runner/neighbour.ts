import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** An API server of its own on this machine, for cases about aggregation: what it answers is the case's to say. */
export interface Neighbour extends AsyncDisposable {
  readonly port: number
}

/** A request as it reached the neighbour. */
export interface NeighbourRequest {
  path: string
  /** Of one value, or of several joined by `, `. */
  header(name: string): string
  /** Common name of the certificate that the cluster showed. */
  client: string
}

/** @param answer the body of each answer; undefined is answered with 404 */
export async function openNeighbour(answer: (request: NeighbourRequest) => object | undefined): Promise<Neighbour> {
  const server = createServer({ ...serving, requestCert: true, rejectUnauthorized: false })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const body = answer({
      path: request.url ?? '',
      header: (name) => String(request.headers[name] ?? ''),
      client: String((request.socket as TLSSocket).getPeerCertificate().subject?.CN ?? ''),
    })
    response.writeHead(body ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/**
 * A certificate that nobody vouches for, and its key, which is therefore no secret:
 * `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj /CN=neighbour.invalid`
 */
const serving = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBkDCCATWgAwIBAgIUWoUrKiT6iB6SJrPFYHzFwDBHGQwwCgYIKoZIzj0EAwIw
HDEaMBgGA1UEAwwRbmVpZ2hib3VyLmludmFsaWQwIBcNMjYxMTIyMTU0NzEzWhgP
MjEyNjEwMjkxNTQ3MTNaMBwxGjAYBgNVBAMMEW5laWdoYm91ci5pbnZhbGlkMFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAErCGwC9uF3ey63F2LpqhMco7b7Ui30G61
hbKEBhuqXeRoGtw0VG5PYbR3qtVv/GOwCLmdA0r66VoehnFB+YlAMaNTMFEwHQYD
VR0OBBYEFNhNHng4QRKu8LqwxwcFgP3aN6s/MB8GA1UdIwQYMBaAFNhNHng4QRKu
8LqwxwcFgP3aN6s/MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIh
APDIdUv+2b/SnOxsaIjy6UkVHWIY4SMoRRXgazBHmMGMAiEAttuY+BORd6J29Psb
bBCgA042EYKiZABYQ/1JDyrim9g=
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYa521JDKg1L3aaEt
sS0jWDla4biPEU2U8/eGdYSpK9ihRANCAASsIbAL24Xd7LrcXYumqExyjtvtSLfQ
brWFsoQGG6pd5Gga3DRUbk9htHeq1W/8Y7AIuZ0DSvrpWh6GcUH5iUAx
-----END PRIVATE KEY-----
`,
}
