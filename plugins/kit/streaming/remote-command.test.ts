import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { buffer, text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { kubectls, runKubectl, startKubectlServer } from './kubectl.fixture.ts'
import { handleRemoteCommand, remoteCommandOptions } from './remote-command.ts'
import { SpdyConnection } from './spdy.ts'
import type { HandleRemoteCommandOptions, RemoteCommand, TerminalSize, Upgrade } from './types.ts'

const commandOf = (upgrade: Upgrade) =>
  new URL(upgrade.request.url ?? '', 'http://localhost').searchParams.getAll('command')

/** Runs the commands of these tests: `cat`, `exit <code>`, `both`, `fail`, `produce <bytes>`. */
async function runCommand(command: string[], streams: RemoteCommand): Promise<{ exitCode: number }> {
  const { stdin, stdout, stderr } = streams
  switch (command[0]) {
    case 'cat':
      await pipeline(stdin!, stdout!)
      return { exitCode: 0 }
    case 'exit':
      return { exitCode: Number(command[1]) }
    case 'both':
      stdout?.write('out\n')
      stderr?.write('err\n')
      return { exitCode: 0 }
    case 'produce':
      stdout?.write(Buffer.alloc(Number(command[1]), 'x'))
      return { exitCode: 0 }
    default:
      throw new Error(`no such command: ${command[0]}`)
  }
}

const serve = (options?: HandleRemoteCommandOptions) =>
  startKubectlServer((upgrade) =>
    handleRemoteCommand(upgrade, (streams) => runCommand(commandOf(upgrade), streams), options),
  )

const protocols = [
  { protocol: 'SPDY', environment: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false' } },
  { protocol: 'WebSockets', environment: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'true' } },
]
const neighbours = kubectls.flatMap((path) => protocols.map((one) => ({ path, ...one })))

test.each(neighbours)('$path over $protocol pipes megabytes through exec -i', async ({ path, environment }) => {
  await using server = await serve()
  const input = randomBytes(1_500_000).toString('base64')
  const run = await runKubectl(path, server, ['exec', '-i', 'web-0', '--', 'cat'], input, environment)
  expect(run.stderr).toBe('')
  expect(run.stdout === input).toBe(true)
  expect(run.code).toBe(0)
})

test.each(neighbours)('$path over $protocol sees exit codes, both outputs and failures', async (neighbour) => {
  await using server = await serve()
  const exec = (...command: string[]) =>
    runKubectl(neighbour.path, server, ['exec', 'web-0', '--', ...command], '', neighbour.environment)
  const [exit, both, failed, produced] = await Promise.all([
    exec('exit', '42'),
    exec('both'),
    exec('dance'),
    exec('produce', '300000'),
  ])
  expect(exit).toMatchObject({ code: 42, stderr: 'command terminated with exit code 42\n' })
  expect(both).toEqual({ code: 0, stdout: 'out\n', stderr: 'err\n' })
  expect(failed.code).toBe(1)
  expect(failed.stderr).toContain('error executing command in container: no such command: dance')
  expect({ ...produced, stdout: produced.stdout.length }).toEqual({ code: 0, stdout: 300_000, stderr: '' })
})

test.runIf(kubectls.length > 0)('kubectl attach is reported as attach', async () => {
  await using server = await serve({ action: 'attach' })
  const run = await runKubectl(kubectls[0]!, server, ['attach', '-i', 'web-0'])
  expect(run.stderr).toContain('error attaching to container')
})

/** Opens a WebSocket and gathers the messages of each channel until it closes. */
async function overWebSocket(
  url: string,
  protocol: string | undefined,
  send: readonly (string | Buffer)[],
): Promise<{ channels: Map<number, string>; code: number; messages: string[] }> {
  const socket = new WebSocket(url.replace('http', 'ws'), protocol ? [protocol] : [])
  const channels = new Map<number, string>()
  const messages: string[] = []
  socket.on('message', (data: Buffer, isBinary) => {
    messages.push(data.toString())
    const channel = isBinary ? data[0]! : data[0]! - 48
    const content = isBinary ? data.toString('utf8', 1) : Buffer.from(data.toString('latin1', 1), 'base64').toString()
    channels.set(channel, (channels.get(channel) ?? '') + content)
  })
  socket.on('open', () => {
    for (const message of send) socket.send(message)
  })
  const code = await new Promise<number>((resolve, reject) => {
    socket.on('close', resolve)
    socket.on('error', reject)
  })
  return { channels, code, messages }
}

const execUrl = (url: string, command: string, query = 'stdin=true&stdout=true') =>
  `${url}/exec?${query}${command
    .split(' ')
    .map((one) => `&command=${one}`)
    .join('')}`

test('v5 closes a channel by signal and ends with a normal close', async () => {
  await using server = await serve()
  const close = Buffer.from([255, 0])
  const { channels, code } = await overWebSocket(execUrl(server.url, 'cat'), 'v5.channel.k8s.io', [
    Buffer.from('\x00hello'),
    close,
  ])
  expect(channels.get(1)).toBe('hello')
  expect(JSON.parse(channels.get(3)!)).toEqual({ metadata: {}, status: 'Success' })
  expect(code).toBe(1000)
})

test('v4 reports a non-zero exit as a Status with its cause', async () => {
  await using server = await serve()
  const { channels } = await overWebSocket(execUrl(server.url, 'exit 3'), 'v4.channel.k8s.io', [])
  expect(JSON.parse(channels.get(3)!)).toMatchObject({
    status: 'Failure',
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: '3' }] },
  })
})

