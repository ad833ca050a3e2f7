import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

export const root = resolve(import.meta.dirname, '../..')
const run = promisify(execFile)

/** A cluster of one simulated node, started as a user starts one. */
export interface TestCluster extends AsyncDisposable {
  kubeconfig: string
  /** Runs kubectl as the administrator. @returns what it prints, without the newline. @throws with what it complains of */
  kubectl(...args: string[]): Promise<string>
}

export async function startTestCluster(): Promise<TestCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'keelson-examples-'))
  const args = ['up', '--cri', 'sim', '--port', '0', '--data-dir', directory, '--log-level', 'error']
  const server = startNode([join(root, 'core/main.ts'), ...args])
  const kubeconfig = (await lineOf(server, /^ *kubeconfig +(.+)$/))[1]!
  return {
    kubeconfig,
    kubectl: async (...words) => {
      const { stdout } = await run('kubectl', ['--kubeconfig', kubeconfig, ...words], { cwd: root })
      return stdout.trimEnd()
    },
    [Symbol.asyncDispose]: async () => {
      await end(server)
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Starts a program of this repository, or of a folder, with the Node that runs the tests. */
export function startNode(
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): ChildProcess {
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options })
}

/** The first line a program prints that matches. @throws when it ends without one */
export async function lineOf({ stdout }: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  for await (const line of createInterface({ input: stdout! })) {
    const match = pattern.exec(line)
    if (match) {
      stdout!.resume()
      return match
    }
  }
  throw new Error(`the program ended and printed no line like ${pattern}`)
}

/** Ends a program gently. @returns its exit status */
export async function end(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  return child.exitCode
}

/** Why the examples cannot be tried here; undefined when kubectl is there, or must be. */
export async function missingKubectl(): Promise<string | undefined> {
  if (process.env.KEELSON_REQUIRE_ALL) return undefined
  return run('kubectl', ['version', '--client']).then(
    () => undefined,
    () => 'kubectl is not installed',
  )
}
