import { join } from 'node:path'
import type { Capabilities, Pod, SeccompProfile } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type {
  ContainerConfig,
  LinuxContainerSecurityContext,
  Mount,
  NamespaceOption,
  PodSandboxConfig,
} from '@keelson/apis/plugin/v1/cri.ts'
import { runtimeLabels } from '@keelson/apis/plugin/v1/cri.ts'
import type { DeepReadonly } from '@keelson/client'
import { isSafePath } from '../volumes/atomic-directory.ts'
import { ContainerConfigError, expand } from './environment.ts'
import type { ContainerRole, ContainerSpec, PodObject } from './model.ts'
import { containerHash, hashAnnotation } from './model.ts'
import { linuxResources } from './resources.ts'
import { runtimeAnnotation } from './status.ts'

/** Translates pods and containers into what a runtime is asked to run. Pure. */

export interface ClusterDns {
  servers: readonly string[]
  domain: string
}

export interface SandboxOptions {
  dns?: ClusterDns
  /** Label by which an agent tells its pods from those of other agents on the same runtime. */
  instance: string
  attempt: number
}

export const instanceLabel = 'keelson.dev/agent'

const podLabels = ({ metadata }: PodObject, instance: string) => ({
  [runtimeLabels.podName]: metadata.name ?? '',
  [runtimeLabels.podNamespace]: metadata.namespace ?? '',
  [runtimeLabels.podUid]: metadata.uid ?? '',
  [instanceLabel]: instance,
})

export function sandboxConfig(pod: PodObject, { dns, instance, attempt }: SandboxOptions): PodSandboxConfig {
  const { metadata, spec } = pod
  const dnsConfig = dnsOf(pod, dns)
  const sysctls = (spec.securityContext?.sysctls ?? []).map(({ name, value }) => [name, value])
  return {
    metadata: { name: metadata.name ?? '', namespace: metadata.namespace ?? '', uid: metadata.uid ?? '', attempt },
    hostname: spec.hostNetwork ? '' : hostnameOf(pod),
    ...(dnsConfig && { dnsConfig }),
    portMappings: spec.hostNetwork ? [] : hostPorts(pod),
    labels: podLabels(pod, instance),
    annotations: { ...metadata.annotations },
    linux: {
      sysctls: Object.fromEntries(sysctls),
      securityContext: {
        namespaceOptions: namespaces(pod),
        privileged: spec.containers.some(({ securityContext }) => securityContext?.privileged),
        supplementalGroups: [],
      },
    },
  }
}

export const hostnameOf = (pod: PodObject) => (pod.spec.hostname ?? pod.metadata.name ?? '').slice(0, 63)

export function hostPorts(pod: PodObject): PodSandboxConfig['portMappings'] {
  const ports = pod.spec.containers.flatMap((container) => container.ports ?? [])
  return ports
    .filter(({ hostPort }) => hostPort)
    .map(({ protocol = 'TCP', containerPort, hostPort = 0, hostIP }) => {
      return { protocol, containerPort, hostPort, ...(hostIP && { hostIp: hostIP }) }
    })
}

function namespaces({ spec }: PodObject): NamespaceOption {
  const pid = spec.hostPID ? 'NODE' : spec.shareProcessNamespace ? 'POD' : 'CONTAINER'
  return { network: spec.hostNetwork ? 'NODE' : 'POD', pid, ipc: spec.hostIPC ? 'NODE' : 'POD' }
}

/** Undefined leaves it to the runtime, which hands on the node's own. */
function dnsOf({ spec, metadata }: PodObject, cluster: ClusterDns | undefined): PodSandboxConfig['dnsConfig'] {
  const policy = spec.dnsPolicy ?? 'ClusterFirst'
  const usesCluster = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !spec.hostNetwork)
  const base = usesCluster && cluster ? clusterDns(metadata.namespace ?? '', cluster) : undefined
  const own = spec.dnsConfig
  if (!base && !own) return undefined
  const options = (own?.options ?? []).map(({ name, value }) =>
    value === undefined ? (name ?? '') : `${name}:${value}`,
  )
  return {
    servers: [...(base?.servers ?? []), ...(own?.nameservers ?? [])],
    searches: [...(base?.searches ?? []), ...(own?.searches ?? [])],
    options: [...(base?.options ?? []), ...options],
  }
}

const clusterDns = (namespace: string, { servers, domain }: ClusterDns) => ({
  servers: [...servers],
  searches: [`${namespace}.svc.${domain}`, `svc.${domain}`, domain],
  options: ['ndots:5'],
})

