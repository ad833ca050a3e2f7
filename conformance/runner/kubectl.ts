import { execFile } from 'node:child_process'

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

/** Runs kubectl without a shell. Its cache of discovery goes to `cacheFolder`, so that runs do not see each other's. */
export function runKubectl(
  kubeconfig: string,
  cacheFolder: string,
  args: readonly string[],
  { input, env, mayFail = false }: KubectlOptions,
  signal: AbortSignal,
): Promise<KubectlResult> {
  const { promise, resolve, reject } = Promise.withResolvers<KubectlResult>()
  const all = ['--kubeconfig', kubeconfig, '--cache-dir', cacheFolder, ...args]
  const options = { signal, maxBuffer: 2 ** 26, env: { ...process.env, ...env } }
  const child = execFile(kubectlBinary, all, options, (error, stdout, stderr) => {
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
