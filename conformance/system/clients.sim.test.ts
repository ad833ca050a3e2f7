/** Clients in other languages, as Debian packages them: each script in `conformance/clients` says what holds of a server. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { extname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { serviceaccounts } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { rolebindings } from '@keelson/apis/rbac/v1/zz_generated.types.ts'
import { test as plainTest } from 'vitest'
import { type SystemContext, systemTests } from './testing.ts'

const run = promisify(execFile)
const folder = resolve(import.meta.dirname, '../clients')

interface Language {
  name: string
  /** The one on the path may be another than Debian's, which knows Debian's libraries. */
  interpreters: readonly string[]
  /** Arguments with which an interpreter succeeds that has the library. */
  probe: readonly string[]
  debianPackage: string
}

const languages: readonly Language[] = [
  {
    name: 'python',
    interpreters: ['python3', '/usr/bin/python3'],
    probe: ['-c', 'import kubernetes'],
    debianPackage: 'python3-kubernetes',
  },
  {
    name: 'ruby',
    interpreters: ['ruby', '/usr/bin/ruby'],
    probe: ['-e', 'require "kubeclient"'],
    debianPackage: 'ruby-kubeclient',
  },
]

async function findInterpreter({ interpreters, probe }: Language): Promise<string | undefined> {
  for (const path of interpreters) {
    const works = await run(path, [...probe]).then(
      () => true,
      () => false,
    )
    if (works) return path
  }
  return undefined
}

async function scriptsOf({ name }: Language): Promise<string[]> {
  const files = await readdir(join(folder, name))
  return files.filter((file) => /\.(py|rb)$/.test(file) && !file.startsWith('suite.')).sort()
}

/** `access` is about a token; all else is done as an administrator, with a client certificate. */
const kubeconfigFor = (t: SystemContext, script: string) =>
  script.startsWith('access.') ? kubeconfigWithToken(t) : Promise.resolve(t.system.cluster.kubeconfig)

/** For a service account that may edit what is in the test's namespace. */
async function kubeconfigWithToken(t: SystemContext): Promise<string> {
  const namespace = await t.namespace()
  const door = await t.in(serviceaccounts)
  await door.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } })
  await (await t.in(rolebindings)).create({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'robot' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
    subjects: [{ kind: 'ServiceAccount', name: 'robot', namespace }],
  })
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }
  const { status } = await door.createSubresource<{ status: { token: string } }>('robot', 'token', request)
  const { server, caData = '' } = t.client.access
  const cluster = { server, 'certificate-authority-data': Buffer.from(caData).toString('base64') }
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'here', cluster }],
    users: [{ name: 'robot', user: { token: status.token } }],
    contexts: [{ name: 'here', context: { cluster: 'here', user: 'robot' } }],
    'current-context': 'here',
  }
  return t.file('kubeconfig', JSON.stringify(kubeconfig))
}

const test = systemTests({ cri: 'sim' })

for (const language of languages) {
  const interpreter = await findInterpreter(language)
  for (const script of await scriptsOf(language)) {
    const name = `${language.name}: ${script.slice(0, -extname(script).length)}`
    if (interpreter) test(name, (t) => runScript(t, interpreter, join(folder, language.name, script)))
    else declareMissing(name, language)
  }
}

async function runScript(t: SystemContext, interpreter: string, path: string): Promise<void> {
  const kubeconfig = await kubeconfigFor(t, path.split('/').at(-1)!)
  const environment = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' }
  const options = { signal: t.signal, env: environment }
  const { stdout } = await run(interpreter, [path, kubeconfig, await t.namespace()], options)
  const lines = stdout.trim().split('\n')
  assert.ok(lines.length > 1 && lines.every((line) => line.startsWith('ok ')), stdout)
}

function declareMissing(name: string, { debianPackage }: Language): void {
  plainTest(name, ({ skip }) => {
    const reason = `no interpreter here has ${debianPackage}`
    if (process.env.KEELSON_REQUIRE_ALL === '1') throw new Error(reason)
    skip(reason)
  })
}
