/** Strings and bytes in quotes, as the reference shows them: what is not printable is escaped. */

const escapes = new Map([
  ['\x07', '\\a'],
  ['\b', '\\b'],
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\v', '\\v'],
  ['\f', '\\f'],
  ['\r', '\\r'],
  ['"', '\\"'],
  ['\\', '\\\\'],
])
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u

export function quote(text: string): string {
  return `"${[...text.toWellFormed()].map(shown).join('')}"`
}

function shown(character: string): string {
  const escaped = escapes.get(character)
  if (escaped) return escaped
  if (printable.test(character)) return character
  const code = character.codePointAt(0)!
  if (code < 0x80) return byte(code)
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`
}

/** As the string that the bytes are; those that are no part of any are escaped one by one. */
export function quoteBytes(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const length = lengthOf(bytes[at]!)
    const character = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(at, at + length))
    const isWhole = [...character].length === 1 && character !== '\ufffd'
    text += isWhole ? shown(character) : byte(bytes[at]!)
    at += isWhole ? length : 1
  }
  return `b"${text}"`
}

/** Of the character that a byte of UTF-8 begins. */
function lengthOf(first: number): number {
  if (first < 0xc0) return 1
  if (first < 0xe0) return 2
  return first < 0xf0 ? 3 : 4
}

const hex = (code: number, digits: number) => code.toString(16).padStart(digits, '0')
const byte = (code: number) => `\\x${hex(code, 2)}`
