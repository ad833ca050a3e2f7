import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

export interface KubectlResult {
  stdout: string
  stderr: string
  exitCode: number
}

export interface KubectlOptions {
  /** What it reads from standard input. */
  input?: string
  env?: Record<string, string>
  /** Resolves with any exit code; otherwise one but 0 throws. */
  mayFail?: boolean
}

export const kubectlBinary = process.env.KUBECTL || 'kubectl'

/** One kubectl of this machine. */
export interface Kubectl {
  path: string
  /** 32 for v1.32. */
  minor: number
}

/** Where Google's Cloud SDK keeps one of each minor version. */
const pinnedFolder = '/usr/lib/google-cloud-sdk/bin'

/** The kubectl to use, first; then $KEELSON_KUBECTL_OLD and those pinned to a version. Those that do not run are left out. */
export async function findKubectls(): Promise<Kubectl[]> {
  const pinned = (await readdir(pinnedFolder).catch(() => [])).filter((name) => /^kubectl\.1\.\d+$/.test(name))
  const old = process.env.KEELSON_KUBECTL_OLD
  const paths = [kubectlBinary, ...(old ? [old] : []), ...pinned.sort().map((name) => join(pinnedFolder, name))]
  const found = await Promise.all(paths.map(readKubectl))
  return found.filter((one) => one !== undefined)
}

/** Undefined when there is none that runs. */
export async function readKubectl(path: string): Promise<Kubectl | undefined> {
  try {
    const { stdout } = await promisify(execFile)(path, ['version', '--client', '-o', 'json'])
    const { clientVersion } = JSON.parse(stdout) as { clientVersion: { minor: string } }
    return { path, minor: Number.parseInt(clientVersion.minor, 10) }
  } catch {
    return undefined
  }
}

/** What every call is about. */
export interface KubectlPlace {
  path: string
  kubeconfig: string
  /** Its cache of discovery goes there, so that runs do not see each other's. */
  cacheFolder: string
}

const placed = ({ kubeconfig, cacheFolder }: KubectlPlace, args: readonly string[]) => [
  '--kubeconfig',
  kubeconfig,
  '--cache-dir',
  cacheFolder,
  ...args,
]

/** Runs kubectl without a shell. */
export function runKubectl(
  place: KubectlPlace,
  args: readonly string[],
  { input, env, mayFail = false }: KubectlOptions,
  signal: AbortSignal,
): Promise<KubectlResult> {
  const { promise, resolve, reject } = Promise.withResolvers<KubectlResult>()
  const options = { signal, maxBuffer: 2 ** 26, env: { ...process.env, ...env } }
  const child = execFile(place.path, placed(place, args), options, (error, stdout, stderr) => {
    const exitCode = error ? error.code : 0
    if (typeof exitCode !== 'number') reject(new Error(`run kubectl ${args.join(' ')}`, { cause: error }))
    else if (exitCode !== 0 && !mayFail)
      reject(new Error(`kubectl ${args.join(' ')} ended with ${exitCode}: ${stderr || stdout}`))
    else resolve({ stdout, stderr, exitCode })
  })
  child.stdin?.on('error', () => {})
  child.stdin?.end(input ?? '')
  return promise
}

/** A kubectl that goes on until it is disposed of. */
export interface RunningKubectl extends AsyncDisposable {
  /** What it said first. */
  firstLine: string
}

/** Starts kubectl, and resolves once it has said something. @throws when it ends before */
export async function startKubectl(
  place: KubectlPlace,
  args: readonly string[],
  signal: AbortSignal,
): Promise<RunningKubectl> {
  const child = spawn(place.path, placed(place, args), { signal, stdio: ['ignore', 'pipe', 'ignore'] })
  child.on('error', () => {})
  for await (const firstLine of createInterface({ input: child.stdout })) {
    child.stdout.resume()
    return { firstLine, [Symbol.asyncDispose]: () => end(child) }
  }
  throw new Error(`kubectl ${args.join(' ')} ended without a word`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  await exit
}
