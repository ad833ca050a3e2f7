import { Duplex } from 'node:stream'
import {
  encodeDataHead,
  encodeFrame,
  type Frame,
  FrameDecoder,
  goAwayStatus,
  initialWindowSetting,
  resetStatus,
  SpdyProtocolError,
} from './spdy-frames.ts'
import { HeaderBlockReader, HeaderBlockWriter, type SpdyHeaders } from './spdy-headers.ts'

/**
 * SPDY/3.1 over any byte stream, as `kubectl` and kubelets speak it to each other: streams with headers, each a Duplex.
 *
 * Flow control has two regimes. Go's spdystream, which is every Kubernetes client's end, neither sends nor obeys
 * WINDOW_UPDATE, so by default a stream whose reader is slow holds up reading of the whole connection, as there. Once the
 * peer shows that it does flow control (SETTINGS with a window, or WINDOW_UPDATE), both ends are held to the windows and a
 * slow stream holds up only itself.
 */

const windowBytes = 64 * 1024
const maxWindowBytes = 0x7fffffff
const maxDataBytes = 32 * 1024
const maxStreams = 1000
const lingerMs = 1000

export interface SpdyConnectionOptions {
  role: 'server' | 'client'
  /** Called for each stream the peer opens; must `accept` or `refuse` it before it returns. Absent: all are refused. */
  onStream?: (stream: SpdyStream) => void
  /** Bytes already read from the transport. */
  head?: Buffer
}

/**
 * One connection. It owns the transport and closes it; malformed input ends it with GOAWAY and never throws.
 * Memory held for the peer is bounded by streams times window.
 */
export class SpdyConnection {
  readonly #transport: Duplex
  readonly #options: SpdyConnectionOptions
  readonly #streams = new Map<number, SpdyStream>()
  readonly #headerWriter = new HeaderBlockWriter()
  readonly #headerReader = new HeaderBlockReader()
  readonly #sendWindow = new SendWindow()
  #peerDoesFlowControl = false
  #peerInitialWindow = windowBytes
  #receivedSinceGrant = 0
  #lastPeerStreamId = 0
  #nextStreamId: number
  #goneAway = false
  #drained: Promise<void> | undefined

  /** Resolves when the transport is closed and every stream with it. Never rejects. */
  readonly closed: Promise<void>

