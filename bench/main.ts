import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { applyBench } from './apply.bench.ts'
import { bigListBench } from './big-list.bench.ts'
import { celBench } from './cel.bench.ts'
import { connectionsBench } from './connections.bench.ts'
import { conversionBench } from './conversion.bench.ts'
import { crdsBench } from './crds.bench.ts'
import { createBench } from './create.bench.ts'
import { formatFigures, type Row, ratioOf, reaches } from './figure.ts'
import { idleBench } from './idle.bench.ts'
import { leasesBench } from './leases.bench.ts'
import { formatMachine, thisMachine } from './machine.ts'
import { nodesBench } from './nodes.bench.ts'
import { podsBench } from './pods.bench.ts'
import { policiesBench } from './policies.bench.ts'
import { protobufBench } from './protobuf.bench.ts'
import { readBench } from './read.bench.ts'
import { rulesBench } from './rules.bench.ts'
import { scaleBench } from './scale.bench.ts'
import { startBench } from './start.bench.ts'
import { storeBench } from './store.bench.ts'
import { storeEtcdBench } from './store-etcd.bench.ts'
import { watchBench } from './watch.bench.ts'
import { watchersBench } from './watchers.bench.ts'

/** Runs the benchmarks: every figure beside its yardstick from the same run. Exits with 1 when a goal is missed. */
const benches: [name: string, run: (durationMs: number) => Promise<Row[]>][] = [
  ['start', startBench],
  ['idle', idleBench],
  ['read', readBench],
  ['protobuf', protobufBench],
  ['create', createBench],
  ['apply', applyBench],
  ['watch', watchBench],
  ['watchers', watchersBench],
  ['leases', leasesBench],
  ['big-list', bigListBench],
  ['connections', connectionsBench],
  ['cel', celBench],
  ['rules', rulesBench],
  ['policies', policiesBench],
  ['store', storeBench],
  ['etcd', storeEtcdBench],
  ['pods', podsBench],
  ['nodes', nodesBench],
  ['scale', scaleBench],
  ['crds', crdsBench],
  ['conversion', conversionBench],
]

const help = `usage: npm run bench -- [--focus NAME] [--seconds N] [--json FILE]

  --focus NAME   only the benchmarks with NAME in their name: ${benches.map(([name]) => name).join(', ')}
  --seconds N    how long each side of a comparison is measured (default 6)
  --json FILE    also write the figures there
`

const { values } = parseArgs({
  options: {
    focus: { type: 'string', default: '' },
    seconds: { type: 'string', default: '6' },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
})
if (values.help) {
  process.stdout.write(help)
  process.exit(0)
}

const machine = thisMachine()
process.stdout.write(`${formatMachine(machine)}\n\n`)
const rows: Row[] = []
for (const [name, run] of benches) {
  if (!name.includes(values.focus)) continue
  process.stderr.write(`${name} ...\n`)
  rows.push(...(await run(Number(values.seconds) * 1000)))
}
process.stdout.write(`${formatFigures(rows)}\n`)
if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine, figures: rows.map(judged) }, null, 2)}\n`)
process.exitCode = rows.some((row) => reaches(row) === false) ? 1 : 0

function judged(row: Row) {
  return { ...row, ...(!('skipped' in row) && { ratio: ratioOf(row) }), reached: reaches(row) }
}
