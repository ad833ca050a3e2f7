import { chmod, chown, lstat, mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EmptyDirVolumeSource, HostPathVolumeSource, Volume } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { Mount } from '@keelson/apis/plugin/v1/cri.ts'
import type { DeepReadonly } from '@keelson/client'
import { ContainerConfigError, expand } from '../pod/environment.ts'
import type { ContainerSpec, PodObject } from '../pod/model.ts'
import { quantityValue } from '../pod/quantity.ts'
import { isSafePath, writeAtomically } from './atomic-directory.ts'
import type { ContentSources } from './contents.ts'
import { contentsOf } from './contents.ts'
import { hostsFile } from './hosts-file.ts'
import { resolveSubPath } from './sub-path.ts'
import { mountTmpfs, unmountBelow } from './tmpfs.ts'

/** The files of the pods of one node, below one directory: `pods/<uid>/volumes/<name>`, `hosts`, `messages/<container>`. */
export interface PodVolumes {
  /** Makes every volume of the pod, or brings it up to date. @throws with a message for the pod's owner */
  mount(sources: ContentSources): Promise<void>
  /** What `container` mounts; its pod's volumes are mounted. @throws ContainerConfigError */
  mountsOf(of: MountsOf): Promise<Mount[]>
  /** What the container's attempt left in its termination message file; empty without one. */
  terminationMessage(pod: PodObject, container: string, attempt: number): Promise<string>
  /** Uids of the pods that have files. */
  pods(): Promise<string[]>
  /** Removes all files of a pod. */
  remove(podUid: string): Promise<void>
}

export interface MountsOf {
  pod: PodObject
  container: ContainerSpec
  attempt: number
  environment: ReadonlyMap<string, string>
  podIPs: readonly string[]
}

const longestMessage = 4096

/** For a runtime whose containers see no files of the host. */
export const noVolumes: PodVolumes = {
  mount: async () => undefined,
  mountsOf: async () => [],
  terminationMessage: async () => '',
  pods: async () => [],
  remove: async () => undefined,
}

export function createPodVolumes(dataDirectory: string): PodVolumes {
  const podDirectory = (uid: string) => join(dataDirectory, 'pods', plainName(uid))
  const volumeDirectory = (pod: PodObject, name: string) =>
    join(podDirectory(pod.metadata.uid ?? ''), 'volumes', plainName(name))
  const messageFile = (pod: PodObject, container: string, attempt: number) =>
    join(podDirectory(pod.metadata.uid ?? ''), 'messages', `${plainName(container)}.${attempt}`)

  const mountOne = async (volume: DeepReadonly<Volume>, sources: ContentSources) => {
    const { pod } = sources
    const directory = volumeDirectory(pod, volume.name)
    const group = pod.spec.securityContext?.fsGroup
    if (volume.hostPath) return checkHostPath(volume.hostPath)
    if (volume.emptyDir) return makeEmptyDirectory(directory, volume.emptyDir, group)
    const files = await contentsOf(volume, sources)
    if (!files) throw new Error(`volume kind ${kindOf(volume)} is not supported by this node`)
    await mkdir(directory, { recursive: true, mode: 0o755 })
    await writeAtomically(directory, files, group)
  }

  const sourceOf = (pod: PodObject, name: string) => {
    const volume = pod.spec.volumes?.find((one) => one.name === name)
    if (!volume) throw new ContainerConfigError(`volume ${JSON.stringify(name)} not found`)
    return volume.hostPath?.path ?? volumeDirectory(pod, name)
  }

  const mountOf = async ({ pod, environment }: MountsOf, mount: NonNullable<ContainerSpec['volumeMounts']>[number]) => {
    const root = sourceOf(pod, mount.name)
    const subPath = mount.subPathExpr ? expand(mount.subPathExpr, environment) : (mount.subPath ?? '')
    return {
      containerPath: mount.mountPath,
      hostPath: subPath ? await resolveSubPath(root, subPath) : root,
      readonly: mount.readOnly ?? false,
      propagation: propagations[mount.mountPropagation ?? 'None'],
    }
  }

  return {
    async mount(sources) {
      await mkdir(podDirectory(sources.pod.metadata.uid ?? ''), { recursive: true, mode: 0o750 })
      const volumes = sources.pod.spec.volumes ?? []
      await Promise.all(
        volumes.map((volume) =>
          mountOne(volume, sources).catch((cause: Error) => {
            throw new Error(`MountVolume.SetUp failed for volume "${volume.name}" : ${cause.message}`, { cause })
          }),
        ),
      )
    },
    async mountsOf(of) {
      const { pod, container, attempt, podIPs } = of
      const mounts = await Promise.all((container.volumeMounts ?? []).map((mount) => mountOf(of, mount)))
      const message = messageFile(pod, container.name, attempt)
      await makeFile(message, '', 0o666)
      mounts.push(privateMount(container.terminationMessagePath ?? '/dev/termination-log', message))
      if (pod.spec.hostNetwork || mounts.some(({ containerPath }) => containerPath === '/etc/hosts')) return mounts
      const hosts = join(podDirectory(pod.metadata.uid ?? ''), 'hosts')
      await makeFile(hosts, hostsFile(pod, podIPs), 0o644)
      return [...mounts, privateMount('/etc/hosts', hosts)]
    },
    terminationMessage: (pod, container, attempt) => readStart(messageFile(pod, container, attempt)),
    pods: () => readdir(join(dataDirectory, 'pods')).catch(() => []),
    async remove(podUid) {
      await unmountBelow(podDirectory(podUid))
      await rm(podDirectory(podUid), { recursive: true, force: true })
    },
  }
}

