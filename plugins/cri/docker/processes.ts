import { type Duplex, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { AttachRequest, ExecRequest, ExecSyncResponse, ProcessStreams } from '@keelson/apis/plugin/v1/cri.ts'
import { RuntimeError } from '@keelson/apis/plugin/v1/cri.ts'
import type Docker from 'dockerode'
import type { Engine } from './engine.ts'
import { calling } from './engine.ts'
import { separated } from './streams.ts'

/** Commands run in, and streams attached to, the engine's containers. */

export async function startExec({ docker }: Engine, request: ExecRequest): Promise<ProcessStreams> {
  return calling(`exec in container ${request.containerId}`, async () => {
    const exec = await docker.getContainer(request.containerId).exec({
      Cmd: [...request.cmd],
      AttachStdin: request.stdin,
      AttachStdout: request.stdout,
      AttachStderr: request.stderr && !request.tty,
      Tty: request.tty,
    })
    const socket = await exec.start({ hijack: true, stdin: true, Tty: request.tty })
    return processStreams(socket, request, {
      resize: (width, height) => exec.resize({ w: width, h: height }),
      exitCode: () => exitCodeOf(exec),
      closesInput: !request.tty,
    })
  })
}

/** @param closesInput whether the end of the client's input is the end of the container's */
export async function attachTo(
  { docker }: Engine,
  request: AttachRequest,
  closesInput: boolean,
): Promise<ProcessStreams> {
  return calling(`attach to container ${request.containerId}`, async () => {
    const container = docker.getContainer(request.containerId)
    const { stdin, stdout, stderr } = request
    const socket = await container.attach({ stream: true, hijack: true, stdin, stdout, stderr } as never)
    return processStreams(socket as Duplex, request, {
      resize: (width, height) => container.resize({ w: width, h: height }),
      exitCode: async () => ((await container.wait()) as { StatusCode: number }).StatusCode,
      closesInput: closesInput && !request.tty,
    })
  })
}

export async function execSync(
  engine: Engine,
  containerId: string,
  cmd: readonly string[],
  timeoutSeconds: number,
): Promise<ExecSyncResponse> {
  using running = await startExec(engine, { containerId, cmd, tty: false, stdin: false, stdout: true, stderr: true })
  const finished = Promise.all([running.stdout?.toArray(), running.stderr?.toArray(), running.exitCode])
  finished.catch(() => undefined)
  const [stdout = [], stderr = [], exitCode] = await within(timeoutSeconds, finished, cmd)
  return { stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), exitCode }
}

async function within<T>(timeoutSeconds: number, work: Promise<T>, cmd: readonly string[]): Promise<T> {
  if (timeoutSeconds === 0) return work
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const message = `command ${JSON.stringify(cmd.join(' '))} timed out after ${timeoutSeconds}s`
    timer = setTimeout(() => reject(new RuntimeError('DeadlineExceeded', message)), timeoutSeconds * 1000)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

interface Controls {
  resize(width: number, height: number): Promise<unknown>
  exitCode(): Promise<number>
  /** False where the engine would take the end of input for the end of output, too. */
  closesInput: boolean
}

function processStreams(socket: Duplex, request: AttachRequest, controls: Controls): ProcessStreams {
  const ended = new Promise<void>((resolve) => socket.once('end', resolve).once('close', resolve))
  const outputs = request.tty ? { stdout: socket } : separated(socket)
  const streams: ProcessStreams = {
    ...(request.stdin && { stdin: controls.closesInput ? socket : neverEnding(socket) }),
    ...outputs,
    resize: async (width, height) => {
      if (request.tty) await calling('resize the terminal', () => controls.resize(width, height))
    },
    exitCode: ended.then(() => calling('ask for the exit code', controls.exitCode)),
    [Symbol.dispose]: () => void socket.destroy(),
  }
  streams.exitCode.catch(() => undefined)
  return streams
}

/** Writes to `socket` and leaves it open. */
function neverEnding(socket: Duplex): Writable {
  return new Writable({ write: (chunk, encoding, done) => void socket.write(chunk, encoding, done) })
}

/** The engine closes the streams a moment before it has noted the exit code. */
async function exitCodeOf(exec: Docker.Exec): Promise<number> {
  for (let pauseMs = 1; ; pauseMs *= 2) {
    const { Running, ExitCode } = await exec.inspect()
    if (!Running && ExitCode !== null) return ExitCode
    if (pauseMs > 2_000) throw new RuntimeError('Unknown', 'the command left no exit code')
    await delay(pauseMs)
  }
}
