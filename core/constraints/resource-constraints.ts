import type { FieldError } from '#apis/meta/v1/field-error.ts'
import { duplicate, notFound, tooMany } from '#apis/meta/v1/field-error.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { newConflict, newInvalid } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import type { Resource } from '#core/registry/registry.ts'
import { storageKey } from '#core/storage/cacher/cacher.ts'
import { type Also, type Condition, ConditionError, maxAlso, type Storage } from '#core/storage/storage.ts'
import {
  type Claim,
  claimKey,
  claimsOf,
  type Mention,
  mentionPrefix,
  mentionSuffix,
  mentionsOf,
  whoMentions,
} from './claims.ts'
import type { Extensions } from './extensions.ts'
import type { ResourceIndex } from './resource-index.ts'

/** One write, as the constraints of its resource see it: two states of an object as they are stored. */
export interface ConstrainedWrite {
  /** Within the resource: `namespace/name` or `name`. */
  key: string
  /** Absent when the object is created. */
  before?: Buffer
  /** Absent when it is removed. */
  after?: Buffer
  /** The object is marked as being deleted, and will be removed. */
  isDeletion?: boolean
}

/** What constraints need to know of the world. */
export interface Surroundings {
  storage: Storage
  /** Resolves once the cache has all that anybody was told is written; absent when that is always so. */
  synced: (() => Promise<void>) | undefined
  resource(of: { group: string; resource?: string; kind?: string }): Resource | undefined
  /** Who may hold objects of a resource by naming them. */
  holdersOf(resource: Resource): Iterable<ResourceConstraints>
  constraintsOf(of: { group: string; resource: string }): ResourceConstraints | undefined
}

/** Of the values that constraints are about one object may have so many: twice as many, old and new, fit into one write. */
export const maxConstrainedValues = 60
/** How many times a write is tried when others are faster with what it depends on. */
const maxAttempts = 10
/** So many references that are no more are looked at and cleared away before a deletion is tried again. */
const clearedAtOnce = 64

/**
 * Keeps what the schema of a kind says about more than one object. What is older than a write is looked up in indexes of
 * the cache; what happens at the same time meets in the store: a unique value is a key of its own there, made and deleted in
 * the same commit as the object that has it, and so is each reference that holds its target. A key that nobody stands
 * behind, such as one from before a constraint was taken back, is found out when it is in the way, and taken over.
 */
export class ResourceConstraints {
  readonly resource: Resource
  readonly extensions: Extensions
  readonly #index: ResourceIndex | undefined
  readonly #world: Surroundings

  /** @param index with a column for each unique value, then one for each reference; absent where there are none */
  constructor(resource: Resource, extensions: Extensions, index: ResourceIndex | undefined, world: Surroundings) {
    this.resource = resource
    this.extensions = extensions
    this.#index = index
    this.#world = world
  }

