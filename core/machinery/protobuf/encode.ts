import {
  type Field,
  type Messages,
  MessageTable,
  type SpecialForm,
  scalars,
  schemaMessage,
  specialFormOf,
} from './messages.ts'
import { parseTime } from './time.ts'
import { fixed64Tag, lengthTag, ProtobufWriter, varintTag } from './writer.ts'

/**
 * JSON to the messages of Kubernetes' protobuf, in one pass over its bytes: nothing is parsed into objects. What JSON has is
 * written, be it zero or empty, as Go does with what is set; what it has not is left out. Null, and a value of another type
 * than the field's, is nothing.
 */

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const minus = 0x2d
const zero = 0x30
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d
const letterT = 0x74
const letterF = 0x66

/** What a value is, by its first byte. */
const isText = 1
const isNumber = 2
const isBoolean = 4
const isObject = 8
const isList = 16
const isNull = 32
const kinds = new Uint8Array(256)
kinds[quote] = isText
kinds.fill(isNumber, zero, zero + 10)
kinds[minus] = isNumber
kinds[letterT] = isBoolean
kinds[letterF] = isBoolean
kinds[openBrace] = isObject
kinds[openBracket] = isList
kinds[0x6e] = isNull

type Form = 'string' | 'bytes' | 'bool' | 'integer' | 'double' | 'message' | SpecialForm

const takes: Readonly<Record<Form, number>> = {
  string: isText,
  bytes: isText,
  bool: isBoolean,
  integer: isNumber,
  double: isNumber,
  message: isObject,
  quantity: isText | isNumber,
  time: isText,
  microTime: isText,
  json: isText | isNumber | isBoolean | isObject | isList,
  intOrString: isText | isNumber,
  strings: isList,
  schemaOrArray: isObject | isList,
  schemaOrBool: isObject | isBoolean,
  schemaOrStrings: isObject | isList,
}

/** How the value of a field, or of a map's entry, is written. */
interface Member {
  name: Buffer
  hash: number
  tag: number
  shape: Field['shape']
  form: Form
  /** The kinds of values it takes. */
  takes: number
  /** Of a message; in a message whose fields are its parent's there, those of that message are `inlined`. */
  message?: Layout
  inlined: boolean
  /** Of a map: how its values are. */
  entry?: Member
  /** How many bytes the length of the last one took: the next one's is likely to be as long. Changes within messages that hold their own kind. */
  lengthBytes: number
}

/** A message's members by their names in JSON. */
interface Layout {
  /** A hash table of open addressing, twice as large as it need be. */
  slots: (Member | undefined)[]
  mask: number
}

export class ProtobufEncoder {
  readonly #table: MessageTable
  readonly #layouts = new Map<string, Layout>()
  readonly #writer = new ProtobufWriter()
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  /** Where the name of the member being read begins and ends, and its hash; `#named` is false behind the last one. */
  #nameStart = 0
  #nameEnd = 0
  #nameHash = 0
  #named = false
  /** No backslash stands between `#at` and here. */
  #nextBackslash = 0

  constructor(messages: Messages | MessageTable) {
    this.#table = messages instanceof MessageTable ? messages : new MessageTable(messages)
  }

  /**
   * @param message its full name
   * @param json an object as JSON.stringify writes it: no space between its parts
   * @returns a view that the next call overwrites
   * @throws Error for what is no such JSON
   */
  encode(message: string, json: Buffer): Buffer {
    this.#bytes = json
    this.#at = 0
    this.#nextBackslash = -1
    this.#writer.end = 0
    this.#object(this.#layoutOf(message))
    return this.#writer.take()
  }

  #layoutOf(name: string): Layout {
    let layout = this.#layouts.get(name)
    if (!layout) {
      layout = { slots: [], mask: 0 }
      // Known before it is whole: messages can hold their own kind.
      this.#layouts.set(name, layout)
      fill(layout, this.#membersOf(name))
    }
    return layout
  }