export interface ContainerOptions {
  attempt: number
  environment: ReadonlyMap<string, string>
  mounts: Mount[]
  instance: string
  runtimeName: string
  nodeMemory: number
  /** The user the image asks for, when it is known. */
  imageUser?: string
  /** Group that owns the pod's volumes. */
  fsGroup?: number
  /** Where the profiles are that `seccompProfile.localhostProfile` names. */
  seccompDirectory: string
  /** Id of the container an ephemeral one looks into. */
  targetId?: string
}

/** @throws ContainerConfigError when the security context forbids it */
export function containerConfig(pod: PodObject, { spec }: ContainerRole, options: ContainerOptions): ContainerConfig {
  const { attempt, environment, mounts, instance, runtimeName, nodeMemory } = options
  const expanded = (list: readonly string[] = []) => list.map((text) => expand(text, environment))
  return {
    metadata: { name: spec.name, attempt },
    image: spec.image ?? '',
    command: expanded(spec.command),
    args: expanded(spec.args),
    ...(spec.workingDir && { workingDir: spec.workingDir }),
    envs: [...environment].map(([key, value]) => ({ key, value })),
    mounts,
    devices: [],
    labels: { ...podLabels(pod, instance), [runtimeLabels.containerName]: spec.name },
    annotations: { [hashAnnotation]: containerHash(spec), [runtimeAnnotation]: runtimeName },
    stdin: spec.stdin ?? false,
    stdinOnce: spec.stdinOnce ?? false,
    tty: spec.tty ?? false,
    linux: {
      resources: linuxResources(pod, spec, nodeMemory),
      securityContext: securityContext(pod, spec, options),
    },
  }
}

function securityContext(
  pod: PodObject,
  spec: ContainerSpec,
  options: ContainerOptions,
): LinuxContainerSecurityContext {
  const ofPod: DeepReadonly<Pod>['spec']['securityContext'] = pod.spec.securityContext
  const own = spec.securityContext
  const runAsUser = own?.runAsUser ?? ofPod?.runAsUser
  const runAsGroup = own?.runAsGroup ?? ofPod?.runAsGroup
  if (own?.runAsNonRoot ?? ofPod?.runAsNonRoot) refuseRoot(spec.name, runAsUser, options.imageUser)
  const seccomp = own?.seccompProfile ?? ofPod?.seccompProfile
  const groups = [...(ofPod?.supplementalGroups ?? []), ...(ofPod?.fsGroup === undefined ? [] : [ofPod.fsGroup])]
  const target = options.targetId ? { pid: 'TARGET' as const, targetId: options.targetId } : {}
  return {
    capabilities: capabilities(own?.capabilities),
    privileged: own?.privileged ?? false,
    namespaceOptions: { ...namespaces(pod), ...target },
    ...(runAsUser !== undefined && { runAsUser }),
    ...(runAsGroup !== undefined && { runAsGroup }),
    supplementalGroups: groups,
    readonlyRootfs: own?.readOnlyRootFilesystem ?? false,
    noNewPrivs: own?.allowPrivilegeEscalation === false,
    ...(seccomp && { seccomp: seccompOf(seccomp, options.seccompDirectory) }),
  }
}

/** A profile is a file below the directory, whatever the pod calls it. */
function seccompOf({ type, localhostProfile = '' }: DeepReadonly<SeccompProfile>, directory: string) {
  if (type !== 'Localhost') return { profileType: type }
  if (!isSafePath(localhostProfile)) {
    throw new ContainerConfigError(`invalid seccomp profile path ${JSON.stringify(localhostProfile)}`)
  }
  return { profileType: type, localhostRef: join(directory, localhostProfile) }
}

const capabilities = (of: DeepReadonly<Capabilities> = {}) => ({
  addCapabilities: [...(of.add ?? [])],
  dropCapabilities: [...(of.drop ?? [])],
})

function refuseRoot(name: string, runAsUser: number | undefined, imageUser = 'root'): void {
  if (runAsUser === 0) {
    throw new ContainerConfigError(`container's runAsUser breaks non-root policy (container: ${name})`)
  }
  if (runAsUser !== undefined) return
  const user = imageUser.split(':')[0] ?? ''
  if (user === 'root' || user === '0') {
    throw new ContainerConfigError(`container has runAsNonRoot and image will run as root (container: ${name})`)
  }
  if (!/^\d+$/.test(user)) {
    const why = 'image has non-numeric user'
    throw new ContainerConfigError(
      `container has runAsNonRoot and ${why} (${user}), cannot verify user is non-root (container: ${name})`,
    )
  }
}
