/**
 * What expressions of policies and webhooks may refer to, typed as Kubernetes types it: objects are dyn, the request and
 * the namespace have the fields that are declared here.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#validation-expression
 */
import { type Environment, types } from '#core/cel/cel.ts'
import { authorizerType, resourceCheckType } from '#core/cel/library/authorizer.ts'
import { jsonPatch } from '#core/cel/library/json-patch.ts'
import { strictEnvironment } from '#core/cel/library/kubernetes.ts'
import type { Type } from '#core/cel/types.ts'

const { bool, dyn, int, list, map, object, string, timestamp } = types

export interface ExpressionScope {
  /** Whether there is `params`. */
  hasParams?: boolean
  /** Whether there are `authorizer` and `authorizer.requestResource`. */
  hasAuthorizer?: boolean
  /** Whether objects and patches can be made: `Object{}` and `JSONPatch{}`. */
  hasPatchTypes?: boolean
}

const fields = (types: Readonly<Record<string, Type>>): ReadonlyMap<string, Type> => new Map(Object.entries(types))
const texts = (...names: string[]) => Object.fromEntries(names.map((name) => [name, string]))

const groupVersionKind = object('kubernetes.GroupVersionKind', fields(texts('group', 'version', 'kind')))
const groupVersionResource = object('kubernetes.GroupVersionResource', fields(texts('group', 'version', 'resource')))
const userInfo = object(
  'kubernetes.UserInfo',
  fields({ ...texts('username', 'uid'), groups: list(string), extra: map(string, list(string)) }),
)

const requestType = object(
  'kubernetes.AdmissionRequest',
  fields({
    ...texts('subResource', 'requestSubResource', 'name', 'namespace', 'operation'),
    kind: groupVersionKind,
    requestKind: groupVersionKind,
    resource: groupVersionResource,
    requestResource: groupVersionResource,
    userInfo,
    dryRun: bool,
    options: dyn,
  }),
)

const namespaceType = object(
  'kubernetes.Namespace',
  fields({
    metadata: object(
      'kubernetes.NamespaceMetadata',
      fields({
        ...texts('name', 'generateName', 'namespace', 'UID', 'resourceVersion'),
        labels: map(string, string),
        annotations: map(string, string),
        creationTimestamp: timestamp,
        deletionTimestamp: timestamp,
        deletionGracePeriodSeconds: int,
        generation: int,
        finalizers: list(string),
      }),
    ),
    spec: object('kubernetes.NamespaceSpec', fields({ finalizers: list(string) })),
    status: object(
      'kubernetes.NamespaceStatus',
      fields({
        phase: string,
        conditions: list(
          object(
            'kubernetes.NamespaceCondition',
            fields({ ...texts('status', 'type', 'message', 'reason'), lastTransitionTime: timestamp }),
          ),
        ),
      }),
    ),
  }),
)

/** The fields of an object whose schema nobody asks: any name, any value. */
class AnyField extends Map<string, Type> {
  override get(): Type {
    return dyn
  }
}

const anyField = new AnyField()

export const objectType = object('Object', anyField)
export const jsonPatchType = object('JSONPatch', fields({ ...texts('op', 'path', 'from'), value: dyn }))

function patchType(name: string): Type | undefined {
  if (name === jsonPatchType.name) return jsonPatchType
  return name === objectType.name || name.startsWith(`${objectType.name}.`) ? object(name, anyField) : undefined
}

const base = strictEnvironment.extend({
  variables: { object: dyn, oldObject: dyn, request: requestType, namespaceObject: namespaceType },
})

const known = new Map<string, Environment>()

/** The environment of a scope; made at first use and shared. */
export function environmentOf({ hasParams, hasAuthorizer, hasPatchTypes }: ExpressionScope): Environment {
  const id = `${hasParams === true} ${hasAuthorizer === true} ${hasPatchTypes === true}`
  const environment =
    known.get(id) ??
    base.extend({
      variables: {
        ...(hasParams && { params: dyn }),
        ...(hasAuthorizer && { authorizer: authorizerType, 'authorizer.requestResource': resourceCheckType }),
      },
      ...(hasPatchTypes && { objectNamed: patchType, libraries: [jsonPatch] }),
    })
  known.set(id, environment)
  return environment
}
