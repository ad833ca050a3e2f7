import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '#core/testing/test-server.ts'

/** `kubectl explain` of everything that is served, and what kubectl finds wrong with objects by itself. */
const run = promisify(execFile)
const kubectls = ['/usr/bin/kubectl', process.env.KEELSON_KUBECTL_OLD ?? ''].filter((path) => existsSync(path))
const timeoutMs = 120_000
const concurrency = 4

let server: TestServer

beforeAll(async () => {
  server = await startTestServer(['--log-level', 'error'])
})
afterAll(async () => server?.[Symbol.asyncDispose]())

/** @returns what it wrote to stdout, or to stderr when it failed */
async function kubectl(path: string, args: readonly string[]): Promise<{ isWell: boolean; text: string }> {
  const cache = join(server.directory, 'cache', path.replaceAll('/', '-'))
  try {
    const { stdout } = await run(path, ['--kubeconfig', server.kubeconfig, '--cache-dir', cache, ...args])
    return { isWell: true, text: stdout }
  } catch (error) {
    return { isWell: false, text: String((error as { stderr?: string }).stderr) }
  }
}

interface Resource {
  name: string
  kind: string
  apiVersion: string
}

async function served(): Promise<Resource[]> {
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
  const documents = await Promise.all(
    ['/api', '/apis'].map((path) => server.request('GET', path, undefined, { accept })),
  )
  return documents
    .flatMap((one) => one.json<{ items: DiscoveredGroup[] }>().items)
    .flatMap(({ metadata: { name: group }, versions }) =>
      versions.flatMap(({ version, resources }) =>
        resources.map(({ resource, responseKind: { kind } }) => ({
          name: resource,
          kind,
          apiVersion: group ? `${group}/${version}` : version,
        })),
      ),
    )
}

interface DiscoveredGroup {
  metadata: { name?: string }
  versions: { version: string; resources: { resource: string; responseKind: { kind: string } }[] }[]
}

test.each(kubectls)('%s explains every kind to its last field', { timeout: timeoutMs }, async (path) => {
  const resources = await served()
  expect(resources.length).toBeGreaterThan(60)
  const waiting = resources.values()
  const failures: string[] = []
  const worker = async () => {
    for (const { name, kind, apiVersion } of waiting) {
      const { isWell, text } = await kubectl(path, ['explain', name, '--recursive', '--api-version', apiVersion])
      const isExplained = isWell && new RegExp(`^KIND: +${kind}$`, 'm').test(text) && /^FIELDS:/m.test(text)
      if (!isExplained || !/^ +(spec|metadata|kind)\s/m.test(text)) failures.push(`${apiVersion} ${name}: ${text}`)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  expect(failures).toEqual([])
})

const podWith = (spec: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: a, image: b}], ${spec}}\n`

test.each(kubectls)('%s refuses unknown fields, or has them refused', async (path) => {
  const create = async (yaml: string) => {
    const file = join(server.directory, 'pod.yaml')
    await writeFile(file, yaml)
    return kubectl(path, ['create', '--validate=true', '--dry-run=server', '-f', file])
  }
  const unknown = await create(podWith('shape: round'))
  expect(unknown.isWell).toBe(false)
  expect(unknown.text).toMatch(/unknown field "(spec\.)?shape"/)
  const wrong = await create(podWith('priority: high'))
  expect(wrong.isWell).toBe(false)
})
