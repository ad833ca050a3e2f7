/** Regular expressions in the syntax of RE2, matched in time linear in the text: no pattern can stall the process. */
import { RE2JS } from 're2js'
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