test.each(['channel.k8s.io', undefined])('before v4 (%s) a failure is plain words', async (protocol) => {
  await using server = await serve()
  const { channels } = await overWebSocket(execUrl(server.url, 'exit 3'), protocol, [])
  expect(channels.get(3)).toBe('command terminated with non-zero exit code: exit status 3')
})

test.each(['base64.channel.k8s.io', 'v4.base64.channel.k8s.io'])('%s carries text', async (protocol) => {
  await using server = await serve()
  const { messages, channels } = await overWebSocket(execUrl(server.url, 'both', 'stdout=1&stderr=1'), protocol, [])
  expect(messages[0]).toBe('1')
  expect(messages).toContain(`1${Buffer.from('out\n').toString('base64')}`)
  expect(channels.get(2)).toBe('err\n')
})

test('an unknown subprotocol is refused', async () => {
  await using server = await serve()
  await expect(overWebSocket(execUrl(server.url, 'cat'), 'v9.channel.k8s.io', [])).rejects.toThrow('403')
})

/** Sends a raw upgrade request and gives what comes back before the connection closes. */
async function rawUpgrade(url: string, path: string, headers: string[]): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.write([`POST ${path} HTTP/1.1`, 'Host: x', 'Connection: Upgrade', ...headers, '', ''].join('\r\n'))
  return text(socket)
}