  /**
   * Does a write, on condition that it keeps the constraints.
   * @param write hands it to the store, with what belongs to it; is called again when somebody else was faster
   * @throws StatusError Invalid naming every field that keeps a constraint from holding, Conflict for a deletion that is refused
   */
  async guard<T>(change: ConstrainedWrite, write: (also?: Also) => Promise<T>): Promise<T> {
    // Objects that are only named by others may change as they like.
    if (!this.#index && !isDeletion(change)) return write()
    const attempt = await this.#begin(change)
    for (let tries = 1; ; tries++) {
      const also = attempt.plan()
      try {
        return await write(also)
      } catch (error) {
        if (!(error instanceof ConditionError)) throw error
        if (tries === maxAttempts) throw this.#contended(change, error)
        await attempt.learn(error.condition)
      }
    }
  }

  /** The same without the write. */
  async check(change: ConstrainedWrite): Promise<void> {
    const attempt = await this.#begin(change)
    attempt.plan()
  }

  async #begin(change: ConstrainedWrite): Promise<Attempt> {
    const holders = isDeletion(change) ? [...this.#world.holdersOf(this.resource)] : []
    await Promise.all([this, ...holders].map((one) => one.#index?.ready))
    if (this.#world.synced) await this.#world.synced()
    return new Attempt(this, change, this.#world)
  }

  /** The objects of this resource that have a value. @param at of the constraint, among the unique ones */
  keysWithClaim(at: number, value: string): readonly string[] {
    return this.#index!.keysWith(at, value)
  }

  /** The objects of this resource that name a target. @param at of the constraint, among the references */
  keysThatMention(at: number, target: string): readonly string[] {
    return this.#index!.keysWith(this.extensions.unique.length + at, target)
  }

  /** Whether the object at `key` has a value as it is in the store now. */
  async stillClaims(key: string, claim: Claim): Promise<boolean> {
    const object = await this.#stored(key)
    return object !== undefined && claimsOf(object, claim.unique).some(({ value }) => value === claim.value)
  }

  /** The path of the field with which the object at `key` holds a target, if it does as it is in the store now. */
  async stillHolds(key: string, of: Resource, target: string): Promise<string | undefined> {
    const object = await this.#stored(key)
    if (!object) return undefined
    const mentions = this.extensions.references.flatMap((reference) => {
      const holds = reference.onDelete === 'restrict' && isSame(this.#world.resource(reference), of)
      return holds ? mentionsOf(object, reference) : []
    })
    return mentions.find((mention) => mention.target === target)?.found.path
  }

  async #stored(key: string): Promise<UnstructuredObject | undefined> {
    const { group, resource } = this.resource.home
    const stored = await this.#world.storage.get(storageKey(group, resource, key))
    return stored && reviveObject(stored.value)
  }

  #contended({ key }: ConstrainedWrite, cause: ConditionError): Error {
    const why = 'what it depends on is changing all the time; please try again'
    return newConflict(this.resource.definition, nameIn(key), why, cause)
  }
}

/** One write, and what is learned about the world while it is tried. */
class Attempt {
  readonly #of: ResourceConstraints
  readonly #change: ConstrainedWrite
  readonly #world: Surroundings
  readonly #before: UnstructuredObject | undefined
  readonly #after: UnstructuredObject | undefined
  /** Claims that nobody stands behind, with their revisions. */
  readonly #abandoned = new Map<string, number>()
  /** Objects that are named, as the store has them now: newer than the cache. */
  readonly #seen = new Map<string, Target | undefined>()
  #claims = new Map<string, Claim>()

  constructor(of: ResourceConstraints, change: ConstrainedWrite, world: Surroundings) {
    this.#of = of
    this.#change = change
    this.#world = world
    this.#before = change.before && reviveObject(change.before)
    this.#after = change.after && reviveObject(change.after)
  }

  /** @throws StatusError */
  plan(): Also | undefined {
    const also: MutableAlso = { conditions: [], changes: [] }
    const errors = [...this.#planClaims(also), ...this.#planMentions(also)]
    if (errors.length > 0) {
      const { group, kind } = this.#of.resource.definition
      throw newInvalid({ group, kind }, nameIn(this.#change.key), errors)
    }
    if (isDeletion(this.#change)) this.#planDeletion(also)
    if (also.conditions.length + also.changes.length === 0) return undefined
    // What does not fit stays behind: nobody stands behind it then.
    also.changes.splice(maxAlso)
    return also
  }

  /** Finds out why a condition failed. @throws StatusError when the write cannot be done */
  async learn(condition: Condition): Promise<void> {
    if ('empty' in condition) return this.#learnOfMentions(condition.empty)
    const key = 'exists' in condition ? condition.exists : condition.key
    const claim = this.#claims.get(key)
    if (claim) return this.#learnOfClaim(key, claim)
    const stored = await this.#world.storage.get(key)
    this.#seen.set(key, stored && { revision: stored.modRevision, bytes: stored.value })
  }

  #planClaims(also: MutableAlso): FieldError[] {
    const { unique } = this.#of.extensions
    const errors: FieldError[] = []
    const [had, has] = [new Map<string, Claim>(), new Map<string, Claim>()]
    unique.forEach((one, at) => {
      const before = this.#before ? claimsOf(this.#before, one) : []
      const after = this.#after ? claimsOf(this.#after, one) : []
      for (const claim of before) had.set(this.#keyOf(claim), claim)
      for (const claim of after) {
        const key = this.#keyOf(claim)
        if (has.has(key) && timesIn(before, claim) < timesIn(after, claim)) errors.push(repeated(claim))
        has.set(key, claim)
        const holder = had.has(key) ? undefined : this.#otherWith(at, claim)
        if (holder !== undefined) errors.push(this.#taken(claim, holder))
      }
      for (const claim of before) if (!has.has(this.#keyOf(claim))) this.#drop(at, claim, also)
    })
    this.#claims = new Map([...has].filter(([key]) => !had.has(key)))
    for (const key of this.#claims.keys()) {
      also.conditions.push({ key, revision: this.#abandoned.get(key) ?? 0 })
      also.changes.unshift({ key, value: Buffer.from(JSON.stringify({ holder: this.#change.key })) })
    }
    if (this.#claims.size > 0 && has.size > maxConstrainedValues) {
      const { found } = [...this.#claims.values()].at(-1)!
      errors.push(tooMany(found.path, has.size, maxConstrainedValues))
    }
    return errors
  }

  #keyOf(claim: Claim): string {
    return claimKey(this.#of.resource.home, claim)
  }

  #otherWith(at: number, { value }: Claim): string | undefined {
    return this.#of.keysWithClaim(at, value).find((key) => key !== this.#change.key)
  }

  #drop(at: number, claim: Claim, { changes }: MutableAlso): void {
    // Two had it before the constraint was there: it goes with the last one.
    if (this.#otherWith(at, claim) === undefined) changes.push({ key: this.#keyOf(claim) })
  }

  /** Who has the value is said to those only who work in the same namespace. */
  #taken({ found }: Claim, holder: string): FieldError {
    const namespace = namespaceIn(holder)
    const isNear = namespace === namespaceIn(this.#change.key)
    return duplicateOf(
      found,
      isNear ? `${JSON.stringify(nameIn(holder))} has it` : 'an object in another namespace has it',
    )
  }

  async #learnOfClaim(key: string, claim: Claim): Promise<void> {
    const stored = await this.#world.storage.get(key)
    if (!stored) {
      this.#abandoned.delete(key)
      return
    }
    const { holder } = JSON.parse(stored.value.toString()) as { holder: string }
    if (holder !== this.#change.key && (await this.#of.stillClaims(holder, claim))) {
      const { group, kind } = this.#of.resource.definition
      throw newInvalid({ group, kind }, nameIn(this.#change.key), [this.#taken(claim, holder)])
    }
    this.#abandoned.set(key, stored.modRevision)
  }

  #planMentions(also: MutableAlso): FieldError[] {
    const errors: FieldError[] = []
    const held = { before: new Set<string>(), after: new Set<string>() }
    let count = 0
    for (const reference of this.#of.extensions.references) {
      const of = this.#world.resource(reference)
      const before = this.#before ? mentionsOf(this.#before, reference) : []
      const after = this.#after ? mentionsOf(this.#after, reference) : []
      const known = new Set(before.map(({ target }) => target))
      const added = after.filter(({ target }) => !known.has(target))
      for (const mention of added) {
        const error = this.#require(mention, of, also)
        if (error) errors.push(error)
      }
      count += after.length
      if (added.length > 0 && count > maxConstrainedValues) {
        errors.push(tooMany(added.at(-1)!.found.path, count, maxConstrainedValues))
      }
      if (!of || reference.onDelete === 'ignore') continue
      const others = (mentions: readonly Mention[]) => mentions.filter(({ target }) => !this.#isItself(of, target))
      for (const mention of others(before)) held.before.add(this.#mentionKey(mention, of))
      for (const mention of others(after)) held.after.add(this.#mentionKey(mention, of))
    }
    for (const key of held.after) if (!held.before.has(key)) also.changes.unshift({ key, value: Buffer.from('{}') })
    for (const key of held.before) if (!held.after.has(key)) also.changes.push({ key })
    return errors
  }

  /** An object that names itself holds nothing. */
  #isItself(of: Resource, key: string): boolean {
    return isSame(of, this.#of.resource) && key === this.#change.key
  }

  #mentionKey({ target }: Mention, { home }: Resource): string {
    return mentionPrefix(home, target) + mentionSuffix(this.#of.resource.home, this.#change.key)
  }

  /** Makes the write depend on an object that it names for the first time. */
  #require(mention: Mention, of: Resource | undefined, { conditions }: MutableAlso): FieldError | undefined {
    const { reference, target, found } = mention
    if (!of) return notFoundFor(found, `no resource ${JSON.stringify(nameOfReference(reference))} is served`)
    if (of.definition.namespaced !== (mention.namespace !== '')) return notFoundFor(found, scopeFault(of))
    if (this.#isItself(of, target)) return undefined
    const key = storageKey(of.home.group, of.home.resource, target)
    const there = this.#seen.has(key) ? this.#seen.get(key) : targetIn(of, target)
    if (!there) return notFoundFor(found, `${textOf(of, mention)} does not exist`)
    if (reference.onDelete === 'ignore') {
      conditions.push({ exists: key })
      return undefined
    }
    if (reviveObject(there.bytes).metadata.deletionTimestamp) {
      return notFoundFor(found, `${textOf(of, mention)} is being deleted`)
    }
    // At this very revision: whoever begins to delete it changes it.
    conditions.push({ key, revision: there.revision })
    return undefined
  }

  /** @throws StatusError Conflict when an object that is there names this one */
  #planDeletion({ conditions }: MutableAlso): void {
    const { resource } = this.#of
    const { key } = this.#change
    // What has begun has been allowed, and with its definition every object goes.
    if (this.#before?.metadata.deletionTimestamp || resource.definition.terminating) return
    for (const holder of this.#world.holdersOf(resource)) {
      holder.extensions.references.forEach((reference, at) => {
        if (reference.onDelete === 'ignore' || !isSame(this.#world.resource(reference), resource)) return
        const found = holder.keysThatMention(at, key).find((other) => !this.#isItself(holder.resource, other))
        if (found !== undefined) throw this.#held(holder.resource, found)
      })
    }
    conditions.push({ empty: mentionPrefix(resource.home, key) })
  }

  #held({ definition }: Resource, key: string): Error {
    const { resource } = this.#of
    const isNear = namespaceIn(key) === namespaceIn(this.#change.key)
    const who = isNear || !namespaceIn(key) ? `${JSON.stringify(nameIn(key))}` : 'in another namespace'
    const why = `it is in use by ${definition.resource}.${definition.group} ${who}`
    return newConflict(resource.definition, nameIn(this.#change.key), why)
  }

  async #learnOfMentions(prefix: string): Promise<void> {
    const { storage } = this.#world
    const { items } = await storage.list(prefix, { limit: clearedAtOnce })
    for (const { key, modRevision } of items) {
      const who = whoMentions(key.slice(prefix.length))
      const holder = this.#world.constraintsOf(who)
      const path = await holder?.stillHolds(who.key, this.#of.resource, this.#change.key)
      if (holder && path !== undefined) throw this.#held(holder.resource, who.key)
      // Somebody else may be clearing it away, or naming the object anew.
      await storage.delete(key, modRevision).catch(() => {})
    }
  }
}

interface MutableAlso extends Also {
  conditions: Condition[]
  changes: { key: string; value?: Buffer }[]
}

/** An object that is named. */
interface Target {
  revision: number
  bytes: Buffer
}

function targetIn({ cache }: Resource, key: string): Target | undefined {
  const entry = cache.get(key)
  return entry && { revision: entry.revision, bytes: entry.bytes }
}

/** A resource is another one whenever its definition changes; its objects stay where they are. */
function isSame(a: Resource | undefined, b: Resource): boolean {
  return a?.cache === b.cache
}

function isDeletion({ after, isDeletion = false }: ConstrainedWrite): boolean {
  return isDeletion || after === undefined
}

const nameIn = (key: string) => key.slice(key.indexOf('/') + 1)
const namespaceIn = (key: string) => key.slice(0, Math.max(0, key.indexOf('/')))

const timesIn = (claims: readonly Claim[], { value }: Claim) => claims.filter((one) => one.value === value).length

function repeated({ found }: Claim): FieldError {
  return duplicateOf(found, 'another field of this object has it')
}

function duplicateOf({ path, value }: { path: string; value: unknown }, why: string): FieldError {
  const error = duplicate(path, value)
  return { ...error, message: `${error.message}: ${why}` }
}

function notFoundFor({ path, value }: { path: string; value: unknown }, why: string): FieldError {
  const error = notFound(path, value)
  return { ...error, message: `${error.message}: ${why}` }
}

function nameOfReference({ group, resource, kind }: Mention['reference']): string {
  return `${resource ?? kind}${group && `.${group}`}`
}

function scopeFault({ definition }: Resource): string {
  const { resource, namespaced } = definition
  return namespaced ? `${resource} are in namespaces, and none is named` : `${resource} are not in namespaces`
}

function textOf({ definition }: Resource, { namespace, name }: Mention): string {
  const { group, resource } = definition
  const kind = group ? `${resource}.${group}` : resource
  return `${kind} ${JSON.stringify(name)}${namespace && ` in namespace ${JSON.stringify(namespace)}`}`
}
