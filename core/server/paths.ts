import type { Exchange } from './exchange.ts'
import type { PathEndpoint } from './handler.ts'
import { type HealthCheck, healthReport } from './health.ts'
import { versionInfo } from './version.ts'

export interface PathParts {
  /** By endpoint: `livez`, `readyz`, `healthz`. */
  health: Readonly<Record<string, readonly HealthCheck[]>>
  /** Discovery and OpenAPI documents. @returns false for a path that names none */
  documents: (exchange: Exchange, path: string) => boolean | Promise<boolean>
  metrics(): string
}

/** What clients may ask for at the root. */
const rootPaths = [
  '/api',
  '/apis',
  '/healthz',
  '/livez',
  '/metrics',
  '/openapi/v2',
  '/openapi/v3',
  '/readyz',
  '/version',
]

/** Answers every path that is no resource. */
export function pathEndpoint(parts: PathParts): PathEndpoint {
  return async (exchange, path) => {
    const [, first = '', ...rest] = path.split('/')
    if (Object.hasOwn(parts.health, first) && rest.length <= 2) return replyHealth(exchange, first, rest, parts)
    switch (path) {
      case '/':
        return replyJson(exchange, { paths: rootPaths })
      case '/version':
      case '/version/':
        return replyJson(exchange, versionInfo)
      case '/metrics':
        exchange.send(200, 'text/plain; version=0.0.4; charset=utf-8', parts.metrics())
        return true
      default:
        return parts.documents(exchange, path)
    }
  }
}

function replyHealth(exchange: Exchange, endpoint: string, rest: readonly string[], { health }: PathParts): boolean {
  const wanted = rest.join('/')
  const checks = wanted ? health[endpoint]!.filter((check) => check.name === wanted) : health[endpoint]!
  if (checks.length === 0) return false
  const { healthy, text } = healthReport(endpoint, checks, exchange.query)
  exchange.setHeader('x-content-type-options', 'nosniff')
  exchange.send(healthy ? 200 : 500, 'text/plain; charset=utf-8', text)
  return true
}

function replyJson(exchange: Exchange, value: unknown): true {
  exchange.send(200, 'application/json', JSON.stringify(value))
  return true
}
