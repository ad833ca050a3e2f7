/** Whatever writers do at the same time, no two objects have the same value, and nothing refers to what is not there. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { statusOf } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { admin, type TestRegistry } from '#core/testing/test-registry.ts'
import { definition, group, openWith, widget, widgets } from './testing.ts'

const schema = {
  host: { type: 'string', 'x-keelson-unique': 'namespace' },
  parent: { type: 'string', 'x-keelson-reference': { group, resource: 'widgets', onDelete: 'restrict' } },
} as const

interface Spec {
  host?: string
  parent?: string
}

type Act = { kind: 'create' | 'update'; name: string; spec: Spec } | { kind: 'delete'; name: string }

const names = ['a', 'b', 'c', 'd']
const anyName = fc.constantFrom(...names)
const anySpec: fc.Arbitrary<Spec> = fc.record(
  { host: fc.constantFrom('x', 'y', 'z'), parent: anyName },
  { requiredKeys: [] },
)
const anyAct: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ kind: fc.constantFrom('create', 'update'), name: anyName, spec: anySpec }),
  fc.record({ kind: fc.constant('delete' as const), name: anyName }),
)
/** What happens at once, again and again. */
const anyRounds = fc.array(fc.array(anyAct, { minLength: 1, maxLength: 5 }), { maxLength: 12 })

type State = Map<string, Spec>

/** @returns the answer's code; 200 for success */
async function perform(registry: TestRegistry, act: Act, namespace: string): Promise<number> {
  const served = registry.served(widgets)
  const at = { namespace, name: act.name }
  try {
    if (act.kind === 'create') await registry.create(widgets, widget(act.name, act.spec, namespace))
    else if (act.kind === 'delete') await registry.store.delete(served, at, {}, admin)
    else {
      const { spec } = act
      await registry.store.update(served, at, '', ({ bytes }) => ({ ...reviveObject(bytes), spec }), admin)
    }
    return 200
  } catch (error) {
    return statusOf(error).code!
  }
}

/** What the answer must be when nobody else writes. */
function expected(state: State, act: Act): number {
  const others = [...state].filter(([name]) => name !== act.name)
  if (act.kind === 'delete') {
    if (!state.has(act.name)) return 404
    return others.some(([, { parent }]) => parent === act.name) ? 409 : 200
  }
  const before = state.get(act.name)
  if (act.kind === 'update' && !before) return 404
  const { host, parent } = act.spec
  const isTaken = host !== undefined && others.some(([, spec]) => spec.host === host)
  const isMissing = parent !== undefined && parent !== before?.parent && parent !== act.name && !state.has(parent)
  if (isTaken || isMissing) return 422
  return act.kind === 'create' && before ? 409 : 200
}

function stateOf(registry: TestRegistry, namespace: string): State {
  const { entries } = registry.served(widgets).resource.cache.list(`${namespace}/`)
  return new Map(
    entries.map(({ bytes }) => {
      const { metadata, spec } = reviveObject(bytes)
      return [metadata.name!, spec as Spec]
    }),
  )
}

function expectConsistent(state: State): void {
  const hosts = [...state.values()].flatMap(({ host }) => host ?? [])
  expect(new Set(hosts).size).toBe(hosts.length)
  for (const { parent } of state.values()) if (parent !== undefined) expect([...state.keys()]).toContain(parent)
}

/** Keys stand for what objects have, and for nothing else. */
async function expectKeys(registry: TestRegistry, namespace: string, state: State): Promise<void> {
  const count = async (prefix: string) =>
    (await registry.storage.list(prefix)).items.filter(({ key }) => key.includes(`/${namespace}/`)).length
  const specs = [...state]
  expect(await count('/registry/~unique/')).toBe(specs.filter(([, { host }]) => host).length)
  expect(await count('/registry/~reference/')).toBe(
    specs.filter(([name, { parent }]) => parent && parent !== name).length,
  )
}

test('any writes, at once or not, keep the constraints', async () => {
  await using registry = await openWith(definition(schema))
  let runs = 0
  await fc.assert(
    fc.asyncProperty(anyRounds, async (rounds) => {
      const namespace = `n${++runs}`
      for (const acts of rounds) {
        const before = stateOf(registry, namespace)
        const codes = await Promise.all(acts.map((act) => perform(registry, act, namespace)))
        const after = stateOf(registry, namespace)
        expectConsistent(after)
        await expectKeys(registry, namespace, after)
        expect(codes.filter((code) => ![200, 404, 409, 422].includes(code))).toEqual([])
        if (acts.length === 1) expect(codes).toEqual([expected(before, acts[0]!)])
      }
    }),
    { numRuns: 60 },
  )
})
