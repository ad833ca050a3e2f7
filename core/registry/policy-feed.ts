import { reviveObject } from '#core/machinery/canonical.ts'
import type { Registry } from './registry.ts'
import { nameOfKey } from './resource-store.ts'

const group = 'admissionregistration.k8s.io'

/** Who wants to know the policies of one kind and their bindings. */
export interface PolicySink<Policy, Binding> {
  setPolicy(policy: Policy): void
  removePolicy(name: string): void
  setBinding(binding: Binding): void
  removeBinding(name: string): void
  /** The kinds that are served changed. */
  forget(): void
}

/** Keeps policies at what is stored: in the same turn in which one of them changes. */
export function feedPolicies<Policy, Binding>(
  registry: Registry,
  kind: 'validating' | 'mutating',
  sink: PolicySink<Policy, Binding>,
): void {
  const policies = `${kind}admissionpolicies`
  const bindings = `${kind}admissionpolicybindings`
  follow<Policy>(
    registry,
    policies,
    (one) => sink.setPolicy(one),
    (name) => sink.removePolicy(name),
  )
  follow<Binding>(
    registry,
    bindings,
    (one) => sink.setBinding(one),
    (name) => sink.removeBinding(name),
  )
  registry.onChange(() => sink.forget())
}

function follow<T>(
  registry: Registry,
  resource: string,
  set: (object: T) => void,
  remove: (name: string) => void,
): void {
  const { cache } = registry.get(group, resource)!
  for (const entry of cache.list('').entries) set(reviveObject(entry.bytes) as unknown as T)
  cache.onChange(({ type, entry }) => {
    if (type === 'DELETED') remove(nameOfKey(entry.key).name)
    else set(reviveObject(entry.bytes) as unknown as T)
  })
}
