/** Checks any cluster for conformance: `node conformance/main.ts --kubeconfig FILE`. The exit status is 1 when a case fails. */
import { writeFile } from 'node:fs/promises'
import { describeCoverage } from './official.ts'
import { type RunnerArguments, readArguments, usage } from './runner/arguments.ts'
import { openCluster } from './runner/context.ts'
import { isInFocus, loadCases } from './runner/load.ts'
import { findMeans } from './runner/needs.ts'
import { formatJunit, formatResult, formatTotals } from './runner/report.ts'
import { runAll } from './runner/run.ts'

const isColoured = Boolean(process.stdout.isTTY) && !process.env.NO_COLOR

async function check({ kubeconfig, focus, junit, list, official, parallel }: RunnerArguments): Promise<number> {
  const cases = (await loadCases()).filter(({ name }) => isInFocus(name, focus))
  if (official) {
    for (const line of describeCoverage(await loadCases())) console.log(line)
    return 0
  }
  if (list) {
    for (const { name, stands } of cases) console.log([name, ...[stands].flat()].join('\n    '))
    return 0
  }
  if (!cases.length) throw new Error(`no case matches --focus ${JSON.stringify(focus)}`)
  await using cluster = await openCluster(kubeconfig)
  const means = await findMeans(cluster)
  const results = await runAll(cases, cluster, means, parallel, (result) =>
    console.log(formatResult(result, isColoured)),
  )
  if (junit) await writeFile(junit, formatJunit(results))
  console.log(formatTotals(results))
  return results.some(({ outcome }) => outcome === 'fail') ? 1 : 0
}

function readOrExplain(): RunnerArguments | undefined {
  try {
    return readArguments(process.argv.slice(2), process.env)
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`)
    return undefined
  }
}

const given = readOrExplain()
try {
  process.exitCode = given ? await check(given) : 2
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}
