import { expect, test } from 'vitest'
import type { PodSpec } from '#apis/core/v1/zz_generated.types.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { FakeReader, requestOf } from '../testing/request.ts'
import { serviceAccount } from './service-account.ts'

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount'
const account = (name: string, rest: object = {}) => ({ metadata: { name, namespace: 'default' }, ...rest })
const container = (name: string, rest: object = {}) => ({ name, image: 'i', ...rest })

async function admitted(spec: object, reader = withDefault(), metadata: object = {}): Promise<PodSpec> {
  const object: UnstructuredObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', ...metadata },
    spec: structuredClone(spec),
  }
  await serviceAccount(reader).admit!(requestOf({ object }))
  return object.spec as PodSpec
}

const withDefault = (rest: object = {}) => new FakeReader().add('serviceaccounts', account('default', rest))
const one = { containers: [container('a')] }

test('a pod acts as the default account, and finds its token in every container', async () => {
  const spec = await admitted({ containers: [container('a'), container('b')], initContainers: [container('c')] })
  expect(spec).toMatchObject({ serviceAccountName: 'default', serviceAccount: 'default' })
  const [volume] = spec.volumes!
  expect(volume!.name).toMatch(/^kube-api-access-[a-z0-9]{5}$/)
  expect(volume!.projected!.sources).toMatchObject([
    { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
    { configMap: { name: 'kube-root-ca.crt' } },
    { downwardAPI: { items: [{ path: 'namespace' }] } },
  ])
  for (const { volumeMounts } of [...spec.containers, ...spec.initContainers!]) {
    expect(volumeMounts).toEqual([{ name: volume!.name, readOnly: true, mountPath }])
  }
})

test('a pod without containers is left for validation to refuse', async () => {
  const spec = await admitted({} as Parameters<typeof admitted>[0])
  expect([spec.serviceAccountName, spec.volumes]).toEqual(['default', undefined])
})

test('what a container mounts there itself stays', async () => {
  const own = { name: 'own', mountPath }
  const spec = await admitted({ containers: [container('a', { volumeMounts: [own] })], volumes: [{ name: 'own' }] })
  expect(spec.containers[0]!.volumeMounts).toEqual([own])
  expect(spec.volumes).toEqual([{ name: 'own' }])
})

test.each([
  { name: 'the pod says no', spec: { automountServiceAccountToken: false }, account: {}, mounted: false },
  { name: 'the account says no', spec: {}, account: { automountServiceAccountToken: false }, mounted: false },
  {
    name: 'the pod says yes against its account',
    spec: { automountServiceAccountToken: true },
    account: { automountServiceAccountToken: false },
    mounted: true,
  },
])('where $name, the token is mounted: $mounted', async ({ spec, account: rest, mounted }) => {
  expect((await admitted({ ...one, ...spec }, withDefault(rest))).volumes !== undefined).toBe(mounted)
})

test('pull secrets come from the account unless the pod names some', async () => {
  const secrets = { imagePullSecrets: [{ name: 'registry' }] }
  expect(await admitted(one, withDefault(secrets))).toMatchObject(secrets)
  const own = { imagePullSecrets: [{ name: 'own' }] }
  expect(await admitted({ ...one, ...own }, withDefault(secrets))).toMatchObject(own)
})

test('the older field names the account too', async () => {
  const reader = new FakeReader().add('serviceaccounts', account('build'))
  expect(await admitted({ ...one, serviceAccount: 'build' }, reader)).toMatchObject({ serviceAccountName: 'build' })
})

test('the default account of a new namespace is waited for', async () => {
  const reader = new FakeReader()
  const pod = admitted(one, reader)
  reader.add('serviceaccounts', account('default'))
  expect((await pod).serviceAccountName).toBe('default')
})

test('an account that is not there is refused', async () => {
  await expect(admitted({ ...one, serviceAccountName: 'gone' })).rejects.toThrow(
    'pods "p" is forbidden: error looking up service account default/gone: serviceaccount "gone" not found',
  )
})

test('mirror pods act as nobody', async () => {
  const spec = await admitted(one, new FakeReader(), { annotations: { 'kubernetes.io/config.mirror': 'x' } })
  expect(spec).toEqual(one)
})
