import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Upgrade } from './types.ts'

/**
 * A server just large enough for `kubectl exec`, `attach` and `port-forward` against the pod `default/web-0`, and the
 * kubectls to run against it.
 */
export interface KubectlServer extends AsyncDisposable {
  url: string
  /** Arguments and environment that keep a kubectl to this server. */
  arguments: string[]
  environment: Record<string, string>
}

const candidates = [
  ...(process.env.KUBECTL ? [process.env.KUBECTL] : []),
  '/usr/bin/kubectl',
  '/usr/local/bin/kubectl',
  ...['1.27', '1.29', '1.31', '1.33'].map((version) => `/usr/lib/google-cloud-sdk/bin/kubectl.${version}`),
]

/** The kubectls of this machine; tests that need one skip without. */
export const kubectls = candidates.filter((path) => existsSync(path))

export async function startKubectlServer(onUpgrade: (upgrade: Upgrade) => unknown): Promise<KubectlServer> {
  const server = createServer((request, response) => {
    const body = documents.get(pathOf(request))
    response.writeHead(body ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body ?? notFound))
  })
  const sockets = new Set<{ destroy(): void }>()
  server.on('upgrade', (request, socket, head) => {
    sockets.add(socket)
    onUpgrade({ request, socket, head })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const home = await mkdtemp(join(tmpdir(), 'keelson-kubectl-'))
  const config = join(home, 'config')
  await writeFile(config, 'apiVersion: v1\nkind: Config\n')
  return {
    url,
    arguments: ['--server', url, '--namespace', 'default', '--cache-dir', join(home, 'cache')],
    environment: { HOME: home, KUBECONFIG: config, PATH: process.env.PATH ?? '' },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(home, { recursive: true, force: true })
    },
  }
}

export interface KubectlRun {
  code: number
  stdout: string
  stderr: string
}

export function runKubectl(
  path: string,
  server: KubectlServer,
  args: string[],
  input: string | Buffer = '',
  environment: Record<string, string> = {},
): Promise<KubectlRun> {
  return new Promise((resolve) => {
    const options = { env: { ...server.environment, ...environment }, maxBuffer: 64 * 1024 * 1024, timeout: 25_000 }
    const child = execFile(path, [...server.arguments, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    )
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}

/** Starts `kubectl port-forward web-0 :<port>` and resolves with the local port once it listens. */
export async function startPortForward(
  path: string,
  server: KubectlServer,
  port: number,
  environment: Record<string, string> = {},
): Promise<AsyncDisposable & { localPort: number; exited: Promise<string> }> {
  const child = spawn(path, [...server.arguments, 'port-forward', 'web-0', `:${port}`], {
    env: { ...server.environment, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const exited = new Promise<string>((resolve) => child.once('close', () => resolve(output)))
  child.stderr.on('data', (chunk) => {
    output += chunk
  })
  const localPort = await new Promise<number>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      output += chunk
      const match = /Forwarding from 127\.0\.0\.1:([0-9]+)/.exec(output)
      if (match) resolve(Number(match[1]))
    })
    exited.then(() => reject(new Error(`kubectl port-forward ended: ${output}`)))
  })
  return {
    localPort,
    exited,
    async [Symbol.asyncDispose]() {
      child.kill()
      await exited
    },
  }
}

const pathOf = (request: IncomingMessage) => (request.url ?? '').split('?')[0]!

const notFound = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason: 'NotFound', code: 404 }

const pod = {
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: { name: 'web-0', namespace: 'default', uid: '1-2-3' },
  spec: { nodeName: 'node-a', containers: [{ name: 'main', image: 'scratch', stdin: true }] },
  status: { phase: 'Running' },
}

const documents = new Map<string, object>([
  ['/api', { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] }],
  ['/apis', { kind: 'APIGroupList', apiVersion: 'v1', groups: [] }],
  [
    '/api/v1',
    {
      kind: 'APIResourceList',
      groupVersion: 'v1',
      resources: [
        {
          name: 'pods',
          singularName: 'pod',
          namespaced: true,
          kind: 'Pod',
          verbs: ['get', 'list'],
          shortNames: ['po'],
        },
      ],
    },
  ],
  ['/api/v1/namespaces/default/pods/web-0', pod],
])
