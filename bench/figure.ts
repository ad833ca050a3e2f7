import type { Round } from './rounds.ts'

/** One thing measured, or why it could not be. */
export type Row = Figure | Skipped

/** One thing measured, beside what it is measured against. */
export interface Figure {
  what: string
  value: number
  unit: '/s' | 'ms' | 'MB' | 's' | '%'
  /** Measured in the same run on the same machine; absent for a figure with a limit of its own. */
  yardstick?: { what: string; value: number }
  /** Processor time of the server for one, and of the yardstick's. */
  cpuMicroseconds?: { value: number; yardstick: number }
  /** What must be reached: a share of the yardstick, or a bound of the value. */
  goal?: { atLeastRatio: number } | { atMost: number } | { atLeast: number }
}

export interface Skipped {
  what: string
  skipped: string
}

export function ratioOf({ value, yardstick }: Figure): number | undefined {
  return yardstick && yardstick.value > 0 ? value / yardstick.value : undefined
}

/** True when the goal is reached; undefined without one, or when it was not measured. */
export function reaches(figure: Row): boolean | undefined {
  if ('skipped' in figure) return undefined
  const { goal, value } = figure
  if (!goal) return undefined
  if ('atLeastRatio' in goal) return (ratioOf(figure) ?? 0) >= goal.atLeastRatio
  return 'atMost' in goal ? value <= goal.atMost : value >= goal.atLeast
}

function goalText({ goal, unit }: Figure): string {
  if (!goal) return ''
  if ('atLeastRatio' in goal) return `>= ${Math.round(goal.atLeastRatio * 100)}%`
  return 'atMost' in goal ? `<= ${number(goal.atMost)} ${unit}` : `>= ${number(goal.atLeast)} ${unit}`
}

function number(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: true })
}

const headings = ['figure', 'value', '', 'yardstick', 'value', 'ratio', 'goal', '', 'CPU each']

function cellsOf(row: Row): string[] {
  if ('skipped' in row) return [row.what, '-', '', '', '', '', '', `skipped: ${row.skipped}`, '']
  const ratio = ratioOf(row)
  const reached = reaches(row)
  return [
    row.what,
    number(row.value),
    row.unit,
    row.yardstick?.what ?? '',
    row.yardstick ? number(row.yardstick.value) : '',
    ratio === undefined ? '' : `${Math.round(ratio * 100)}%`,
    goalText(row),
    reached === undefined ? '' : reached ? 'reached' : 'MISSED',
    cpuText(row),
  ]
}

function cpuText({ cpuMicroseconds: cpu }: Figure): string {
  return cpu ? `${number(cpu.value)} us, yardstick ${number(cpu.yardstick)} us` : ''
}

/** A rate beside the yardstick's. */
export function figureOf(
  what: string,
  { value, yardstick }: Round,
  yardstickIs: string,
  goal?: Figure['goal'],
): Figure {
  const cpu = value.cpuMicroseconds
  const yardstickCpu = yardstick.cpuMicroseconds
  return {
    what,
    value: value.perSecond,
    unit: '/s',
    yardstick: { what: yardstickIs, value: yardstick.perSecond },
    ...(cpu !== undefined &&
      yardstickCpu !== undefined && { cpuMicroseconds: { value: cpu, yardstick: yardstickCpu } }),
    ...(goal && { goal }),
  }
}

/** The figures as lines that line up. */
export function formatFigures(rows: readonly Row[]): string {
  const all = [headings, ...rows.map(cellsOf)]
  const widths = headings.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  const right = new Set([1, 4, 5])
  return all
    .map((row) =>
      row
        .map((cell, column) => (right.has(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
