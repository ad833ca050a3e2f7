import { parsePath, verbOf } from './derive.ts'
import type { Endpoint } from './reference.ts'

/** What one group version of a Kubernetes release serves, in one line of the inventory. */
export interface InventoryEntry {
  group: string
  version: string
  /** `deployments` or `deployments/scale`. */
  resource: string
  kind: string
  scope: 'Namespaced' | 'Cluster'
  /** Sorted. `watch` is not among them: the reference does not list it. */
  verbs: string[]
}

/**
 * A release's resources and verbs as TSV: small enough to keep beside the tests, which hold the manifests against it.
 * Refreshed by `node codegen/main.ts crds <reference-dir>`.
 */
export function formatInventory(endpoints: readonly Endpoint[]): string {
  const entries = new Map<string, InventoryEntry>()
  for (const endpoint of endpoints) addTo(entries, endpoint)
  const lines = [...entries.values()].map(({ group, version, resource, kind, scope, verbs }) =>
    [group, version, resource, kind, scope, [...new Set(verbs)].sort().join(',')].join('\t'),
  )
  return `${['group', 'version', 'resource', 'kind', 'scope', 'verbs'].join('\t')}\n${lines.sort().join('\n')}\n`
}

function addTo(entries: Map<string, InventoryEntry>, { path, method, action, kind }: Endpoint): void {
  const at = parsePath(path)
  if (!at || method === 'head' || method === 'options') return
  const resource = at.subresource ? `${at.resource}/${at.subresource}` : at.resource
  const key = `${at.group}/${at.version}/${resource}`
  const verb = action === 'connect' ? method : action
  const entry = entries.get(key) ?? { ...at, resource, kind, scope: 'Cluster' as const, verbs: [] }
  entries.set(key, entry)
  entry.verbs.push(verbOf[verb] ?? verb)
  if (at.namespaced) entry.scope = 'Namespaced'
}

export function parseInventory(tsv: string): InventoryEntry[] {
  const [, ...lines] = tsv.trimEnd().split('\n')
  return lines.map((line) => {
    const [group = '', version = '', resource = '', kind = '', scope = '', verbs = ''] = line.split('\t')
    return { group, version, resource, kind, scope: scope as InventoryEntry['scope'], verbs: verbs.split(',') }
  })
}
