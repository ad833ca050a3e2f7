import type { ConformanceCase, Need } from './case.ts'
import { type Cluster, openContext } from './context.ts'
import { type Means, whyNotRun } from './needs.ts'

export interface CaseResult {
  name: string
  outcome: 'ok' | 'fail' | 'skip'
  ms: number
  /** Why it failed or was skipped. */
  reason?: string
  error?: unknown
}

const defaultTimeoutMs = 30_000
const podTimeoutMs = 120_000

/** Runs one case in a context of its own. Never throws. */
export async function runCase(subject: ConformanceCase, cluster: Cluster, means: Means): Promise<CaseResult> {
  const { name, needs = [] } = subject
  const reason = whyNotRun(subject, means)
  if (reason) return { name, outcome: 'skip', ms: 0, reason }
  const startedAt = performance.now()
  const elapsed = () => Math.round(performance.now() - startedAt)
  const signal = AbortSignal.timeout(subject.timeoutMs ?? (needs.some(isAboutPods) ? podTimeoutMs : defaultTimeoutMs))
  const { context, close } = openContext(cluster, signal)
  try {
    await raceDeadline(subject.run(context), signal)
    return { name, outcome: 'ok', ms: elapsed() }
  } catch (error) {
    return { name, outcome: 'fail', ms: elapsed(), reason: describe(error), error }
  } finally {
    await close()
  }
}

const isAboutPods = (need: Need) => need === 'pods' || need === 'containers'

/** A case that does not listen to the signal must not hold up the run. */
function raceDeadline(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const late = Promise.withResolvers<never>()
  signal.addEventListener('abort', () => late.reject(new Error('took too long')), { once: true })
  return Promise.race([work, late.promise])
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Runs the cases, `parallel` at a time, and tells `onResult` of each as it ends. */
export async function runAll(
  cases: readonly ConformanceCase[],
  cluster: Cluster,
  means: Means,
  parallel: number,
  onResult: (result: CaseResult) => void,
): Promise<CaseResult[]> {
  const waiting = [...cases]
  const results: CaseResult[] = []
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const result = await runCase(next, cluster, means)
      results.push(result)
      onResult(result)
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  return results
}
