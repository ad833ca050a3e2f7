/** Regular expressions in the syntax of RE2, matched in time linear in the text: no pattern can stall the process. */
import { RE2JS } from 're2js'
import type { Budget } from './activation.ts'
import { fail } from './values.ts'

/** Patterns that are not constants are compiled when they are met; that many of them are kept. */
const kept = 64
const compiled = new Map<string, RE2JS>()

/** @throws Failure for what is no pattern */
export function patternOf(source: string): RE2JS {
  const known = compiled.get(source)
  if (known) return known
  const pattern = compile(source)
  if (compiled.size >= kept) compiled.delete(compiled.keys().next().value!)
  compiled.set(source, pattern)
  return pattern
}

/** Work on a text by a pattern, in instructions tried, that is short whatever they are. */
const shortWork = 2_000_000
const triedLength = 512

/** Whether a pattern matches anywhere in a text. A match cannot be ended, so one that would take too long is not begun. */
export function matches(pattern: RE2JS, text: string, budget?: Budget): boolean {
  if (budget && text.length > triedLength && text.length * pattern.programSize() > shortWork)
    budget.try(triedLength / text.length, () => pattern.test(text.slice(0, triedLength)))
  return pattern.test(text)
}

function compile(source: string): RE2JS {
  try {
    return RE2JS.compile(source)
  } catch (error) {
    return fail((error as Error).message)
  }
}

/** A constant pattern, or undefined when it is none: then it fails when, and only when, it is evaluated. */
export function constantPattern(source: unknown): RE2JS | undefined {
  if (typeof source !== 'string') return undefined
  try {
    return RE2JS.compile(source)
  } catch {
    return undefined
  }
}
