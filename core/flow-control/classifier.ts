import type { FlowSchema } from '#apis/flowcontrol/v1/zz_generated.types.ts'
import type { UserInfo } from '#apis/meta/v1/user-info.ts'
import type { RequestInfo } from '#core/server/request-info.ts'
import type { FlowMeter } from './flow-control-metrics.ts'
import { matchFor, type RequestMatch } from './flow-schema.ts'
import type { Admitted } from './gate.ts'
import type { PriorityLevel } from './priority-level.ts'
import type { Flow } from './queue-set.ts'
import { flowHash } from './shuffle-shard.ts'

/** A flow with the level its requests go to. */
export class LevelFlow implements Flow, Admitted {
  readonly level: PriorityLevel
  readonly schema: string
  readonly schemaUid: string
  readonly distinguisher: string
  readonly hand: readonly number[]
  readonly meter: FlowMeter

  constructor({ metadata }: FlowSchema, level: PriorityLevel, distinguisher: string, meter: FlowMeter) {
    this.level = level
    this.schema = metadata.name ?? ''
    this.schemaUid = metadata.uid ?? ''
    this.distinguisher = distinguisher
    this.hand = level.queues.deal(flowHash(this.schema, distinguisher))
    this.meter = meter
  }

  /** Of an exempt level. One flow stands for all of its requests: there is nothing to remember of any. */
  enterFreely(): Admitted {
    this.level.enterFreely()
    this.meter.waited(0, true)
    this.meter.started(1)
    return this
  }

  leave(): void {
    this.meter.ended(1)
    this.level.leaveFreely()
  }
}

/** A schema that may be about a user's requests, with those of its flows that the user has had requests in. */
interface Candidate {
  schema: FlowSchema
  matches: RequestMatch
  flows: Map<string, LevelFlow>
}

interface KnownUser {
  groups: readonly string[]
  candidates: readonly Candidate[]
}

/** Users come and go, and namespaces too: past so many, all are forgotten and learnt anew. */
const maxUsers = 10_000
const maxFlows = 1_000

/** Finds the flow of a request. Made anew when the configuration changes. */
export class Classifier {
  readonly #schemas: readonly FlowSchema[]
  readonly #levels: ReadonlyMap<string, PriorityLevel>
  readonly #meter: (level: string, schema: string) => FlowMeter
  readonly #users = new Map<string, KnownUser>()

  /** @param schemas in the order they are tried; the last takes what no other does */
  constructor(
    schemas: readonly FlowSchema[],
    levels: ReadonlyMap<string, PriorityLevel>,
    meter: (level: string, schema: string) => FlowMeter,
  ) {
    this.#schemas = schemas
    this.#levels = levels
    this.#meter = meter
  }

  classify(user: UserInfo, info: RequestInfo): LevelFlow {
    const { candidates } = this.#known(user)
    for (const candidate of candidates) if (candidate.matches(info)) return this.#flowOf(candidate, user, info)
    return this.#flowOf({ schema: this.#schemas.at(-1)!, matches: () => true, flows: new Map() }, user, info)
  }

  #known(user: UserInfo): KnownUser {
    const known = this.#users.get(user.username)
    if (known && isSame(known.groups, user.groups)) return known
    const learnt = { groups: user.groups, candidates: this.#candidatesOf(user) }
    if (this.#users.size >= maxUsers) this.#users.clear()
    this.#users.set(user.username, learnt)
    return learnt
  }

  #candidatesOf(user: UserInfo): Candidate[] {
    const candidates: Candidate[] = []
    for (const schema of this.#schemas) {
      const matches = matchFor(schema, user)
      if (matches) candidates.push({ schema, matches, flows: new Map() })
    }
    return candidates
  }

  #flowOf({ schema, flows }: Candidate, user: UserInfo, info: RequestInfo): LevelFlow {
    const distinguisher = distinguisherOf(schema, user, info)
    let flow = flows.get(distinguisher)
    if (!flow) {
      const name = schema.spec.priorityLevelConfiguration.name
      flow = new LevelFlow(
        schema,
        this.#levels.get(name)!,
        distinguisher,
        this.#meter(name, schema.metadata.name ?? ''),
      )
      if (flows.size >= maxFlows) flows.clear()
      flows.set(distinguisher, flow)
    }
    return flow
  }
}

function distinguisherOf({ spec }: FlowSchema, { username }: UserInfo, info: RequestInfo): string {
  switch (spec.distinguisherMethod?.type) {
    case 'ByUser':
      return username
    case 'ByNamespace':
      return info.isResource ? info.namespace : ''
    default:
      return ''
  }
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((one, index) => one === b[index]))
}
