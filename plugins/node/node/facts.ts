import { readFile, statfs } from 'node:fs/promises'
import { arch, cpus, networkInterfaces, release, totalmem } from 'node:os'
import type { NodeSystemInfo } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { RuntimeFeatures, RuntimeVersion } from '@keelson/apis/plugin/v1/cri.ts'

/** What this machine is. */

const architectures: Readonly<Record<string, string>> = {
  x64: 'amd64',
  arm64: 'arm64',
  arm: 'arm',
  s390x: 's390x',
  ppc64: 'ppc64le',
}

export const architecture = (): string => architectures[arch()] ?? arch()

/** The first address by which other machines can reach this one; loopback when it has none. */
export function machineAddress(): string {
  const addresses = Object.entries(networkInterfaces()).filter(([name]) => !/^(docker|br-|veth|cni|virbr)/.test(name))
  const external = addresses
    .flatMap(([, list]) => list ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')
  return external?.address ?? '127.0.0.1'
}

export type Capacity = Record<'cpu' | 'memory' | 'ephemeral-storage' | 'pods', string>

/** @param dataDirectory on the file system whose size is told as ephemeral storage */
export async function capacityOf(features: RuntimeFeatures, dataDirectory: string, maxPods: number): Promise<Capacity> {
  if (features.capacity) {
    const { cpu, memory, ephemeralStorage, pods } = features.capacity
    return { cpu, memory, 'ephemeral-storage': ephemeralStorage, pods }
  }
  const disk = await statfs(dataDirectory)
  return {
    cpu: String(cpus().length),
    memory: `${Math.floor(totalmem() / 1024)}Ki`,
    'ephemeral-storage': `${Math.floor((disk.bsize * disk.blocks) / 1024)}Ki`,
    pods: String(maxPods),
  }
}

/** The version of the API this agent speaks, as kubelets report theirs. */
export const kubeletVersion = 'v1.36.0+keelson'

export async function systemInfo({ runtimeName, runtimeVersion }: RuntimeVersion): Promise<NodeSystemInfo> {
  const read = (file: string) =>
    readFile(file, 'utf8').then(
      (text) => text.trim(),
      () => '',
    )
  const [machineID, bootID, systemUUID, osRelease] = await Promise.all([
    read('/etc/machine-id'),
    read('/proc/sys/kernel/random/boot_id'),
    read('/sys/class/dmi/id/product_uuid'),
    read('/etc/os-release'),
  ])
  return {
    architecture: architecture(),
    bootID,
    containerRuntimeVersion: `${runtimeName}://${runtimeVersion}`,
    kernelVersion: release(),
    kubeProxyVersion: '',
    kubeletVersion,
    machineID,
    operatingSystem: 'linux',
    osImage: /^PRETTY_NAME="?([^"\n]*)/m.exec(osRelease)?.[1] ?? 'Linux',
    systemUUID: systemUUID || machineID,
  }
}
