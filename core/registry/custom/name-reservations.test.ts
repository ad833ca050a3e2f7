import { expect, test } from 'vitest'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { NameReservations } from './name-reservations.ts'

const now = () => new Date(0)

function definition(plural: string, shortName: string) {
  const names = { plural, singular: plural, kind: plural, listKind: `${plural}List`, shortNames: [shortName] }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.x.dev`, uid: plural, generation: 1 },
    spec: { group: 'x.dev', scope: 'Cluster', names, versions: [{ name: 'v1', served: true, storage: true }] },
    status: {},
  } as UnstructuredObject & { status: { conditions?: { type: string; status: string }[] } }
}

const isEstablished = ({ status }: ReturnType<typeof definition>) =>
  status.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') === true

test('free names are taken for whoever comes first, until it is known not to be stored', async () => {
  const names = new NameReservations(() => new Map(), now)
  const [first, second, third] = [definition('as', 'x'), definition('bs', 'x'), definition('cs', 'x')]
  const reservation = await names.reserve(first, undefined, false)
  await names.reserve(second, undefined, false)
  expect([first, second].map(isEstablished)).toEqual([true, false])
  await reservation.rollback()
  await names.reserve(third, undefined, false)
  expect(isEstablished(third)).toBe(true)
})

test('a dry run takes nothing, and an update is left alone', async () => {
  const names = new NameReservations(() => new Map(), now)
  const [dry, wet, changed] = [definition('as', 'x'), definition('bs', 'x'), definition('ds', 'y')]
  await names.reserve(dry, undefined, true)
  await names.reserve(wet, undefined, false)
  await names.reserve(changed, definition('ds', 'y'), false)
  expect([dry, wet, changed].map(isEstablished)).toEqual([true, true, false])
})
