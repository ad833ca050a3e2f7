import { stripVTControlCharacters, styleText } from 'node:util'
import { type Remark, type Severity, severities } from './crd-lint-finding.ts'
import type { Position } from './crd-lint-source.ts'

/** A remark with the place in the file it is about. */
export interface Finding extends Remark, Position {
  file: string
  /** Name of the definition; empty where a file cannot be read. */
  definition: string
}

const styles: Readonly<Record<Severity, Parameters<typeof styleText>[0]>> = {
  error: 'red',
  breaking: 'magenta',
  warning: 'yellow',
  info: 'blue',
}

/** By file, line and column, then the worst first. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  const rank = ({ severity }: Finding) => severities.indexOf(severity)
  return findings.toSorted(
    (a, b) => a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column || rank(a) - rank(b),
  )
}

/** For people. @param definitions how many have been looked at */
export function formatText(findings: readonly Finding[], definitions: number, hasColours: boolean): string {
  const style = (format: Parameters<typeof styleText>[0], text: string) =>
    hasColours ? styleText(format, text, { validateStream: false }) : text
  const lines: string[] = []
  const width = Math.max(...findings.map(({ line, column }) => `${line}:${column}`.length), 0)
  let file = ''
  for (const finding of findings) {
    if (finding.file !== file) {
      if (file) lines.push('')
      file = finding.file
      lines.push(style('bold', printable(file)))
    }
    const { line, column, severity } = finding
    const place = style('dim', `${line}:${column}`.padEnd(width))
    const path = finding.path ? `${printable(finding.path)}: ` : ''
    const message = finding.message
      .split('\n')
      .map(printable)
      .join(`\n${' '.repeat(width + 4)}`)
    lines.push(`  ${place}  ${style(styles[severity], severity.padEnd(8))}  ${path}${message}`)
  }
  if (lines.length > 0) lines.push('')
  lines.push(`${countsOf(findings)} in ${counted(definitions, 'definition')}`)
  return `${lines.join('\n')}\n`
}

/** What stands in a file must not move the cursor. */
function printable(text: string): string {
  return [...stripVTControlCharacters(text)].map((char) => (char < ' ' ? ' ' : char)).join('')
}

const nouns: Readonly<Record<Severity, string>> = {
  error: 'error',
  breaking: 'breaking change',
  warning: 'warning',
  info: 'remark',
}

function countsOf(findings: readonly Finding[]): string {
  const parts = severities.flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length
    return count > 0 ? [counted(count, nouns[severity])] : []
  })
  return parts.length > 0 ? parts.join(', ') : 'nothing to remark'
}

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`

/** For programs. */
export function formatJson(findings: readonly Finding[], definitions: number): string {
  const summary = Object.fromEntries(
    severities.map((severity) => [severity, findings.filter((finding) => finding.severity === severity).length]),
  )
  const plain = findings.map(({ file, line, column, severity, definition, path, message }) => {
    return { file, line, column, severity, definition, path, message }
  })
  return `${JSON.stringify({ definitions, summary, findings: plain }, null, 2)}\n`
}
