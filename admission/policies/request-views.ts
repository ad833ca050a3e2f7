import type { Namespace } from '#apis/core/v1/zz_generated.types.ts'
import { parseApiVersion, type UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { AdmissionRequest } from '#apis/plugin/v1/admission.ts'
import { newNotFound } from '#core/errors/status-error.ts'
import { inTurn } from '../in-turn.ts'
import { Inputs } from '../matching/inputs.ts'
import { type GroupVersionResource, isNamespace, kindOf, type ServedKind } from '../matching/kinds.ts'
import type { Matched } from '../matching/match-resources.ts'
import type { Surroundings } from '../matching/surroundings.ts'

/** What is evaluated for a request: in the version of the policy's rule, configured by an object in a version of its own. */
export interface Subject {
  matched: Matched
  param: UnstructuredObject | undefined
  paramKind: ServedKind | undefined
}

/** The objects of a request in the versions that policies were written for; each is converted once. */
export class RequestViews {
  readonly #request: AdmissionRequest
  readonly #around: Surroundings
  readonly #converted = new Map<string, UnstructuredObject>()
  #namespace: { found: Namespace | undefined } | undefined

  constructor(request: AdmissionRequest, around: Surroundings) {
    this.#request = request
    this.#around = around
  }

  /** Converts what `inputs` needs. Most of the time there is nothing to do, and nothing to wait for. */
  prepare({ matched, param, paramKind }: Subject): Promise<void> | void {
    const wanted: [Readonly<UnstructuredObject> | undefined, GroupVersionResource][] = []
    if (!this.isRequested(matched)) {
      const { object, oldObject } = this.#request
      wanted.push([object, matched.resource], [oldObject, matched.resource])
    }
    if (param && paramKind) wanted.push([param, paramKind])
    return inTurn(wanted, ([object, to]) => this.#convert(object, to))
  }

  /** After `prepare` for the same. @throws StatusError NotFound when the request's namespace is not there */
  inputs({ matched, param, paramKind }: Subject, object = this.#request.object): Inputs {
    const { oldObject } = this.#request
    return new Inputs({
      request: this.#request,
      matched,
      object:
        this.isRequested(matched) || object !== this.#request.object ? object : this.#in(object, matched.resource),
      oldObject: this.isRequested(matched) ? oldObject : this.#in(oldObject, matched.resource),
      params: paramKind && this.#in(param, paramKind),
      namespace: this.#namespaceObject(),
      authority: this.#around.authority,
    })
  }

  /** Whether the objects are what they were in the request. */
  isRequested({ kind }: Matched): boolean {
    const { group, version } = kindOf(this.#request)
    return kind.group === group && kind.version === version
  }

  /** Forgets what was converted, because the object changed. */
  refresh(): void {
    this.#converted.clear()
  }

  #convert(object: Readonly<UnstructuredObject> | undefined, to: GroupVersionResource): Promise<void> | void {
    if (!object || isOf(object, to)) return
    const key = this.#keyOf(object, to)
    if (this.#converted.has(key)) return
    const made = this.#around.kinds.convert(object, to)
    if (!(made instanceof Promise)) this.#converted.set(key, made)
    else return made.then((converted) => void this.#converted.set(key, converted))
  }

  #in<T extends Readonly<UnstructuredObject>>(object: T | undefined, to: GroupVersionResource): T | undefined {
    return object && ((this.#converted.get(this.#keyOf(object, to)) as T | undefined) ?? object)
  }

  #keyOf(object: Readonly<UnstructuredObject>, { group, version, resource }: GroupVersionResource): string {
    const role = object === this.#request.object ? 'new' : object === this.#request.oldObject ? 'old' : 'param'
    const { namespace = '', name = '' } = object.metadata ?? {}
    return [role, namespace, name, group, version, resource].join('\n')
  }

  #namespaceObject(): Namespace | undefined {
    this.#namespace ??= { found: this.#findNamespace() }
    return this.#namespace.found
  }

  /** A Namespace is not in another. */
  #findNamespace(): Namespace | undefined {
    const { namespace } = this.#request
    if (namespace === '' || isNamespace(this.#request)) return undefined
    const found = this.#around.reader.get<Namespace>('', 'namespaces', '', namespace)
    if (!found) throw newNotFound({ group: '', resource: 'namespaces' }, namespace)
    return found
  }
}

function isOf({ apiVersion }: Readonly<UnstructuredObject>, { group, version }: GroupVersionResource): boolean {
  const own = parseApiVersion(apiVersion)
  return own.group === group && own.version === version
}
