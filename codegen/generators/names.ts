/** How definition names (`io.k8s.api.apps.v1.Deployment`) map to folders and TypeScript names. */

export interface DefinitionName {
  /** First label of the API group: `apps`, `rbac`, `meta`; it names the folder. */
  group: string
  version: string
  type: string
}

/** Definitions outside a group version; they live with the shared types of meta/v1. */
const unversioned = /^io\.k8s\.apimachinery\.pkg\.(?:api\.resource|runtime|util\.intstr|version)\.(\w+)$/

export function parseDefinitionName(name: string): DefinitionName {
  const outside = unversioned.exec(name)
  if (outside) return { group: 'meta', version: 'v1', type: outside[1]! }
  const [group, version, type] = name.split('.').slice(-3)
  if (!group || !version || !type) throw new Error(`definition name ${name} has no group, version and type`)
  return { group, version, type }
}

/** `rbac.authorization.k8s.io` is in folder `rbac`, the legacy group in `core`. */
export function folderOf(group: string): string {
  return group.split('.')[0] || 'core'
}
