import { type FieldError, tooMany } from '#apis/meta/v1/field-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import type { Resource } from '#core/registry/registry.ts'
import { storageKey } from '#core/storage/cacher/cacher.ts'
import { type Mention, mentionPrefix, mentionSuffix, mentionsOf, whoMentions } from './claims.ts'
import { type Change, isSame, maxConstrainedValues, type Plan, type Surroundings } from './constrained-write.ts'
import type { Reference } from './extensions.ts'
import { heldObject, missingTarget, otherScope, unknownResource } from './refusals.ts'
import type { ResourceConstraints } from './resource-constraints.ts'

/** So many references that are no more are looked at and cleared away before a deletion is tried again. */
const clearedAtOnce = 64

/** An object that is named. */
interface Target {
  revision: number
  bytes: Buffer
}

/** The references of one write, those to its object when that is deleted, and what is learned about them while it is tried. */
export class MentionsOfWrite {
  readonly #of: ResourceConstraints
  readonly #change: Change
  readonly #world: Surroundings
  /** Objects that are named, as the store has them now: newer than the cache. By keys of the store. */
  readonly #seen = new Map<string, Target | undefined>()

  constructor(of: ResourceConstraints, change: Change, world: Surroundings) {
    this.#of = of
    this.#change = change
    this.#world = world
  }

  /** @returns what keeps the write from being done */
  plan(plan: Plan): FieldError[] {
    const all = this.#of.extensions.references.map((reference) => this.#compare(reference))
    const count = all.reduce((sum, { has }) => sum + has.length, 0)
    const last = all.flatMap(({ added }) => added).at(-1)
    if (last && count > maxConstrainedValues) return [tooMany(last.found.path, count, maxConstrainedValues)]
    const held = new Set(all.flatMap(({ of, had }) => this.#holdingKeys(had, of)))
    const holds = new Set(all.flatMap(({ of, has }) => this.#holdingKeys(has, of)))
    for (const key of holds.difference(held)) plan.changes.unshift({ key, value: Buffer.from('{}') })
    for (const key of held.difference(holds)) plan.changes.push({ key })
    return all.flatMap(({ of, added }) => added.flatMap((mention) => this.#require(mention, of, plan) ?? []))
  }

  /** What changes of one reference. */
  #compare(reference: Reference) {
    const { before, after } = this.#change
    const had = before ? mentionsOf(before, reference) : []
    const has = after ? mentionsOf(after, reference) : []
    const known = new Set(had.map(({ target }) => target))
    return { of: this.#world.resource(reference), had, has, added: has.filter(({ target }) => !known.has(target)) }
  }

  /** @throws StatusError Conflict when an object that is there names the one that is to go */
  planDeletion({ conditions }: Plan): void {
    const { resource } = this.#of
    const { key, before } = this.#change
    // What has begun has been allowed, and with its definition every object goes.
    if (before?.metadata.deletionTimestamp || resource.definition.terminating) return
    for (const holder of this.#world.holdersOf(resource)) {
      const found = holder.keysThatHold(resource, key).find((other) => !this.#isItself(holder.resource, other))
      if (found !== undefined) throw heldObject(resource, key, holder.resource, found)
    }
    conditions.push({ empty: mentionPrefix(resource.home, key) })
  }

  /** Reads an object that is not as it was expected. */
  async learnOfTarget(key: string): Promise<void> {
    const stored = await this.#world.storage.get(key)
    this.#seen.set(key, stored && { revision: stored.modRevision, bytes: stored.value })
  }

  /** Finds out who holds the object that is to go. @throws StatusError Conflict when it is somebody */
  async learnOfHolders(prefix: string): Promise<void> {
    const { storage } = this.#world
    const { items } = await storage.list(prefix, { limit: clearedAtOnce })
    for (const { key, modRevision } of items) {
      const who = whoMentions(key.slice(prefix.length))
      const holder = this.#world.constraintsOf(who)
      if (await holder?.stillHolds(who.key, this.#of.resource, this.#change.key)) {
        throw heldObject(this.#of.resource, this.#change.key, holder!.resource, who.key)
      }
      // Somebody else may be clearing it away, or naming the object anew.
      await storage.delete(key, modRevision).catch(() => {})
    }
  }

  /** Makes the write depend on an object that it names for the first time. */
  #require(mention: Mention, of: Resource | undefined, { conditions }: Plan): FieldError | undefined {
    const { reference, target } = mention
    if (!of) return unknownResource(mention)
    if (of.definition.namespaced !== (mention.namespace !== '')) return otherScope(mention, of)
    if (this.#isItself(of, target)) return undefined
    const key = storageKey(of.home.group, of.home.resource, target)
    const there = this.#seen.has(key) ? this.#seen.get(key) : of.cache.get(target)
    if (!there) return missingTarget(mention, of, 'does not exist')
    if (reference.onDelete === 'ignore') {
      conditions.push({ exists: key })
      return undefined
    }
    if (reviveObject(there.bytes).metadata.deletionTimestamp) return missingTarget(mention, of, 'is being deleted')
    // At this very revision: whoever begins to delete it changes it.
    conditions.push({ key, revision: there.revision })
    return undefined
  }

  /** The keys that keep what is named from being deleted. */
  #holdingKeys(mentions: readonly Mention[], of: Resource | undefined): string[] {
    if (!of) return []
    const suffix = mentionSuffix(this.#of.resource.home, this.#change.key)
    const others = mentions.filter(({ reference, target }) => {
      return reference.onDelete === 'restrict' && !this.#isItself(of, target)
    })
    return others.map(({ target }) => mentionPrefix(of.home, target) + suffix)
  }

  /** An object that names itself holds nothing. */
  #isItself(of: Resource, key: string): boolean {
    return isSame(of, this.#of.resource) && key === this.#change.key
  }
}
