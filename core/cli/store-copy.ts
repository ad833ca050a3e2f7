import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { builtinRules } from '#core/registry/builtin.ts'
import { serverAddresses } from '#core/service-addresses/server-addresses.ts'
import { copyObjects, empty, isEmpty } from '#core/storage/copy.ts'
import { openEmbeddedStorage } from '#core/storage/embedded/embedded-storage.ts'
import { raiseEmbeddedRevision } from '#core/storage/embedded/raise-revision.ts'
import { openEtcdStorage } from '#core/storage/etcd/etcd-storage.ts'
import { raiseEtcdRevision } from '#core/storage/etcd/raise-revision.ts'
import type { Storage } from '#core/storage/storage.ts'
import { type EtcdConnection, type EtcdFlagValues, etcdConnection, etcdConnectionHelp } from './etcd-flags.ts'
import type { Command } from './run.ts'
import { describeError } from './run-until-signal.ts'
import { UsageError } from './usage-error.ts'

const help = `usage: keelson store copy --from STORE --to STORE [flags]

Copies all objects from one store to another. A STORE is a data directory, or the URLs of an etcd cluster, separated by commas.
Stop the servers of both first.

  --from STORE           where the objects are; it is not changed
  --to STORE             where they are to be; it must be empty
  --force                delete what is in the target first
${etcdConnectionHelp}
The target's revision is raised to the source's if it is lower, so that resourceVersions never go back. Events get their
whole time to live again.
`

export const storeCommand: Command = {
  name: 'store',
  summary: 'copies all objects from one store to another: "keelson store copy"',
  help,
  run: async (args) => {
    try {
      process.stdout.write(`${await copyStores(parse(args))}\n`)
      return 0
    } catch (error) {
      const isMistake = error instanceof UsageError
      process.stderr.write(`keelson: ${isMistake ? error.message : describeError(error)}\n`)
      return isMistake ? 2 : 1
    }
  },
}

/** Either end of a copy. */
interface Place {
  open(): Promise<Storage>
  /** Brings the revision of a store that is not open up to a number. */
  raise(revision: number, onRevision: (revision: number) => void): Promise<void>
  /** Whether there is anything to open; opening one founds it. */
  exists: boolean
  text: string
}

interface CopyArguments {
  from: Place
  to: Place
  force: boolean
}

const options = {
  from: { type: 'string' },
  to: { type: 'string' },
  force: { type: 'boolean' },
  'etcd-prefix': { type: 'string' },
  'etcd-cafile': { type: 'string' },
  'etcd-certfile': { type: 'string' },
  'etcd-keyfile': { type: 'string' },
} as const

function parse([action, ...args]: readonly string[]): CopyArguments {
  if (action !== 'copy') throw new UsageError('"keelson store" knows one action: copy ("--help" explains it)')
  const { from, to, force = false, ...etcd } = parseFlags(args)
  if (!from || !to) throw new UsageError('--from and --to are needed')
  const source = placeOf(from, etcd)
  if (!source.exists) throw new UsageError(`--from: ${from} holds no store`)
  return { from: source, to: placeOf(to, etcd), force }
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: false }).values
  } catch (cause) {
    throw new UsageError(`${(cause as Error).message} ("--help" explains the flags)`, { cause })
  }
}

function placeOf(text: string, flags: EtcdFlagValues): Place {
  return /^https?:/.test(text) ? etcdPlace(text, etcdConnection(text, flags)) : directoryPlace(text)
}

function directoryPlace(text: string): Place {
  const directory = join(text, 'store')
  return {
    text,
    exists: existsSync(directory),
    open: () => openEmbeddedStorage({ directory }),
    raise: async (revision) => raiseEmbeddedRevision(directory, revision),
  }
}

function etcdPlace(text: string, connection: EtcdConnection): Place {
  return {
    text,
    exists: true,
    open: () => openEtcdStorage({ ...connection, compactionIntervalMs: 0 }),
    raise: (revision, onRevision) => raiseEtcdRevision(connection, revision, onRevision),
  }
}

/** @returns what there is to say of it */
async function copyStores({ from, to, force }: CopyArguments): Promise<string> {
  const progress = new Progress()
  await using source = await from.open()
  const revision = await source.currentRevision()
  if (await prepare(to, revision, force)) {
    // Behind the source's: what clients have seen there is not to come again with another meaning.
    await to.raise(revision + 1, (reached) => progress.show(`revision ${reached} of ${revision}`))
  }
  await using target = await to.open()
  // The history before is not the source's: whoever asks for it is told that it is gone.
  await target.compact(await target.currentRevision())
  const count = await copyObjects(source, target, {
    ttlOf,
    onProgress: (copied) => progress.show(`${copied} objects`),
  })
  progress.end()
  return `copied ${count} objects from ${from.text}, revision ${revision}, to ${to.text}, revision ${await target.currentRevision()}`
}

/** @returns whether the target's revision must be raised @throws UsageError when it is in use */
async function prepare(to: Place, revision: number, force: boolean): Promise<boolean> {
  await using target = await to.open()
  if (!(await isEmpty(target))) {
    if (!force) throw new UsageError(`--to: ${to.text} holds objects already; --force deletes them first`)
    await empty(target)
  }
  return (await target.currentRevision()) <= revision
}

/** Of `/registry/core/events/default/x`: how long its kind lives. */
function ttlOf(key: string): number | undefined {
  const [, , group = '', resource = ''] = key.split('/')
  const kind = `${group}/${resource}`
  return kind === serverAddresses.kind ? serverAddresses.lifeSeconds : builtinRules.get(kind)?.ttlSeconds
}

const showEveryMs = 100

/** One line on a terminal that tells how far it has come; nothing elsewhere. */
class Progress {
  #shownAt = 0

  show(text: string): void {
    const now = performance.now()
    if (!process.stderr.isTTY || now - this.#shownAt < showEveryMs) return
    this.#shownAt = now
    process.stderr.write(`\r\u001b[K${text}`)
  }

  end(): void {
    if (this.#shownAt > 0) process.stderr.write('\r\u001b[K')
  }
}
