import { expect, test } from 'vitest'
import type { Toleration } from '#apis/core/v1/zz_generated.types.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { requestOf } from '../testing/request.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'

const notReady = 'node.kubernetes.io/not-ready'
const unreachable = 'node.kubernetes.io/unreachable'
const fiveMinutes = (key: string) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 })

function admitted(tolerations: Toleration[] | undefined, operation: 'CREATE' | 'UPDATE' = 'CREATE'): unknown {
  const spec = tolerations ? { tolerations } : {}
  const object: UnstructuredObject = { apiVersion: 'v1', kind: 'Pod', metadata: {}, spec }
  void defaultTolerationSeconds().admit!(requestOf({ object, operation }))
  return (object.spec as { tolerations?: Toleration[] }).tolerations
}

test.each<{ name: string; tolerations: Toleration[] | undefined; want: unknown }>([
  { name: 'nothing', tolerations: undefined, want: [fiveMinutes(notReady), fiveMinutes(unreachable)] },
  {
    name: 'something else',
    tolerations: [{ key: 'gpu', operator: 'Exists' }],
    want: [{ key: 'gpu', operator: 'Exists' }, fiveMinutes(notReady), fiveMinutes(unreachable)],
  },
  {
    name: 'one of them',
    tolerations: [{ key: notReady, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }],
    want: [{ key: notReady, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }, fiveMinutes(unreachable)],
  },
  {
    name: 'one of them, but not to stay',
    tolerations: [{ key: notReady, operator: 'Exists', effect: 'NoSchedule' }],
    want: [
      { key: notReady, operator: 'Exists', effect: 'NoSchedule' },
      fiveMinutes(notReady),
      fiveMinutes(unreachable),
    ],
  },
  { name: 'everything', tolerations: [{ operator: 'Exists' }], want: [{ operator: 'Exists' }] },
])('a pod that tolerates $name', ({ tolerations, want }) => expect(admitted(tolerations)).toEqual(want))

test('a standing pod is left alone', () => expect(admitted(undefined, 'UPDATE')).toBeUndefined())
