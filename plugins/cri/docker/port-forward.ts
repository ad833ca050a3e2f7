import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Duplex } from 'node:stream'
import type { ReadableWritablePair } from 'node:stream/web'
import { RuntimeError } from '@keelson/apis/plugin/v1/cri.ts'

/** Connects to `port` at `ip`; what listens on the pod's loopback only is reached from inside its network namespace. */
export async function dialPod(ip: string, port: number, sandboxPid: number): Promise<Duplex> {
  try {
    return await dial(ip, port)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw refused(port, error)
    return dialInside(sandboxPid, port)
  }
}

async function dial(host: string, port: number): Promise<Duplex> {
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true })
  await once(socket, 'connect')
  return socket
}

/** Run in the pod's network namespace: says on descriptor 3 that it is connected, then copies both ways. */
const relay = `
const socket = require('node:net').connect({ host: '127.0.0.1', port: Number(process.argv[1]), allowHalfOpen: true })
socket.on('connect', () => {
  require('node:fs').writeSync(3, '+')
  process.stdin.pipe(socket).pipe(process.stdout)
})
socket.on('error', () => process.exit(1))
`

async function dialInside(pid: number, port: number): Promise<Duplex> {
  const enter = [`--net=/proc/${pid}/ns/net`, process.execPath, '-e', relay, String(port)]
  const child = spawn('nsenter', enter, { stdio: ['pipe', 'pipe', 'ignore', 'pipe'] })
  const connected = once(child.stdio[3] as NodeJS.ReadableStream, 'data').then(() => true)
  const failed = new Promise<boolean>((resolve) =>
    child.once('error', () => resolve(false)).once('exit', () => resolve(false)),
  )
  connected.catch(() => undefined)
  if (!(await Promise.race([connected, failed]))) throw refused(port)
  // The type names pairs of web streams only; pairs of Node's are taken as well.
  const ends = { readable: child.stdout, writable: child.stdin } as object as ReadableWritablePair
  const stream = Duplex.from(ends)
  stream.once('close', () => child.kill())
  return stream
}

const refused = (port: number, cause?: unknown) =>
  new RuntimeError('Unavailable', `failed to connect to localhost:${port} inside the pod: connection refused`, {
    cause,
  })
