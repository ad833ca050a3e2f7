import { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'

/**
 * Numbered byte streams over one WebSocket: each message starts with its channel's number. Kubernetes' `channel.k8s.io`
 * family, binary or (`base64.`) as text.
 * @see https://kep.k8s.io/4006 for the close signal of `v5.channel.k8s.io`
 */
export interface ChannelOptions {
  /** What the WebSocket runs over. */
  connection: Duplex
  base64: boolean
  /** A message `255, n` closes channel n. */
  closeSignal: boolean
}

const closeSignal = 255
const zero = '0'.charCodeAt(0)

export class WebSocketChannels {
  readonly #socket: WebSocket
  readonly #options: ChannelOptions
  readonly #channels = new Map<number, Channel>()
  readonly #full = new Set<number>()

  /** Resolves when the connection is closed. Never rejects. */
  readonly closed: Promise<void>

  constructor(socket: WebSocket, options: ChannelOptions) {
    this.#socket = socket
    this.#options = options
    socket.on('message', (data, isBinary) => this.#receive(data as Buffer, isBinary))
    // Errors show as the close that follows them.
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        for (const channel of this.#channels.values()) channel.closeFromPeer()
        resolve()
      })
    })
  }

  /** Opens channel `id`. Messages for channels that are not open are dropped. */
  open(id: number): Duplex {
    const channel = new Channel(
      (data) => this.#send(id, data),
      () => this.#setRoom(id),
    )
    this.#channels.set(id, channel)
    return channel
  }

  /**
   * Resolves when the peer has answered a ping, or after `patienceMs`. kubectl 1.29 to 1.33 drops what comes before it has
   * opened its streams, which it does while it begins to read.
   */
  heard(patienceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, patienceMs)
      const settle = () => {
        clearTimeout(timer)
        resolve()
      }
      this.#socket.once('pong', settle)
      this.#socket.once('close', settle)
      this.#socket.ping()
    })
  }

  close(): void {
    // A paused socket would not see the peer's answer to the close.
    this.#socket.resume()
    this.#socket.close(1000)
    // Some clients take what they have received already only when more comes, or the end.
    this.#options.connection.end()
  }

  #receive(message: Buffer, isBinary: boolean): void {
    const first = message[0]
    if (first === undefined) return
    const base64 = this.#options.base64 && !isBinary
    const id = base64 ? first - zero : first
    if (this.#options.closeSignal && id === closeSignal) {
      this.#channels.get(message[1] ?? -1)?.closeFromPeer()
      return
    }
    const data = base64 ? Buffer.from(message.toString('latin1', 1), 'base64') : message.subarray(1)
    if (this.#channels.get(id)?.receive(data) !== false) return
    this.#full.add(id)
    this.#socket.pause()
  }

  #setRoom(id: number): void {
    if (this.#full.delete(id) && this.#full.size === 0) this.#socket.resume()
  }

  #send(id: number, data: Buffer): Promise<void> {
    const message = this.#options.base64
      ? `${id}${data.toString('base64')}`
      : Buffer.concat([Uint8Array.of(id), data], 1 + data.length)
    return new Promise((resolve, reject) => {
      this.#socket.send(message, (error) => (error ? reject(error) : resolve()))
    })
  }

  /** Sends a message without content, which tells some clients that the channel is there. */
  announce(id: number): void {
    this.#send(id, Buffer.alloc(0)).catch(() => {})
  }
}

class Channel extends Duplex {
  readonly #send: (data: Buffer) => Promise<void>
  readonly #hasRoom: () => void
  #peerClosed = false

  constructor(send: (data: Buffer) => Promise<void>, hasRoom: () => void) {
    super()
    this.#send = send
    this.#hasRoom = hasRoom
  }

  /** @returns false when the reader has not kept up */
  receive(data: Buffer): boolean {
    return this.#peerClosed || this.destroyed || data.length === 0 || this.push(data)
  }

  closeFromPeer(): void {
    if (this.#peerClosed) return
    this.#peerClosed = true
    this.push(null)
  }

  override _read(): void {
    this.#hasRoom()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#send(chunk).then(() => callback(), callback)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#hasRoom()
    callback(error)
  }
}
