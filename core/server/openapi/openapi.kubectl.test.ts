import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { builtin, source } from '../discovery/discovery.fixture.ts'
import { Discovery } from '../discovery/discovery.ts'
import { type Document, ServedDocument } from '../discovery/document.ts'
import { encodeGnostic } from './gnostic.ts'
import { OpenApi, v2ProtobufAccepts, v2ProtobufType } from './openapi.ts'

/** The documents as real kubectls read them. */

const candidates = [
  ...(process.env.KUBECTL ? [process.env.KUBECTL] : []),
  '/usr/bin/kubectl',
  '/usr/local/bin/kubectl',
  ...['1.27', '1.28', '1.30', '1.33'].map((version) => `/usr/lib/google-cloud-sdk/bin/kubectl.${version}`),
]
const kubectls = candidates.filter((path) => existsSync(path))

const discovery = new Discovery(source)
const openApi = new OpenApi(source, builtin.types, 'v1.36.0')
const requests: string[] = []

const server = createServer((request, response) => serve(request, response, documentOf))
/** Seems to be a server that leaves validation to its clients, as those before 1.25 did; it has no OpenAPI 3.0 either. */
const trustingServer = createServer((request, response) => serve(request, response, trustingDocumentOf))

type DocumentOf = (request: IncomingMessage) => Promise<{ document: Document; type: string } | undefined>

async function serve(request: IncomingMessage, response: ServerResponse, find: DocumentOf) {
  requests.push(`${request.method} ${request.url}`)
  const write = request.method === 'GET' ? undefined : await text(request)
  const found = write === undefined ? await find(request) : undefined
  if (write !== undefined) {
    // A dry run is answered with what was sent.
    response.writeHead(request.method === 'POST' ? 201 : 200, { 'content-type': 'application/json' }).end(write)
  } else if (found) {
    const { document, type } = found
    response.writeHead(200, { 'content-type': type, etag: document.etag }).end((await document.body(false)).bytes)
  } else {
    const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 }
    response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify(status))
  }
}

const documentOf: DocumentOf = async (request) => {
  const { pathname } = new URL(request.url!, 'http://localhost')
  const accept = request.headers.accept ?? ''
  const json = (document: Document | undefined) => document && { document, type: 'application/json' }
  const aggregated = accept.includes('APIGroupDiscoveryList')
  const [root, group, version] = pathname.slice(1).split('/')
  if (pathname === '/openapi/v2') {
    return v2ProtobufAccepts.some((type) => accept.includes(type))
      ? { document: openApi.v2Protobuf(), type: v2ProtobufType }
      : json(openApi.v2())
  }
  if (pathname === '/openapi/v3') return json(openApi.v3Index())
  if (pathname.startsWith('/openapi/v3/')) return json(openApi.v3(pathname.slice('/openapi/v3/'.length)))
  if ((pathname === '/api' || pathname === '/apis') && aggregated) {
    const type = 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList'
    return { document: discovery.aggregated(pathname === '/api' ? 'api' : 'apis', 'v2beta1'), type }
  }
  if (pathname === '/api') return json(discovery.apiVersions())
  if (pathname === '/apis') return json(discovery.groupList())
  if (root === 'api' && !version) return json(discovery.resourceList('', group!))
  if (root === 'apis' && pathname.split('/').length === 4) return json(discovery.resourceList(group!, version!))
  return undefined
}

const trustingDocumentOf: DocumentOf = async (request) => {
  if (request.url!.startsWith('/openapi/v3')) return undefined
  if (!request.url!.startsWith('/openapi/v2')) return documentOf(request)
  const text = String((await openApi.v2().body(false)).bytes).replaceAll('"name":"fieldValidation"', '"name":"unused"')
  return { document: new ServedDocument(() => encodeGnostic(JSON.parse(text))), type: v2ProtobufType }
}

let home = ''
beforeAll(async () => {
  for (const one of [server, trustingServer]) {
    await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve))
  }
  home = await mkdtemp(join(tmpdir(), 'keelson-openapi-'))
  await writeFile(join(home, 'config'), 'apiVersion: v1\nkind: Config\n')
})
afterAll(async () => {
  for (const one of [server, trustingServer]) {
    one.closeAllConnections()
    await new Promise((resolve) => one.close(resolve))
  }
  await rm(home, { recursive: true, force: true })
})

