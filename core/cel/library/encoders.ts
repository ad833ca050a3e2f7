/** Base64. */
import { define, type Library } from '../environment.ts'
import { bytes, string } from '../types.ts'
import { Bytes, fail } from '../values.ts'

const alphabet = /^[A-Za-z0-9+/]*={0,2}$/

export const encoders: Library = [
  define('base64.encode', [bytes], string, ({ data }: Bytes) => Buffer.from(data).toString('base64')),
  define('base64.decode', [string], bytes, decode),
]

/** With padding or without. */
function decode(text: string): Bytes {
  return alphabet.test(text) ? new Bytes(Buffer.from(text, 'base64')) : fail('illegal base64 data')
}
