import { PassThrough } from 'node:stream'
import type { ContainerConfig, ExecRequest, ProcessStreams } from '@keelson/apis/plugin/v1/cri.ts'

/** The few commands a simulated container answers. */

export interface Outcome {
  stdout: string
  stderr: string
  exitCode: number
}

const ok = (stdout = ''): Outcome => ({ stdout, stderr: '', exitCode: 0 })
const failed = (exitCode: number, stderr = ''): Outcome => ({ stdout: '', stderr, exitCode })

const environment = ({ envs }: ContainerConfig, hostname: string) =>
  [`HOSTNAME=${hostname}`, ...envs.map(({ key, value }) => `${key}=${value}`)].map((line) => `${line}\n`).join('')

/** Runs `cmd`; `input` is what came on its standard input. */
export function runCommand(cmd: readonly string[], config: ContainerConfig, hostname: string, input = ''): Outcome {
  const [program = '', ...args] = cmd
  switch (program.split('/').at(-1)) {
    case 'true':
      return ok()
    case 'false':
      return failed(1)
    case 'echo':
      return ok(`${args.join(' ')}\n`)
    case 'env':
    case 'printenv':
      return ok(environment(config, hostname))
    case 'hostname':
      return ok(`${hostname}\n`)
    case 'cat':
      return cat(args, config, hostname, input)
    case 'sh':
      return args[0] === '-c' ? runCommand((args[1] ?? '').split(/\s+/), config, hostname, input) : ok()
    default:
      return failed(127, `exec: ${JSON.stringify(program)}: executable file not found in $PATH\n`)
  }
}

function cat(files: readonly string[], config: ContainerConfig, hostname: string, input: string): Outcome {
  if (files.length === 0) return ok(input)
  const missing = files.find((file) => file !== '/proc/self/environ')
  if (missing) return failed(1, `cat: ${missing}: No such file or directory\n`)
  return ok(environment(config, hostname).replaceAll('\n', '\0'))
}

const readsInput = (cmd: readonly string[]) => cmd[0]?.split('/').at(-1) === 'cat' && cmd.length === 1

/** The command as a process with streams; one that reads its input waits for the end of it. */
export function startCommand(request: ExecRequest, config: ContainerConfig, hostname: string): ProcessStreams {
  const stdin = new PassThrough()
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const finish = (input: string) => {
    const outcome = runCommand(request.cmd, config, hostname, input)
    stdout.end(request.tty ? outcome.stdout + outcome.stderr : outcome.stdout)
    stderr.end(request.tty ? '' : outcome.stderr)
    return outcome.exitCode
  }
  const exitCode =
    request.stdin && readsInput(request.cmd)
      ? stdin.toArray().then((chunks) => finish(Buffer.concat(chunks).toString()))
      : Promise.resolve(finish(''))
  exitCode.catch(() => undefined)
  return {
    ...(request.stdin && { stdin }),
    stdout,
    ...(!request.tty && { stderr }),
    resize: async () => undefined,
    exitCode,
    [Symbol.dispose]: () => {
      for (const stream of [stdin, stdout, stderr]) stream.destroy()
    },
  }
}
