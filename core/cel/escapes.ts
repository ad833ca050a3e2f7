/** What the escape sequences of string and bytes literals stand for. Pure. */

const sequence = /\\(?:([abfnrtv\\?"'`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|)/g
const punctuation: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '?': '?',
  '"': '"',
  "'": "'",
  '`': '`',
}
type Refuse = (message: string) => never

/** @param refuse throws for a sequence that stands for nothing */
export function unescapeString(body: string, refuse: Refuse): string {
  if (!body.includes('\\')) return body
  return body.replaceAll(sequence, (whole, mark?: string, x?: string, u?: string, long?: string, octal?: string) => {
    if (mark !== undefined) return punctuation[mark]!
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8))
    const hex = x ?? u ?? long
    return hex === undefined
      ? refuse(`invalid escape sequence '${whole}'`)
      : codePoint(Number.parseInt(hex, 16), refuse)
  })
}

function codePoint(value: number, refuse: Refuse): string {
  if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return refuse('invalid unicode code point')
  return String.fromCodePoint(value)
}

/** As for strings, but `\x` and octal sequences are bytes, and sequences of Unicode are not allowed. */
export function unescapeBytes(body: string, refuse: Refuse): Uint8Array {
  const encoder = new TextEncoder()
  const bytes: number[] = []
  let end = 0
  for (const found of body.matchAll(sequence)) {
    const [whole, mark, x, , , octal] = found
    bytes.push(...encoder.encode(body.slice(end, found.index)))
    if (mark !== undefined) bytes.push(punctuation[mark]!.charCodeAt(0))
    else if (x !== undefined || octal !== undefined) bytes.push(x ? Number.parseInt(x, 16) : Number.parseInt(octal!, 8))
    else refuse(`invalid escape sequence '${whole}'`)
    end = found.index + whole.length
  }
  bytes.push(...encoder.encode(body.slice(end)))
  return Uint8Array.from(bytes)
}
