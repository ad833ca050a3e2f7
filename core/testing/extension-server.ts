import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { KeyAndCertificate } from '#core/server/pki/certificate.ts'

/** What reached an extension server. */
export interface SeenRequest {
  method: string
  url: string
  /** Names in lower case; a repeated one is there once for each time. */
  headers: [name: string, value: string][]
  /** Common name of the client's certificate; empty when it showed none that is trusted. */
  client: string
}

/** An API server as others write them: the group version acme.test/v1 with its gadgets, and what tests ask for besides. */
export interface ExtensionServer extends AsyncDisposable {
  readonly port: number
  readonly seen: SeenRequest[]
  /** While false, discovery is answered with 500. */
  isWell: boolean
  /** Ends the watch that is open. */
  endWatch(): void
  /** Resolves when a request hangs that is never answered, with what resolves when its client is gone. */
  hung(): Promise<{ left: Promise<unknown> }>
  /** Resolves when the next watch is open; its line comes with the call of the result. */
  watched(): Promise<(event: object) => void>
}

const group = 'acme.test'
const base = `/apis/${group}/v1`
const gadget = (name: string) => ({
  apiVersion: `${group}/v1`,
  kind: 'Gadget',
  metadata: { name, namespace: 'default', uid: name, resourceVersion: '7', creationTimestamp: '2026-01-01T00:00:00Z' },
})

const resources = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: `${group}/v1`,
  resources: [
    {
      name: 'gadgets',
      singularName: 'gadget',
      namespaced: true,
      kind: 'Gadget',
      verbs: ['create', 'get', 'list', 'watch'],
      shortNames: ['gd'],
      categories: ['all'],
    },
    {
      name: 'gadgets/scale',
      singularName: '',
      namespaced: true,
      kind: 'Scale',
      group: 'autoscaling',
      version: 'v1',
      verbs: ['get'],
    },
  ],
}

const gadgetSchema = {
  description: 'Does what it can.',
  type: 'object',
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
    power: { type: 'integer', description: 'In watts.' },
  },
  'x-kubernetes-group-version-kind': [{ group, version: 'v1', kind: 'Gadget' }],
}
const kind = { group, version: 'v1', kind: 'Gadget' }
const itemPath = `${base}/namespaces/{namespace}/gadgets/{name}`

const openApiV2 = {
  swagger: '2.0',
  info: { title: 'acme', version: '1' },
  parameters: { name: { name: 'name', in: 'path', required: true, type: 'string' } },
  paths: {
    [itemPath]: {
      get: {
        operationId: 'readGadget',
        parameters: [{ $ref: '#/parameters/name' }],
        responses: { 200: { description: 'OK', schema: { $ref: '#/definitions/test.acme.v1.Gadget' } } },
        'x-kubernetes-action': 'get',
        'x-kubernetes-group-version-kind': kind,
      },
    },
    '/apis/apps/v1/taken': { get: { responses: {} } },
  },
  definitions: { 'test.acme.v1.Gadget': gadgetSchema },
}
const openApiV3 = {
  openapi: '3.0.0',
  info: { title: 'acme', version: '1' },
  paths: {
    [itemPath]: {
      get: {
        operationId: 'readGadget',
        responses: { 200: { description: 'OK' } },
        'x-kubernetes-action': 'get',
        'x-kubernetes-group-version-kind': kind,
      },
    },
  },
  components: { schemas: { 'test.acme.v1.Gadget': gadgetSchema } },
}

export interface ExtensionServerOptions {
  serving: KeyAndCertificate
  /** The authority of the clients it believes. */
  clientCa: string
  host: string
}

export async function startExtensionServer({
  serving,
  clientCa,
  host,
}: ExtensionServerOptions): Promise<ExtensionServer> {
  const server = createServer({
    cert: serving.certPem,
    key: serving.keyPem,
    ca: clientCa,
    requestCert: true,
    rejectUnauthorized: false,
  })
  const open = new Set<ServerResponse>()
  const hanging = Promise.withResolvers<{ left: Promise<unknown> }>()
  let announce = Promise.withResolvers<(event: object) => void>()
  const extension: ExtensionServer = {
    get port() {
      return (server.address() as AddressInfo).port
    },
    seen: [],
    isWell: true,
    endWatch: () => {
      for (const response of open) response.end()
    },
    hung: () => hanging.promise,
    watched: () => announce.promise,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
  const watch = (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
    open.add(response.once('close', () => open.delete(response)))
    announce.resolve((event) => response.write(`${JSON.stringify(event)}\n`))
    announce = Promise.withResolvers()
  }
  const note = (request: IncomingMessage) => {
    const seen = seenOf(request)
    extension.seen.push(seen)
    return seen
  }
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const seen = note(request)
    const { pathname, searchParams } = new URL(seen.url, 'https://extension')
    if (seen.client === '') return json(response, 401, { kind: 'Status', code: 401 })
    if (pathname === base) return json(response, extension.isWell ? 200 : 500, resources)
    if (pathname === '/openapi/v2') return json(response, 200, openApiV2)
    if (pathname === '/openapi/v3') {
      const serverRelativeURL = `/openapi/v3${base}?hash=ABC`
      return json(response, 200, {
        paths: { [base.slice(1)]: { serverRelativeURL }, 'apis/apps/v1': { serverRelativeURL } },
      })
    }
    if (pathname === `/openapi/v3${base}`) {
      response.setHeader('etag', '"ABC"')
      return json(response, 200, openApiV3)
    }
    if (pathname.endsWith('/echo'))
      return void request.pipe(response.writeHead(200, { 'content-type': 'text/x-echo', 'x-acme': 'yes' }))
    if (pathname.endsWith('/hang')) return hanging.resolve({ left: once(response, 'close') })
    if (pathname.endsWith('/nothing')) return void response.writeHead(Number(searchParams.get('status'))).end()
    if (searchParams.has('watch')) return watch(response)
    const name = /\/gadgets\/([^/]+)$/.exec(pathname)?.[1]
    if (name) return json(response, 200, gadget(name))
    if (pathname.endsWith('/gadgets')) {
      return json(response, 200, {
        apiVersion: `${group}/v1`,
        kind: 'GadgetList',
        metadata: { resourceVersion: '7' },
        items: [gadget('one'), gadget('two')],
      })
    }
    json(response, 418, {
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      reason: 'Teapot',
      message: 'short and stout',
      code: 418,
    })
  })
  server.on('upgrade', (request, socket) => {
    note(request)
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    socket.pipe(socket)
  })
  server.listen(0, host)
  await once(server, 'listening')
  return extension
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function seenOf({ method = '', url = '', rawHeaders, socket }: IncomingMessage): SeenRequest {
  const headers: SeenRequest['headers'] = []
  for (let at = 0; at < rawHeaders.length; at += 2) headers.push([rawHeaders[at]!.toLowerCase(), rawHeaders[at + 1]!])
  const tls = socket as TLSSocket
  const { CN = '' } = tls.authorized ? tls.getPeerX509Certificate()!.toLegacyObject().subject : {}
  return { method, url, headers, client: String(CN) }
}