const refusals = [
  {
    name: 'no streams',
    path: '/exec?command=x',
    headers: ['Upgrade: SPDY/3.1'],
    want: /^HTTP\/1.1 400 .*at least 1 of/s,
  },
  {
    name: 'an unknown protocol version',
    path: '/exec?stdout=1',
    headers: ['Upgrade: SPDY/3.1', 'X-Stream-Protocol-Version: v9', 'X-Stream-Protocol-Version: v8'],
    want: /^HTTP\/1.1 403 .*client supports \[v9 v8\], server accepts \[v5/s,
  },
  { name: 'another upgrade', path: '/exec?stdout=1', headers: ['Upgrade: h2c'], want: /^HTTP\/1.1 400 / },
  {
    name: 'a WebSocket without key',
    path: '/exec?stdout=1',
    headers: ['Upgrade: websocket'],
    want: /^HTTP\/1.1 400 /,
  },
]

test.each(refusals)('a request with $name is refused', async ({ path, headers, want }) => {
  await using server = await serve()
  expect(await rawUpgrade(server.url, path, headers)).toMatch(want)
})

/** A SPDY client that has opened the named streams of an exec. */
async function overSpdy(url: string, path: string, version: string, names: readonly string[]) {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const headers = `Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${version}\r\n`
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`)
  const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve))
  socket.pause()
  expect(answer.toString()).toMatch(/^HTTP\/1.1 101 /)
  const connection = new SpdyConnection(socket, { role: 'client' })
  const streams = new Map(names.map((name) => [name, connection.createStream({ streamType: name })]))
  return { connection, stream: (name: string) => streams.get(name)! }
}

test('SPDY v4 carries stdin, stdout and the Status', async () => {
  await using server = await serve()
  const path = '/exec?input=1&output=1&command=cat'
  const { connection, stream } = await overSpdy(server.url, path, 'v4.channel.k8s.io', ['error', 'stdin', 'stdout'])
  stream('stdin').end('over spdy')
  expect(await text(stream('stdout'))).toBe('over spdy')
  expect(JSON.parse(await text(stream('error')))).toEqual({ metadata: {}, status: 'Success' })
  await connection.closed
})

test.each(['v2.channel.k8s.io', 'channel.k8s.io'])('SPDY %s reports a failure in words', async (version) => {
  await using server = await serve()
  const { stream } = await overSpdy(server.url, '/exec?output=1&command=exit&command=9', version, ['error', 'stdout'])
  expect((await buffer(stream('stdout'))).length).toBe(0)
  expect(await text(stream('error'))).toBe('command terminated with non-zero exit code: exit status 9')
})

test('terminal sizes reach the command and the session ends when the client leaves', async () => {
  const sizes: TerminalSize[] = []
  const first = Promise.withResolvers<void>()
  const left = Promise.withResolvers<void>()
  await using server = await startKubectlServer((upgrade) =>
    handleRemoteCommand(upgrade, async ({ resizes, signal, tty, stderr }) => {
      expect({ tty, stderr }).toEqual({ tty: true, stderr: undefined })
      signal.addEventListener('abort', () => left.resolve())
      for await (const size of resizes) {
        sizes.push(size)
        first.resolve()
      }
      return { exitCode: 0 }
    }),
  )
  const path = '/exec?output=1&error=1&tty=1&command=x'
  const { connection, stream } = await overSpdy(server.url, path, 'v4.channel.k8s.io', ['error', 'stdout', 'resize'])
  stream('resize').write('{"Width":80,"Height":24}\n{"Width":1')
  await first.promise
  expect(sizes).toEqual([{ width: 80, height: 24 }])
  connection.destroy()
  await left.promise
})

test('a client that does not open its streams in time is dropped', async () => {
  await using server = await serve({ openTimeoutMs: 1 })
  const { connection } = await overSpdy(server.url, '/exec?output=1&command=cat', 'v4.channel.k8s.io', ['error'])
  await connection.closed
})

test('the connection ends with the command, though the client does not answer the close', async () => {
  await using server = await serve()
  const { hostname, port } = new URL(server.url)
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
  socket.write(
    'GET /exec?stdout=true&command=both HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
      'Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n',
  )
  expect(await text(socket)).toContain('out\n')
  socket.destroy()
}, 5_000)

test('a query asks in the words of the API or of a kubelet', () => {
  const ask = (query: string) => remoteCommandOptions(new URLSearchParams(query))
  expect(ask('stdin=true&stdout=true&stderr=true')).toEqual({ stdin: true, stdout: true, stderr: true, tty: false })
  expect(ask('input=1&output=1&error=1&tty=1')).toEqual({ stdin: true, stdout: true, stderr: false, tty: true })
  expect(ask('stdin=True&stdout=yes&stderr=&tty=False')).toEqual({
    stdin: true,
    stdout: true,
    stderr: true,
    tty: false,
  })
  expect(ask('stdin=false&output=0')).toEqual({ stdin: false, stdout: false, stderr: false, tty: false })
})
