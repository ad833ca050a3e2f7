import type { Agent } from 'node:https'
import { availableCondition } from '#apis/apiregistration/v1/rules.ts'
import type { APIService, APIServiceCondition } from '#apis/apiregistration/v1/zz_generated.types.ts'
import type { UserInfo } from '#apis/meta/v1/user-info.ts'
import type { Logger } from '#apis/plugin/v1/host.ts'
import { proxyUpgrade } from '#core/endpoints/connect-proxy.ts'
import type { ProxyTarget } from '#core/endpoints/connect-proxy-target.ts'
import { newServiceUnavailable } from '#core/errors/status-error.ts'
import type { AggregatedResource, RemoteGroupVersion } from '#core/server/discovery/served.ts'
import type { Exchange, UpgradeExchange } from '#core/server/exchange.ts'
import type { V2Part } from '#core/server/openapi/merge-v2.ts'
import type { RequestInfo } from '#core/server/request-info.ts'
import { identityHeaders } from './identity-headers.ts'
import { fetchDocument, forward, newAgent } from './proxy.ts'
import { resourcesOf, v2PartOf, v3UrlOf } from './remote-documents.ts'
import type { Address, ServiceRef, ServiceTarget } from './service-target.ts'

export interface RemoteParts {
  /** What this server shows aggregated ones now, in PEM. */
  client(): { cert: string; key: string }
  /** Where the service of an APIService can be reached now. */
  resolve(service: ServiceRef): ServiceTarget
  /** Shows a condition in the APIService's status. Never rejects. */
  report(name: string, condition: Omit<APIServiceCondition, 'lastTransitionTime'>): Promise<void>
  /** Something discovery or OpenAPI shows has changed. */
  changed(): void
  log: Logger
  timing?: Partial<Timing>
}

export interface Timing {
  /** Between two looks at a server that answers. */
  recheckMs: number
  /** Until the first further look at one that does not; doubled each time. */
  retryMs: number
  maxRetryMs: number
  /** For an answer of discovery or OpenAPI. */
  answerMs: number
  /** OpenAPI is asked for again after so long, when somebody wants it. */
  documentAgeMs: number
}

const defaultTiming: Timing = {
  recheckMs: 30_000,
  retryMs: 500,
  maxRetryMs: 30_000,
  answerMs: 5_000,
  documentAgeMs: 10_000,
}

/** As whom this server asks by itself: aggregated servers let it see everything they say of themselves. */
const itself: UserInfo = { username: 'system:kube-aggregator', groups: ['system:masters'] }
/** How many endpoints of a service are asked before it counts as failing. */
const maxProbes = 5

/** A document of OpenAPI, as it was last seen. */
interface Known<T> {
  value: T
  etag: string | undefined
  /** Milliseconds since the epoch. */
  checkedAt: number
}

/**
 * A group version that another server answers for: finds that server, looks after it, and passes requests on to it. It is
 * looked at when its APIService, its Service or that one's endpoints change, and every 30 seconds.
 */
export class RemoteApi implements Disposable {
  readonly name: string
  readonly group: string
  readonly version: string
  readonly #parts: RemoteParts
  readonly #timing: Timing
  readonly #agent: Agent = newAgent()
  #spec: APIService['spec']
  #condition: Pick<APIServiceCondition, 'status' | 'message'>
  #target: ServiceTarget | undefined
  #turn = 0
  #resources: readonly AggregatedResource[] = []
  #v2: Known<V2Part> = { value: { paths: {}, definitions: {} }, etag: undefined, checkedAt: 0 }
  #v3: Known<string | undefined> = { value: undefined, etag: undefined, checkedAt: 0 }
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  #isChecking = false
  #isOutdated = false
  #isDisposed = false

  constructor(service: APIService, parts: RemoteParts) {
    this.name = service.metadata.name ?? ''
    this.group = service.spec.group ?? ''
    this.version = service.spec.version ?? ''
    this.#parts = parts
    this.#timing = { ...defaultTiming, ...parts.timing }
    this.#spec = service.spec
    this.#condition = availableCondition(service) ?? { status: 'Unknown', message: 'it was not checked yet' }
  }

  get service(): ServiceRef {
    const { namespace = '', name = '', port = 443 } = this.#spec.service ?? {}
    return { namespace, name, port }
  }

