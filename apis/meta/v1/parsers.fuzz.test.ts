import fc from 'fast-check'
import { expect, test } from 'vitest'
import { scheduleFault } from '../../batch/v1/schedule.ts'
import { defaultPullPolicy, tagOf } from '../../core/v1/image-reference.ts'
import { age, humanDuration } from './duration.ts'
import { containsBlock, parseCidr, parseIp } from './ip.ts'
import * as names from './names.ts'

/** What reads text that anyone may have written: whatever comes, it answers, and soon. */

const odd = fc.constantFrom(
  ':',
  '::',
  '/',
  '.',
  '-',
  '%',
  '*',
  ',',
  '0',
  '1',
  'ffff',
  '255',
  '\0',
  '__proto__',
  'é',
  '😀',
  ' ',
)
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.array(odd, { maxLength: 20 }).map((parts) => parts.join('')),
)
/** What a pattern with two ways to match would take for ever to refuse. */
const long = fc
  .tuple(fc.constantFrom('a', '-', '.', 'a-', 'a.', '1', ':', '0:', '*/', ','), fc.nat(50_000))
  .map(([piece, count]) => `${piece.repeat(count)}!`)

test('any address is one or none, and a block holds itself', () => {
  fc.assert(
    fc.property(fc.oneof(text, long, fc.ipV4(), fc.ipV6()), fc.nat(130), (address, bits) => {
      const found = parseIp(address)
      expect(['IPv4', 'IPv6', undefined]).toContain(found?.family)
      const block = parseCidr(`${address}/${bits}`)
      if (block) expect(containsBlock(block, block)).toBe(true)
      if (block) expect(found).toBeDefined()
    }),
  )
})

test('any time has an age', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        text,
        fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      ),
      (timestamp) => {
        expect(age(timestamp, Date.now())).toMatch(/^(<invalid>|<unknown>|(\d+[smhdy]){1,2})$/)
      },
    ),
  )
  fc.assert(
    fc.property(fc.double({ min: -1e17, max: 1e17 }), (ms) => {
      expect(humanDuration(ms)).toMatch(/^(<invalid>|(\d+[smhdy]){1,2})$/)
    }),
  )
})

const faultsOf = Object.entries(names).filter(([name]) => name.endsWith('Faults') && name !== 'portNumberFaults') as [
  string,
  (value: string) => string[],
][]

test.each(faultsOf)('%s answers any text', (_, faults) => {
  fc.assert(
    fc.property(fc.oneof(text, long), (value) => {
      for (const fault of faults(value)) expect(fault).toBeTypeOf('string')
    }),
  )
})

test('any schedule is one or says why not', () => {
  const field = fc.oneof(fc.constantFrom('*', '*/5', '1-5', '5-1', '1,2', '99', 'MON', '?', '@daily', 'TZ=UTC'), text)
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(field, { maxLength: 7 }).map((fields) => fields.join(' ')),
        long,
      ),
      (schedule) => {
        expect(['string', 'undefined']).toContain(typeof scheduleFault(schedule))
      },
    ),
  )
})

test('any image has a tag or none, and a pull policy', () => {
  fc.assert(
    fc.property(fc.oneof(text, long), (image) => {
      expect(tagOf(image)).toBeTypeOf('string')
      expect(['Always', 'IfNotPresent']).toContain(defaultPullPolicy(image))
    }),
  )
})
