import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { newConflict, newInvalid } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import type { Resource } from '#core/registry/registry.ts'
import { nameOfKey } from '#core/registry/resource-store.ts'
import { storageKey } from '#core/storage/cacher/cacher.ts'
import { type Also, type Condition, ConditionError, maxAlso } from '#core/storage/storage.ts'
import { type Claim, claimsOf, mentionsOf } from './claims.ts'
import { ClaimsOfWrite } from './claims-of-write.ts'
import { type ConstrainedWrite, isSame, type Plan, type Surroundings } from './constrained-write.ts'
import type { Extensions, Reference } from './extensions.ts'
import { MentionsOfWrite } from './mentions-of-write.ts'
import type { ResourceIndex } from './resource-index.ts'

/** How many times a write is tried when others are faster with what it depends on. */
const maxAttempts = 10

/**
 * Keeps what the schema of a kind says about more than one object. What is older than a write is looked up in indexes of
 * the cache; what happens at the same time meets in the store: a unique value is a key of its own there, made and deleted in
 * the same commit as the object that has it, and so is each reference that holds its target. A key that nobody stands
 * behind, such as one from before a constraint was taken back, is found out when it is in the way, and taken over.
 */
export class ResourceConstraints {
  readonly resource: Resource
  readonly extensions: Extensions
  readonly #index: ResourceIndex<UnstructuredObject> | undefined
  readonly #world: Surroundings

  /** @param index with a column for each unique value, then one for each reference; absent where there are none */
  constructor(
    resource: Resource,
    extensions: Extensions,
    index: ResourceIndex<UnstructuredObject> | undefined,
    world: Surroundings,
  ) {
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

  #contended({ key }: ConstrainedWrite, cause: ConditionError): Error {
    const why = 'what it depends on is changing all the time; please try again'
    return newConflict(this.resource.definition, nameOfKey(key).name, why, cause)
  }

  /** The objects of this resource that have a value. @param at of the constraint, among the unique ones */
  keysWithClaim(at: number, value: string): readonly string[] {
    return this.#index!.keysWith(at, value)
  }

  /** The objects of this resource that keep another one from being deleted. */
  keysThatHold(of: Resource, target: string): string[] {
    const first = this.extensions.unique.length
    return this.extensions.references.flatMap((reference, at) => {
      return this.#holds(reference, of) ? [...this.#index!.keysWith(first + at, target)] : []
    })
  }

  /** Whether the object at `key` has a value as it is in the store now. */
  async stillClaims(key: string, claim: Claim): Promise<boolean> {
    const object = await this.#stored(key)
    return object !== undefined && claimsOf(object, claim.unique).some(({ value }) => value === claim.value)
  }

  /** Whether the object at `key` keeps another one from being deleted as it is in the store now. */
  async stillHolds(key: string, of: Resource, target: string): Promise<boolean> {
    const object = await this.#stored(key)
    if (!object) return false
    const holding = this.extensions.references.filter((reference) => this.#holds(reference, of))
    return holding.some((reference) => mentionsOf(object, reference).some((mention) => mention.target === target))
  }

  #holds(reference: Reference, of: Resource): boolean {
    return reference.onDelete === 'restrict' && isSame(this.#world.resource(reference), of)
  }

  async #stored(key: string): Promise<UnstructuredObject | undefined> {
    const { group, resource } = this.resource.home
    const stored = await this.#world.storage.get(storageKey(group, resource, key))
    return stored && reviveObject(stored.value)
  }
}

/** One write, planned again with what is learned whenever it fails. */
class Attempt {
  readonly #resource: Resource
  readonly #key: string
  readonly #isDeletion: boolean
  readonly #claims: ClaimsOfWrite
  readonly #mentions: MentionsOfWrite

  constructor(of: ResourceConstraints, write: ConstrainedWrite, world: Surroundings) {
    const [before, after] = [write.before, write.after].map((bytes) => bytes && reviveObject(bytes))
    const change = { key: write.key, before, after }
    this.#resource = of.resource
    this.#key = write.key
    this.#isDeletion = isDeletion(write)
    this.#claims = new ClaimsOfWrite(of, change, world)
    this.#mentions = new MentionsOfWrite(of, change, world)
  }

  /** @throws StatusError */
  plan(): Also | undefined {
    const plan: Plan = { conditions: [], changes: [] }
    const errors = [...this.#claims.plan(plan), ...this.#mentions.plan(plan)]
    const { group, kind } = this.#resource.definition
    if (errors.length > 0) throw newInvalid({ group, kind }, nameOfKey(this.#key).name, errors)
    if (this.#isDeletion) this.#mentions.planDeletion(plan)
    if (plan.conditions.length + plan.changes.length === 0) return undefined
    // What does not fit stays behind: nobody stands behind it then.
    plan.changes.splice(maxAlso)
    return plan
  }

  /** Finds out why a condition failed. @throws StatusError when the write cannot be done */
  async learn(condition: Condition): Promise<void> {
    if ('empty' in condition) return this.#mentions.learnOfHolders(condition.empty)
    const key = 'exists' in condition ? condition.exists : condition.key
    if (!(await this.#claims.learn(key))) await this.#mentions.learnOfTarget(key)
  }
}

function isDeletion({ after, isDeletion = false }: ConstrainedWrite): boolean {
  return isDeletion || after === undefined
}
