/**
 * The victim of the crash test: writers that create, update and delete until the process is killed, each time together with
 * a second key that says which step it was, and note every acknowledged write in a file, one line each: `<writer> <step> <revision>`. Says so on standard output once all have begun.
 * Arguments: data directory, file for the notes, first step, and `compacting` to compact all the while.
 */
import { openSync, writeSync } from 'node:fs'
import type { Also, Storage } from '../storage.ts'
import { openEmbeddedStorage } from './embedded-storage.ts'

export const writers = 64
/** Steps of a writer go round: create, update, update, delete. */
export const stepsOfLife = 4

export const keyOf = (writer: number) => `/registry/crash/${writer}`
/** Changes together with the writer's key: it is there with that one only, and holds the step that wrote it. */
export const companionOf = (writer: number) => `/registry/~crash/${writer}`

/** A value that says who wrote it, and shows when a part of it is not from there. */
export function contentOf(writer: number, step: number): Buffer {
  return Buffer.alloc(2048, `${writer} ${step} `)
}

/** @returns the step that wrote a value; undefined when it is torn */
export function stepOf(writer: number, value: Buffer): number | undefined {
  const step = Number(value.toString('latin1', 0, 40).split(' ')[1])
  return value.equals(contentOf(writer, step)) ? step : undefined
}

type Note = (writer: number, step: number, revision: number) => void

let begun = 0

async function write(storage: Storage, writer: number, firstStep: number, note: Note): Promise<never> {
  const key = keyOf(writer)
  const found = await storage.get(key)
  const withStep = (step?: number): { also: Also } => {
    const value = step === undefined ? {} : { value: Buffer.from(String(step)) }
    return { also: { conditions: [], changes: [{ key: companionOf(writer), ...value }] } }
  }
  let revision = found ? await storage.delete(key, found.modRevision, withStep()) : 0
  if (found) note(writer, firstStep - 1, revision)
  for (let step = firstStep; ; step++) {
    const phase = step % stepsOfLife
    if (phase === 0) revision = await storage.create(key, contentOf(writer, step), withStep(step))
    else if (phase < stepsOfLife - 1)
      revision = await storage.update(key, contentOf(writer, step), revision, withStep(step))
    else revision = await storage.delete(key, revision, withStep())
    note(writer, step, revision)
    if (step === firstStep && ++begun === writers) console.log('writing')
  }
}

async function compactForEver(storage: Storage): Promise<never> {
  for (;;) {
    await storage.compact(await storage.currentRevision())
    await new Promise((resolve) => setImmediate(resolve))
  }
}

if (import.meta.main) {
  const [directory, notes, firstStep, compacting] = process.argv.slice(2) as [string, string, string, string]
  const file = openSync(notes, 'w')
  const note: Note = (writer, step, revision) => writeSync(file, `${writer} ${step} ${revision}\n`)
  const storage = await openEmbeddedStorage({ directory })
  if (compacting === 'compacting') void compactForEver(storage)
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(storage, writer, Number(firstStep), note)))
}
