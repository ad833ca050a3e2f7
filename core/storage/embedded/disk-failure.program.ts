/**
 * Fills a disk through a store, makes room, and checks that the store was right all along. Run in a process of its own by
 * the test, which limits either the disk or the process. Exits with 0 when all is well.
 * Arguments: the data directory, then a command that makes room.
 */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { type Storage, StorageError } from '../storage.ts'
import { openEmbeddedStorage } from './embedded-storage.ts'

const writesAtOnce = 8
const value = Buffer.alloc(64 << 10, 'keel')
const acknowledged = new Map<string, number>()
const watched: number[] = []
let last = 0

async function fill(storage: Storage): Promise<string[]> {
  for (let round = 0; ; round++) {
    const keys = Array.from({ length: writesAtOnce }, (_, i) => `/registry/${round}/${i}`)
    const outcomes = await Promise.allSettled(keys.map((key) => put(storage, key)))
    const refused = keys.filter((_, i) => outcomes[i]!.status === 'rejected')
    if (refused.length === 0) continue
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') equal(asStorageError(outcome.reason).code, 'Full')
    return refused
  }
}

async function put(storage: Storage, key: string): Promise<void> {
  const revision = await storage.create(key, value)
  ok(revision > last, 'revisions grow')
  last = revision
  acknowledged.set(key, revision)
}

function asStorageError(error: unknown): StorageError {
  ok(error instanceof StorageError)
  return error
}

async function check(storage: Storage): Promise<void> {
  const { items, revision } = await storage.list('/registry/')
  equal(revision, last)
  deepEqual(new Map(items.map(({ key, modRevision }) => [key, modRevision])), new Map([...acknowledged].sort()))
  ok(items.every((item) => item.value.equals(value)))
  deepEqual(watched, [...acknowledged.values()])
}

const [directory, command, ...parameters] = process.argv.slice(2) as [string, string, ...string[]]
{
  await using storage = await openEmbeddedStorage({ directory })
  const onEnd = (error: StorageError) => equal(error.code, 'Closed')
  storage.watch('/registry/', 0, {
    onEvents: (events) => watched.push(...events.map((event) => event.revision)),
    onEnd,
  })
  const refused = await fill(storage)
  equal(await storage.get(refused[0]!), undefined)
  await check(storage)
  execFileSync(
    command,
    parameters.map((parameter) => parameter.replace('PID', `${process.pid}`)),
  )
  for (const key of refused) await put(storage, key)
  await check(storage)
}
await using storage = await openEmbeddedStorage({ directory })
await check(storage)
