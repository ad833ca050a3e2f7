import type { Exchange } from './exchange.ts'
import type { PathEndpoint } from './handler.ts'
import { type HealthCheck, healthReport } from './health.ts'
import { versionInfo } from './version.ts'

export interface PathParts {
  /** By endpoint: `livez`, `readyz`, `healthz`. */
  health: Readonly<Record<string, readonly HealthCheck[]>>
  /** Discovery and OpenAPI. */
  documents: {
    /** What of it can be asked for, by alphabet. */
    paths(): string[]
    /** @returns false for a path that names no document */
    reply(exchange: Exchange, path: string): Promise<boolean>
  }
  metrics(): string
  /** How others verify the tokens of service accounts. */
  tokens: TokenDiscovery
}

/** @see https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery */
export interface TokenDiscovery {
  issuer: string
  /** Where clients reach this server: `https://10.0.0.1:6443`. */
  server(): string
  /** The public keys as a JSON Web Key Set. */
  jwks(): object
}

const configurationPath = '/.well-known/openid-configuration'
const keysPath = '/openid/v1/jwks'
const otherPaths = [configurationPath, '/metrics', '/openapi/v2', '/openapi/v3', '/openapi/v3/', keysPath, '/version']

/** Answers every path that is no resource. */
export function pathEndpoint(parts: PathParts): PathEndpoint {
  return async (exchange, path) => {
    const [, first = '', ...rest] = path.split('/')
    if (Object.hasOwn(parts.health, first) && rest.length <= 2) return replyHealth(exchange, first, rest, parts)
    switch (path) {
      case '/':
        return replyJson(exchange, { paths: rootPaths(parts) })
      case '/version':
      case '/version/':
        return replyJson(exchange, versionInfo)
      case '/metrics':
        exchange.send(200, 'text/plain; version=0.0.4; charset=utf-8', parts.metrics())
        return true
      case configurationPath:
        return replyPublic(exchange, 'application/json', openIdConfiguration(parts.tokens))
      case keysPath:
        return replyPublic(exchange, 'application/jwk-set+json', parts.tokens.jwks())
      default:
        return parts.documents.reply(exchange, path)
    }
  }
}

/** What clients may ask for, by alphabet. */
function rootPaths({ documents, health }: PathParts): string[] {
  const checks = Object.entries(health).flatMap(([endpoint, list]) => [
    `/${endpoint}`,
    ...list.map(({ name }) => `/${endpoint}/${name}`),
  ])
  return [...documents.paths(), ...checks, ...otherPaths].sort()
}

function openIdConfiguration({ issuer, server }: TokenDiscovery): object {
  return {
    issuer,
    jwks_uri: server() + keysPath,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
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

/** What changes with the server's keys only. */
function replyPublic(exchange: Exchange, contentType: string, value: unknown): true {
  exchange.setHeader('cache-control', 'public, max-age=3600')
  exchange.send(200, contentType, JSON.stringify(value))
  return true
}

function replyJson(exchange: Exchange, value: unknown): true {
  exchange.send(200, 'application/json', JSON.stringify(value))
  return true
}
