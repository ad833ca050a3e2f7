/** One thing that must be well for the server to be. */
export interface HealthCheck {
  name: string
  /** @returns why it is not, or undefined */
  failure(): string | undefined
}

export interface HealthReport {
  healthy: boolean
  text: string
}

/**
 * What /livez, /readyz and /healthz say: `ok`, or with `?verbose` a line for each check.
 * @param path `/readyz`, or `/readyz/<check>` for one alone
 * @see https://kubernetes.io/docs/reference/using-api/health-checks/
 */
export function healthReport(endpoint: string, checks: readonly HealthCheck[], query: URLSearchParams): HealthReport {
  const excluded = new Set(query.getAll('exclude'))
  const lines: string[] = []
  let healthy = true
  for (const check of checks) {
    if (excluded.has(check.name)) {
      lines.push(`[+]${check.name} excluded: ok`)
      continue
    }
    const failure = check.failure()
    if (failure === undefined) lines.push(`[+]${check.name} ok`)
    else {
      healthy = false
      lines.push(`[-]${check.name} failed: ${failure}`)
    }
  }
  if (healthy && !query.has('verbose')) return { healthy, text: 'ok' }
  lines.push(healthy ? `${endpoint} check passed` : `${endpoint} check failed`)
  return { healthy, text: `${lines.join('\n')}\n` }
}
