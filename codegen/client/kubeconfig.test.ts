import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadKubeconfig } from './kubeconfig.ts'

const folder = mkdtempSync(join(tmpdir(), 'keelson-kubeconfig-'))
afterAll(() => rmSync(folder, { recursive: true }))

function load(user: object, cluster: object = {}, context?: string) {
  const file = join(folder, 'config')
  const config = {
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1', ...cluster } }],
    users: [{ name: 'u', user }],
  }
  writeFileSync(file, JSON.stringify(config))
  return loadKubeconfig(file, context)
}

test('data in place is decoded', () => {
  const data = Buffer.from('PEM').toString('base64')
  const access = load(
    { 'client-certificate-data': data, 'client-key-data': data },
    { 'certificate-authority-data': data },
  )
  expect(access.caData).toBe('PEM')
  expect(access.clientCertificate).toEqual({ certData: 'PEM', keyData: 'PEM' })
})

test('files are found relative to the kubeconfig', () => {
  writeFileSync(join(folder, 'ca.pem'), 'CA')
  writeFileSync(join(folder, 'token'), 'secret\n')
  const access = load({ tokenFile: 'token' }, { 'certificate-authority': 'ca.pem' })
  expect(access.caData).toBe('CA')
  expect(access.token?.()).toBe('secret')
})

const refused = [
  { name: 'a plugin that runs a command', user: { exec: {} }, cluster: {}, want: 'users of kind "exec"' },
  {
    name: 'unchecked certificates',
    user: {},
    cluster: { 'insecure-skip-tls-verify': true },
    want: 'name the authority',
  },
  { name: 'an unknown context', user: {}, cluster: {}, context: 'there', want: 'context "there" does not exist' },
]
test.each(refused)('$name is refused with the reason', ({ user, cluster, context, want }) => {
  expect(() => load(user, cluster, context)).toThrow(want)
})
