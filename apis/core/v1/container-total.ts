/** How amounts are added up, whatever form they have. Both functions change their first argument. */
export interface Sums<T> {
  none(): T
  addTo(to: T, amount: T): void
  /** Raises each amount to at least that of `least`. */
  raiseTo(to: T, least: T): void
}

/** The containers of a pod. */
interface Containers<C> {
  readonly containers?: readonly C[]
  readonly initContainers?: readonly C[]
}

/**
 * What the containers of a pod need: they and the sidecars (init containers that keep running) together, or the greatest
 * need of the pod's initialisation where that is more.
 * @param needsOf of one container; what it returns is changed
 * @see https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
 */
export function containerTotal<C extends { readonly restartPolicy?: string }, T>(
  { containers = [], initContainers = [] }: Containers<C>,
  needsOf: (container: C) => T,
  { none, addTo, raiseTo }: Sums<T>,
): T {
  const [total, sidecars, peak] = [none(), none(), none()]
  for (const container of containers) addTo(total, needsOf(container))
  for (const container of initContainers) {
    const needs = needsOf(container)
    if (container.restartPolicy === 'Always') {
      addTo(total, needs)
      addTo(sidecars, needs)
      raiseTo(peak, sidecars)
    } else {
      addTo(needs, sidecars)
      raiseTo(peak, needs)
    }
  }
  raiseTo(total, peak)
  return total
}
