import type { Container } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { expect, test } from 'vitest'
import { view } from '../testing/views.ts'
import { ContainerConfigError, environment, expand, type LookUp } from './environment.ts'

const values = (of: Record<string, string>) =>
  new Map(Object.entries(of).map(([key, value]) => [key, Buffer.from(value)]))
const objects = new Map([
  ['configmap/settings', values({ colour: 'red', 'not=a name': 'x', size: 'big' })],
  ['secret/keys', values({ token: 's3cret' })],
])
const lookUp: LookUp = async (kind, name) => objects.get(`${kind}/${name}`)
const facts = { podIPs: ['10.0.0.7'], hostIPs: ['192.0.2.1'], allocatable: { cpu: '4', memory: '8Gi' } }
const { pod } = view({ metadata: { labels: { app: 'web' }, annotations: { 'a.b/c': 'note' } } })

const of = async (container: Partial<Container>) => {
  const { resources } = container
  const whole = { ...pod, spec: { ...pod.spec, containers: [{ name: 'main', ...(resources && { resources }) }] } }
  return Object.fromEntries(await environment({ pod: whole, container: { name: 'main', ...container }, facts, lookUp }))
}
const field = (fieldPath: string) => ({ name: 'X', valueFrom: { fieldRef: { fieldPath } } })
const resource = (name: string, divisor?: string) => ({
  name: 'X',
  valueFrom: { resourceFieldRef: { resource: name, divisor } },
})

const cases: { name: string; container: Partial<Container>; want: Record<string, string> }[] = [
  { name: 'plain values', container: { env: [{ name: 'A', value: '1' }, { name: 'B' }] }, want: { A: '1', B: '' } },
  {
    name: 'references to what is above',
    container: {
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '$(A)$(C) $$(A)' },
        { name: 'C', value: '3' },
      ],
    },
    want: { A: '1', B: '1$(C) $(A)', C: '3' },
  },
  {
    name: 'whole objects, with a prefix, without impossible names',
    container: { envFrom: [{ prefix: 'S_', configMapRef: { name: 'settings' } }, { secretRef: { name: 'keys' } }] },
    want: { S_colour: 'red', S_size: 'big', token: 's3cret' },
  },
  {
    name: 'single keys, over whole objects',
    container: {
      envFrom: [{ configMapRef: { name: 'settings' } }],
      env: [{ name: 'size', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } }],
    },
    want: { colour: 'red', size: 's3cret' },
  },
  {
    name: 'nothing for what is missing and optional',
    container: {
      envFrom: [{ configMapRef: { name: 'none', optional: true } }],
      env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'none', optional: true } } }],
    },
    want: {},
  },
  ...Object.entries({
    'metadata.name': 'web',
    'metadata.namespace': 'shop',
    'metadata.uid': 'u-1',
    "metadata.labels['app']": 'web',
    "metadata.labels['__proto__']": '',
    "metadata.annotations['a.b/c']": 'note',
    'status.podIP': '10.0.0.7',
    'status.hostIP': '192.0.2.1',
  }).map(([path, X]) => ({ name: path, container: { env: [field(path)] }, want: { X } })),
  {
    name: 'a limit',
    container: { resources: { limits: { cpu: '1500m' } }, env: [resource('limits.cpu')] },
    want: { X: '2' },
  },
  {
    name: 'a limit in units of a divisor',
    container: { resources: { limits: { cpu: '1500m' } }, env: [resource('limits.cpu', '1m')] },
    want: { X: '1500' },
  },
  {
    name: 'the node where there is no limit',
    container: { env: [resource('limits.memory', '1Gi')] },
    want: { X: '8' },
  },
  { name: 'no request where there is none', container: { env: [resource('requests.memory')] }, want: { X: '0' } },
]

test.each(cases)('the environment holds $name', async ({ container, want }) =>
  expect(await of(container)).toEqual(want),
)

test.each([
  {
    env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'none', key: 'x' } } }],
    message: 'configmap "none" not found',
  },
  {
    env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'keys', key: 'x' } } }],
    message: "couldn't find key x in Secret shop/keys",
  },
  { env: [field('spec.nothing')], message: 'unsupported fieldPath: spec.nothing' },
])('it cannot be made: $message', async ({ env, message }) => {
  await expect(of({ env })).rejects.toThrow(new ContainerConfigError(message))
})

test.each([
  ['$', '$'],
  ['$$$(A)', '$1'],
  ['$(A', '$(A'],
  ['$()', '$()'],
  ['$(__proto__)', '$(__proto__)'],
])('%s expands to %s', (text, want) => expect(expand(text, new Map([['A', '1']]))).toBe(want))
