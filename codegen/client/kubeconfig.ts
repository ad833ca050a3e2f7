import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { ApiAccess } from '@keelson/apis/plugin/v1/host.ts'
import { parse } from 'yaml'

/**
 * Reads how to reach a cluster from a kubeconfig file.
 * @param context the context to use; absent: the file's current-context
 * @throws Error naming the file and what it lacks or asks for that is not supported (exec plugins, skipping TLS checks)
 * @see https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
 */
export function loadKubeconfig(file: string, context?: string): ApiAccess {
  try {
    return accessFrom(parse(readFileSync(file, 'utf8')) as Kubeconfig, dirname(resolve(file)), context)
  } catch (cause) {
    throw new Error(`load kubeconfig ${file}: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}

interface Kubeconfig {
  'current-context'?: string
  contexts?: { name: string; context?: { cluster?: string; user?: string } }[]
  clusters?: { name: string; cluster?: ClusterEntry }[]
  users?: { name: string; user?: UserEntry }[]
}

interface ClusterEntry {
  server?: string
  'certificate-authority'?: string
  'certificate-authority-data'?: string
  'insecure-skip-tls-verify'?: boolean
}

interface UserEntry {
  token?: string
  tokenFile?: string
  'client-certificate'?: string
  'client-certificate-data'?: string
  'client-key'?: string
  'client-key-data'?: string
  exec?: unknown
  'auth-provider'?: unknown
  username?: string
}

function accessFrom(config: Kubeconfig | null, folder: string, wanted?: string): ApiAccess {
  const contextName = wanted ?? config?.['current-context']
  if (!contextName) throw new Error('current-context is not set')
  const context = named(config?.contexts, 'context', contextName).context
  const cluster = named(config?.clusters, 'cluster', context?.cluster).cluster
  const user = context?.user ? named(config?.users, 'user', context.user).user : undefined
  if (!cluster?.server) throw new Error(`cluster "${context?.cluster}" has no server`)
  if (cluster['insecure-skip-tls-verify'])
    throw new Error('insecure-skip-tls-verify is not supported: name the authority')
  return {
    server: cluster.server,
    caData: pem(cluster, 'certificate-authority', folder) ?? '',
    ...credentials(user, folder),
  }
}

function named<T extends { name: string }>(list: T[] | undefined, what: string, name: string | undefined): T {
  const found = list?.find((entry) => entry.name === name)
  if (!found) throw new Error(`${what} "${name}" does not exist`)
  return found
}

function credentials(user: UserEntry | undefined, folder: string): Pick<ApiAccess, 'token' | 'clientCertificate'> {
  if (!user) return {}
  const unsupported = (['exec', 'auth-provider', 'username'] as const).find((field) => user[field] !== undefined)
  if (unsupported)
    throw new Error(`users of kind "${unsupported}" are not supported: use a token or a client certificate`)
  const certData = pem(user, 'client-certificate', folder)
  const keyData = pem(user, 'client-key', folder)
  const token = user.tokenFile ? tokenFromFile(resolve(folder, user.tokenFile)) : user.token && constant(user.token)
  return {
    ...(token && { token }),
    ...(certData && keyData && { clientCertificate: { certData, keyData } }),
  }
}

const constant = (text: string) => () => text

/** Tokens in files are rotated; a minute is what clients of Kubernetes wait before they look again. */
function tokenFromFile(file: string): () => string {
  let read = { token: '', at: Number.NEGATIVE_INFINITY }
  return () => {
    if (performance.now() - read.at > 60_000) read = { token: readFileSync(file, 'utf8').trim(), at: performance.now() }
    return read.token
  }
}

/** A PEM given in place as base64 (`<field>-data`), or as the path of a file. */
function pem<F extends string>(
  entry: { readonly [K in F | `${F}-data`]?: string },
  field: F,
  folder: string,
): string | undefined {
  const data = entry[`${field}-data`]
  if (data) return Buffer.from(data, 'base64').toString()
  const file = entry[field]
  return file ? readFileSync(resolve(folder, file), 'utf8') : undefined
}
