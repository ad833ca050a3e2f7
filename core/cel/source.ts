/** Positions within the text of an expression, and the errors that point at them. Pure. */

/** One thing wrong with an expression, and where. */
export interface Issue {
  /** From 1. */
  line: number
  /** From 1, in code points. */
  column: number
  message: string
}

/** What a caller gets for an expression that does not parse or does not check: every issue, in order of position. */
export class CompileError extends Error {
  override readonly name = 'CompileError'
  readonly issues: readonly Issue[]

  constructor(issues: readonly Issue[], text: string) {
    super(issues.map((issue) => formatIssue(issue, text)).join('\n'))
    this.issues = issues
  }
}

/** An issue at a UTF-16 offset of the text. */
export function issueAt(text: string, offset: number, message: string): Issue {
  const before = text.slice(0, offset)
  const lineStart = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, column: countCodePoints(before.slice(lineStart)) + 1, message }
}

export const inOrder = (issues: readonly Issue[]) => [...issues].sort((a, b) => a.line - b.line || a.column - b.column)

/** The issue, its line of the text and a caret under the column. */
export function formatIssue({ line, column, message }: Issue, text: string): string {
  const source = text.split('\n')[line - 1] ?? ''
  return `ERROR: <input>:${line}:${column}: ${message}\n | ${source}\n | ${'.'.repeat(column - 1)}^`
}

export function countCodePoints(text: string): number {
  let count = text.length
  for (let i = 1; i < text.length; i++) if (isLow(text.charCodeAt(i)) && isHigh(text.charCodeAt(i - 1))) count--
  return count
}

const isHigh = (unit: number) => unit >= 0xd800 && unit < 0xdc00
const isLow = (unit: number) => unit >= 0xdc00 && unit < 0xe000
