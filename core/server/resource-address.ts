import { newBadRequest, newMethodNotSupported, newPathNotFound, type StatusError } from '#core/errors/status-error.ts'
import type { ResourceDefinition } from '#core/registry/resource.ts'
import type { ResourceInfo } from './request-info.ts'

const selecting = new Set(['list', 'watch', 'deletecollection'])

/**
 * Holds a path against the resource it names: only the paths that resource has go on, so that nobody reaches objects of
 * the whole cluster with rights in one namespace, or creates under one name what he may create under another.
 * @returns where the objects are: cluster-wide ones in no namespace
 * @throws StatusError NotFound for a path the resource does not have, BadRequest for a name it cannot have, MethodNotAllowed for a verb it does not have there
 */
export function addressOf(info: ResourceInfo, definition: ResourceDefinition): ResourceInfo {
  const found = definition.namespaced ? info : outsideNamespaces(info, definition)
  const { name, namespace, subresource, verb } = found
  // A list or a watch has its name from a selector, if any; all others from the path.
  if (selecting.has(verb)) return found
  if (name && definition.namespaced && !namespace) throw newPathNotFound()
  if (impossible.test(name)) throw newImpossibleName(name)
  if (!subresource && (verb === 'create') === (name !== '')) throw newMethodNotSupported(definition, verb)
  return found
}

/** Names that nothing is stored under: they would be paths. */
const impossible = /^\.\.?$|%/

function newImpossibleName(name: string): StatusError {
  const fault = name.includes('%') ? `may not contain '%'` : `may not be '${name}'`
  return newBadRequest(`Name parameter invalid: ${JSON.stringify(name)}: ${fault}`)
}

/** Authorizers see a namespace's own name as its namespace; it does not lie in one. */
function outsideNamespaces(info: ResourceInfo, { group, resource }: ResourceDefinition): ResourceInfo {
  if (!info.namespace) return info
  const isNamespaceItself = group === '' && resource === 'namespaces' && info.name === info.namespace
  if (!isNamespaceItself) throw newPathNotFound()
  return { ...info, namespace: '' }
}
