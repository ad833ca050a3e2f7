import type { UnstructuredObject } from '#apis/meta/v1/types.ts'

/** What clients ask of a connection, in the query, by kind: the object that admission judges. */
const kinds: Readonly<Record<string, { kind: string; flags: readonly string[]; texts: readonly string[] }>> = {
  exec: { kind: 'PodExecOptions', flags: ['stdin', 'stdout', 'stderr', 'tty'], texts: ['container'] },
  attach: { kind: 'PodAttachOptions', flags: ['stdin', 'stdout', 'stderr', 'tty'], texts: ['container'] },
  portforward: { kind: 'PodPortForwardOptions', flags: [], texts: [] },
}

const proxyKinds: Readonly<Record<string, string>> = {
  pods: 'PodProxyOptions',
  services: 'ServiceProxyOptions',
  nodes: 'NodeProxyOptions',
}

/**
 * @param at the resource, its subresource, and what follows them in the path
 * @returns undefined for a subresource that is not connected to
 * @see https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ for the parameters of each
 */
export function connectOptions(
  { resource, subresource, rest }: { resource: string; subresource: string; rest: string },
  query: URLSearchParams,
): UnstructuredObject | undefined {
  if (subresource === 'proxy') return newOptions(proxyKinds[resource] ?? '', { ...(rest && { path: rest }) })
  const known = Object.hasOwn(kinds, subresource) ? kinds[subresource] : undefined
  if (!known) return undefined
  const flags = known.flags.filter((name) => isSet(query.get(name))).map((name) => [name, true])
  const texts = known.texts.filter((name) => query.get(name)).map((name) => [name, query.get(name)])
  const command = query.getAll('command')
  const ports = query.getAll('ports').flatMap((list) => list.split(',').map(Number))
  return newOptions(known.kind, {
    ...Object.fromEntries([...flags, ...texts]),
    ...(subresource === 'exec' && command.length > 0 && { command }),
    ...(subresource === 'portforward' && ports.length > 0 && { ports }),
  })
}

const isSet = (text: string | null) => text !== null && !['', '0', 'false', 'False', 'FALSE', 'f', 'F'].includes(text)

/** Options are no objects with metadata: nothing names them. */
const newOptions = (kind: string, fields: object) =>
  ({ kind, apiVersion: 'v1', ...fields }) as unknown as UnstructuredObject
