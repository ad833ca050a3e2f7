import { Readable } from 'node:stream'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { merged, separated } from './streams.ts'

const frame = (stream: number, text: string) => {
  const bytes = Buffer.from(text)
  const head = Buffer.alloc(8)
  head[0] = stream
  head.writeUInt32BE(bytes.length, 4)
  return Buffer.concat([head, bytes])
}

const cut = (whole: Buffer, size: number) =>
  Array.from({ length: Math.ceil(whole.length / size) }, (_, index) => whole.subarray(index * size, (index + 1) * size))

const textOf = async (stream: Readable) => Buffer.concat(await stream.toArray()).toString()

const frames = fc.array(fc.record({ stream: fc.constantFrom(1, 2), text: fc.string() }))

test('frames come apart however they were cut', async () => {
  await fc.assert(
    fc.asyncProperty(frames, fc.integer({ min: 1, max: 40 }), async (parts, size) => {
      const whole = Buffer.concat(parts.map(({ stream, text }) => frame(stream, text)))
      const { stdout, stderr } = separated(Readable.from(cut(whole, size), { objectMode: false }))
      const [out, err] = await Promise.all([textOf(stdout), textOf(stderr)])
      expect(out).toBe(parts.map(({ stream, text }) => (stream === 1 ? text : '')).join(''))
      expect(err).toBe(parts.map(({ stream, text }) => (stream === 2 ? text : '')).join(''))
      const both = merged(Readable.from(cut(whole, size), { objectMode: false }))
      expect(await textOf(both)).toBe(parts.map(({ text }) => text).join(''))
    }),
  )
})

test('a source that breaks off breaks off its outputs', async () => {
  const source = new Readable({ read: () => undefined })
  const { stdout } = separated(source)
  const reading = stdout.toArray()
  source.destroy(new Error('gone'))
  await expect(reading).rejects.toThrow('gone')
})