  #membersOf(name: string): Member[] {
    return this.#table.fieldsOf(name).flatMap((field) => {
      if (field.name !== '*') return [this.#memberOf(field)]
      const inlined = { ...this.#memberOf(field), inlined: true }
      return this.#membersOf(field.type).map((one) => ({ ...inlined, name: one.name, hash: one.hash }))
    })
  }

  #memberOf(field: Field): Member {
    const form = formOf(field.type)
    const holdsMessage = form === 'message' || form.startsWith('schema')
    const isMap = field.shape === 'map'
    const name = Buffer.from(field.name)
    const member: Member = {
      name,
      hash: hashOf(name),
      tag: isMap ? lengthTag(field.number) : tagOf(form, field.number),
      shape: field.shape,
      form,
      takes: takes[form],
      inlined: false,
      lengthBytes: 1,
    }
    if (isMap) member.entry = this.#memberOf({ ...field, number: 2, shape: 'single' })
    else if (holdsMessage) member.message = this.#layoutOf(form === 'message' ? field.type : schemaMessage)
    return member
  }

  /** The object that begins here, as the fields of a message. */
  #object(layout: Layout): void {
    this.#expect(openBrace)
    if (this.#bytes[this.#at] === closeBrace) {
      this.#at++
      return
    }
    this.#readName()
    while (this.#named) {
      this.#members(layout)
      if (!this.#named) return
      this.#skip()
      this.#nextName()
    }
  }

  /** Members of the object until one whose name this message does not know. */
  #members(layout: Layout): void {
    for (let member = this.#find(layout); member; member = this.#named ? this.#find(layout) : undefined) {
      if (member.inlined) {
        const { lengthBytes } = member
        const start = this.#writer.open(member.tag, lengthBytes)
        this.#members(member.message!)
        member.lengthBytes = this.#writer.close(start, lengthBytes)
      } else {
        this.#field(member)
        this.#nextName()
      }
    }
  }

  #find({ slots, mask }: Layout): Member | undefined {
    for (let at = this.#nameHash & mask; ; at = (at + 1) & mask) {
      const member = slots[at]
      if (!member || (member.hash === this.#nameHash && this.#isName(member.name))) return member
    }
  }

  #isName(name: Buffer): boolean {
    if (name.length !== this.#nameEnd - this.#nameStart) return false
    for (let at = 0; at < name.length; at++) if (name[at] !== this.#bytes[this.#nameStart + at]) return false
    return true
  }

  #nextName(): void {
    const byte = this.#bytes[this.#at++]
    if (byte === comma) this.#readName()
    else if (byte === closeBrace) this.#named = false
    else throw this.#unexpected(this.#at - 1)
  }

  /** Names with escapes are nobody's: their hash is of the text as it stands. */
  #readName(): void {
    this.#expect(quote)
    const bytes = this.#bytes
    let hash = 0
    let at = this.#at
    for (; bytes[at] !== quote; at++) {
      if (bytes[at] === backslash) at++
      if (at >= bytes.length) throw this.#unexpected(at)
      hash = (Math.imul(hash, 31) + bytes[at]!) | 0
    }
    this.#nameStart = this.#at
    this.#nameEnd = at
    this.#nameHash = hash
    this.#named = true
    this.#at = at + 1
    this.#expect(0x3a)
  }

  #field(member: Member): void {
    if (member.shape === 'single') this.#value(member)
    else if (kinds[this.#bytes[this.#at]!] !== (member.shape === 'map' ? isObject : isList)) this.#skip()
    else if (member.shape === 'map') this.#entries(member)
    else this.#items(member)
  }

  #items(member: Member): void {
    this.#at++
    if (this.#bytes[this.#at] === closeBracket) {
      this.#at++
      return
    }
    for (;;) {
      if (member.form === 'json') this.#embedded(member)
      else this.#value(member)
      const byte = this.#bytes[this.#at++]
      if (byte === closeBracket) return
      if (byte !== comma) throw this.#unexpected(this.#at - 1)
    }
  }

  #entries(member: Member): void {
    this.#at++
    if (this.#bytes[this.#at] === closeBrace) {
      this.#at++
      return
    }
    for (;;) {
      const { lengthBytes } = member
      const start = this.#writer.open(member.tag, lengthBytes)
      if (this.#bytes[this.#at] !== quote) throw this.#unexpected(this.#at)
      this.#text(lengthTag(1))
      this.#expect(0x3a)
      this.#value(member.entry!)
      member.lengthBytes = this.#writer.close(start, lengthBytes)
      const byte = this.#bytes[this.#at++]
      if (byte === closeBrace) return
      if (byte !== comma) throw this.#unexpected(this.#at - 1)
    }
  }

  #value(member: Member): void {
    if ((kinds[this.#bytes[this.#at]!]! & member.takes) === 0) this.#skip()
    else if (member.form === 'string') this.#text(member.tag)
    else if (member.form === 'message') this.#message(member)
    else this.#otherValue(member, member.form)
  }

  #otherValue(member: Member, form: Exclude<Form, 'string' | 'message'>): void {
    switch (form) {
      case 'integer':
        this.#writer.number(member.tag, Math.trunc(this.#number()))
        break
      case 'bool':
        this.#boolean(member.tag)
        break
      case 'time':
      case 'microTime':
        this.#time(member.tag, form === 'microTime')
        break
      case 'json':
        this.#embedded(member)
        break
      case 'strings':
        this.#strings(member)
        break
      case 'quantity':
        this.#quantity(member)
        break
      case 'intOrString':
        this.#intOrString(member)
        break
      case 'bytes':
        this.#base64(member.tag)
        break
      case 'double':
        this.#writer.double(member.tag, this.#number())
        break
      default:
        this.#schemaOr(member, form)
    }
  }

  #message(member: Member): void {
    const { lengthBytes } = member
    const start = this.#writer.open(member.tag, lengthBytes)
    this.#object(member.message!)
    member.lengthBytes = this.#writer.close(start, lengthBytes)
  }

  /** The text that begins here. Short ones, which most are, are copied byte by byte: that beats any call. */
  #text(tag: number): void {
    const writer = this.#writer
    writer.reserve(160)
    const before = writer.end
    writer.varint(tag)
    const { bytes: out } = writer
    const lengthAt = writer.end++
    let end = writer.end
    const from = this.#at + 1
    const limit = Math.min(from + 127, this.#bytes.length)
    for (let at = from; at < limit; at++) {
      const byte = this.#bytes[at]!
      if (byte === quote) {
        out[lengthAt] = at - from
        writer.end = end
        this.#at = at + 1
        return
      }
      if (byte === backslash) break
      out[end++] = byte
    }
    writer.end = before
    this.#longText(tag, from)
  }

  #longText(tag: number, from: number): void {
    const to = this.#textEnd()
    const isPlain = this.#nextBackslash > to
    if (isPlain) this.#writer.slice(tag, this.#bytes, from, to)
    else this.#writer.text(tag, JSON.parse(this.#bytes.toString('utf8', from - 1, to + 1)) as string)
    this.#at = to + 1
  }

  /** Index of the quote that ends the text beginning here; afterwards `#nextBackslash` says whether it has escapes. */
  #textEnd(): number {
    const bytes = this.#bytes
    const from = this.#at + 1
    if (this.#nextBackslash < from) this.#nextBackslash = this.#findBackslash(from)
    let escaped = this.#nextBackslash
    let end = bytes.indexOf(quote, from)
    while (escaped < end) {
      if (escaped + 1 === end) end = bytes.indexOf(quote, end + 1)
      escaped = this.#findBackslash(escaped + 2)
    }
    if (end < 0) throw this.#unexpected(bytes.length)
    return end
  }

  #findBackslash(from: number): number {
    const found = this.#bytes.indexOf(backslash, from)
    return found < 0 ? Number.POSITIVE_INFINITY : found
  }

  /** The text that begins here, as a string. */
  #string(): string {
    const from = this.#at
    const to = this.#textEnd() + 1
    this.#at = to
    return JSON.parse(this.#bytes.toString('utf8', from, to)) as string
  }

  #number(): number {
    const bytes = this.#bytes
    const from = this.#at
    let at = from
    let value = 0
    for (; bytes[at]! >= zero && bytes[at]! <= zero + 9; at++) value = value * 10 + bytes[at]! - zero
    // A sign, a fraction, an exponent, or more digits than are exact.
    if (at === from || at - from > 15 || isNumberPart(bytes[at]!)) {
      while (isNumberPart(bytes[at]!)) at++
      value = Number(bytes.toString('latin1', from, at))
      if (Number.isNaN(value)) throw this.#unexpected(from)
    }
    this.#at = at
    return value
  }

  #boolean(tag: number): void {
    this.#writer.number(tag, this.#bytes[this.#at] === letterT ? 1 : 0)
    this.#skip()
  }

  #time(tag: number, isMicro: boolean): void {
    const from = this.#at + 1
    // As most are, without a fraction.
    const to = this.#bytes[from + 20] === quote ? from + 20 : this.#textEnd()
    this.#at = to + 1
    const time = parseTime(this.#bytes, from, to)
    if (!time) return
    const start = this.#writer.open(tag, 1)
    this.#writer.number(varintTag(1), time.seconds)
    this.#writer.number(varintTag(2), isMicro ? time.nanos - (time.nanos % 1000) : 0)
    this.#writer.close(start, 1)
  }

  #base64(tag: number): void {
    const bytes = Buffer.from(this.#string(), 'base64')
    this.#writer.slice(tag, bytes, 0, bytes.length)
  }

  #quantity(member: Member): void {
    const { lengthBytes } = member
    const start = this.#writer.open(member.tag, lengthBytes)
    if (this.#bytes[this.#at] === quote) this.#text(lengthTag(1))
    else this.#writer.text(lengthTag(1), String(this.#number()))
    member.lengthBytes = this.#writer.close(start, lengthBytes)
  }

  /** Go writes all three fields: which one it is, the number and the text. */
  #intOrString(member: Member): void {
    const isName = this.#bytes[this.#at] === quote
    const { lengthBytes } = member
    const start = this.#writer.open(member.tag, lengthBytes)
    this.#writer.number(varintTag(1), isName ? 1 : 0)
    this.#writer.number(varintTag(2), isName ? 0 : Math.trunc(this.#number()))
    if (isName) this.#text(lengthTag(3))
    else this.#writer.text(lengthTag(3), '')
    member.lengthBytes = this.#writer.close(start, lengthBytes)
  }

  /** JSON that stays JSON: a message with its bytes. */
  #embedded(member: Member): void {
    const from = this.#at
    this.#skip()
    const { lengthBytes } = member
    const start = this.#writer.open(member.tag, lengthBytes)
    this.#writer.slice(lengthTag(1), this.#bytes, from, this.#at)
    member.lengthBytes = this.#writer.close(start, lengthBytes)
  }

  /** A list that is a message of its own. */
  #strings(member: Member, number = 1): void {
    const { lengthBytes } = member
    const start = this.#writer.open(member.tag, lengthBytes)
    this.#items({ ...member, tag: lengthTag(number), form: 'string', takes: isText })
    member.lengthBytes = this.#writer.close(start, lengthBytes)
  }

  /** A schema, or what JSON Schema allows in its place. */
  #schemaOr(member: Member, form: 'schemaOrArray' | 'schemaOrBool' | 'schemaOrStrings'): void {
    const kind = kinds[this.#bytes[this.#at]!]
    if (kind === isList && form === 'schemaOrStrings') {
      this.#strings(member, 2)
      return
    }
    const { lengthBytes } = member
    const start = this.#writer.open(member.tag, lengthBytes)
    if (kind === isBoolean) this.#boolean(varintTag(1))
    else if (kind === isList) this.#items(schemaIn(member, 2))
    else if (form === 'schemaOrBool') {
      this.#writer.number(varintTag(1), 1)
      this.#value(schemaIn(member, 2))
    } else this.#value(schemaIn(member, 1))
    member.lengthBytes = this.#writer.close(start, lengthBytes)
  }

  /** Goes behind the value that begins here. */
  #skip(): void {
    const bytes = this.#bytes
    let depth = 0
    do {
      const byte = bytes[this.#at]
      if (byte === undefined) throw this.#unexpected(this.#at)
      if (byte === quote) this.#skipText()
      else if (isScalarPart(byte)) while (isScalarPart(bytes[this.#at]!)) this.#at++
      else {
        this.#at++
        if (byte === openBrace || byte === openBracket) depth++
        else if (byte === closeBrace || byte === closeBracket) depth--
      }
    } while (depth > 0)
  }

  #skipText(): void {
    const bytes = this.#bytes
    let at = this.#at + 1
    for (; bytes[at] !== quote; at++) {
      if (bytes[at] === backslash) at++
      if (at >= bytes.length) throw this.#unexpected(at)
    }
    this.#at = at + 1
  }

  #expect(byte: number): void {
    if (this.#bytes[this.#at] !== byte) throw this.#unexpected(this.#at)
    this.#at++
  }

  #unexpected(at: number): Error {
    return new Error(`the object is not JSON as it is stored: unexpected ${this.#bytes[at] ?? 'end'} at byte ${at}`)
  }
}

