/** Cuts an expression into tokens. Pure. */
import { unescapeBytes, unescapeString } from './escapes.ts'
import { CompileError, issueAt } from './source.ts'
import { Bytes, Double, type Value } from './values.ts'

export type TokenKind = 'identifier' | 'quoted' | 'number' | 'literal' | 'symbol' | 'end'

export interface Token {
  kind: TokenKind
  /** As written; for `quoted` what stands between the backticks. */
  text: string
  offset: number
  /** Of string and bytes literals. */
  value?: Value
}

const space = /(?:[\t\n\f\r ]+|\/\/[^\n]*)+/y
const identifier = /[_a-zA-Z][_a-zA-Z0-9]*/y
const quoted = /`([a-zA-Z0-9_.\-/ ]+)`/y
const number = /0x[0-9a-fA-F]+[uU]?|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[uU]?|\.\d+(?:[eE][+-]?\d+)?/y
const quote = /([rR][bB]?|[bB][rR]?)?("""|'''|"|')/y
const symbol = /&&|\|\||==|!=|<=|>=|[-+*/%!<>?:.,()[\]{}]/y

/** @throws CompileError at the first character that begins no token */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  for (let offset = skip(text, 0); offset < text.length; offset = skip(text, offset)) {
    const [token, end] = tokenAt(text, offset)
    tokens.push(token)
    offset = end
  }
  tokens.push({ kind: 'end', text: '', offset: text.length })
  return tokens
}

const skip = (text: string, offset: number) => offset + (match(space, text, offset)?.[0].length ?? 0)

function match(pattern: RegExp, text: string, offset: number): RegExpExecArray | null {
  pattern.lastIndex = offset
  return pattern.exec(text)
}

function tokenAt(text: string, offset: number): [Token, end: number] {
  const opening = match(quote, text, offset)
  if (opening) return quotedLiteral(text, offset, opening[1] ?? '', opening[2]!)
  const plain = match(identifier, text, offset)
  if (plain) return [{ kind: 'identifier', text: plain[0], offset }, offset + plain[0].length]
  const digits = match(number, text, offset)
  if (digits) return [{ kind: 'number', text: digits[0], offset }, offset + digits[0].length]
  const mark = match(symbol, text, offset)
  if (mark) return [{ kind: 'symbol', text: mark[0], offset }, offset + mark[0].length]
  const escaped = match(quoted, text, offset)
  if (escaped) return [{ kind: 'quoted', text: escaped[1]!, offset }, offset + escaped[0].length]
  const character = String.fromCodePoint(text.codePointAt(offset)!)
  return unreadable(text, offset, `token recognition error at: '${character}'`)
}

function unreadable(text: string, offset: number, message: string): never {
  throw new CompileError([issueAt(text, offset, `Syntax error: ${message}`)], text)
}

/** A literal of a string or of bytes, with what its prefix says of raw and bytes. */
function quotedLiteral(text: string, offset: number, prefix: string, delimiter: string): [Token, end: number] {
  const start = offset + prefix.length + delimiter.length
  const isRaw = /r/i.test(prefix)
  const end = closing(text, start, delimiter, isRaw)
  if (end < 0) return unreadable(text, offset, `token recognition error at: '${text.slice(offset, offset + 20)}'`)
  const body = delimiter.length === 3 ? text.slice(start, end).replaceAll(/\r\n?/g, '\n') : text.slice(start, end)
  const after = end + delimiter.length
  const value = literalValue(body, isRaw, /b/i.test(prefix), (message) => unreadable(text, offset, message))
  return [{ kind: 'literal', text: text.slice(offset, after), offset, value }, after]
}

/** Where the closing delimiter stands, or -1. */
function closing(text: string, start: number, delimiter: string, isRaw: boolean): number {
  const isLong = delimiter.length === 3
  for (let i = start; i < text.length; i++) {
    if (text.startsWith(delimiter, i)) return i
    const character = text[i]!
    if (character === '\\' && !isRaw) i++
    if (!isLong && (text[i] === '\n' || text[i] === '\r')) return -1
  }
  return -1
}

function literalValue(body: string, isRaw: boolean, isBytes: boolean, refuse: (message: string) => never): Value {
  if (isBytes) return new Bytes(isRaw ? new TextEncoder().encode(body) : unescapeBytes(body, refuse))
  return isRaw ? body : unescapeString(body, refuse)
}

/** The value of a number as written; undefined when it is out of the range of its type. @param isNegative false for a uint */
export function numberValue(text: string, isNegative: boolean): bigint | { unsigned: bigint } | Double | undefined {
  const isHex = text.startsWith('0x')
  if (!isHex && /[.eE]/.test(text)) {
    const value = Number(isNegative ? `-${text}` : text)
    return Number.isFinite(value) ? new Double(value) : undefined
  }
  if (/[uU]$/.test(text)) return unsignedValue(BigInt(text.slice(0, -1)))
  const value = isNegative ? -BigInt(text) : BigInt(text)
  return BigInt.asIntN(64, value) === value ? value : undefined
}

function unsignedValue(value: bigint): { unsigned: bigint } | undefined {
  return BigInt.asUintN(64, value) === value ? { unsigned: value } : undefined
}
