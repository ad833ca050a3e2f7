import { labelKeyFaults } from '../../meta/v1/names.ts'

/** The names of resources: `cpu`, `hugepages-2Mi`, `example.com/gpu`, `requests.storage`. */

const ofContainers = new Set(['cpu', 'memory', 'ephemeral-storage'])
const ofObjects = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'persistentvolumeclaims',
  'configmaps',
  'services.nodeports',
  'services.loadbalancers',
])
const ofQuotas = new Set([
  ...ofContainers,
  ...ofObjects,
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
])

const standard = new Set([...ofQuotas, 'storage'])

export const isHugePages = (name: string) => name.startsWith('hugepages-')

/** Native names have no domain, or Kubernetes'. */
export const isNative = (name: string) => !name.includes('/') || name.includes('kubernetes.io/')

/** Names of a vendor's domain: whole numbers of devices. */
export function isExtended(name: string): boolean {
  if (isNative(name) || name.startsWith('requests.')) return false
  return labelKeyFaults(`requests.${name}`).length === 0
}

/** Resources of which the requests of pods may add up to more than their limits. */
export const isOvercommitAllowed = (name: string) => isNative(name) && !isHugePages(name)

/** Resources that are counted in whole numbers. */
export const isInteger = (name: string) => ofObjects.has(name) || isExtended(name)

/** Names that quotas always knew: where a quota has scopes, only some of them fit. */
export const isBoundToScopes = (name: string) =>
  ofQuotas.has(name) || isHugePages(name) || name.startsWith('requests.hugepages-')

export const isStandard = (name: string) => standard.has(name) || isHugePages(name)

export const isOfContainers = (name: string) => ofContainers.has(name) || isHugePages(name)

export const isOfQuotas = (name: string) =>
  ofQuotas.has(name) || isHugePages(name) || name.startsWith('requests.hugepages-') || name.startsWith('count/')
