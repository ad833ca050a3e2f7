import { readFileSync } from 'node:fs'
import { createServer as createH1 } from 'node:http'
import { createServer as createH2, type ServerHttp2Stream } from 'node:http2'
import { createServer as createTls } from 'node:tls'

/**
 * The yardstick: the least a Node server can do and still answer the same bytes over the same protocols. Run as
 * `bare-server.ts <pki directory> <file of one object> <file of a list>`; prints its port.
 *
 * GET /object and /list answer the files; POST /parse parses the body and answers it, stringified again; GET /watch stays
 * open and gets every line that POST /emit brings.
 */
const [pki, objectFile, listFile] = process.argv.slice(2) as [string, string, string]
const object = readFileSync(objectFile)
const list = readFileSync(listFile)
const watchers = new Set<{ write(chunk: Buffer): void }>()

function answer(method: string, path: string, body: Buffer, reply: (status: number, body: Buffer) => void): void {
  if (method === 'GET') reply(200, path === '/list' ? list : object)
  else if (path === '/emit') {
    for (const watcher of watchers) watcher.write(body)
    reply(200, Buffer.from('{}'))
  } else reply(201, Buffer.from(JSON.stringify(JSON.parse(body.toString('utf8')))))
}

const h2 = createH2({
  maxSessionMemory: 512,
  settings: { maxConcurrentStreams: 2048, initialWindowSize: 1024 * 1024 },
})
h2.on('stream', (stream: ServerHttp2Stream, headers) => {
  const path = headers[':path']!
  stream.on('error', () => {})
  const reply = (status: number, body: Buffer) => {
    stream.respond({ ':status': status, 'content-type': 'application/json', 'content-length': body.length })
    stream.end(body)
  }
  if (path === '/watch') {
    stream.respond({ ':status': 200, 'content-type': 'application/json' })
    watchers.add(stream)
    stream.on('close', () => watchers.delete(stream))
    return
  }
  if (headers[':method'] === 'GET') return answer('GET', path, object, reply)
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('end', () => answer('POST', path, Buffer.concat(chunks), reply))
})

const h1 = createH1((request, response) => {
  const reply = (status: number, body: Buffer) => {
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length })
    response.end(body)
  }
  if (request.method === 'GET') return answer('GET', request.url!, object, reply)
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => answer('POST', request.url!, Buffer.concat(chunks), reply))
})

const tls = createTls({
  key: readFileSync(`${pki}/apiserver.key`),
  cert: readFileSync(`${pki}/apiserver.crt`),
  ca: readFileSync(`${pki}/ca.crt`),
  requestCert: true,
  rejectUnauthorized: false,
  ALPNProtocols: ['h2', 'http/1.1'],
})
tls.on('secureConnection', (socket) => {
  socket.on('error', () => {})
  if (socket.alpnProtocol === 'h2') h2.emit('connection', socket)
  else h1.emit('connection', socket)
})
tls.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(tls.address() as { port: number }).port}\n`)
})
