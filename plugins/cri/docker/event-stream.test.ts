import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { connectEngine } from './engine.ts'
import { dockerEvents, parseEvent } from './event-stream.ts'

const line = (Action: string, ID: string) =>
  `${JSON.stringify({ Action, Actor: { ID, Attributes: { 'io.kubernetes.pod.uid': 'u-1' } }, timeNano: 1.5e9 })}\n`

test('events go on after the engine has gone and come back', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'keelson-engine-'))
  const socketPath = join(folder, 'docker.sock')
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(decodeURIComponent(request.url ?? ''))
    const whole = line('die', `c${asked.length}`)
    response.write(whole.slice(0, 20))
    response.write(whole.slice(20))
    if (asked.length === 1) response.end()
  }).listen(socketPath)
  await once(server, 'listening')
  const engine = connectEngine(socketPath)
  const stop = new AbortController()
  const seen = []
  try {
    for await (const event of dockerEvents(engine, {}, stop.signal)) {
      seen.push('containerId' in event ? event.containerId : event.type)
      if (seen.length === 5) stop.abort()
    }
    expect(seen).toEqual(['RESYNC', 'c1', 'UNAVAILABLE', 'RESYNC', 'c2'])
    expect(asked[0]).toContain('"label":["io.kubernetes.pod.uid"]')
  } finally {
    engine.close()
    server.closeAllConnections()
    server.close()
    await rm(folder, { recursive: true })
  }
})

test('an engine that is not there is announced, and asked again until the end', async () => {
  const engine = connectEngine(join(tmpdir(), 'no-such-engine.sock'))
  const stop = new AbortController()
  const seen = []
  for await (const event of dockerEvents(engine, {}, stop.signal)) {
    seen.push(event.type)
    if (seen.length === 2) stop.abort()
  }
  expect(seen).toEqual(['UNAVAILABLE', 'UNAVAILABLE'])
})

test.each([
  { action: 'create', type: 'CONTAINER_CREATED_EVENT' },
  { action: 'start', type: 'CONTAINER_STARTED_EVENT' },
  { action: 'die', type: 'CONTAINER_STOPPED_EVENT' },
  { action: 'destroy', type: 'CONTAINER_DELETED_EVENT' },
])('$action means $type', ({ action, type }) => {
  expect(parseEvent(line(action, 'c'))).toEqual({ type, containerId: 'c', podUid: 'u-1', createdAtMs: 1500 })
})

test.each(['exec_start: sh', 'toString', '__proto__'])('%s means nothing', (action) => {
  expect(parseEvent(line(action, 'c'))).toBeUndefined()
})
