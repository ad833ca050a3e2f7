/**
 * SPDY/3.1 frames to bytes and back: pure, and without knowledge of streams or compression.
 * @see https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/#22-framing
 */
export type Frame =
  | { type: 'data'; streamId: number; data: Buffer; fin: boolean }
  | { type: 'syn-stream'; streamId: number; fin: boolean; unidirectional: boolean; block: Buffer }
  | { type: 'syn-reply'; streamId: number; fin: boolean; block: Buffer }
  | { type: 'headers'; streamId: number; fin: boolean; block: Buffer }
  | { type: 'rst-stream'; streamId: number; status: number }
  | { type: 'settings'; entries: ReadonlyMap<number, number> }
  | { type: 'ping'; id: number }
  | { type: 'goaway'; lastStreamId: number; status: number }
  | { type: 'window-update'; streamId: number; delta: number }

/** Why a stream was reset. */
export const resetStatus = {
  protocolError: 1,
  invalidStream: 2,
  refusedStream: 3,
  cancel: 5,
  internalError: 6,
  flowControlError: 7,
} as const

/** Why a connection goes away. */
export const goAwayStatus = { ok: 0, protocolError: 1, internalError: 2 } as const

/** The one setting that matters here: SETTINGS_INITIAL_WINDOW_SIZE. */
export const initialWindowSetting = 7

/** The peer broke the protocol; the connection cannot go on. */
export class SpdyProtocolError extends Error {
  override name = 'SpdyProtocolError'
}

const version = 3
const headBytes = 8
const finFlag = 1
const unidirectionalFlag = 2
/** Header blocks of a few dozen bytes are all that is ever sent; more than this is an attack or a bug. */
const maxControlBytes = 64 * 1024

const controlType = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const

/**
 * Cuts a byte stream into frames. The payload of a data frame is given out as it comes, in pieces of which only the last
 * carries `fin`, so that nothing but one control frame is ever held back. Frames of unknown types are skipped.
 */
export class FrameDecoder {
  #pending: Buffer = Buffer.alloc(0)
  #data: { streamId: number; left: number; fin: boolean } | undefined;

  /** @throws SpdyProtocolError for bytes that are no SPDY/3 frames; the decoder is of no use after that */
  *push(chunk: Buffer): Generator<Frame, void> {
    let rest = this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk
    this.#pending = Buffer.alloc(0)
    while (rest.length > 0) {
      if (this.#data) {
        const piece = rest.subarray(0, this.#data.left)
        rest = rest.subarray(piece.length)
        yield this.#takeData(this.#data, piece)
        continue
      }
      const length = frameLength(rest)
      if (length === undefined) break
      if (isControl(rest)) {
        if (rest.length < headBytes + length) break
        const frame = decodeControl(rest.subarray(0, headBytes + length))
        rest = rest.subarray(headBytes + length)
        if (frame) yield frame
      } else {
        this.#data = { streamId: nonZeroStreamId(rest, 0), left: length, fin: (rest[4]! & finFlag) !== 0 }
        rest = rest.subarray(headBytes)
        if (length === 0) yield this.#takeData(this.#data, rest.subarray(0, 0))
      }
    }
    this.#pending = rest
  }

  #takeData(of: { streamId: number; left: number; fin: boolean }, data: Buffer): Frame {
    of.left -= data.length
    const last = of.left === 0
    if (last) this.#data = undefined
    return { type: 'data', streamId: of.streamId, data, fin: last && of.fin }
  }
}

const isControl = (frame: Buffer) => (frame[0]! & 0x80) !== 0

/** Bytes behind the frame's head, or undefined while the head is incomplete. */
function frameLength(bytes: Buffer): number | undefined {
  if (bytes.length < headBytes) return undefined
  const length = bytes.readUIntBE(5, 3)
  if (isControl(bytes)) {
    if ((bytes.readUInt16BE(0) & 0x7fff) !== version) throw new SpdyProtocolError('unsupported SPDY version')
    if (length > maxControlBytes) throw new SpdyProtocolError(`control frame of ${length} bytes is too large`)
  }
  return length
}