function formOf(type: string): Form {
  if (!scalars.has(type)) return specialFormOf(type) ?? 'message'
  if (type === 'string' || type === 'bytes' || type === 'bool' || type === 'double') return type
  return 'integer'
}

function tagOf(form: Form, number: number): number {
  if (form === 'integer' || form === 'bool') return varintTag(number)
  return form === 'double' ? fixed64Tag(number) : lengthTag(number)
}

/** The schema within what is a schema or something else. */
function schemaIn(member: Member, number: number): Member {
  return { ...member, tag: lengthTag(number), form: 'message', takes: isObject }
}

function hashOf(name: Buffer): number {
  let hash = 0
  for (const byte of name) hash = (Math.imul(hash, 31) + byte) | 0
  return hash
}

function fill(layout: Layout, members: readonly Member[]): void {
  let size = 4
  while (size < members.length * 2) size *= 2
  layout.mask = size - 1
  layout.slots = new Array<Member | undefined>(size).fill(undefined)
  for (const member of members) {
    let at = member.hash & layout.mask
    while (layout.slots[at]) at = (at + 1) & layout.mask
    layout.slots[at] = member
  }
}

/** `+`, `-`, `.`, `e` and `E` beside the digits. */
const isNumberPart = (byte: number) =>
  (byte >= zero && byte <= zero + 9) ||
  byte === 0x2b ||
  byte === minus ||
  byte === 0x2e ||
  byte === 0x65 ||
  byte === 0x45

/** Of a number, `true`, `false` or `null`. */
const isScalarPart = (byte: number) => isNumberPart(byte) || (byte >= 0x61 && byte <= 0x7a)
