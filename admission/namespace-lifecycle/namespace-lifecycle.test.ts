import { expect, test } from 'vitest'
import type { AdmissionRequest } from '#apis/plugin/v1/admission.ts'
import { statusOf } from '#core/errors/status-error.ts'
import { FakeReader, requestOf } from '../testing/request.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'

const reader = new FakeReader()
  .add('namespaces', { metadata: { name: 'default' } })
  .add('namespaces', { metadata: { name: 'going', deletionTimestamp: '2030-01-01T00:00:00Z' } })
const step = namespaceLifecycle(reader)
const namespaces = { group: '', resource: 'namespaces', namespace: '' }

test.each<{ name: string; request: Partial<AdmissionRequest> }>([
  { name: 'an object in a namespace', request: {} },
  { name: 'an object of the cluster', request: { resource: 'nodes', namespace: '' } },
  { name: 'a change in a namespace that is going', request: { operation: 'UPDATE', namespace: 'going' } },
  { name: 'a deletion in a namespace that is going', request: { operation: 'DELETE', namespace: 'going' } },
  { name: 'a namespace', request: { ...namespaces, name: 'new' } },
  { name: 'the deletion of a namespace', request: { ...namespaces, operation: 'DELETE', name: 'team' } },
])('$name is let through', ({ request }) => {
  expect(() => step.admit!(requestOf(request))).not.toThrow()
})

test.each<{ name: string; request: Partial<AdmissionRequest>; code: number; message: string }>([
  {
    name: 'an object in a namespace that is not there',
    request: { namespace: 'gone' },
    code: 404,
    message: 'namespaces "gone" not found',
  },
  {
    name: 'an object in a namespace that is going',
    request: { namespace: 'going', name: 'p' },
    code: 403,
    message: 'pods "p" is forbidden: unable to create new content in namespace going because it is being terminated',
  },
  ...['default', 'kube-system', 'kube-public'].map((name) => ({
    name: `the deletion of ${name}`,
    request: { ...namespaces, operation: 'DELETE' as const, name },
    code: 403,
    message: `namespaces "${name}" is forbidden: this namespace may not be deleted`,
  })),
])('$name is refused', ({ request, code, message }) => {
  let refusal: unknown
  try {
    step.admit!(requestOf(request))
  } catch (error) {
    refusal = error
  }
  expect(statusOf(refusal)).toMatchObject({ code, message })
})
