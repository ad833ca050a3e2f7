import type { Logger } from '#apis/plugin/v1/host.ts'
import { create } from '#core/endpoints/create.ts'
import { remove } from '#core/endpoints/delete.ts'
import { deleteCollection } from '#core/endpoints/delete-collection.ts'
import { type Endpoint, type ResourceRequest, warningHeader } from '#core/endpoints/endpoint.ts'
import { get } from '#core/endpoints/get.ts'
import { list } from '#core/endpoints/list.ts'
import { patch } from '#core/endpoints/patch.ts'
import { replyFailure } from '#core/endpoints/reply.ts'
import { update } from '#core/endpoints/update.ts'
import { watch } from '#core/endpoints/watch.ts'
import { newMethodNotSupported, newPathNotFound, statusOf } from '#core/errors/status-error.ts'
import type { Admitted, FlowGate } from '#core/flow-control/gate.ts'
import type { RequestDeadline } from '#core/flow-control/request-deadline.ts'
import type { Registry, ServedVersion } from '#core/registry/registry.ts'
import type { ResourceStore } from '#core/registry/resource-store.ts'
import type { Cacher } from '#core/storage/cacher/cacher.ts'
import type { Exchange, UpgradeExchange, UserInfo } from './exchange.ts'
import { inPresent, isAboutPresent } from './present.ts'
import { isLongRunning, parseRequest, type RequestInfo, type ResourceInfo } from './request-info.ts'
import type { ObservedRequest, RequestMetrics } from './request-metrics.ts'
import { addressOf } from './resource-address.ts'

/** An upgrade of a subresource (exec, attach, port-forward) that has been allowed. */
export type UpgradeEndpoint = (
  upgrade: UpgradeExchange,
  info: ResourceInfo,
  served: ServedVersion,
  user: UserInfo,
) => Promise<void>

/** Answers everything below a group version in this server's place. */
export interface RemoteEndpoint {
  handle(exchange: Exchange, info: RequestInfo, user: UserInfo): Promise<void>
  handleUpgrade(upgrade: UpgradeExchange, user: UserInfo): Promise<void>
}

/** Answers paths that are no resource: health, version, discovery, metrics. @returns false when it knows no such path */
export type PathEndpoint = (exchange: Exchange, path: string) => Promise<boolean> | boolean

export interface HandlerParts {
  registry: Registry
  store: ResourceStore
  cacher: Cacher
  /** Who asks. Anonymous when nobody says; impersonation already applied. @throws StatusError Unauthorized, Forbidden */
  identify(request: Pick<Exchange, 'header' | 'rawHeaders' | 'socket'>): Promise<UserInfo> | UserInfo
  /** Says when. */
  gate: FlowGate
  deadline: RequestDeadline
  /** How long a watch lasts at least that names no time itself. */
  minWatchMs: number
  /** @throws StatusError Forbidden */
  permit(user: UserInfo, info: RequestInfo): void
  /** Who else answers a request; undefined when this server does. */
  remotes: { find(info: RequestInfo): RemoteEndpoint | undefined }
  paths: PathEndpoint
  /** Subresources and virtual resources by the name of their handler. */
  subresources: ReadonlyMap<string, Endpoint>
  virtual: ReadonlyMap<string, Endpoint>
  upgrades: ReadonlyMap<string, UpgradeEndpoint>
  metrics: RequestMetrics
  log: Logger
}

const verbs = new Map<string, Endpoint>([
  ['get', get],
  ['list', list],
  ['create', create],
  ['update', update],
  ['patch', patch],
  ['delete', remove],
  ['deletecollection', deleteCollection],
  ['watch', watch],
])
const standardVerbs = [...verbs.keys()]
/** Whoever deletes does not wait for company. */
const writingVerbs = ['create', 'update', 'patch']
const statusVerbs = ['get', 'update', 'patch']

/** The way of every request: what it asks for, who asks, when there is room, whether they may, the endpoint that answers. */
export class Handler {
  readonly #parts: HandlerParts

  constructor(parts: HandlerParts) {
    this.#parts = parts
  }

