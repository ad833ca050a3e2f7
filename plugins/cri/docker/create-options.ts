import type {
  ContainerConfig,
  LinuxContainerResources,
  LinuxContainerSecurityContext,
  Mount,
  NamespaceMode,
  PodSandboxConfig,
} from '@keelson/apis/plugin/v1/cri.ts'
import type { ContainerCreateOptions, HostConfig } from 'dockerode'
import { containerName, dockerLabels, sandboxName } from './naming.ts'
import { pauseImage } from './pause-image.ts'

/** Translates CRI's configurations into what the engine is asked to create. Pure. */

export function sandboxOptions(config: PodSandboxConfig): ContainerCreateOptions {
  const { namespaceOptions } = config.linux.securityContext
  const onHost = namespaceOptions.network === 'NODE'
  return {
    name: sandboxName(config),
    Image: pauseImage,
    Labels: dockerLabels({ ...config, metadata: { name: '', attempt: config.metadata.attempt } }, config),
    ...(!onHost && { Hostname: config.hostname, ...exposedPorts(config) }),
    HostConfig: {
      NetworkMode: onHost ? 'host' : 'bridge',
      IpcMode: namespaceOptions.ipc === 'NODE' ? 'host' : 'shareable',
      ...(namespaceOptions.pid === 'NODE' && { PidMode: 'host' }),
      ...(!onHost && { ...dnsOptions(config), Sysctls: config.linux.sysctls, PortBindings: portBindings(config) }),
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'json-file', Config: {} },
      CpuShares: 2,
    },
  }
}

/** @param seccompProfile content of the profile, when the security context names a local one */
export function containerOptions(
  config: ContainerConfig,
  pod: PodSandboxConfig,
  sandboxId: string,
  seccompProfile?: string,
): ContainerCreateOptions {
  const { securityContext, resources } = config.linux
  return {
    name: containerName(config, pod),
    Image: config.image,
    Labels: dockerLabels(config, pod, sandboxId),
    ...(config.command.length > 0 && { Entrypoint: config.command }),
    ...(config.args.length > 0 && { Cmd: config.args }),
    ...(config.workingDir && { WorkingDir: config.workingDir }),
    Env: config.envs.map(({ key, value }) => `${key}=${value}`),
    ...(userOf(securityContext) && { User: userOf(securityContext) }),
    ...(config.stopSignal && { StopSignal: config.stopSignal }),
    OpenStdin: config.stdin,
    StdinOnce: config.stdinOnce,
    Tty: config.tty,
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      NetworkMode: `container:${sandboxId}`,
      IpcMode: joined(securityContext.namespaceOptions.ipc, sandboxId),
      ...pidMode(securityContext, sandboxId),
      ...securityOptions(securityContext, seccompProfile),
      ...resourceOptions(resources),
      Mounts: config.mounts.map(mountOption),
      Devices: config.devices.map((device) => ({
        PathOnHost: device.hostPath,
        PathInContainer: device.containerPath,
        CgroupPermissions: device.permissions,
      })),
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'json-file', Config: {} },
    },
  }
}

/** Below 0 needs a capability that even root lacks on some machines, and the engine then fails to start the container. */
const oomScore = (wanted: number) => Math.max(0, wanted)

export function resourceOptions(resources: LinuxContainerResources): HostConfig {
  const { cpuShares, cpuQuota, cpuPeriod, memoryLimitInBytes, oomScoreAdj, cpusetCpus, cpusetMems } = resources
  return {
    ...(cpuShares && { CpuShares: cpuShares }),
    ...(cpuQuota && { CpuQuota: cpuQuota, CpuPeriod: cpuPeriod ?? 100_000 }),
    ...(memoryLimitInBytes && { Memory: memoryLimitInBytes, MemorySwap: memoryLimitInBytes }),
    ...(oomScoreAdj !== undefined && { OomScoreAdj: oomScore(oomScoreAdj) }),
    ...(cpusetCpus && { CpusetCpus: cpusetCpus }),
    ...(cpusetMems && { CpusetMems: cpusetMems }),
  }
}

function securityOptions(context: LinuxContainerSecurityContext, seccompProfile?: string): HostConfig {
  const seccomp = context.seccomp?.profileType === 'Unconfined' ? 'unconfined' : seccompProfile
  return {
    Privileged: context.privileged,
    CapAdd: context.capabilities.addCapabilities,
    CapDrop: context.capabilities.dropCapabilities,
    ReadonlyRootfs: context.readonlyRootfs,
    GroupAdd: context.supplementalGroups.map(String),
    SecurityOpt: [...(context.noNewPrivs ? ['no-new-privileges'] : []), ...(seccomp ? [`seccomp=${seccomp}`] : [])],
  }
}

function userOf({ runAsUser, runAsGroup }: LinuxContainerSecurityContext): string | undefined {
  if (runAsUser === undefined) return undefined
  return runAsGroup === undefined ? String(runAsUser) : `${runAsUser}:${runAsGroup}`
}

const joined = (mode: NamespaceMode, sandboxId: string) => (mode === 'NODE' ? 'host' : `container:${sandboxId}`)

function pidMode({ namespaceOptions: { pid, targetId } }: LinuxContainerSecurityContext, sandboxId: string) {
  if (pid === 'CONTAINER') return {}
  return { PidMode: pid === 'TARGET' && targetId ? `container:${targetId}` : joined(pid, sandboxId) }
}

const propagations = {
  PROPAGATION_PRIVATE: 'rprivate',
  PROPAGATION_HOST_TO_CONTAINER: 'rslave',
  PROPAGATION_BIDIRECTIONAL: 'rshared',
} as const

function mountOption({ hostPath, containerPath, readonly, propagation }: Mount) {
  return {
    Type: 'bind' as const,
    Source: hostPath,
    Target: containerPath,
    ReadOnly: readonly,
    BindOptions: { Propagation: propagations[propagation] },
  }
}

function dnsOptions({ dnsConfig }: PodSandboxConfig): HostConfig {
  if (!dnsConfig) return {}
  return { Dns: dnsConfig.servers, DnsSearch: dnsConfig.searches, DnsOptions: dnsConfig.options }
}

const portKey = (port: PodSandboxConfig['portMappings'][number]) =>
  `${port.containerPort}/${port.protocol.toLowerCase()}`

function exposedPorts(config: PodSandboxConfig) {
  return { ExposedPorts: Object.fromEntries(config.portMappings.map((port) => [portKey(port), {}])) }
}

function portBindings(config: PodSandboxConfig) {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {}
  for (const port of config.portMappings) {
    if (port.hostPort === 0) continue
    const binding = { HostIp: port.hostIp ?? '', HostPort: String(port.hostPort) }
    bindings[portKey(port)] = [...(bindings[portKey(port)] ?? []), binding]
  }
  return bindings
}
