import { parseArgs } from 'node:util'
import { createBench } from './create.bench.ts'
import { type Figure, formatFigures, reaches } from './figure.ts'
import { readBench } from './read.bench.ts'
import { watchBench } from './watch.bench.ts'

/** Runs the benchmarks: every figure beside its yardstick from the same run. Exits with 1 when a goal is missed. */
const benches: [name: string, run: (durationMs: number) => Promise<Figure[]>][] = [
  ['read', readBench],
  ['create', createBench],
  ['watch', watchBench],
]

const { values } = parseArgs({
  options: { focus: { type: 'string' }, seconds: { type: 'string', default: '4' }, help: { type: 'boolean' } },
})
if (values.help) {
  process.stdout.write(
    `usage: npm run bench -- [--focus NAME] [--seconds N]\n\nbenchmarks: ${benches.map(([name]) => name).join(', ')}\n`,
  )
  process.exit(0)
}
const figures: Figure[] = []
for (const [name, run] of benches) {
  if (values.focus && !name.includes(values.focus)) continue
  process.stderr.write(`${name} ...\n`)
  figures.push(...(await run(Number(values.seconds) * 1000)))
}
process.stdout.write(`${formatFigures(figures)}\n`)
process.exitCode = figures.some((figure) => reaches(figure) === false) ? 1 : 0
