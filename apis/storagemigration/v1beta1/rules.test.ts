import { expect, test } from 'vitest'
import type { Condition } from '../../meta/v1/types.ts'
import { storageVersionMigrationRules } from './rules.ts'
import type { StorageVersionMigration } from './zz_generated.types.ts'

function migration(resource: string, group = 'x.dev', status?: StorageVersionMigration['status']) {
  const spec = { resource: { group, resource } }
  return { apiVersion: 'v1beta1', kind: 'StorageVersionMigration', metadata: { name: 'm' }, spec, status }
}

const said = (errors: { field: string; message: string }[]) =>
  errors.map(({ field, message }) => `${field}: ${message}`)

test.each([
  { name: 'a custom resource', given: migration('gadgets'), want: [] },
  { name: 'one of the core group', given: migration('pods', ''), want: [] },
  { name: 'no resource', given: migration(''), want: ['spec.resource.resource: Required value: resource is required'] },
  { name: 'no label', given: migration('../pods'), want: ['spec.resource.resource: Invalid value: "../pods"'] },
  { name: 'no group', given: migration('pods', 'X/..'), want: ['spec.resource.group: Invalid value: "X/.."'] },
])('a migration of $name', ({ given, want }) => {
  const errors = said(storageVersionMigrationRules.validate!(given))
  expect(errors).toEqual(want.map((one) => expect.stringContaining(one)))
})

test('a migration stays with its resource', () => {
  const update = (resource: string) =>
    said(storageVersionMigrationRules.validateUpdate!(migration(resource), migration('gadgets'), ''))
  expect(update('gadgets')).toEqual([])
  expect(update('others')).toEqual([expect.stringMatching(/^spec: Invalid value: .*: field is immutable$/)])
})

const are = (...types: string[]): Condition[] =>
  types.map((type) => ({ type, status: 'True', reason: 'R', message: '', lastTransitionTime: '' }))

const once = 'once it is true'

test.each([
  { name: 'begins', from: {}, to: { resourceVersion: '7', conditions: are('Running') }, want: [] },
  { name: 'fails before it began', from: {}, to: { conditions: are('Failed') }, want: [] },
  { name: 'succeeds', from: { conditions: are('Running') }, to: { conditions: are('Succeeded') }, want: [] },
  { name: 'both', from: {}, to: { conditions: are('Succeeded', 'Failed') }, want: ['Both success and failed'] },
  { name: 'goes on after success', from: {}, to: { conditions: are('Succeeded', 'Running') }, want: ['Running'] },
  { name: 'goes on after failure', from: {}, to: { conditions: are('Failed', 'Running') }, want: ['Running'] },
  { name: 'takes success back', from: { conditions: are('Succeeded') }, to: {}, want: [`Success.*${once}`] },
  { name: 'takes failure back', from: { conditions: are('Failed') }, to: {}, want: [`Failed.*${once}`] },
  { name: 'moves its version', from: { resourceVersion: '7' }, to: { resourceVersion: '8' }, want: ['immutable'] },
  { name: 'has no number for one', from: {}, to: { resourceVersion: 'abc' }, want: ['not well formed: abc'] },
])('a migration that $name', ({ from, to, want }) => {
  const [now, old] = [migration('gadgets', 'x.dev', to), migration('gadgets', 'x.dev', from)]
  const errors = said(storageVersionMigrationRules.validateUpdate!(now, old, 'status'))
  expect(errors).toEqual(want.map((one) => expect.stringMatching(one)))
})
