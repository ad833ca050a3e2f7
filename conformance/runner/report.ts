/** What the runner prints and writes. Pure. */
import { stripVTControlCharacters, styleText } from 'node:util'
import type { CaseResult } from './run.ts'

type Colour = Parameters<typeof styleText>[0]
const words: Record<CaseResult['outcome'], { word: string; colour: Colour }> = {
  ok: { word: 'ok  ', colour: 'green' },
  fail: { word: 'FAIL', colour: 'red' },
  skip: { word: 'skip', colour: 'yellow' },
}

/** `ok    crud: a name is taken once (12 ms)`, with the reason behind it where there is one. */
export function formatResult({ name, outcome, ms, reason }: CaseResult, isColoured: boolean): string {
  const { word, colour } = words[outcome]
  const head = isColoured ? styleText(colour, word, { validateStream: false }) : word
  const time = outcome === 'skip' ? '' : ` (${ms} ms)`
  return `${head}  ${name}${time}${reason ? `: ${oneLine(reason)}` : ''}`
}

const oneLine = (text: string) => stripVTControlCharacters(text).replaceAll(/\s*\n\s*/g, ' | ')

export function formatTotals(results: readonly CaseResult[]): string {
  const count = (outcome: CaseResult['outcome']) => results.filter((result) => result.outcome === outcome).length
  const skipped = count('skip') ? `${count('skip')} skipped\n` : ''
  return `${skipped}${count('ok')} passed, ${count('fail')} failed`
}

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** XML 1.0 has no way to write most control characters, so they are left out. */
function escapeXml(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replaceAll(/[&<>"]/g, (found) => escapes[found]!)
}

/** A JUnit report, as continuous-integration servers read it. */
export function formatJunit(results: readonly CaseResult[]): string {
  const count = (outcome: CaseResult['outcome']) => results.filter((result) => result.outcome === outcome).length
  const seconds = (ms: number) => (ms / 1_000).toFixed(3)
  const total = seconds(results.reduce((sum, { ms }) => sum + ms, 0))
  const lines = results.map((result) => {
    const head = `    <testcase classname="conformance" name="${escapeXml(result.name)}" time="${seconds(result.ms)}"`
    const reason = escapeXml(result.reason ?? '')
    if (result.outcome === 'ok') return `${head}/>`
    if (result.outcome === 'skip') return `${head}><skipped message="${reason}"/></testcase>`
    return `${head}><failure message="${reason}"/></testcase>`
  })
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    `  <testsuite name="conformance" tests="${results.length}" failures="${count('fail')}" skipped="${count('skip')}" time="${total}">`,
    ...lines,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}
