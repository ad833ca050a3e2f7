import { expect, test } from 'vitest'
import type { LookUp } from './pod/environment.ts'
import { pullSecretFor, registryOf } from './pull-secrets.ts'
import { view } from './testing/views.ts'

test.each([
  ['busybox', 'docker.io'],
  ['team/app:1', 'docker.io'],
  ['registry.example/app', 'registry.example'],
  ['localhost/app', 'localhost'],
  ['localhost:5000/app', 'localhost:5000'],
])('%s comes from %s', (image, want) => expect(registryOf(image)).toBe(want))

test('credentials are found by the registry of the image', async () => {
  const config = {
    auths: { 'https://index.docker.io/v1/': { auth: 'aHVi' }, 'registry.example': { username: 'u', password: 'p' } },
  }
  const lookUp: LookUp = async (_, name) =>
    name === 'creds'
      ? new Map([['.dockerconfigjson', Buffer.from(JSON.stringify(config))]])
      : new Map([['.dockercfg', Buffer.from('{')]])
  const { pod } = view({ spec: { imagePullSecrets: [{ name: 'broken' }, { name: 'creds' }] } })
  expect(await pullSecretFor(pod, 'busybox', lookUp)).toMatchObject({ auth: 'aHVi' })
  expect(await pullSecretFor(pod, 'registry.example/app', lookUp)).toMatchObject({ username: 'u', password: 'p' })
  expect(await pullSecretFor(pod, 'other.example/app', lookUp)).toBeUndefined()
})
