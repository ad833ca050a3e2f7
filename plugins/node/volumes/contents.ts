import type {
  DownwardAPIVolumeFile,
  KeyToPath,
  Volume,
  VolumeProjection,
} from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'
import type { KeyedValues, LookUp, ObjectKind } from '../pod/environment.ts'
import type { PodFacts } from '../pod/fields.ts'
import { fieldValue, resourceValue } from '../pod/fields.ts'
import type { PodObject } from '../pod/model.ts'
import type { VolumeFile, VolumeFiles } from './atomic-directory.ts'

/** The files of volumes that are made of API objects: configMap, secret, downwardAPI, projected. */

export interface ContentSources {
  pod: PodObject
  facts: PodFacts
  lookUp: LookUp
  /** A token of the pod's service account. */
  token(audience: string | undefined, expirationSeconds: number): Promise<string>
}

const defaultMode = 0o644

/** Undefined when the volume is none of these. @throws when something it refers to is missing */
export async function contentsOf(
  volume: DeepReadonly<Volume>,
  sources: ContentSources,
): Promise<VolumeFiles | undefined> {
  const { configMap, secret, downwardAPI, projected } = volume
  if (configMap) {
    const { name, items, optional, defaultMode: mode } = configMap
    return keyed({ kind: 'configmap', name, items, optional }, mode, sources)
  }
  if (secret) {
    const { secretName: name, items, optional, defaultMode: mode } = secret
    return keyed({ kind: 'secret', name, items, optional }, mode, sources)
  }
  if (downwardAPI) return downward(downwardAPI.items ?? [], downwardAPI.defaultMode, sources)
  if (!projected) return undefined
  const parts = (projected.sources ?? []).map((source) => projection(source, projected.defaultMode, sources))
  return new Map((await Promise.all(parts)).flatMap((files) => [...files]))
}

/** Secrets are read by those they are meant for; how often a token is renewed is the volume's affair. */
async function projection(
  { configMap, secret, downwardAPI, serviceAccountToken, ...others }: DeepReadonly<VolumeProjection>,
  mode: number | undefined,
  sources: ContentSources,
): Promise<VolumeFiles> {
  if (configMap) return keyed({ kind: 'configmap', ...configMap }, mode, sources)
  if (secret) return keyed({ kind: 'secret', ...secret }, mode, sources)
  if (downwardAPI) return downward(downwardAPI.items ?? [], mode, sources)
  if (!serviceAccountToken) throw new Error(`unsupported projected volume source: ${Object.keys(others).join(', ')}`)
  const { path, audience, expirationSeconds = 3600 } = serviceAccountToken
  const content = Buffer.from(await sources.token(audience, expirationSeconds))
  return new Map([[path, { content, ...tokenAccess(sources.pod, mode) }]])
}

/** A token is for the user the containers run as, when they all run as the same. */
function tokenAccess({ spec }: PodObject, mode: number | undefined): Pick<VolumeFile, 'mode' | 'uid'> {
  const containers = [...(spec.initContainers ?? []), ...spec.containers]
  const users = new Set(
    containers.map(({ securityContext }) => securityContext?.runAsUser ?? spec.securityContext?.runAsUser),
  )
  const [uid] = users
  return users.size === 1 && uid !== undefined ? { mode: 0o600, uid } : { mode: mode ?? defaultMode }
}

interface KeyedSource {
  kind: ObjectKind
  name?: string
  items?: readonly DeepReadonly<KeyToPath>[]
  optional?: boolean
}

async function keyed(source: KeyedSource, mode = defaultMode, { pod, lookUp }: ContentSources): Promise<VolumeFiles> {
  const { kind, name = '', items, optional } = source
  const values = await lookUp(kind, name)
  if (!values && !optional) throw new Error(`${kind} "${name}" not found`)
  if (!values) return new Map()
  if (!items) return new Map([...values].map(([key, content]) => [key, { content, mode }]))
  return selected(values, items, mode, optional ?? false, `${kind} ${pod.metadata.namespace}/${name}`)
}

function selected(
  values: NonNullable<KeyedValues>,
  items: readonly DeepReadonly<KeyToPath>[],
  mode: number,
  isOptional: boolean,
  title: string,
): VolumeFiles {
  const files = new Map<string, VolumeFile>()
  for (const { key, path, mode: own } of items) {
    const content = values.get(key)
    if (content) files.set(path, { content, mode: own ?? mode })
    else if (!isOptional) throw new Error(`references non-existent ${title} key: ${key}`)
  }
  return files
}

function downward(
  items: readonly DeepReadonly<DownwardAPIVolumeFile>[],
  mode = defaultMode,
  { pod, facts }: ContentSources,
): VolumeFiles {
  return new Map(
    items.map(({ path, fieldRef, resourceFieldRef, mode: own }) => {
      const text = fieldRef
        ? fieldValue(pod, fieldRef, facts)
        : resourceFieldRef
          ? resourceValue(pod, resourceFieldRef, facts)
          : ''
      return [path, { content: Buffer.from(text), mode: own ?? mode }]
    }),
  )
}
