import { parseApiVersion, type UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { AdmissionRequest } from '#apis/plugin/v1/admission.ts'
import type { CompiledSchema } from '#core/schema/compile.ts'

export interface GroupVersionResource {
  /** Empty for the core group. */
  group: string
  version: string
  resource: string
}

export interface GroupVersionKind {
  group: string
  version: string
  kind: string
}

export interface ServedKind extends GroupVersionResource, GroupVersionKind {
  namespaced: boolean
}

/** What admission asks about kinds beyond the request in hand; the server's registry answers. */
export interface Kinds {
  /** The kind as it is served; undefined when it is not. */
  byKind(of: GroupVersionKind): ServedKind | undefined
  byResource(of: GroupVersionResource): ServedKind | undefined
  /** Every group and version in which the objects of a resource are served, its own included. */
  equivalents(group: string, resource: string): readonly ServedKind[]
  /** A copy of an object in another of the versions it is served in; some are converted by programs elsewhere. */
  convert(
    object: Readonly<UnstructuredObject>,
    to: GroupVersionResource,
  ): UnstructuredObject | Promise<UnstructuredObject>
  /** The schema of objects of a kind, those that only subresources take included; undefined when nobody knows it. */
  schema(of: GroupVersionKind): CompiledSchema | undefined
  /**
   * Makes an object that admission changed what the client might have sent: what is unknown goes, defaults come, and what
   * the request may not change is as it was.
   * @throws StatusError when the object cannot be of its kind
   */
  settle(request: AdmissionRequest): void
}

/** The kind of the request's object, which is the resource's own but for some subresources. */
export function kindOf({ object, oldObject, group, version, kind }: AdmissionRequest): GroupVersionKind {
  const apiVersion = (object ?? oldObject)?.apiVersion
  return apiVersion === undefined ? { group, version, kind } : { ...parseApiVersion(apiVersion), kind }
}

/** The namespace that counts for a request: a Namespace is in itself. */
export function namespaceOf(request: AdmissionRequest): string {
  return isNamespace(request) ? request.name : request.namespace
}

export const isNamespace = ({ group, resource }: AdmissionRequest) => group === '' && resource === 'namespaces'
