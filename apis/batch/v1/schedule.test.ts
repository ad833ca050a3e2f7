import { expect, test } from 'vitest'
import { scheduleFault } from './schedule.ts'

test.each([
  '* * * * *',
  '*/5 0-6 1,15 jan-mar MON',
  '0 0 ? * 0',
  '@daily',
  '@every 1h30m',
  '5/15 * * * *',
  ' 1 2 3 4 5 ',
])('%s is a schedule', (text) => expect(scheduleFault(text)).toBeUndefined())

test.each([
  ['', 'empty spec string'],
  ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
  ['60 * * * *', 'end of range (60) above maximum (59): 60'],
  ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
  ['* * * * 5-1', 'beginning of range (5) beyond end of range (1): 5-1'],
  ['*/0 * * * *', 'step of range should be a positive number: */0'],
  ['a * * * *', 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
  ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
  ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
  ['@never', 'unrecognized descriptor: @never'],
  ['@every x', 'failed to parse duration @every x: time: invalid duration "x"'],
])('%s is none: %s', (text, fault) => expect(scheduleFault(text)).toBe(fault))
