/** Kills a busy store again and again. `KEELSON_CRASH_ROUNDS=100` for the long run. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Recorder } from '../storage.suite.ts'
import type { StoreEvent } from '../storage.ts'
import { companionOf, keyOf, stepOf, stepsOfLife, writers } from './crash.program.ts'
import { type EmbeddedStorage, openEmbeddedStorage } from './embedded-storage.ts'

const rounds = Number(process.env.KEELSON_CRASH_ROUNDS ?? 10)
/** More than a round can take; a multiple of `stepsOfLife`. */
const stepsPerRound = 1_000_000

interface Acknowledged {
  writer: number
  step: number
  revision: number
}

test(`no acknowledged write is lost or torn in ${rounds} kills`, { timeout: rounds * 20_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'keelson-crash-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const last = new Map<number, Acknowledged>()
  let start = 0
  for (let round = 1; round <= rounds; round++) {
    const isCompacting = round % 2 === 0
    const acknowledged = await killedRun(directory, round, isCompacting)
    expect(acknowledged.length).toBeGreaterThan(0)
    for (const write of acknowledged) last.set(write.writer, write)
    expectFreshRevisions(acknowledged, start)
    await using storage = await openEmbeddedStorage({ directory })
    await expectLatest(storage, last)
    if (!isCompacting) await expectHistory(storage, acknowledged, start)
    start = await storage.currentRevision()
  }
})

/** Runs the writers and kills them at a random moment. @returns what they were told is durable, in the order they were told */
async function killedRun(directory: string, round: number, isCompacting: boolean): Promise<Acknowledged[]> {
  const program = new URL('./crash.program.ts', import.meta.url).pathname
  const notes = `${directory}.notes`
  onTestFinished(() => rmSync(notes, { force: true }))
  const parameters = [program, directory, notes, `${round * stepsPerRound}`, isCompacting ? 'compacting' : '']
  const child = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const delayMs = Math.random() * 400
  child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), delayMs))
  await closed
  expect(child.signalCode).toBe('SIGKILL')
  const output = readFileSync(notes, 'latin1')
  return output
    .slice(0, output.lastIndexOf('\n'))
    .split('\n')
    .map((line) => line.split(' ').map(Number))
    .map(([writer, step, revision]) => ({ writer: writer!, step: step!, revision: revision! }))
}

/** Revisions grow, and none was used before the kill that came before. */
function expectFreshRevisions(acknowledged: readonly Acknowledged[], start: number): void {
  let previous = start
  for (const { revision } of acknowledged) {
    expect(revision).toBeGreaterThan(previous)
    previous = revision
  }
}

/** Each key is as its last acknowledged write left it, or as the one write after that which was under way. */
async function expectLatest(storage: EmbeddedStorage, last: ReadonlyMap<number, Acknowledged>): Promise<void> {
  for (let writer = 0; writer < writers; writer++) {
    const { step, revision } = last.get(writer) ?? { step: -1, revision: 0 }
    const object = await storage.get(keyOf(writer))
    const companion = await storage.get(companionOf(writer))
    expect(companion?.value.toString(), 'a transaction is torn').toBe(object && String(stepOf(writer, object.value)))
    const next = step + 1
    if (!object) {
      expect([step, next].some((at) => at < 0 || at % stepsOfLife === stepsOfLife - 1)).toBe(true)
      continue
    }
    const stored = stepOf(writer, object.value)
    expect(stored, `the value of ${object.key} is torn`).toBeDefined()
    if (stored === step) expect(object.modRevision).toBe(revision)
    else expect(object.modRevision).toBeGreaterThan(revision)
    if (step >= 0 && stored !== step) expect(stored! % stepsPerRound).toBe(next % stepsPerRound)
  }
}

/** Every acknowledged write is in the history, with its revision and its bytes. */
async function expectHistory(
  storage: EmbeddedStorage,
  acknowledged: readonly Acknowledged[],
  start: number,
): Promise<void> {
  const recorder = new Recorder()
  const end = await storage.currentRevision()
  const watch = storage.watch('/registry/crash/', start, recorder)
  await recorder.until(({ progress }) => (progress.at(-1) ?? 0) >= end)
  watch.stop()
  const events = new Map<number, StoreEvent>(recorder.events.map((event) => [event.revision, event]))
  expect(events.size).toBe(recorder.events.length)
  for (const { writer, step, revision } of acknowledged) {
    const isDeletion = step % stepsOfLife === stepsOfLife - 1
    expect(events.get(revision)).toMatchObject({ key: keyOf(writer), type: isDeletion ? 'delete' : 'put' })
    if (!isDeletion) expect(stepOf(writer, events.get(revision)!.value)).toBe(step)
  }
}