  constructor(transport: Duplex, options: SpdyConnectionOptions) {
    this.#transport = transport
    this.#options = options
    this.#nextStreamId = options.role === 'client' ? 1 : 2
    if (options.head && options.head.length > 0) transport.unshift(options.head)
    const gone = new Promise<void>((resolve) => {
      transport.once('close', () => {
        // Frames that were read may still wait behind a stream that nobody reads.
        for (const stream of this.#streams.values()) stream.release()
        resolve()
      })
    })
    // Errors of the transport show as its close.
    transport.on('error', () => {})
    if (options.role === 'client') this.#announceWindow()
    this.closed = this.#serve().then(() => gone)
  }

  /** Opens a stream; `stream.replied` resolves when the peer accepted it. @throws Error when the connection is closing */
  createStream(headers: Record<string, string>): SpdyStream {
    if (this.#goneAway) throw new Error('connection is closing')
    const streamId = this.#nextStreamId
    this.#nextStreamId += 2
    const stream = this.#register(streamId, new Map(Object.entries(headers)))
    const block = this.#headerWriter.write(stream.headers)
    this.#send({ type: 'syn-stream', streamId, fin: false, unidirectional: false, block })
    return stream
  }

  /** Resets what is still open, says goodbye and closes the transport once everything written has been taken. */
  close(status: number = goAwayStatus.ok): void {
    if (this.#goneAway) return
    this.#goneAway = true
    for (const stream of [...this.#streams.values()]) stream.destroy()
    this.#send({ type: 'goaway', lastStreamId: this.#lastPeerStreamId, status })
    this.#transport.end()
    // Closing before the peer has would make its kernel drop what it has not read yet; but it may never close.
    const linger = setTimeout(() => this.#transport.destroy(), lingerMs)
    this.#transport.once('close', () => clearTimeout(linger))
  }

  destroy(): void {
    this.#transport.destroy()
  }

  async #serve(): Promise<void> {
    const decoder = new FrameDecoder()
    try {
      for await (const chunk of this.#transport.iterator({ destroyOnReturn: false })) {
        for (const frame of decoder.push(chunk as Buffer)) {
          if (this.#goneAway) break
          const busy = this.#handle(frame)
          if (busy) await busy
          // A peer that asks for answers without reading them must not fill our memory.
          if (this.#transport.writableNeedDrain) await this.#whenDrained()
        }
      }
      this.#endStreams()
      this.close()
    } catch (error) {
      this.close(error instanceof SpdyProtocolError ? goAwayStatus.protocolError : goAwayStatus.internalError)
    } finally {
      this.#endStreams()
      this.#headerReader.close()
      this.#transport.on('data', () => {})
    }
  }

  #endStreams(): void {
    for (const stream of [...this.#streams.values()]) stream.onGone()
  }

  #handle(frame: Frame): Promise<void> | undefined {
    switch (frame.type) {
      case 'data':
        return this.#handleData(frame.streamId, frame.data, frame.fin)
      case 'syn-stream':
        return this.#handleSynStream(frame)
      case 'syn-reply':
      case 'headers':
        return this.#handleHeaders(frame)
      case 'rst-stream':
        this.#streams.get(frame.streamId)?.onGone()
        return undefined
      case 'settings':
        this.#handleSettings(frame.entries)
        return undefined
      case 'ping':
        // Even ids are a server's, odd ones a client's; those of our own kind answer pings we never send.
        if ((frame.id % 2 === 0) === (this.#options.role === 'client')) this.#send(frame)
        return undefined
      case 'goaway':
        this.#endStreams()
        this.close()
        return undefined
      case 'window-update':
        this.#handleWindowUpdate(frame.streamId, frame.delta)
        return undefined
    }
  }

  async #handleSynStream(frame: Frame & { type: 'syn-stream' }): Promise<void> {
    const { streamId } = frame
    const fromPeer = (streamId % 2 === 1) === (this.#options.role === 'server')
    if (!fromPeer || streamId <= this.#lastPeerStreamId) throw new SpdyProtocolError(`stream id ${streamId} is taken`)
    this.#lastPeerStreamId = streamId
    const headers = await this.#headerReader.read(frame.block)
    if (this.#goneAway) return
    if (!this.#options.onStream || this.#streams.size >= maxStreams) {
      this.#send({ type: 'rst-stream', streamId, status: resetStatus.refusedStream })
      return
    }
    const stream = this.#register(streamId, headers)
    if (frame.unidirectional) stream.end()
    this.#options.onStream(stream)
    if (frame.fin) stream.onFin()
  }

  async #handleHeaders(frame: Frame & { type: 'syn-reply' | 'headers' }): Promise<void> {
    // Read even when nobody wants them: the compressor's state runs through all blocks.
    await this.#headerReader.read(frame.block)
    const stream = this.#streams.get(frame.streamId)
    if (frame.type === 'syn-reply') stream?.onReply()
    if (frame.fin) stream?.onFin()
  }

  #handleData(streamId: number, data: Buffer, fin: boolean): Promise<void> | undefined {
    this.#grantConnection(data.length)
    const stream = this.#streams.get(streamId)
    if (!stream) {
      if (!this.#wasOpened(streamId)) throw new SpdyProtocolError(`data for stream ${streamId}, which was never opened`)
      return undefined
    }
    stream.onData(data)
    if (fin) stream.onFin()
    if (!stream.isFull) return undefined
    if (!this.#peerDoesFlowControl) return this.#transport.destroyed ? undefined : stream.room()
    if (stream.readableLength > windowBytes) stream.reset(resetStatus.flowControlError)
    return undefined
  }

  #wasOpened(streamId: number): boolean {
    const ours = (streamId % 2 === 1) === (this.#options.role === 'client')
    return ours ? streamId < this.#nextStreamId : streamId <= this.#lastPeerStreamId
  }

  #handleSettings(entries: ReadonlyMap<number, number>): void {
    const window = entries.get(initialWindowSetting)
    if (window === undefined) return
    if (window > maxWindowBytes) throw new SpdyProtocolError('initial window is too large')
    for (const stream of this.#streams.values()) stream.sendWindow.add(window - this.#peerInitialWindow)
    this.#peerInitialWindow = window
    this.#startFlowControl()
  }

  #handleWindowUpdate(streamId: number, delta: number): void {
    const window = streamId === 0 ? this.#sendWindow : this.#streams.get(streamId)?.sendWindow
    window?.add(delta)
    this.#startFlowControl()
    if (streamId === 0) for (const stream of this.#streams.values()) stream.sendWindow.wake()
  }

  #startFlowControl(): void {
    if (this.#peerDoesFlowControl) return
    this.#peerDoesFlowControl = true
    if (this.#options.role === 'server') this.#announceWindow()
  }

  #announceWindow(): void {
    this.#send({ type: 'settings', entries: new Map([[initialWindowSetting, windowBytes]]) })
  }

  /** What streams hold is bounded one by one, so the connection's own window is given back at once. */
  #grantConnection(bytes: number): void {
    this.#receivedSinceGrant += bytes
    if (this.#receivedSinceGrant < windowBytes / 2) return
    this.grant(0, this.#receivedSinceGrant)
    this.#receivedSinceGrant = 0
  }

  #register(streamId: number, headers: SpdyHeaders): SpdyStream {
    const stream = new SpdyStream(this, streamId, headers, new SendWindow(this.#peerInitialWindow))
    this.#streams.set(streamId, stream)
    return stream
  }

  #send(frame: Frame): void {
    if (this.#transport.writable) this.#transport.write(encodeFrame(frame))
  }

  #whenDrained(): Promise<void> {
    this.#drained ??= new Promise((resolve) => {
      const done = () => {
        this.#transport.off('drain', done).off('close', done)
        this.#drained = undefined
        resolve()
      }
      this.#transport.on('drain', done).on('close', done)
      if (this.#transport.destroyed) done()
    })
    return this.#drained
  }

  /** For SpdyStream. */
  grant(streamId: number, delta: number): void {
    this.#send({ type: 'window-update', streamId, delta })
  }

  /** For SpdyStream. */
  reply(streamId: number): void {
    this.#send({ type: 'syn-reply', streamId, fin: false, block: this.#headerWriter.write(new Map()) })
  }

  /** For SpdyStream: ends the bookkeeping of a stream and tells the peer unless both sides had ended it properly. */
  forget(streamId: number, status: number | undefined): void {
    if (!this.#streams.delete(streamId)) return
    if (status !== undefined) this.#send({ type: 'rst-stream', streamId, status })
  }

  /** For SpdyStream: sends as windows and the transport allow; resolves when there is room for more. */
  async sendData(stream: SpdyStream, data: Buffer): Promise<void> {
    let rest = data
    while (rest.length > 0 && !stream.isDetached && this.#transport.writable) {
      const room = this.#peerDoesFlowControl ? Math.min(stream.sendWindow.bytes, this.#sendWindow.bytes) : maxDataBytes
      if (room <= 0) {
        await stream.sendWindow.changed()
        continue
      }
      const piece = rest.subarray(0, Math.min(room, maxDataBytes))
      rest = rest.subarray(piece.length)
      stream.sendWindow.take(piece.length)
      this.#sendWindow.take(piece.length)
      this.#transport.cork()
      this.#transport.write(encodeDataHead(stream.id, piece.length, false))
      this.#transport.write(piece)
      this.#transport.uncork()
      if (this.#transport.writableNeedDrain) await this.#whenDrained()
    }
  }

  /** For SpdyStream. */
  sendFin(streamId: number): void {
    if (this.#streams.has(streamId) && this.#transport.writable)
      this.#transport.write(encodeDataHead(streamId, 0, true))
  }
}

/** Bytes the peer still takes. */
class SendWindow {
  bytes: number
  #waiting: (() => void)[] = []

  constructor(bytes = windowBytes) {
    this.bytes = bytes
  }

  take(bytes: number): void {
    this.bytes -= bytes
  }

  add(bytes: number): void {
    this.bytes += bytes
    if (this.bytes > maxWindowBytes) throw new SpdyProtocolError('window is too large')
    this.wake()
  }

  wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resume of waiting) resume()
  }

  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}

/**
 * One stream. `end()` closes our half, `destroy()` resets both; when the peer resets, the stream closes without `end` and
 * without an error, which `pipeline` and async iteration report as a premature close.
 */
export class SpdyStream extends Duplex {
  readonly id: number
  readonly headers: SpdyHeaders
  /** Resolves once the peer accepted a stream of ours; rejects when it closed without. */
  readonly replied: Promise<void>
  /** For SpdyConnection. */
  readonly sendWindow: SendWindow
  readonly #connection: SpdyConnection
  #resetStatus: number | undefined = resetStatus.cancel
  #settleReply: { resolve: () => void; reject: (error: Error) => void }
  #ungranted = 0
  #resumeReading: (() => void) | undefined
  #remoteEnded = false
  #isDetached = false

  constructor(connection: SpdyConnection, id: number, headers: SpdyHeaders, sendWindow: SendWindow) {
    super({ readableHighWaterMark: windowBytes })
    this.#connection = connection
    this.id = id
    this.headers = headers
    this.sendWindow = sendWindow
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#settleReply = { resolve, reject }
    this.replied = promise
    promise.catch(() => {})
  }

  /** Takes a stream the peer opened. */
  accept(): void {
    this.#connection.reply(this.id)
  }

  /** Turns away a stream the peer opened. */
  refuse(): void {
    this.reset(resetStatus.refusedStream)
  }

  /** Ends both halves at once. @param status one of `resetStatus` */
  reset(status: number): void {
    this.#resetStatus = status
    this.destroy()
  }

  /** For SpdyConnection. */
  onReply(): void {
    this.#settleReply.resolve()
  }

  /** For SpdyConnection: the peer reset the stream or is gone. What it had sent to the end may still be read. */
  onGone(): void {
    this.#resetStatus = undefined
    if (!this.#remoteEnded || this.readableEnded || this.destroyed) return void this.destroy()
    this.#isDetached = true
    this.release()
    this.#connection.forget(this.id, undefined)
    this.sendWindow.wake()
    this.once('end', () => this.destroy())
  }

  /** For SpdyConnection: nothing more can be sent. */
  get isDetached(): boolean {
    return this.#isDetached || this.destroyed
  }

  /** For SpdyConnection. */
  onFin(): void {
    if (this.#remoteEnded) return
    this.#remoteEnded = true
    this.push(null)
  }

  /** For SpdyConnection. */
  onData(data: Buffer): void {
    if (this.#remoteEnded || data.length === 0) return
    this.#ungranted += data.length
    this.push(data)
    this.#afterReading()
  }

  /** For SpdyConnection: more is buffered than the reader asked for. */
  get isFull(): boolean {
    return !this.destroyed && this.readableLength >= this.readableHighWaterMark
  }

  /** For SpdyConnection: resolves when the reader has caught up, or the stream is gone. */
  room(): Promise<void> {
    return new Promise((resolve) => {
      this.#resumeReading = resolve
    })
  }

  override read(size?: number): unknown {
    const chunk: unknown = super.read(size)
    this.#afterReading()
    return chunk
  }

  #afterReading(): void {
    if (this.#resumeReading && !this.isFull) this.release()
    const consumed = this.#ungranted - this.readableLength
    if (consumed < windowBytes / 2 || this.#remoteEnded) return
    this.#ungranted -= consumed
    this.#connection.grant(this.id, consumed)
  }

  /** For SpdyConnection: ends the wait for room. */
  release(): void {
    this.#resumeReading?.()
    this.#resumeReading = undefined
  }

  override _read(): void {
    // Data is pushed as it comes; `read` above tells the connection that there is room.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#connection.sendData(this, chunk).then(() => callback(), callback)
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#connection.sendFin(this.id)
    callback()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const endedProperly = this.#remoteEnded && this.writableFinished
    this.#connection.forget(this.id, endedProperly ? undefined : this.#resetStatus)
    this.#settleReply.reject(new Error('stream was closed before it was accepted'))
    this.release()
    this.sendWindow.wake()
    callback(error)
  }
}
