import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeFrame, type Frame, FrameDecoder, SpdyProtocolError } from './spdy-frames.ts'

const id = fc.integer({ min: 1, max: 0x7fffffff })
const word = fc.integer({ min: 0, max: 0x7fffffff })
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))

const anyFrame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({ type: fc.constant('data'), streamId: id, data: bytes, fin: fc.boolean() }),
  fc.record({
    type: fc.constant('syn-stream'),
    streamId: id,
    fin: fc.boolean(),
    unidirectional: fc.boolean(),
    block: bytes,
  }),
  fc.record({ type: fc.constant('syn-reply'), streamId: id, fin: fc.boolean(), block: bytes }),
  fc.record({ type: fc.constant('headers'), streamId: id, fin: fc.boolean(), block: bytes }),
  fc.record({ type: fc.constant('rst-stream'), streamId: id, status: word }),
  fc.record({ type: fc.constant('settings'), entries: fc.constant(new Map([[7, 65_536]])) }),
  fc.record({ type: fc.constant('ping'), id: word }),
  fc.record({ type: fc.constant('goaway'), lastStreamId: word, status: word }),
  fc.record({ type: fc.constant('window-update'), streamId: word, delta: id }),
) as fc.Arbitrary<Frame>

function decodeAll(chunks: Iterable<Buffer>): Frame[] {
  const decoder = new FrameDecoder()
  return [...chunks].flatMap((chunk) => [...decoder.push(chunk)])
}

/** Joins the pieces in which data frames are given out. */
function joinData(frames: readonly Frame[]): Frame[] {
  const joined: Frame[] = []
  let open: (Frame & { type: 'data' }) | undefined
  for (const frame of frames) {
    if (open && frame.type === 'data' && frame.streamId === open.streamId && !open.fin) {
      open.data = Buffer.concat([open.data, frame.data])
      open.fin = frame.fin
      continue
    }
    open = frame.type === 'data' ? { ...frame } : undefined
    joined.push(open ?? frame)
  }
  return joined
}

function* cut(whole: Buffer, sizes: readonly number[]): Generator<Buffer> {
  let at = 0
  for (let index = 0; at < whole.length; index++) {
    const size = sizes[index % sizes.length]!
    yield whole.subarray(at, at + size)
    at += size
  }
}

test('frames survive encoding and decoding however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(anyFrame), fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (frames, sizes) => {
      const whole = Buffer.concat(frames.map(encodeFrame))
      expect(joinData(decodeAll(cut(whole, sizes)))).toEqual(joinData(frames))
    }),
  )
})

test('arbitrary bytes give frames or a SpdyProtocolError, nothing else', () => {
  const control = fc
    .tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 255 }), bytes)
    .map(([type, flags, body]) => Buffer.concat([Buffer.from([0x80, 3, 0, type, flags, 0, 0, body.length]), body]))
  fc.assert(
    fc.property(fc.array(fc.oneof(bytes, control)), (chunks) => {
      try {
        decodeAll(chunks)
      } catch (error) {
        expect(error).toBeInstanceOf(SpdyProtocolError)
      }
    }),
    { numRuns: 500 },
  )
})

const malformed = [
  { name: 'another version', bytes: [0x80, 2, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1] },
  { name: 'a control frame past 64 KiB', bytes: [0x80, 3, 0, 1, 0, 2, 0, 0] },
  { name: 'data for stream zero', bytes: [0, 0, 0, 0, 0, 0, 0, 1, 65] },
  { name: 'a ping of the wrong size', bytes: [0x80, 3, 0, 6, 0, 0, 0, 5, 0, 0, 0, 1, 0] },
  { name: 'settings that promise more than they hold', bytes: [0x80, 3, 0, 4, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff] },
  { name: 'a window update of zero', bytes: [0x80, 3, 0, 9, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0] },
]

test.each(malformed)('the decoder refuses $name', ({ bytes }) => {
  expect(() => decodeAll([Buffer.from(bytes)])).toThrow(SpdyProtocolError)
})

test('frames of unknown types are skipped', () => {
  const unknown = Buffer.from([0x80, 3, 0, 99, 0, 0, 0, 2, 1, 2])
  const ping = encodeFrame({ type: 'ping', id: 1 })
  expect(decodeAll([Buffer.concat([unknown, ping])])).toEqual([{ type: 'ping', id: 1 }])
})