const propagations = {
  None: 'PROPAGATION_PRIVATE',
  HostToContainer: 'PROPAGATION_HOST_TO_CONTAINER',
  Bidirectional: 'PROPAGATION_BIDIRECTIONAL',
} as const

const privateMount = (containerPath: string, hostPath: string): Mount => {
  return { containerPath, hostPath, readonly: false, propagation: 'PROPAGATION_PRIVATE' }
}

const kindOf = ({ name: _, ...kinds }: DeepReadonly<Volume>) => Object.keys(kinds).join(', ') || '(none)'

/** Uids and names come from the API: one that is no plain file name must never reach the file system. */
function plainName(name: string): string {
  if (name.includes('/') || !isSafePath(name)) throw new Error(`${JSON.stringify(name)} is no name for a file`)
  return name
}

/** At most as much as a termination message may hold. A link a container put there is not followed: the file is mounted alone. */
async function readStart(file: string): Promise<string> {
  const handle = await open(file, 'r').catch(() => undefined)
  if (!handle) return ''
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(longestMessage), 0, longestMessage, 0)
    return buffer.subarray(0, bytesRead).toString()
  } finally {
    await handle.close()
  }
}

async function makeFile(file: string, content: string, mode: number): Promise<void> {
  if ((await readFile(file, 'utf8').catch(() => undefined)) === content) return
  await mkdir(join(file, '..'), { recursive: true, mode: 0o755 })
  await writeFile(file, content)
  await chmod(file, mode)
}

async function makeEmptyDirectory(
  directory: string,
  { medium, sizeLimit }: DeepReadonly<EmptyDirVolumeSource>,
  group: number | undefined,
): Promise<void> {
  const isThere = await lstat(directory).then(
    () => true,
    () => false,
  )
  if (isThere) return
  await mkdir(directory, { recursive: true })
  if (medium === 'Memory') await mountTmpfs(directory, quantityValue(sizeLimit))
  await chmod(directory, group === undefined ? 0o777 : 0o2777)
  if (group !== undefined) await chown(directory, 0, group)
}

const hostPathTypes: Readonly<
  Record<string, { is: 'isDirectory' | 'isFile' | 'isSocket' | 'isCharacterDevice' | 'isBlockDevice'; words: string }>
> = {
  Directory: { is: 'isDirectory', words: 'a directory' },
  DirectoryOrCreate: { is: 'isDirectory', words: 'a directory' },
  File: { is: 'isFile', words: 'a file' },
  FileOrCreate: { is: 'isFile', words: 'a file' },
  Socket: { is: 'isSocket', words: 'a socket file' },
  CharDevice: { is: 'isCharacterDevice', words: 'a character device' },
  BlockDevice: { is: 'isBlockDevice', words: 'a block device' },
}

async function checkHostPath({ path, type = '' }: DeepReadonly<HostPathVolumeSource>): Promise<void> {
  if (type === 'DirectoryOrCreate') await mkdir(path, { recursive: true, mode: 0o755 })
  if (type === 'FileOrCreate') await (await open(path, 'a', 0o644)).close()
  const wanted = hostPathTypes[type]
  // Without a type Docker would not make what is absent, and Kubernetes' runtimes make a directory.
  if (!wanted) await stat(path).catch(() => mkdir(path, { recursive: true, mode: 0o755 }))
  else if (
    !(await stat(path).then(
      (found) => found[wanted.is](),
      () => false,
    ))
  ) {
    throw new Error(`hostPath type check failed: ${path} is not ${wanted.words}`)
  }
}
