import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { Reservation, Reservations } from '../reservations.ts'
import type { DefinitionGroups, ResourceDefinition } from '../resource.ts'
import { conditionsOf, nameConflicts } from './conditions.ts'
import { definitionOf } from './definition.ts'

const nothing: Reservation = { commit: async () => {}, rollback: async () => {} }

/**
 * Takes the names of a new definition that are free, so that it is stored as established and need not be written again. Of
 * one whose names are taken the conditions are left to whoever follows the stored definitions.
 */
export class NameReservations implements Reservations {
  readonly #served: () => DefinitionGroups
  readonly #now: () => Date
  /** Definitions that are on their way to the store, by name. */
  readonly #coming = new Map<string, ResourceDefinition>()

  constructor(served: () => DefinitionGroups, now: () => Date) {
    this.#served = served
    this.#now = now
  }

  async reserve(
    object: UnstructuredObject,
    old: UnstructuredObject | undefined,
    dryRun: boolean,
  ): Promise<Reservation> {
    if (old) return nothing
    const crd = object as unknown as CustomResourceDefinition
    const { name = '' } = crd.metadata
    const others = [...(this.#served().get(crd.spec.group) ?? []), ...this.#coming.values()]
    if (nameConflicts(crd, others).length > 0) return nothing
    crd.status = conditionsOf(crd, [], this.#now())
    if (dryRun) return nothing
    const definition = definitionOf(crd, () => ({}))
    this.#coming.set(name, definition)
    const arrive = async () => {
      if (this.#coming.get(name) === definition) this.#coming.delete(name)
    }
    return { commit: arrive, rollback: arrive }
  }

  /** The names of a definition are free when it is served no more. */
  async release(): Promise<void> {}
}