  /** Answers one request, a plain GET within this turn. Never throws. */
  handle(exchange: Exchange): void | Promise<void> {
    try {
      const { deadline } = this.#parts
      const info = this.#parse(exchange)
      const withinMs = deadline.of(exchange, info)
      const identified = this.#parts.identify(exchange)
      const answered =
        identified instanceof Promise
          ? identified.then((user) => this.#enter(exchange, info, user))
          : this.#enter(exchange, info, identified)
      if (answered instanceof Promise) {
        return deadline.bound(answered, withinMs).catch((error) => this.#fail(exchange, error))
      }
    } catch (error) {
      this.#fail(exchange, error)
    }
  }

  #parse(exchange: Exchange): RequestInfo {
    const { metrics } = this.#parts
    const started = performance.now()
    let observed: ObservedRequest | undefined
    exchange.onEnd(() =>
      (observed ?? metrics.begin(undefined)).ended(exchange.sent.status, performance.now() - started),
    )
    const info = parseRequest(exchange.method, exchange.path, () => exchange.query)
    observed = metrics.begin(info)
    return info
  }

  /** What lasts as long as it likes takes nobody's place, but for the beginning of a watch. */
  #enter(exchange: Exchange, info: RequestInfo, user: UserInfo): void | Promise<void> {
    if (info.verb !== 'watch' && isLongRunning(info)) return this.#answer(exchange, info, user)
    const admitted = this.#parts.gate.admit(exchange, info, user)
    return admitted instanceof Promise
      ? admitted.then((one) => this.#run(exchange, info, user, one))
      : this.#run(exchange, info, user, admitted)
  }

  #run(exchange: Exchange, info: RequestInfo, user: UserInfo, admitted: Admitted | undefined): void | Promise<void> {
    if (!admitted) return
    let answered: void | Promise<void>
    try {
      answered = this.#answer(exchange, info, user)
    } catch (error) {
      admitted.leave()
      throw error
    }
    if (!(answered instanceof Promise)) return admitted.leave()
    const patienceMs = info.verb === 'watch' ? this.#parts.deadline.longestMs : undefined
    return leavingOnce(exchange, answered, admitted, patienceMs)
  }

