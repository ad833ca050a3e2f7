/**
 * Asking what somebody may do. The variable `authorizer` is an `Authorizer`, around the host that decides;
 * `authorizer.requestResource` is what `requestResource` makes.
 */
import { dnsLabelFaults, dnsSubdomainFaults } from '@keelson/apis/meta/v1/names.ts'
import { defineMethod, type Library } from '../environment.ts'
import { bool, opaque, string } from '../types.ts'
import { fail, Opaque } from '../values.ts'

const named = (name: string) => `kubernetes.authorization.${name}`

/** What somebody asks to do. What is not said is empty. */
export type AuthorizationCheck =
  | { readonly isResource: false; readonly verb: string; readonly path: string }
  | (CheckedResource & { readonly isResource: true; readonly verb: string })

export interface CheckedResource {
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  /** As written; what does not parse is as if it were not there. */
  readonly fieldSelector: string
  readonly labelSelector: string
}

/** Who asks instead of the user of the request. */
export interface ServiceAccount {
  readonly namespace: string
  readonly name: string
}

export interface AuthorizationDecision {
  readonly allowed: boolean
  readonly reason: string
  /** Why it could not be decided. */
  readonly error?: string
}

/** Decides. What it throws is the error of the decision. */
export interface AuthorizerHost {
  authorize(check: AuthorizationCheck, as: ServiceAccount | undefined): AuthorizationDecision
}

/** Values of this library are equal when they are the same. */
abstract class Part extends Opaque {
  override equals(other: Opaque): boolean {
    return other === this
  }
}

export class Authorizer extends Part {
  readonly typeName = named('Authorizer')
  readonly #host: AuthorizerHost
  readonly #as: ServiceAccount | undefined

  /** @param as undefined for the user of the request */
  constructor(host: AuthorizerHost, as?: ServiceAccount) {
    super()
    this.#host = host
    this.#as = as
  }

  as(account: ServiceAccount): Authorizer {
    return new Authorizer(this.#host, account)
  }

  decide(check: AuthorizationCheck): Decision {
    try {
      return new Decision(this.#host.authorize(check, this.#as))
    } catch (error) {
      return new Decision({ allowed: false, reason: '', error: error instanceof Error ? error.message : String(error) })
    }
  }
}

class PathCheck extends Part {
  readonly typeName = named('PathCheck')
  readonly authorizer: Authorizer
  readonly path: string

  constructor(authorizer: Authorizer, path: string) {
    super()
    this.authorizer = authorizer
    this.path = path
  }
}

class GroupCheck extends Part {
  readonly typeName = named('GroupCheck')
  readonly authorizer: Authorizer
  readonly group: string

  constructor(authorizer: Authorizer, group: string) {
    super()
    this.authorizer = authorizer
    this.group = group
  }
}

class ResourceCheck extends Part {
  readonly typeName = named('ResourceCheck')
  readonly authorizer: Authorizer
  readonly of: CheckedResource

  constructor(authorizer: Authorizer, of: CheckedResource) {
    super()
    this.authorizer = authorizer
    this.of = of
  }

  with(more: Partial<CheckedResource>): ResourceCheck {
    return new ResourceCheck(this.authorizer, { ...this.of, ...more })
  }
}

class Decision extends Part {
  readonly typeName = named('Decision')
  readonly made: AuthorizationDecision

  constructor(made: AuthorizationDecision) {
    super()
    this.made = made
  }
}

const unsaid = { subresource: '', namespace: '', name: '', fieldSelector: '', labelSelector: '' }

/** What the request itself asks for, to be checked with further verbs. */
export function requestResource(
  authorizer: Authorizer,
  of: Pick<CheckedResource, 'group' | 'resource' | 'subresource' | 'namespace' | 'name'>,
): ResourceCheck {
  return new ResourceCheck(authorizer, { ...unsaid, ...of })
}

export const authorizerType = opaque(named('Authorizer'))
export const resourceCheckType = opaque(named('ResourceCheck'))
const pathCheckType = opaque(named('PathCheck'))
const groupCheckType = opaque(named('GroupCheck'))
const decisionType = opaque(named('Decision'))

const required = (text: string, name: string) => (text.trim() === '' ? fail(`${name} must not be empty`) : text)

function serviceAccount(authorizer: Authorizer, namespace: string, name: string): Authorizer {
  if (dnsSubdomainFaults(name).length > 0) return fail('Invalid service account name')
  if (dnsLabelFaults(namespace).length > 0) return fail('Invalid service account namespace')
  return authorizer.as({ namespace, name })
}

/** A method that says one thing more of a resource. */
const saying = (method: keyof CheckedResource) =>
  defineMethod(method, [resourceCheckType, string], resourceCheckType, (check: ResourceCheck, text: string) =>
    check.with({ [method]: text }),
  )

export const authorizers: Library = [
  defineMethod(
    'path',
    [authorizerType, string],
    pathCheckType,
    (authorizer: Authorizer, path: string) => new PathCheck(authorizer, required(path, 'path')),
  ),
  defineMethod(
    'group',
    [authorizerType, string],
    groupCheckType,
    (authorizer: Authorizer, group: string) => new GroupCheck(authorizer, group),
  ),
  defineMethod('serviceAccount', [authorizerType, string, string], authorizerType, serviceAccount),
  defineMethod(
    'resource',
    [groupCheckType, string],
    resourceCheckType,
    ({ authorizer, group }: GroupCheck, resource: string) =>
      new ResourceCheck(authorizer, { ...unsaid, group, resource: required(resource, 'resource') }),
  ),
  saying('subresource'),
  saying('namespace'),
  saying('name'),
  saying('fieldSelector'),
  saying('labelSelector'),
  defineMethod('check', [pathCheckType, string], decisionType, ({ authorizer, path }: PathCheck, verb: string) =>
    authorizer.decide({ isResource: false, verb, path }),
  ),
  defineMethod('check', [resourceCheckType, string], decisionType, ({ authorizer, of }: ResourceCheck, verb: string) =>
    authorizer.decide({ ...of, isResource: true, verb }),
  ),
  defineMethod('allowed', [decisionType], bool, ({ made }: Decision) => made.allowed),
  defineMethod('reason', [decisionType], string, ({ made }: Decision) => made.reason),
  defineMethod('errored', [decisionType], bool, ({ made }: Decision) => made.error !== undefined),
  defineMethod('error', [decisionType], string, ({ made }: Decision) => made.error ?? ''),
]
