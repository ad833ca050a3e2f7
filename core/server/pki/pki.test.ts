import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parse } from 'yaml'
import { kubeconfigText, writeKubeconfig } from '../kubeconfig.ts'
import { ipBytes } from './certificate.ts'
import { loadOrCreatePki } from './pki.ts'

const run = promisify(execFile)
const day = 86_400_000
let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pki-'))
})
afterEach(() => rm(directory, { recursive: true }))

const file = (name: string) => join(directory, 'pki', name)

test('a first start makes every key and certificate, readable by the owner only', async () => {
  const pki = await loadOrCreatePki({ directory, hosts: ['192.0.2.7', 'api.example', '0.0.0.0'] })
  const names = await readdir(join(directory, 'pki'))
  expect(names.sort()).toEqual(
    ['admin', 'apiserver', 'apiserver-kubelet-client', 'ca', 'front-proxy-ca', 'front-proxy-client']
      .flatMap((name) => [`${name}.crt`, `${name}.key`])
      .concat(['sa.key', 'sa.pub'])
      .sort(),
  )
  for (const name of names) expect((await stat(file(name))).mode & 0o777).toBe(0o600)

  const serving = new X509Certificate(pki.serving.certPem)
  for (const host of ['localhost', 'kubernetes.default.svc.cluster.local', 'api.example']) {
    expect(serving.checkHost(host)).toBe(host)
  }
  for (const ip of ['127.0.0.1', '::1', '10.96.0.1', '192.0.2.7']) expect(serving.checkIP(ip)).toBe(ip)
  expect(serving.checkIP('0.0.0.0')).toBeUndefined()
  expect(serving.validFromDate.getTime()).toBeLessThan(Date.now() - 4 * 60_000)
  expect(new X509Certificate(pki.admin.certPem).subject).toBe('O=system:masters\nCN=kubernetes-admin')
  const node = new X509Certificate(pki.issueNodeClient('node-a').certPem)
  expect(node.subject).toBe('O=system:nodes\nCN=system:node:node-a')
  expect(node.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
  expect(node.serialNumber).not.toBe(serving.serialNumber)
})

test('openssl accepts the chain, strictly', async ({ skip }) => {
  if (!(await run('openssl', ['version']).catch(() => undefined))) return skip('openssl is not installed')
  await loadOrCreatePki({ directory })
  for (const [name, purpose] of [
    ['apiserver', 'sslserver'],
    ['admin', 'sslclient'],
  ] as const) {
    const args = ['verify', '-x509_strict', '-purpose', purpose, '-CAfile', file('ca.crt'), file(`${name}.crt`)]
    expect((await run('openssl', args)).stdout).toMatch(/: OK$/m)
  }
  const { stdout } = await run('openssl', ['x509', '-in', file('ca.crt'), '-noout', '-text'])
  expect(stdout).toMatch(/CA:TRUE/)
  expect(stdout).toMatch(/Digital Signature, Certificate Sign, CRL Sign/)
})

test('a second start reads what the first made', async () => {
  const first = await loadOrCreatePki({ directory })
  const { ca, serving, admin, kubeletClient, serviceAccountKey } = await loadOrCreatePki({ directory })
  expect({ ca, serving, admin, kubeletClient, serviceAccountKey }).toEqual({
    ca: first.ca,
    serving: first.serving,
    admin: first.admin,
    kubeletClient: first.kubeletClient,
    serviceAccountKey: first.serviceAccountKey,
  })
})

const renewals = [
  { name: 'nothing in the first two thirds of a year', days: 240, leaf: false, ca: false },
  { name: 'leaves in the last third', days: 250, leaf: true, ca: false },
  { name: 'the authority in the last third of ten years', days: 2500, leaf: true, ca: true },
]
test.each(renewals)('renewal replaces $name', async ({ days, leaf, ca }) => {
  const before = await loadOrCreatePki({ directory })
  const after = await loadOrCreatePki({ directory, clock: () => Date.now() + days * day })
  expect(after.serving.certPem !== before.serving.certPem).toBe(leaf)
  expect(after.ca.certPem !== before.ca.certPem).toBe(ca)
  expect(after.ca.keyPem).toBe(before.ca.keyPem)
  expect(new X509Certificate(before.admin.certPem).checkIssued(new X509Certificate(after.ca.certPem))).toBe(true)
})

test('new names and torn pairs are issued again, the rest is kept', async () => {
  const before = await loadOrCreatePki({ directory })
  await writeFile(file('admin.key'), before.kubeletClient.keyPem)
  const after = await loadOrCreatePki({ directory, hosts: ['new.example'] })
  expect(new X509Certificate(after.serving.certPem).checkHost('new.example')).toBe('new.example')
  expect(after.admin.certPem).not.toBe(before.admin.certPem)
  expect(after.kubeletClient).toEqual(before.kubeletClient)
})

const damages = [
  { name: 'ca.crt', text: 'no certificate', want: /ca\.crt is damaged: it holds no certificate/ },
  { name: 'ca.key', text: '', want: /ca\.key is damaged: it holds no private key/ },
  {
    name: 'apiserver.crt',
    text: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    want: /apiserver\.crt is damaged/,
  },
  { name: 'sa.key', text: 'x', want: /sa\.key is damaged/ },
]
test.each(damages)('a damaged $name is named', async ({ name, text, want }) => {
  await loadOrCreatePki({ directory })
  await writeFile(file(name), text)
  await expect(loadOrCreatePki({ directory })).rejects.toThrow(want)
})

test('a lost authority key is an error, a lost authority certificate is not', async () => {
  const before = await loadOrCreatePki({ directory })
  await rm(file('ca.crt'))
  expect((await loadOrCreatePki({ directory })).serving).toEqual(before.serving)
  await rm(file('ca.key'))
  await expect(loadOrCreatePki({ directory })).rejects.toThrow(/ca\.key is missing/)
})

test.each([
  ['10.0.0.255', '0a0000ff'],
  ['::', '00'.repeat(16)],
  ['::1', `${'00'.repeat(15)}01`],
  ['fe80::1%eth0', `fe80${'00'.repeat(13)}01`],
  ['2001:db8::8:800:200c:417a', '20010db80000000000080800200c417a'],
  ['::ffff:192.0.2.1', `${'00'.repeat(10)}ffffc0000201`],
])('the bytes of %s', (address, want) => expect(ipBytes(address).toString('hex')).toBe(want))

test('a kubeconfig holds what a client needs, whatever the name', async () => {
  const options = { server: 'https://127.0.0.1:6443', caPem: 'CA', certPem: 'CERT', keyPem: 'KEY', name: 'a: "b"\n- c' }
  const path = join(directory, 'sub', 'config')
  await writeKubeconfig(path, options)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await readFile(path, 'utf8')).toBe(kubeconfigText(options))
  expect(parse(kubeconfigText(options))).toMatchObject({
    kind: 'Config',
    'current-context': options.name,
    clusters: [{ name: options.name, cluster: { server: options.server, 'certificate-authority-data': 'Q0E=' } }],
    users: [
      { name: `${options.name}-admin`, user: { 'client-certificate-data': 'Q0VSVA==', 'client-key-data': 'S0VZ' } },
    ],
    contexts: [{ name: options.name, context: { cluster: options.name, user: `${options.name}-admin` } }],
  })
})
