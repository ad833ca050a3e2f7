import { expect, test } from 'vitest'
import { parse } from './parser.ts'
import { CompileError } from './source.ts'
import { readParsedCases } from './testing/case.ts'
import { printParsed } from './testing/print-parsed.ts'

test.each(readParsedCases())('%s is read as the reference reads it', (expression, parsed) => {
  if (parsed === null) expect(() => parse(expression)).toThrow(CompileError)
  else expect(printParsed(parse(expression), expression)).toBe(parsed)
})
