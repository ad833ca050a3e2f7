import { apiVersionOf, parseApiVersion, type UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { AdmissionRequest } from '#apis/plugin/v1/admission.ts'
import { findStatusError, newInternalError } from '#core/errors/status-error.ts'
import type { CompiledSchema } from '#core/schema/compile.ts'
import { cloneJson } from '#core/schema/json.ts'
import { decodeObject } from './decode.ts'
import type { Registry, Resource, ServedVersion } from './registry.ts'
import { keepOtherHalf } from './resource-store.ts'

interface GroupVersionResource {
  group: string
  version: string
  resource: string
}

interface GroupVersionKind {
  group: string
  version: string
  kind: string
}

interface ServedKind extends GroupVersionResource, GroupVersionKind {
  namespaced: boolean
}

/** What admission asks of the registry: which kinds there are, how they are called, converted and made fit to be stored. */
export class AdmissionKinds {
  readonly #registry: () => Registry
  /** Built-in resources whose objects are stored as another's, and those, by where they are stored. */
  #shared: ReadonlyMap<string, readonly Resource[]> | undefined

  /** @param registry asked at each look, since the registry and what reads it are made together */
  constructor(registry: () => Registry) {
    this.#registry = registry
  }

  byKind({ group, version, kind }: GroupVersionKind): ServedKind | undefined {
    const definition = this.#registry()
      .groups.get(group)
      ?.find((one) => one.kind === kind)
    return definition && this.byResource({ group, version, resource: definition.resource })
  }

  byResource({ group, version, resource }: GroupVersionResource): ServedKind | undefined {
    const served = this.#registry().find(group, version, resource)
    return served && servedKind(served.resource, version)
  }

  /** Every group and version in which the same objects are served. */
  equivalents(group: string, resource: string): readonly ServedKind[] {
    const found = this.#registry().get(group, resource)
    if (!found) return []
    this.#shared ??= sharedHomes(this.#registry())
    return (this.#shared.get(homeOf(found)) ?? [found]).flatMap((one) =>
      one.definition.versions.filter(({ served }) => served).map(({ name }) => servedKind(one, name)),
    )
  }

  convert(
    object: Readonly<UnstructuredObject>,
    { group, version, resource }: GroupVersionResource,
  ): UnstructuredObject | Promise<UnstructuredObject> {
    const copy = cloneJson<UnstructuredObject>(object)
    const apiVersion = apiVersionOf({ group, version })
    const conversion = this.#registry().get(group, resource)?.conversionTo(apiVersion)
    const made = conversion ? conversion.convert([copy]) : [{ ...copy, apiVersion }]
    return made instanceof Promise ? made.then(([one]) => one!) : made[0]!
  }

  schema({ group, version, kind }: GroupVersionKind): CompiledSchema | undefined {
    const known = this.byKind({ group, version, kind })
    if (known) return this.#registry().find(group, version, known.resource)?.schema
    try {
      return this.#registry().builtinCompiler.compileDefinition(definitionName(group, version, kind))
    } catch {
      return undefined
    }
  }

  /** @throws StatusError InternalError when the request's object is none of its kind any more */
  settle(request: AdmissionRequest): void {
    const { group, version, resource, object, oldObject, subresource } = request
    const served = this.#registry().find(group, version, resource)
    if (!served || !object) return
    const isOwn = object.kind === served.resource.definition.kind && object.apiVersion === served.apiVersion
    if (!isOwn && request.kind === served.resource.definition.kind) {
      throw newInternalError(`an object of ${resource} cannot become a ${object.apiVersion}, Kind=${object.kind}`)
    }
    if (isOwn) settleObject(object, served)
    else this.schema({ ...parseApiVersion(object.apiVersion), kind: object.kind })?.applyDefaults(object)
    if (isOwn && oldObject) keepOtherHalf(object, oldObject, served, subresource)
  }
}

/** What a policy made is read as strictly as the type of the kind is: a custom resource loses what its schema does not know. */
function settleObject(object: UnstructuredObject, served: ServedVersion): void {
  const fieldValidation = served.resource.definition.builtin ? 'Strict' : 'Ignore'
  try {
    decodeObject(object, served, { fieldValidation, warn: () => {} })
  } catch (error) {
    throw newInternalError(findStatusError(error)?.message ?? String(error), error)
  }
  delete object.metadata.managedFields
}

function sharedHomes(registry: Registry): ReadonlyMap<string, readonly Resource[]> {
  const byHome = Map.groupBy(
    [...registry.all()].filter(({ definition }) => definition.builtin),
    homeOf,
  )
  return new Map([...byHome].filter(([, members]) => members.length > 1))
}

const homeOf = ({ home }: Resource) => `${home.group}/${home.resource}`

function servedKind({ definition }: Resource, version: string): ServedKind {
  const { group, resource, kind, namespaced } = definition
  return { group, version, resource, kind, namespaced }
}

/** Of kinds that only subresources take: `io.k8s.api.autoscaling.v1.Scale`. */
function definitionName(group: string, version: string, kind: string): string {
  return `io.k8s.api.${group === '' ? 'core' : group.split('.', 1)[0]}.${version}.${kind}`
}
