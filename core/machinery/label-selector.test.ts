import { expect, test } from 'vitest'
import { findStatusError } from '#core/errors/status-error.ts'
import { parseLabelSelector } from './label-selector.ts'

test('a selector that does not parse is a bad request', () => {
  let refused: unknown
  try {
    parseLabelSelector('a=b c')
  } catch (error) {
    refused = error
  }
  expect(findStatusError(refused)?.status).toMatchObject({
    code: 400,
    reason: 'BadRequest',
    message: "found 'c', expected: ',' or 'end of string'",
  })
})

test('one that parses is what it says', () =>
  expect(parseLabelSelector('a=b')).toEqual([{ key: 'a', operator: '=', values: ['b'] }]))