function kubectl(
  path: string,
  args: string[],
  input = '',
  to = server,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const url = `http://127.0.0.1:${(to.address() as AddressInfo).port}`
  const env = { HOME: home, KUBECONFIG: join(home, 'config'), PATH: process.env.PATH ?? '' }
  return new Promise((resolve) => {
    const common = ['--server', url, '--cache-dir', join(home, 'cache'), '--namespace', 'default']
    const child = execFile(path, [...common, ...args], { env, timeout: 25_000 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    )
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}

const explanations = [
  {
    what: ['deployment.spec.strategy', '--recursive'],
    want: [
      /KIND: +Deployment/,
      /rollingUpdate\s+<(RollingUpdateDeployment|Object)>/,
      /\n +maxSurge\s+<(IntOrString|string)>/,
    ],
  },
  { what: ['pod.spec.containers.resources.limits'], want: [/KIND: +Pod/, /map\[string\]/] },
  { what: ['pods'], want: [/KIND: +Pod/, /spec\s+<(PodSpec|Object)>/, /metadata\s+<(ObjectMeta|Object)>/] },
  {
    what: ['hpa', '--api-version=autoscaling/v2'],
    want: [/VERSION: +(autoscaling\/)?v2/, /spec\s+<(HorizontalPodAutoscalerSpec|Object)>/],
  },
  { what: ['backups.spec'], want: [/KIND: +Backup/, /schedule\s+<string> -required-/, /targets\s+<\[\]Object>/] },
  { what: ['subjectaccessreviews'], want: [/KIND: +SubjectAccessReview/] },
]

test.each(kubectls.flatMap((path) => explanations.map((one) => ({ path, ...one }))))(
  '$path explains $what',
  async ({ path, what, want }) => {
    const { stderr, stdout } = await kubectl(path, ['explain', ...what])
    expect(stderr).toBe('')
    for (const pattern of want) expect(stdout).toMatch(pattern)
  },
)

/** The last releases that read OpenAPI 2.0 too. */
const readersOfV2 = kubectls.filter((path) => /1\.2[0-9]$|1\.30$/.test(path))

test.each(readersOfV2.flatMap((path) => explanations.map((one) => ({ path, ...one }))))(
  '$path explains $what from OpenAPI 2.0',
  async ({ path, what, want }) => {
    const { stderr, stdout } = await kubectl(path, ['explain', '--output=plaintext-openapiv2', ...what])
    expect(stderr).toBe('')
    for (const pattern of want) expect(stdout.replace('\t-required-', ' -required-')).toMatch(pattern)
  },
)

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'web', image: 'nginx', resources: { limits: { cpu: 1, memory: '1Gi' } } }] },
    },
  },
}
const backup = {
  apiVersion: 'acme.dev/v1',
  kind: 'Backup',
  metadata: { name: 'b' },
  spec: { schedule: '@daily', keep: 3 },
}

test.each(kubectls.flatMap((path) => [deployment, backup].map((object) => ({ path, object, kind: object.kind }))))(
  '$path finds that a $kind can be applied as a dry run, checked by the server',
  async ({ path, object }) => {
    requests.length = 0
    const run = await kubectl(path, ['apply', '--dry-run=server', '-f', '-'], JSON.stringify(object))
    expect(run).toMatchObject({ code: 0, stderr: '' })
    expect(run.stdout).toMatch(/created \(server dry run\)/)
    const posts = requests.filter((one) => one.startsWith('POST '))
    expect(posts).toEqual([expect.stringMatching(/dryRun=All&.*fieldValidation=Strict/)])
  },
)

const judged = [
  { name: 'a good Deployment', object: deployment, want: /created \(dry run\)/ },
  {
    name: 'an unknown field',
    object: { ...deployment, spec: { ...deployment.spec, replicaz: 1 } },
    want: /unknown field "replicaz" in io\.k8s\.api\.apps\.v1\.DeploymentSpec/,
  },
  {
    name: 'what a custom resource leaves open',
    object: {
      ...backup,
      spec: { ...backup.spec, note: null, extra: { more: { of: 'it' } }, targets: [{ name: 'a' }] },
    },
    want: /created \(dry run\)/,
  },
  {
    name: 'what a custom resource asks for',
    object: { ...backup, spec: { oops: 1 } },
    want: /unknown field "oops" in dev\.acme\.v1\.Backup\.spec.*missing required field "schedule"/,
  },
]

test.each(readersOfV2.slice(0, 1).flatMap((path) => judged.map((one) => ({ path, ...one }))))(
  '$path judges $name by OpenAPI 2.0 when it must validate itself',
  async ({ path, object, want }) => {
    const args = ['create', '--dry-run=client', '--validate=strict', '-f', '-']
    const { stderr, stdout } = await kubectl(path, args, JSON.stringify(object), trustingServer)
    expect(stdout + stderr).toMatch(want)
  },
)

test.runIf(kubectls.length > 0)('kubectl lists what can be used', async () => {
  const { stdout } = await kubectl(kubectls[0]!, ['api-resources', '--api-group=acme.dev', '-o', 'wide'])
  expect(stdout).toMatch(
    /backups +bk +acme\.dev\/v1 +true +Backup +create,delete,deletecollection,get,list,patch,update,watch +all/,
  )
})
