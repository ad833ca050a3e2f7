import type { AuthConfig, Image, RuntimeErrorCode } from '@keelson/apis/plugin/v1/cri.ts'
import { RuntimeError } from '@keelson/apis/plugin/v1/cri.ts'
import type { Engine } from './engine.ts'
import { messageOf, toRuntimeError } from './engine.ts'

interface DockerImage {
  Id: string
  RepoTags?: string[] | undefined | null
  RepoDigests?: string[] | undefined | null
  Size: number
  Config?: { User?: string }
}

export function imageRecord(image: DockerImage): Image {
  const user = image.Config?.User
  return {
    id: image.Id,
    repoTags: (image.RepoTags ?? []).filter((tag) => tag !== '<none>:<none>'),
    repoDigests: image.RepoDigests ?? [],
    sizeBytes: image.Size,
    ...(user && { user }),
  }
}

/** Resolves when the whole image is here. @throws RuntimeError that says whose fault a failure is */
export async function pullImage({ docker }: Engine, image: string, auth?: AuthConfig): Promise<void> {
  try {
    const progress = await docker.pull(image, auth ? { authconfig: credentials(auth) } : {})
    await new Promise<void>((resolve, reject) =>
      docker.modem.followProgress(progress, (error: Error | null, lines: { error?: string }[]) => {
        const failure = error?.message ?? lines?.find((line) => line.error)?.error
        if (failure) reject(new Error(failure))
        else resolve()
      }),
    )
  } catch (error) {
    const known = toRuntimeError(error, 'pull')
    if (known.code === 'Unavailable') throw known
    const message = messageOf(error)
    throw new RuntimeError(pullFailure(message), message, { cause: error })
  }
}

function pullFailure(message: string): RuntimeErrorCode {
  if (/invalid reference format|repository name must be/.test(message)) return 'InvalidImageName'
  if (/no such host|connection refused|i\/o timeout|network is unreachable|TLS handshake/.test(message)) {
    return 'RegistryUnavailable'
  }
  return 'ImagePull'
}

function credentials(auth: AuthConfig) {
  const decoded = auth.auth ? Buffer.from(auth.auth, 'base64').toString() : ''
  const colon = decoded.indexOf(':')
  return {
    username: auth.username ?? (colon > 0 ? decoded.slice(0, colon) : ''),
    password: auth.password ?? (colon > 0 ? decoded.slice(colon + 1) : ''),
    serveraddress: auth.serverAddress ?? '',
    identitytoken: auth.identityToken ?? '',
    registrytoken: auth.registryToken ?? '',
  }
}
