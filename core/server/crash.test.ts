import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { startTestServer, type TestObject, type TestServer } from '#core/testing/test-server.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'

interface Acknowledged {
  name: string
  resourceVersion: number
}

/** Creates objects until the server is gone. @returns what was acknowledged */
async function createUntilGone(server: TestServer, writer: string): Promise<Acknowledged[]> {
  const acknowledged: Acknowledged[] = []
  for (let at = 0; ; at++) {
    const name = `${writer}-${at}`
    const body = { metadata: { name, labels: { writer } }, data: { text: 'x'.repeat(500) } }
    const answer = await server.request('POST', configMaps, body).catch(() => undefined)
    if (answer?.status !== 201) return acknowledged
    acknowledged.push({ name, resourceVersion: Number(answer.json().metadata.resourceVersion) })
  }
}

/** What a client that lists, watches and resumes knows. */
class Follower {
  readonly names = new Set<string>()
  readonly #seen: number[] = []
  #resumeFrom = ''

  /** Watches until the server is gone, from where it was; lists again when the server says that is too long ago. */
  async follow(server: TestServer): Promise<void> {
    if (this.#resumeFrom === '') await this.#list(server)
    const [first, ...events] = await watchUntilGone(server, this.#resumeFrom, (object) => this.#isStale(object))
    if (first && this.#isStale(first)) {
      await this.#list(server)
      return this.follow(server)
    }
    for (const { metadata } of first ? [first, ...events] : []) {
      this.names.add(metadata.name!)
      this.#seen.push(Number(metadata.resourceVersion))
      this.#resumeFrom = metadata.resourceVersion
    }
    expect(this.#seen).toEqual([...new Set(this.#seen)].sort((a, b) => a - b))
  }

  #isStale(object: TestObject): boolean {
    if (object.kind === 'Status') expect(object.code).toBe(410)
    return object.kind === 'Status'
  }

  async #list(server: TestServer): Promise<void> {
    const { items, resourceVersion } = await listAll(server)
    for (const { metadata } of items) this.names.add(metadata.name!)
    this.#resumeFrom = String(resourceVersion)
  }
}

/** Collects the events of a watch until it ends, or until one of them says so. */
async function watchUntilGone(
  server: TestServer,
  resourceVersion: string,
  isLast: (object: TestObject) => boolean,
): Promise<TestObject[]> {
  const session = server.session()
  const stream = session.request({ ':path': `${configMaps}?watch=true&resourceVersion=${resourceVersion}` })
  const objects: TestObject[] = []
  try {
    for await (const line of createInterface({ input: stream })) {
      // The last line may be cut.
      const { object } = JSON.parse(line) as { object: TestObject }
      objects.push(object)
      if (isLast(object)) break
    }
  } catch {
    // The connection was cut, as intended.
  }
  session.destroy()
  return objects
}

async function listAll(server: TestServer): Promise<{ items: TestObject[]; resourceVersion: number }> {
  const answer = await server.request('GET', configMaps)
  const { items, metadata } = answer.json<{ items: TestObject[]; metadata: { resourceVersion: string } }>()
  return { items, resourceVersion: Number(metadata.resourceVersion) }
}

test('kills under load lose no acknowledged create, resourceVersions only grow, and watches resume or say 410', async () => {
  await using server = await startTestServer(['--log-level', 'error'])
  const acknowledged: Acknowledged[] = []
  const follower = new Follower()
  for (let round = 0; round < 3; round++) {
    const following = follower.follow(server)
    const writers = Array.from({ length: 16 }, (_, at) => createUntilGone(server, `r${round}-w${at}`))
    // Killed while every writer waits for an answer.
    await killAfter(server, 200)
    acknowledged.push(...(await Promise.all(writers)).flat())
    await following
    await server.restart()
    const { items, resourceVersion } = await listAll(server)
    const stored = new Map(items.map(({ metadata }) => [metadata.name, Number(metadata.resourceVersion)]))
    for (const one of acknowledged) expect(stored.get(one.name)).toBe(one.resourceVersion)
    expect(resourceVersion).toBeGreaterThanOrEqual(Math.max(...acknowledged.map((one) => one.resourceVersion)))
  }
  expect(acknowledged.length).toBeGreaterThan(300)
  const following = follower.follow(server)
  const last = await server.request('POST', configMaps, { metadata: { name: 'the-last' } })
  expect(last.status).toBe(201)
  await server.stop()
  await following
  expect(acknowledged.filter((one) => !follower.names.has(one.name))).toEqual([])
})

/** Kills the server once it has stored so many more objects. */
async function killAfter(server: TestServer, objects: number): Promise<void> {
  const start = (await listAll(server)).resourceVersion
  while ((await listAll(server)).resourceVersion < start + objects);
  await server.kill9()
}
