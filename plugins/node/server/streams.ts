import { pipeline } from 'node:stream/promises'
import type { ProcessStreams } from '@keelson/apis/plugin/v1/cri.ts'
import type { RemoteCommand } from '@keelson/kit/streaming/types.ts'

/** Joins a client's streams to a process until it ends, or the client goes. */
export async function bridge(process: ProcessStreams, command: RemoteCommand): Promise<{ exitCode: number }> {
  const letGo = () => process[Symbol.dispose]()
  command.signal.addEventListener('abort', letGo, { once: true })
  try {
    void followTerminal(process, command)
    feed(command.stdin, process.stdin)
    const outputs = [copy(process.stdout, command.stdout), copy(process.stderr, command.stderr)]
    await Promise.all(outputs)
    return { exitCode: await process.exitCode }
  } finally {
    command.signal.removeEventListener('abort', letGo)
    letGo()
  }
}

/** Not a pipeline: of a terminal, input and output are one stream, which must outlive the end of the input. */
function feed(from: RemoteCommand['stdin'], to: ProcessStreams['stdin']): void {
  if (!from || !to) return
  from.on('error', () => to.end())
  to.on('error', () => from.destroy())
  from.pipe(to)
}

/** Output that nobody asked for is read and dropped, so that the process does not wait for a reader. */
async function copy(from: ProcessStreams['stdout'], to: RemoteCommand['stdout']): Promise<void> {
  if (!from) return
  if (to) await pipeline(from, to, { end: false }).catch(() => undefined)
  else from.resume()
}

async function followTerminal(process: ProcessStreams, { resizes }: RemoteCommand): Promise<void> {
  try {
    for await (const { width, height } of resizes) await process.resize(width, height)
  } catch {
    // The process has ended between two sizes.
  }
}
