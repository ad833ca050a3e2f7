import type { AuthConfig } from '@keelson/apis/plugin/v1/cri.ts'
import type { LookUp } from './pod/environment.ts'
import type { PodObject } from './pod/model.ts'

interface DockerConfig {
  auths?: Record<string, { username?: string; password?: string; auth?: string; identitytoken?: string }>
}

const defaultRegistry = 'docker.io'

/** The registry an image comes from. */
export function registryOf(image: string): string {
  const first = image.split('/')[0] ?? ''
  const isHost = image.includes('/') && (/[.:]/.test(first) || first === 'localhost')
  return isHost ? first : defaultRegistry
}

const hostOf = (server: string) =>
  server
    .replace(/^https?:\/\//, '')
    .split('/')[0]
    ?.replace(/^(index|registry-1)\.docker\.io$/, defaultRegistry)

/** The credentials for `image` in the pod's imagePullSecrets; undefined to pull without. A secret that is missing is passed over. */
export async function pullSecretFor(pod: PodObject, image: string, lookUp: LookUp): Promise<AuthConfig | undefined> {
  const registry = registryOf(image)
  for (const { name = '' } of pod.spec.imagePullSecrets ?? []) {
    const values = await lookUp('secret', name)
    const auths = parseAuths(values?.get('.dockerconfigjson'), values?.get('.dockercfg'))
    const server = Object.keys(auths).find((one) => hostOf(one) === registry)
    if (!server) continue
    const { identitytoken, ...entry } = auths[server] ?? {}
    return { ...entry, serverAddress: server, ...(identitytoken && { identityToken: identitytoken }) }
  }
  return undefined
}

function parseAuths(config: Buffer | undefined, legacy: Buffer | undefined): NonNullable<DockerConfig['auths']> {
  try {
    if (config) return (JSON.parse(config.toString()) as DockerConfig).auths ?? {}
    return legacy ? JSON.parse(legacy.toString()) : {}
  } catch {
    return {}
  }
}
