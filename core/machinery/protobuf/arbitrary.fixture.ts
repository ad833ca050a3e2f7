import fc, { type Arbitrary } from 'fast-check'
import { type Field, type MessageTable, schemaMessage, specialFormOf } from './messages.ts'

/** Objects such as a server stores: what says nothing (empty strings Go always writes, zeros it leaves out) is absent. */
const text = fc.oneof(fc.string({ minLength: 1 }), fc.string({ minLength: 1, unit: 'binary', maxLength: 300 }))
const anyText = fc.oneof(fc.constant(''), text)
const int32 = fc.integer()
const int64 = fc.oneof(int32, fc.maxSafeInteger())
const time = fc
  .date({ min: new Date('0001-01-02T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 19))

/** An arbitrary object of a message. @param depth how many messages deep it may be */
export function objectOf(table: MessageTable, message: string, depth: number): Arbitrary<Record<string, unknown>> {
  const fields = table.fieldsOf(message)
  if (depth <= 0 || fields.length === 0) return fc.constant({})
  const chosen = fc.subarray([...fields], { maxLength: Math.min(fields.length, 12) })
  return chosen.chain((some) =>
    fc
      .tuple(...some.map((field) => fieldOf(table, field, depth)))
      .map((values) =>
        Object.assign({}, ...some.map((field, at) => (field.name === '*' ? values[at] : { [field.name]: values[at] }))),
      ),
  )
}

function fieldOf(table: MessageTable, field: Field, depth: number): Arbitrary<unknown> {
  if (field.shape === 'single') return singleOf(table, field, depth)
  const one = { ...field, shape: 'single', omitZero: false, keepEmpty: true } as const
  const item = singleOf(table, one, depth - 1)
  if (field.shape === 'repeated') return fc.array(item, { minLength: 1, maxLength: 4 })
  return fc
    .uniqueArray(fc.tuple(fc.oneof(anyText, fc.constant('__proto__')), item), {
      minLength: 1,
      maxLength: 4,
      selector: ([key]) => key,
    })
    .map((entries) => Object.fromEntries(entries))
}

function singleOf(table: MessageTable, field: Field, depth: number): Arbitrary<unknown> {
  switch (field.type) {
    case 'string':
      return field.keepEmpty ? anyText : text
    case 'bytes':
      return fc.uint8Array({ minLength: field.keepEmpty ? 0 : 1 }).map((bytes) => Buffer.from(bytes).toString('base64'))
    case 'bool':
      return field.omitZero ? fc.constant(true) : fc.boolean()
    case 'int32':
      return field.omitZero ? int32.filter((value) => value !== 0) : int32
    case 'int64':
      return field.omitZero ? int64.filter((value) => value !== 0) : int64
    case 'double':
      return fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0))
    default:
      return nestedOf(table, field.type, depth)
  }
}

function nestedOf(table: MessageTable, type: string, depth: number): Arbitrary<unknown> {
  const schema = () => objectOf(table, schemaMessage, depth - 1)
  switch (specialFormOf(type)) {
    case 'quantity':
      return fc.constantFrom('100m', '1Gi', '0', '2.5')
    case 'time':
      return time.map((date) => `${date}Z`)
    case 'microTime':
      return fc.tuple(time, fc.nat(999_999)).map(([date, micros]) => `${date}.${String(micros).padStart(6, '0')}Z`)
    case 'json':
      // What JSON.stringify makes of -0 is 0.
      return fc.dictionary(fc.string(), fc.jsonValue()).map((value): unknown => JSON.parse(JSON.stringify(value)))
    case 'intOrString':
      return fc.oneof(int32, anyText)
    case 'strings':
      return fc.array(anyText)
    case 'schemaOrArray':
      return fc.oneof(schema(), fc.array(schema(), { maxLength: 3 }))
    case 'schemaOrBool':
      return fc.oneof(schema(), fc.boolean())
    case 'schemaOrStrings':
      return fc.oneof(schema(), fc.array(anyText, { maxLength: 3 }))
    case undefined:
      return objectOf(table, type, depth - 1)
  }
}