function decodeControl(frame: Buffer): Frame | undefined {
  const flags = frame[4]!
  const fin = (flags & finFlag) !== 0
  const body = frame.subarray(headBytes)
  switch (frame.readUInt16BE(2)) {
    case controlType.synStream:
      atLeast(body, 10)
      return {
        type: 'syn-stream',
        streamId: nonZeroStreamId(body, 0),
        fin,
        unidirectional: (flags & unidirectionalFlag) !== 0,
        block: body.subarray(10),
      }
    case controlType.synReply:
      atLeast(body, 4)
      return { type: 'syn-reply', streamId: nonZeroStreamId(body, 0), fin, block: body.subarray(4) }
    case controlType.headers:
      atLeast(body, 4)
      return { type: 'headers', streamId: nonZeroStreamId(body, 0), fin, block: body.subarray(4) }
    case controlType.rstStream:
      exactly(body, 8)
      return { type: 'rst-stream', streamId: nonZeroStreamId(body, 0), status: body.readUInt32BE(4) }
    case controlType.settings:
      return { type: 'settings', entries: decodeSettings(body) }
    case controlType.ping:
      exactly(body, 4)
      return { type: 'ping', id: body.readUInt32BE(0) }
    case controlType.goAway:
      exactly(body, 8)
      return { type: 'goaway', lastStreamId: streamIdAt(body, 0), status: body.readUInt32BE(4) }
    case controlType.windowUpdate:
      exactly(body, 8)
      return { type: 'window-update', streamId: streamIdAt(body, 0), delta: positiveDelta(body) }
    default:
      return undefined
  }
}

function decodeSettings(body: Buffer): Map<number, number> {
  atLeast(body, 4)
  const count = body.readUInt32BE(0)
  if (body.length !== 4 + count * 8) throw new SpdyProtocolError('settings frame of the wrong size')
  const entries = new Map<number, number>()
  for (let at = 4; at < body.length; at += 8) entries.set(body.readUIntBE(at + 1, 3), body.readUInt32BE(at + 4))
  return entries
}

const streamIdAt = (bytes: Buffer, at: number) => bytes.readUInt32BE(at) & 0x7fffffff

function nonZeroStreamId(bytes: Buffer, at: number): number {
  const id = streamIdAt(bytes, at)
  if (id === 0) throw new SpdyProtocolError('stream id is zero')
  return id
}

function positiveDelta(body: Buffer): number {
  const delta = body.readUInt32BE(4) & 0x7fffffff
  if (delta === 0) throw new SpdyProtocolError('window update of zero')
  return delta
}

function atLeast(body: Buffer, bytes: number): void {
  if (body.length < bytes) throw new SpdyProtocolError('control frame is too short')
}

function exactly(body: Buffer, bytes: number): void {
  if (body.length !== bytes) throw new SpdyProtocolError('control frame of the wrong size')
}

/** The head of a data frame; its payload of `length` bytes must follow. */
export function encodeDataHead(streamId: number, length: number, fin: boolean): Buffer {
  const head = Buffer.allocUnsafe(headBytes)
  head.writeUInt32BE(streamId, 0)
  head.writeUInt32BE(length, 4)
  head[4] = fin ? finFlag : 0
  return head
}

export function encodeFrame(frame: Frame): Buffer {
  switch (frame.type) {
    case 'data':
      return Buffer.concat([encodeDataHead(frame.streamId, frame.data.length, frame.fin), frame.data])
    case 'syn-stream': {
      const flags = (frame.fin ? finFlag : 0) | (frame.unidirectional ? unidirectionalFlag : 0)
      // Associated stream, priority and slot stay zero: nobody here uses them.
      const fixed = Buffer.alloc(10)
      fixed.writeUInt32BE(frame.streamId)
      return encodeControl(controlType.synStream, flags, fixed, frame.block)
    }
    case 'syn-reply':
      return encodeControl(controlType.synReply, frame.fin ? finFlag : 0, words(frame.streamId), frame.block)
    case 'headers':
      return encodeControl(controlType.headers, frame.fin ? finFlag : 0, words(frame.streamId), frame.block)
    case 'rst-stream':
      return encodeControl(controlType.rstStream, 0, words(frame.streamId, frame.status))
    case 'settings':
      return encodeControl(controlType.settings, 0, words(frame.entries.size, ...[...frame.entries].flat()))
    case 'ping':
      return encodeControl(controlType.ping, 0, words(frame.id))
    case 'goaway':
      return encodeControl(controlType.goAway, 0, words(frame.lastStreamId, frame.status))
    case 'window-update':
      return encodeControl(controlType.windowUpdate, 0, words(frame.streamId, frame.delta))
  }
}

function encodeControl(type: number, flags: number, ...body: Buffer[]): Buffer {
  const head = Buffer.allocUnsafe(headBytes)
  head.writeUInt16BE(0x8000 | version, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt32BE(
    body.reduce((bytes, part) => bytes + part.length, 0),
    4,
  )
  head[4] = flags
  return Buffer.concat([head, ...body])
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * 4)
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4)
  return bytes
}
