import { expect, test } from 'vitest'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { AdmissionRequest } from '#apis/plugin/v1/admission.ts'
import { FakeReader, requestOf } from '../testing/request.ts'
import { limitRanger } from './limit-ranger.ts'

const reader = new FakeReader().add('limitranges', {
  metadata: { name: 'r', namespace: 'default' },
  spec: {
    limits: [
      { type: 'Container', default: { cpu: '1' }, max: { cpu: '1' }, min: { memory: '1Mi' } },
      { type: 'PersistentVolumeClaim', max: { storage: '1Gi' } },
    ],
  },
})

const pod = (cpu?: string): UnstructuredObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'c', ...(cpu && { resources: { limits: { cpu } } }) }] },
})
const large = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'c' },
  spec: { resources: { requests: { storage: '2Gi' } } },
}
const claims = { kind: 'PersistentVolumeClaim', resource: 'persistentvolumeclaims' }

test('a new pod gets defaults, and no other', () => {
  const limitsOf = (request: Partial<AdmissionRequest>) => {
    const object = pod()
    limitRanger(reader).admit!(requestOf({ ...request, object }))
    return (object.spec as { containers: { resources?: object }[] }).containers[0]!.resources
  }
  expect(limitsOf({})).toEqual({ limits: { cpu: '1' } })
  expect(limitsOf({ namespace: 'other' })).toBeUndefined()
  expect(limitsOf({ operation: 'UPDATE' })).toBeUndefined()
  expect(limitsOf({ resource: 'podtemplates' })).toBeUndefined()
})

const tooMuch =
  'pods "p" is forbidden: [minimum memory usage per Container is 1Mi.  No request is specified, maximum cpu usage per Container is 1, but limit is 2]'

test.each<{ name: string; request: Partial<AdmissionRequest>; refusal?: string }>([
  { name: 'a new pod', request: { object: pod('2') }, refusal: tooMuch },
  { name: 'a resize', request: { object: pod('2'), operation: 'UPDATE', subresource: 'resize' }, refusal: tooMuch },
  { name: 'another update of a pod', request: { object: pod('2'), operation: 'UPDATE' } },
  {
    name: 'a claim',
    request: { ...claims, object: large },
    refusal:
      'persistentvolumeclaims "c" is forbidden: maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi',
  },
  { name: 'a claim that grows', request: { ...claims, object: large, operation: 'UPDATE' }, refusal: 'is 2Gi' },
  { name: 'the status of a claim', request: { ...claims, object: large, operation: 'UPDATE', subresource: 'status' } },
  { name: 'a deletion', request: { ...claims, oldObject: large, operation: 'DELETE' } },
])('$name is judged: $refusal', ({ request, refusal }) => {
  const judge = () => limitRanger(reader).validate!(requestOf(request))
  if (refusal) expect(judge).toThrow(refusal)
  else expect(judge).not.toThrow()
})
