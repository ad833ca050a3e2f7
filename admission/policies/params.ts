import type { ParamKind, ParamRef } from '#apis/admissionregistration/v1/zz_generated.types.ts'
import { parseApiVersion, type UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { AdmissionRequest, ObjectReader } from '#apis/plugin/v1/admission.ts'
import { matchesLabels, requirementsOf } from '#core/machinery/label-selector.ts'
import { type Kinds, namespaceOf, type ServedKind } from '../matching/kinds.ts'
import type { Surroundings } from '../matching/surroundings.ts'

/** A policy or a binding that cannot be put into force as it is; the message says why. */
export class ConfigurationError extends Error {}

/** What a policy is configured with, by the references of its bindings. */
export class Params {
  readonly #reader: ObjectReader
  readonly #kinds: Kinds

  constructor({ reader, kinds }: Surroundings) {
    this.#reader = reader
    this.#kinds = kinds
  }

  /** @throws ConfigurationError for a kind that nobody serves */
  kind({ apiVersion = '', kind = '' }: ParamKind): ServedKind {
    const { group, version } = parseApiVersion(apiVersion)
    const served = this.#kinds.byKind({ group, version, kind })
    if (served) return served
    throw new ConfigurationError(`failed to find resource referenced by paramKind: '${group}/${version}, Kind=${kind}'`)
  }

  /**
   * The objects to evaluate the policy with, as they are stored; undefined among them for none at all.
   * @throws ConfigurationError
   */
  collect(
    kind: ServedKind | undefined,
    ref: ParamRef | undefined,
    request: AdmissionRequest,
  ): readonly (UnstructuredObject | undefined)[] {
    if (!kind || !ref) return [undefined]
    const namespace = paramNamespace(kind, ref, request)
    const found = ref.name ? this.#named(kind, namespace, ref.name) : this.#selected(kind, namespace, ref)
    if (found.length === 0 && ref.parameterNotFoundAction === 'Deny') {
      throw new ConfigurationError('no params found for policy binding with `Deny` parameterNotFoundAction')
    }
    return found
  }

  #named({ group, resource }: ServedKind, namespace: string, name: string): UnstructuredObject[] {
    const found = this.#reader.get<UnstructuredObject>(group, resource, namespace, name)
    return found ? [found] : []
  }

  #selected({ group, resource }: ServedKind, namespace: string, { selector }: ParamRef): UnstructuredObject[] {
    const requirements = requirementsOf(selector) ?? []
    return this.#reader
      .list<UnstructuredObject>(group, resource, namespace)
      .filter(({ metadata }) => matchesLabels(requirements, metadata.labels ?? {}))
  }
}

function paramNamespace({ namespaced }: ServedKind, ref: ParamRef, request: AdmissionRequest): string {
  if (!namespaced) {
    if (!ref.namespace) return ''
    throw new ConfigurationError('paramRef.namespace must not be provided for a cluster-scoped `paramKind`')
  }
  const namespace = ref.namespace || namespaceOf(request)
  if (namespace !== '') return namespace
  throw new ConfigurationError('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources')
}
