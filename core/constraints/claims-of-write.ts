import { type FieldError, tooMany } from '#apis/meta/v1/field-error.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { newInvalid } from '#core/errors/status-error.ts'
import { nameOfKey } from '#core/registry/resource-store.ts'
import { type Claim, claimKey, claimsOf, valuesAt } from './claims.ts'
import { type Change, maxConstrainedValues, type Plan, type Surroundings } from './constrained-write.ts'
import type { Unique } from './extensions.ts'
import { repeatedValue, takenValue } from './refusals.ts'
import type { ResourceConstraints } from './resource-constraints.ts'

/** The unique values of one write, and what is learned about them while it is tried. */
export class ClaimsOfWrite {
  readonly #of: ResourceConstraints
  readonly #change: Change
  readonly #world: Surroundings
  /** What the write claims that the object had not before, by keys of the store. */
  #added = new Map<string, Claim>()
  /** Keys that nobody stands behind, with their revisions. */
  readonly #abandoned = new Map<string, number>()

  constructor(of: ResourceConstraints, change: Change, world: Surroundings) {
    this.#of = of
    this.#change = change
    this.#world = world
  }

  /** @returns what keeps the write from being done */
  plan(plan: Plan): FieldError[] {
    const tooManyValues = this.#tooMany()
    if (tooManyValues) return [tooManyValues]
    this.#added = new Map()
    const errors = this.#of.extensions.unique.flatMap((unique, at) => this.#compare(unique, at, plan))
    const last = [...this.#added.values()].at(maxConstrainedValues)
    if (last) return [tooMany(last.found.path, this.#added.size, maxConstrainedValues)]
    const value = Buffer.from(JSON.stringify({ holder: this.#change.key }))
    for (const key of this.#added.keys()) {
      plan.conditions.push({ key, revision: this.#abandoned.get(key) ?? 0 })
      plan.changes.unshift({ key, value })
    }
    return errors
  }

  /** Looked at before anything else: each value costs a digest. What was too much before the constraint was there may stay. */
  #tooMany(): FieldError | undefined {
    const { before, after } = this.#change
    const valuesOf = (object: UnstructuredObject | undefined) =>
      object ? this.#of.extensions.unique.flatMap(({ place }) => valuesAt(object, place)) : []
    const has = valuesOf(after)
    if (has.length <= maxConstrainedValues || has.length <= valuesOf(before).length) return undefined
    return tooMany(has.at(-1)!.path, has.length, maxConstrainedValues)
  }

  /** Finds out what is behind a key that is in the way. @returns false for a key that is none of these @throws StatusError Invalid */
  async learn(key: string): Promise<boolean> {
    const claim = this.#added.get(key)
    if (!claim) return false
    const stored = await this.#world.storage.get(key)
    if (!stored) return this.#abandoned.delete(key) || true
    const { holder } = JSON.parse(stored.value.toString()) as { holder: string }
    if (holder !== this.#change.key && (await this.#of.stillClaims(holder, claim))) {
      const { group, kind } = this.#of.resource.definition
      throw newInvalid({ group, kind }, nameOfKey(this.#change.key).name, [takenValue(claim, holder, this.#change.key)])
    }
    this.#abandoned.set(key, stored.modRevision)
    return true
  }

  /** What changes of one constraint's values. @param at its place among those of the resource */
  #compare(unique: Unique, at: number, { changes }: Plan): FieldError[] {
    const errors: FieldError[] = []
    const { key, before, after } = this.#change
    const had = before ? claimsOf(before, unique) : []
    const has = after ? claimsOf(after, unique) : []
    const [hadTimes, hasTimes] = [timesOf(had), timesOf(has)]
    const seen = new Set<string>()
    for (const claim of has) {
      const times = hadTimes.get(claim.value) ?? 0
      const isRepeated = seen.has(claim.value)
      seen.add(claim.value)
      if (isRepeated && times < hasTimes.get(claim.value)!) errors.push(repeatedValue(claim))
      if (isRepeated || times > 0) continue
      const holder = this.#otherWith(at, claim)
      if (holder !== undefined) errors.push(takenValue(claim, holder, key))
      this.#added.set(this.#keyOf(claim), claim)
    }
    const dropped = had.filter(({ value }) => !hasTimes.has(value))
    // Where two had it before the constraint was there, it goes with the last one.
    const free = dropped.filter((claim) => this.#otherWith(at, claim) === undefined)
    for (const lost of new Set(free.map((claim) => this.#keyOf(claim)))) changes.push({ key: lost })
    return errors
  }

  #keyOf(claim: Claim): string {
    return claimKey(this.#of.resource.home, claim)
  }

  #otherWith(at: number, { value }: Claim): string | undefined {
    return this.#of.keysWithClaim(at, value).find((key) => key !== this.#change.key)
  }
}

/** How often each value comes. */
function timesOf(claims: readonly Claim[]): Map<string, number> {
  const times = new Map<string, number>()
  for (const { value } of claims) times.set(value, (times.get(value) ?? 0) + 1)
  return times
}
