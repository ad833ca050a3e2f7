import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findStatusError } from '#core/errors/status-error.ts'
import { aboutWidget, TestPolicies, widget } from '../testing/policies.ts'

/** Reads much, and in ways that do not fit much. */
const conditions = [
  'object.spec.size > 1',
  'has(object.spec.parts) && object.spec.parts.all(p, p.name.size() > 0)',
  'object.spec.exists(k, k == "constructor" || k == "__proto__")',
  'object.?spec.?parts[?0].?name.orValue("") == "a"',
  'variables.first == object.metadata.name',
  'string(object.spec.size).matches("^[0-9]+$")',
]

const mutations = [
  'Object{spec: Object.spec{size: object.spec.size}}',
  'Object{spec: Object.spec{parts: object.spec.parts}}',
  'Object{metadata: Object.metadata{labels: object.spec}}',
  'Object{spec: object.spec}',
  '[JSONPatch{op: "add", path: "/spec/" + jsonpatch.escapeKey(object.spec.words[0]), value: object.spec}]',
  '[JSONPatch{op: "remove", path: object.spec.words[0]}, JSONPatch{op: "copy", from: "/spec", path: "/spec/copy"}]',
  '[JSONPatch{op: "replace", path: "", value: object.spec}]',
]

const key = fc.oneof(
  fc.constantFrom('size', 'parts', 'words', 'name', 'colour', '__proto__', 'constructor', 'toString', 'a/b', '~'),
  fc.string({ maxLength: 4 }),
)
const spec = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, fc.jsonValue({ maxDepth: 1 }), tie('list'), tie('object')),
  list: fc.array(tie('value'), { maxLength: 3 }),
  object: fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map(fromEntries),
})).object

/** As JSON.parse makes it: `__proto__` is a key like others. */
function fromEntries(entries: [string, unknown][]): object {
  const text = entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value) ?? 'null'}`).join()
  return JSON.parse(`{${text}}`)
}

const policies = new TestPolicies().validate({
  variables: [{ name: 'first', expression: 'object.spec.words[0]' }],
  validations: conditions.map((expression) => ({ expression })),
})
for (const expression of mutations) {
  const patch = expression.startsWith('[')
    ? { patchType: 'JSONPatch' as const, jsonPatch: { expression } }
    : { patchType: 'ApplyConfiguration' as const, applyConfiguration: { expression } }
  policies.mutate({ mutations: [patch], reinvocationPolicy: 'IfNeeded', failurePolicy: 'Ignore' })
}

test('whatever an object is, policies refuse it as a Status or let it pass', () => {
  fc.assert(
    fc.property(spec, (value) => {
      const request = aboutWidget({ object: widget(value as object) })
      try {
        policies.mutating.admit(request)
        policies.mutating.again.admit(request)
        policies.validating.validate(request)
      } catch (error) {
        if (!findStatusError(error)) throw error
      }
      expect(Object.getPrototypeOf({})).toBe(Object.prototype)
      expect(Reflect.ownKeys(Object.prototype)).toHaveLength(inherited)
    }),
  )
})

const inherited = Reflect.ownKeys(Object.prototype).length