  #answer(exchange: Exchange, info: RequestInfo, user: UserInfo): void | Promise<void> {
    this.#parts.permit(user, info)
    const remote = this.#parts.remotes.find(info)
    if (remote) return remote.handle(exchange, info, user)
    if (info.isResource) {
      const served = this.#parts.registry.find(info.group, info.version, info.resource)
      if (served) {
        const at = addressOf(info, served.resource.definition)
        const endpoint = this.#endpoint(served, at)
        const request = this.#request(exchange, at, user, served)
        const company = writingVerbs.includes(info.verb) ? served.resource.company?.join() : undefined
        if (company) return company.then(() => endpoint(request))
        const { synced } = this.#parts.cacher
        return synced && isAboutPresent(request) ? inPresent(synced, endpoint, request) : endpoint(request)
      }
    }
    return this.#answerPath(exchange, info)
  }

  async #answerPath(exchange: Exchange, info: RequestInfo): Promise<void> {
    if (await this.#parts.paths(exchange, exchange.path)) return
    // Kubernetes' built-in groups know what a Status is; what lies outside of them does not.
    if (info.isResource && this.#parts.registry.isBuiltin(info.group, info.version)) throw newPathNotFound()
    exchange.setHeader('x-content-type-options', 'nosniff')
    exchange.send(404, 'text/plain; charset=utf-8', '404 page not found\n')
  }

  #request(exchange: Exchange, info: ResourceInfo, user: UserInfo, served: ServedVersion): ResourceRequest {
    const { store, registry, cacher, minWatchMs, permit } = this.#parts
    const { deprecated, deprecationWarning } = served.definition
    if (deprecated) {
      const { kind } = served.resource.definition
      exchange.setHeader('warning', warningHeader(deprecationWarning ?? `${served.apiVersion} ${kind} is deprecated`))
    }
    return { exchange, info, served, user, store, registry, cacher, minWatchMs, permit: (other) => permit(user, other) }
  }

  #endpoint(served: ServedVersion, info: ResourceInfo): Endpoint {
    const { definition } = served.resource
    const { keelson } = definition
    const found = info.subresource
      ? this.#subresource(served, info)
      : keelson?.virtual !== undefined
        ? info.verb === 'create' && this.#parts.virtual.get(keelson.virtual)
        : (keelson?.verbs ?? standardVerbs).includes(info.verb) && verbs.get(info.verb)
    if (!found) throw newMethodNotSupported(definition, info.verb)
    return found
  }

  #subresource({ definition, resource }: ServedVersion, info: ResourceInfo): Endpoint | undefined {
    const { subresource, verb, rest } = info
    if (rest && subresource !== 'proxy') throw newPathNotFound()
    if (subresource === 'status' && definition.subresources.status) {
      return statusVerbs.includes(verb) ? verbs.get(verb) : undefined
    }
    if (subresource === 'scale' && definition.subresources.scale) {
      return statusVerbs.includes(verb) ? this.#parts.subresources.get('scale') : undefined
    }
    const known = resource.definition.keelson?.subresources
    if (!known || !Object.hasOwn(known, subresource)) throw newPathNotFound()
    const { handler, verbs: allowed } = known[subresource]!
    return allowed.includes(verb) ? this.#parts.subresources.get(handler) : undefined
  }

  /** Lets an upgrade through to the one who serves it, or refuses it. Never throws. */
  async handleUpgrade(upgrade: UpgradeExchange): Promise<void> {
    try {
      const info = parseRequest(upgrade.method, upgrade.path, () => upgrade.query)
      const user = await this.#parts.identify(upgrade)
      this.#parts.permit(user, info)
      const remote = this.#parts.remotes.find(info)
      if (remote) return await remote.handleUpgrade(upgrade, user)
      const served = info.isResource && this.#parts.registry.find(info.group, info.version, info.resource)
      if (!served || !info.isResource) throw newPathNotFound()
      const at = addressOf(info, served.resource.definition)
      await this.#parts.cacher.synced?.()
      const known = served.resource.definition.keelson?.subresources
      const handler = known && Object.hasOwn(known, info.subresource) ? known[info.subresource]!.handler : ''
      const endpoint = this.#parts.upgrades.get(handler)
      if (!endpoint) throw newPathNotFound()
      await endpoint(upgrade, at, served, user)
    } catch (error) {
      const status = statusOf(error)
      this.#logFailure(upgrade.method, upgrade.path, status.code, error)
      upgrade.refuse(status.code, 'application/json', JSON.stringify(status))
    }
  }

  #fail(exchange: Exchange, error: unknown): void {
    const status = statusOf(error)
    this.#logFailure(exchange.method, exchange.path, status.code, error)
    // What has begun as a success cannot become a failure: cut off, so that nobody takes it for whole.
    if (exchange.answered) {
      exchange.abort()
      return
    }
    const { retryAfterSeconds } = status.details ?? {}
    if (retryAfterSeconds !== undefined) exchange.setHeader('retry-after', String(retryAfterSeconds))
    if (status.code === 401) exchange.setHeader('www-authenticate', 'Bearer')
    replyFailure(exchange, status)
  }

  #logFailure(method: string, path: string, code: number, error: unknown): void {
    const { log } = this.#parts
    if (code >= 500) log.error('request failed', { method, path, code, error })
    else log.debug('request refused', { method, path, code, error })
  }
}

/** A request that has been answered takes nobody's place any more, nor does a watch whose client will not read how it begins. */
function leavingOnce(
  exchange: Exchange,
  answered: Promise<void>,
  admitted: Admitted,
  patienceMs: number | undefined,
): Promise<void> {
  let hasLeft = false
  const leave = () => {
    clearTimeout(timer)
    if (!hasLeft) admitted.leave()
    hasLeft = true
  }
  const timer = patienceMs === undefined ? undefined : setTimeout(leave, patienceMs)
  exchange.onEnd(leave)
  return answered.finally(leave)
}
