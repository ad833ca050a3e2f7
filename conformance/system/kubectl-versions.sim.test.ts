/** The first minutes with the cluster, with every kubectl that is found here. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { findKubectls } from '../runner/kubectl.ts'
import { systemTests } from './testing.ts'

const run = promisify(execFile)
const hello = resolve(import.meta.dirname, '../../examples/hello/deployment.yaml')

const test = systemTests({ cri: 'sim' })

for (const { path: binary } of await findKubectls()) {
  test(`${binary} applies, reads, explains and deletes`, async (t) => {
    const namespace = await t.namespace()
    const place = ['--kubeconfig', t.system.cluster.kubeconfig, '--namespace', namespace]
    const cache = ['--cache-dir', join(t.system.cluster.folder, binary.replaceAll('/', '_'))]
    const kubectl = async (...args: string[]) =>
      (await run(binary, [...place, ...cache, ...args], { signal: t.signal })).stdout
    assert.equal(await kubectl('apply', '-f', hello), 'deployment.apps/hello created\n')
    assert.match(await kubectl('rollout', 'status', 'deployment/hello', '--timeout=90s'), /successfully rolled out/)
    assert.equal(await kubectl('apply', '-f', hello), 'deployment.apps/hello unchanged\n')
    assert.match(await kubectl('get', 'deployments'), /^hello\s+3\/3\s+3\s+3\s+\d+s$/m)
    assert.equal((await kubectl('get', 'pods', '-l', 'app=hello', '--no-headers')).trim().split('\n').length, 3)
    assert.match(await kubectl('get', 'pods', '-o', 'yaml'), /kind: List/)
    assert.match(await kubectl('describe', 'deployment', 'hello'), /3 available/)
    assert.notEqual(await kubectl('logs', 'deployment/hello'), '')
    assert.match(await kubectl('explain', 'deployment.spec.replicas'), /replicas/)
    assert.match(await kubectl('api-resources'), /deployments/)
    await kubectl('scale', 'deployment/hello', '--replicas=1')
    await kubectl('delete', '-f', hello)
    await t.eventually(async () => (await kubectl('get', 'deployments,replicasets,pods', '-o', 'name')) === '')
  })
}
