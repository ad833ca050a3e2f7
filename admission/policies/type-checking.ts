import type {
  ExpressionWarning,
  NamedRuleWithOperations,
  ParamKind,
  ValidatingAdmissionPolicy,
} from '#apis/admissionregistration/v1/zz_generated.types.ts'
import { parseApiVersion } from '#apis/meta/v1/types.ts'
import { types } from '#core/cel/cel.ts'
import type { Type } from '#core/cel/types.ts'
import { environmentOf } from '../matching/environment.ts'
import { Expression } from '../matching/expression.ts'
import type { GroupVersionKind, Kinds } from '../matching/kinds.ts'
import { schemaType } from './schema-type.ts'
import { Variables } from './variables.ts'

/** A policy may match so many kinds; those beyond are not checked. */
const maxKinds = 10

/**
 * What would go wrong with the expressions of a policy for some of the kinds that it matches by name, judged by their schemas.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#type-checking
 */
export function typeWarnings({ spec = {} }: ValidatingAdmissionPolicy, kinds: Kinds): ExpressionWarning[] {
  const params = spec.paramKind && (paramType(spec.paramKind, kinds) ?? types.dyn)
  const environments = matchedKinds(spec.matchConstraints?.resourceRules ?? [], kinds).flatMap((kind) => {
    const object = typeOfKind(kind, kinds)
    if (!object) return []
    const base = environmentOf({ hasParams: params !== undefined, hasAuthorizer: true })
    const typed = base.extend({ variables: { object, oldObject: object, ...(params && { params }) } })
    return [{ kind, environment: new Variables(spec.variables ?? [], typed).within(typed) }]
  })
  const warningsOf = (fieldRef: string, text: string | undefined): ExpressionWarning[] => {
    if (!text) return []
    const found = environments.flatMap(({ kind, environment }) => {
      const { fault } = new Expression(text, environment)
      return fault ? [`${formatKind(kind)}: ${fault.replace(/^compilation failed: /, '')}\n`] : []
    })
    return found.length > 0 ? [{ fieldRef, warning: found.join('\n') }] : []
  }
  return (spec.validations ?? []).flatMap(({ expression, messageExpression }, at) => [
    ...warningsOf(`spec.validations[${at}].expression`, expression),
    ...warningsOf(`spec.validations[${at}].messageExpression`, messageExpression),
  ])
}

const formatKind = ({ group, version, kind }: GroupVersionKind) => `${group}/${version}, Kind=${kind}`

function paramType({ apiVersion = '', kind = '' }: ParamKind, kinds: Kinds): Type | undefined {
  return typeOfKind({ ...parseApiVersion(apiVersion), kind }, kinds)
}

function typeOfKind(kind: GroupVersionKind, kinds: Kinds): Type | undefined {
  const schema = kinds.schema(kind)
  return schema && schemaType(schema.root, kind.kind)
}

/** The kinds that rules name, without stars and subresources, in order. */
function matchedKinds(rules: readonly NamedRuleWithOperations[], kinds: Kinds): GroupVersionKind[] {
  const found = new Map<string, GroupVersionKind>()
  for (const rule of rules) {
    const kindsOfRule = combinationsOf(rule).flatMap((one) => kinds.byResource(one) ?? [])
    for (const { group, version, kind } of kindsOfRule.slice(0, maxKinds)) {
      found.set(`${group}/${version}/${kind}`, { group, version, kind })
    }
    if (kindsOfRule.length >= maxKinds) break
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, kind]) => kind)
}

function combinationsOf({ apiGroups = [], apiVersions = [], resources = [] }: NamedRuleWithOperations) {
  const hasStar = (names: readonly string[]) => names.some((name) => name.includes('*'))
  if (hasStar(apiGroups) || hasStar(apiVersions)) return []
  const named = resources.filter((resource) => !/[*/]/.test(resource)).toSorted()
  return apiGroups
    .toSorted()
    .flatMap((group) =>
      apiVersions.toSorted().flatMap((version) => named.map((resource) => ({ group, version, resource }))),
    )
}
