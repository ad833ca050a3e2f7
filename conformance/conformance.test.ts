/** Runs every case against a server of our own, with a simulated node: one test a case. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { type Node, nodes } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { afterAll, beforeAll, test } from 'vitest'
import { type Cluster, openCluster } from './runner/context.ts'
import { loadCases } from './runner/load.ts'
import { findUnmet, type Unmet } from './runner/needs.ts'
import { runCase } from './runner/run.ts'

const cases = await loadCases()
const startsWithinMs = 60_000
/** Cases have deadlines of their own; this one only catches a runner that hangs. */
const testTimeoutMs = 180_000

let folder: string
let server: ChildProcess
let cluster: Cluster
let unmet: Unmet

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keelson-conformance-server-'))
  const main = resolve(import.meta.dirname, '../core/main.ts')
  const args = ['up', '--cri', 'sim', '--port', '0', '--data-dir', folder, '--log-level', 'error']
  server = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  cluster = await openCluster(await kubeconfigOf(server))
  unmet = await whenNodesAreReady(cluster)
}, startsWithinMs)

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  if (server && server.exitCode === null) {
    server.kill('SIGTERM')
    await once(server, 'exit')
  }
  await rm(folder, { recursive: true, force: true })
})

/** The path that the server names once it is ready. */
async function kubeconfigOf({ stdout }: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: stdout! })) {
    const path = line.trim().split(/^kubeconfig\s+/)[1]
    if (path) {
      stdout!.resume()
      return path
    }
  }
  throw new Error('the server ended before it was ready')
}

/** Most cases need a node, and the first one registers a moment after the server is up. */
async function whenNodesAreReady(of: Cluster): Promise<Unmet> {
  const events = of.client.resource(nodes).watch({ timeoutSeconds: startsWithinMs / 1_000 })
  for await (const { object } of events) if (isReady(object)) break
  return findUnmet(of)
}

const isReady = ({ status }: Node) =>
  status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True')

test.for(cases)('$name', { concurrent: true, timeout: testTimeoutMs }, async (subject, { skip }) => {
  const { outcome, reason, error } = await runCase(subject, cluster, unmet)
  if (outcome === 'skip') skip(reason)
  if (outcome === 'fail') throw error
})
