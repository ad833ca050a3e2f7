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

/** Collects the events of a watch until it ends. */
async function watchUntilGone(server: TestServer, resourceVersion: string): Promise<TestObject[]> {
  const session = server.session()
  const stream = session.request({ ':path': `${configMaps}?watch=true&resourceVersion=${resourceVersion}` })
  let text = ''
  stream.setEncoding('utf8')
  try {
    for await (const chunk of stream) text += chunk
  } catch {
    // The connection was cut, as intended.
  }
  session.destroy()
  const lines = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(Boolean)
  return lines.map((line) => (JSON.parse(line) as { object: TestObject }).object)
}

async function listAll(server: TestServer): Promise<{ items: TestObject[]; resourceVersion: number }> {
  const answer = await server.request('GET', configMaps)
  const { items, metadata } = answer.json<{ items: TestObject[]; metadata: { resourceVersion: string } }>()
  return { items, resourceVersion: Number(metadata.resourceVersion) }
}

test('kills under load lose no acknowledged create, resourceVersions only grow, and watches resume without a gap', async () => {
  await using server = await startTestServer(['--log-level', 'error'])
  const acknowledged: Acknowledged[] = []
  let resumeFrom = String((await listAll(server)).resourceVersion)
  const watched: TestObject[] = []
  for (let round = 0; round < 3; round++) {
    const events = watchUntilGone(server, resumeFrom)
    const writers = Array.from({ length: 16 }, (_, at) => createUntilGone(server, `r${round}-w${at}`))
    // Killed while every writer waits for an answer.
    await killAfter(server, 200)
    acknowledged.push(...(await Promise.all(writers)).flat())
    watched.push(...(await events))
    resumeFrom = watched.at(-1)?.metadata.resourceVersion ?? resumeFrom
    await server.restart()
    const { items, resourceVersion } = await listAll(server)
    const stored = new Map(items.map(({ metadata }) => [metadata.name, Number(metadata.resourceVersion)]))
    for (const one of acknowledged) expect(stored.get(one.name)).toBe(one.resourceVersion)
    expect(resourceVersion).toBeGreaterThanOrEqual(Math.max(...acknowledged.map((one) => one.resourceVersion)))
  }
  expect(acknowledged.length).toBeGreaterThan(300)
  const rest = watchUntilGone(server, resumeFrom)
  const last = await server.request('POST', configMaps, { metadata: { name: 'the-last' } })
  expect(last.status).toBe(201)
  await server.stop()
  watched.push(...(await rest))
  const versions = watched.map(({ metadata }) => Number(metadata.resourceVersion))
  expect(versions).toEqual([...versions].sort((a, b) => a - b))
  const seen = watched.map(({ metadata }) => metadata.name)
  expect(new Set(seen).size).toBe(seen.length)
  const created = new Set(seen)
  expect(acknowledged.filter((one) => !created.has(one.name))).toEqual([])
  expect(created.has('the-last')).toBe(true)
})

/** Kills the server once it has stored so many more objects. */
async function killAfter(server: TestServer, objects: number): Promise<void> {
  const start = (await listAll(server)).resourceVersion
  while ((await listAll(server)).resourceVersion < start + objects);
  await server.kill9()
}