  /** Takes over a changed object. */
  update({ spec }: APIService): void {
    if (JSON.stringify(spec) === JSON.stringify(this.#spec)) return
    this.#spec = spec
    this.#parts.changed()
    this.lookAgain()
  }

  /** To be called when the Service or its endpoints may have changed. */
  lookAgain(): void {
    this.#target = undefined
    this.#failures = 0
    void this.check()
  }

  /** Looks at the server, and once more when something changes meanwhile. Never rejects. */
  async check(): Promise<void> {
    if (this.#isChecking) {
      this.#isOutdated = true
      return
    }
    this.#isChecking = true
    do {
      this.#isOutdated = false
      await this.#checkOnce()
    } while (this.#isOutdated && !this.#isDisposed)
    this.#isChecking = false
  }

  async #checkOnce(): Promise<void> {
    clearTimeout(this.#timer)
    const target = this.#resolve()
    if ('reason' in target) return this.#settle({ status: 'False', ...target })
    try {
      const resources = await this.#discover(target.addresses)
      this.#failures = 0
      this.#checkAfter(this.#timing.recheckMs)
      if (JSON.stringify(resources) !== JSON.stringify(this.#resources)) {
        this.#resources = resources
        this.#parts.changed()
      }
      await this.#settle({ status: 'True', reason: 'Passed', message: 'all checks passed' })
    } catch (error) {
      const { maxRetryMs, retryMs } = this.#timing
      this.#checkAfter(Math.min(maxRetryMs, retryMs * 2 ** this.#failures++))
      const message = error instanceof Error ? error.message : String(error)
      await this.#settle({ status: 'False', reason: 'FailedDiscoveryCheck', message })
    }
  }

  #checkAfter(ms: number): void {
    if (!this.#isDisposed) this.#timer = setTimeout(() => void this.check(), ms).unref()
  }

  async #settle(condition: { status: string; reason: string; message: string }): Promise<void> {
    if (this.#isDisposed) return
    const wasAvailable = this.#isAvailable
    this.#condition = condition
    if (wasAvailable !== this.#isAvailable) this.#parts.changed()
    await this.#parts.report(this.name, { type: 'Available', ...condition })
  }

  get #isAvailable(): boolean {
    return this.#condition.status === 'True'
  }

  #resolve(): ServiceTarget {
    return (this.#target ??= this.#parts.resolve(this.service))
  }

  /** @throws Error when none of the endpoints answers as it should */
  async #discover(addresses: readonly Address[]): Promise<AggregatedResource[]> {
    const probes = addresses.slice(0, maxProbes).map((address) => this.#probe(address))
    try {
      return await Promise.any(probes)
    } catch (error) {
      throw error instanceof AggregateError ? error.errors.at(-1) : error
    }
  }

  async #probe(address: Address): Promise<AggregatedResource[]> {
    const path = `/apis/${this.group}/${this.version}`
    const url = `https://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}${path}`
    try {
      const { status, text } = await this.#fetch(address, path)
      if (status < 200 || status >= 300) throw new Error(`bad status from ${url}: ${status}`)
      return resourcesOf(JSON.parse(text), this.group, this.version)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new Error(`failing or missing response from ${url}: ${why}`, { cause: error })
    }
  }

  #fetch(address: Address, path: string, etag?: string) {
    const target = this.#targetAt(address, path, itself)
    return fetchDocument(target, this.#agent, { withinMs: this.#timing.answerMs, etag })
  }

  #targetAt(address: Address, path: string, user: UserInfo): ProxyTarget {
    const { caBundle, insecureSkipTLSVerify, service } = this.#spec
    return {
      ...address,
      path,
      headers: identityHeaders(user),
      tls: {
        ...this.#parts.client(),
        ...(caBundle && { ca: Buffer.from(caBundle, 'base64').toString() }),
        rejectUnauthorized: !insecureSkipTLSVerify,
        servername: `${service?.name}.${service?.namespace}.svc`,
      },
    }
  }

  /** The endpoints take turns. @throws StatusError ServiceUnavailable */
  #nextTarget(path: string, user: UserInfo): ProxyTarget {
    if (!this.#isAvailable) throw newServiceUnavailable(`service unavailable: ${this.#condition.message}`)
    const target = this.#resolve()
    if ('reason' in target) throw newServiceUnavailable(`service unavailable: ${target.message}`)
    const { addresses } = target
    return this.#targetAt(addresses[this.#turn++ % addresses.length]!, path, user)
  }

  /** Passes a request on, as who asks it. @throws StatusError ServiceUnavailable, Timeout */
  async handle(exchange: Exchange, info: RequestInfo, user: UserInfo): Promise<void> {
    const target = this.#nextTarget(exchange.target, user)
    await forward(exchange, target, this.#agent, info.verb === 'watch', this.#parts.log)
  }

  /** As `handle`, for connections that become something else. */
  async handleUpgrade(upgrade: UpgradeExchange, user: UserInfo): Promise<void> {
    await proxyUpgrade(upgrade, this.#nextTarget(upgrade.target, user), this.#parts.log)
  }

  describe(): RemoteGroupVersion {
    const { groupPriorityMinimum: group, versionPriority: version } = this.#spec
    return {
      group: this.group,
      version: this.version,
      priority: { group, version },
      freshness: this.#isAvailable ? 'Current' : 'Stale',
      resources: this.#resources,
    }
  }

  /** Where this server's clients find the document in OpenAPI 3.0; undefined when there is none. */
  get v3Url(): string | undefined {
    return this.#isAvailable ? this.#v3.value : undefined
  }

  get v3Name(): string {
    return `apis/${this.group}/${this.version}`
  }

  get v2Part(): V2Part {
    return this.#v2.value
  }

  /** Brings what is known of a document up to date, unless that was done a moment ago. Never rejects. */
  async refresh(what: 'v2' | 'v3'): Promise<void> {
    if (what === 'v2') {
      this.#v2 = await this.#renewed(this.#v2, '/openapi/v2', (document) => v2PartOf(document, `/${this.v3Name}`))
    } else {
      this.#v3 = await this.#renewed(this.#v3, '/openapi/v3', (index) => v3UrlOf(index, this.v3Name))
    }
  }

  /** What cannot be had now stays as it was. */
  async #renewed<T>(known: Known<T>, path: string, read: (document: unknown) => T): Promise<Known<T>> {
    const target = this.#resolve()
    const now = Date.now()
    if (now - known.checkedAt < this.#timing.documentAgeMs || !this.#isAvailable || 'reason' in target) return known
    try {
      const { etag, status, text } = await this.#fetch(target.addresses[0], path, known.etag)
      if (status !== 200) return { ...known, checkedAt: now }
      const value = read(JSON.parse(text))
      if (JSON.stringify(value) !== JSON.stringify(known.value)) this.#parts.changed()
      return { value, etag, checkedAt: now }
    } catch (error) {
      this.#parts.log.warn('OpenAPI of an aggregated server not read', { name: this.name, path, error: String(error) })
      return { ...known, checkedAt: now }
    }
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    clearTimeout(this.#timer)
    this.#agent.destroy()
  }
}
