import assert from 'node:assert/strict'
import { configmaps, pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { defineCase } from '../runner/case.ts'
import { configMap, deployment, establish, runningPod, widget, widgetKind } from '../runner/fixtures.ts'

const reference = 'https://kubernetes.io/docs/reference/kubectl/generated/'
const needs = ['kubectl'] as const
const json = JSON.stringify

export const cases = [
  defineCase({
    name: 'kubectl apply: creates, then leaves alone, then configures',
    stands: `${reference}kubectl_apply/`,
    needs,
    async run(t) {
      await t.namespace()
      const apply = async (value: string) =>
        (await t.kubectl(['apply', '-f', '-'], { input: json(configMap('one', { a: value })) })).stdout
      assert.equal(await apply('1'), 'configmap/one created\n')
      assert.equal(await apply('1'), 'configmap/one unchanged\n')
      assert.equal(await apply('2'), 'configmap/one configured\n')
      const { metadata, data } = await (await t.in(configmaps)).get('one')
      assert.deepEqual(data, { a: '2' })
      assert.ok(metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'])
    },
  }),
  defineCase({
    name: 'kubectl apply: what was applied and is not any more is removed',
    stands: 'https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/',
    needs,
    async run(t) {
      await t.namespace()
      const apply = (data: Record<string, string>) =>
        t.kubectl(['apply', '-f', '-'], { input: json(configMap('one', data)) })
      await apply({ a: '1', b: '2' })
      await (await t.in(configmaps)).patch('one', { type: 'merge', body: { data: { other: 'x' } } })
      await apply({ a: '1' })
      assert.deepEqual((await (await t.in(configmaps)).get('one')).data, { a: '1', other: 'x' })
    },
  }),
  defineCase({
    name: 'kubectl apply: the server does it when asked',
    stands: `${reference}kubectl_apply/`,
    needs,
    async run(t) {
      await t.namespace()
      const input = json(configMap('one', { a: '1' }))
      const { stdout } = await t.kubectl(['apply', '--server-side', '--field-manager=ci', '-f', '-'], { input })
      assert.equal(stdout, 'configmap/one serverside-applied\n')
    },
  }),
  defineCase({
    name: 'kubectl apply: the server names who else has a field, and takes it by force',
    stands: `${reference}kubectl_apply/`,
    needs,
    // Earlier ones always show managed fields, and know no flag for it.
    kubectlSince: 21,
    async run(t) {
      await t.namespace()
      const apply = (manager: string, value: string, ...more: string[]) =>
        t.kubectl(['apply', '--server-side', `--field-manager=${manager}`, '-f', '-', ...more], {
          input: json(configMap('one', { a: value })),
          mayFail: true,
        })
      await apply('first', '1')
      const { exitCode, stderr } = await apply('second', '2')
      assert.equal(exitCode, 1)
      assert.match(stderr, /Apply failed with 1 conflict: conflict with "first": \.data\.a/)
      assert.equal((await apply('second', '2', '--force-conflicts')).exitCode, 0)
      const { stdout } = await t.kubectl(['get', 'configmap', 'one', '-o', 'yaml', '--show-managed-fields'])
      assert.match(stdout, /manager: second/)
    },
  }),
  defineCase({
    name: 'kubectl apply: what the client applied until now, the server goes on with',
    stands:
      'https://kubernetes.io/docs/reference/using-api/server-side-apply/#migration-between-client-side-and-server-side-apply',
    needs,
    async run(t) {
      await t.namespace()
      const input = (data: Record<string, string>) => ({ input: json(configMap('one', data)) })
      await t.kubectl(['apply', '-f', '-'], input({ a: '1', b: '1' }))
      await t.kubectl(['apply', '--server-side', '-f', '-'], input({ a: '2' }))
      const { stdout } = await t.kubectl(['get', 'configmap', 'one', '-o', 'json'])
      const { data, metadata } = JSON.parse(stdout)
      assert.equal(data.a, '2')
      const last = metadata.annotations['kubectl.kubernetes.io/last-applied-configuration']
      assert.deepEqual(JSON.parse(last).data, { a: '2' })
      await t.kubectl(['apply', '-f', '-'], input({ a: '3' }))
    },
  }),
  defineCase({
    name: 'kubectl diff: the server says what an apply would change',
    stands: `${reference}kubectl_diff/`,
    needs,
    async run(t) {
      await t.namespace()
      const input = (value: string) => json(configMap('one', { a: value }))
      await t.kubectl(['apply', '--server-side', '-f', '-'], { input: input('1') })
      const { exitCode, stdout } = await t.kubectl(['diff', '--server-side', '-f', '-'], {
        input: input('2'),
        mayFail: true,
      })
      assert.equal(exitCode, 1)
      assert.match(stdout, /^\+\s+a: "2"$/m)
    },
  }),
  defineCase({
    name: 'kubectl apply: an unknown field is an error',
    stands: `${reference}kubectl_apply/`,
    needs,
    async run(t) {
      await t.namespace()
      const { exitCode, stderr } = await t.kubectl(['apply', '-f', '-'], {
        input: json({ ...configMap('one'), dta: {} }),
        mayFail: true,
      })
      assert.equal(exitCode, 1)
      assert.match(stderr, /unknown field "dta"/)
    },
  }),
  defineCase({
    name: 'kubectl apply: a custom kind works like any other',
    stands: 'https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/',
    needs,
    async run(t) {
      await t.namespace()
      const kind = widgetKind(t)
      await establish(t, kind)
      const input = json(widget(kind, 'one'))
      const { stdout } = await t.eventually(() => t.kubectl(['apply', '-f', '-'], { input }))
      assert.equal(stdout, `widget.${kind.group}/one created\n`)
      const { stdout: shown } = await t.kubectl(['get', `widgets.${kind.group}`])
      assert.match(shown, /^NAME\s+SIZE\none\s+3\n$/)
    },
  }),
  defineCase({
    name: 'kubectl get: in every form',
    stands: `${reference}kubectl_get/`,
    needs,
    async run(t) {
      const { metadata } = await (await t.in(configmaps)).create(configMap('one', { a: '1' }))
      const get = async (...args: string[]) => (await t.kubectl(['get', 'configmap', 'one', ...args])).stdout
      assert.match(await get(), /^NAME\s+DATA\s+AGE\none\s+1\s+\d+s\n$/)
      assert.equal(JSON.parse(await get('-o', 'json')).metadata.uid, metadata.uid)
      assert.match(await get('-o', 'yaml'), /^data:\n {2}a: "1"\n/m)
      assert.equal(await get('-o', 'name'), 'configmap/one\n')
      assert.equal(await get('-o', 'jsonpath={.data.a}'), '1')
      assert.equal(await get('-o', 'go-template={{.data.a}}'), '1')
      assert.match(await get('-o', 'custom-columns=N:.metadata.name,A:.data.a'), /^N\s+A\none\s+1\n$/)
      assert.match(await get('--show-labels'), /<none>\n$/)
    },
  }),
  defineCase({
    name: 'kubectl get: what is not there is told',
    stands: `${reference}kubectl_get/`,
    needs,
    async run(t) {
      const namespace = await t.namespace()
      const missing = await t.kubectl(['get', 'configmap', 'none'], { mayFail: true })
      assert.deepEqual(
        [missing.exitCode, missing.stderr],
        [1, 'Error from server (NotFound): configmaps "none" not found\n'],
      )
      assert.equal((await t.kubectl(['get', 'deployments'])).stderr, `No resources found in ${namespace} namespace.\n`)
      assert.match(
        (await t.kubectl(['get', 'nonsense'], { mayFail: true })).stderr,
        /the server doesn't have a resource type "nonsense"/,
      )
      assert.equal((await t.kubectl(['get', 'configmap', 'none', '--ignore-not-found'])).stdout, '')
    },
  }),
  defineCase({
    name: 'kubectl get: short names, several kinds, selectors and all',
    stands: `${reference}kubectl_get/`,
    needs,
    async run(t) {
      await t.namespace()
      await t.kubectl(['create', 'configmap', 'one'])
      await t.kubectl(['create', 'deployment', 'web', '--image=example.com/app:1', '--replicas=0'])
      await t.kubectl(['label', 'configmap', 'one', 'tier=x'])
      assert.match(
        (await t.kubectl(['get', 'cm,deploy', '-o', 'name'])).stdout,
        /configmap\/one\n.*deployment.apps\/web\n/s,
      )
      assert.equal((await t.kubectl(['get', 'cm', '-l', 'tier=x', '-o', 'name'])).stdout, 'configmap/one\n')
      assert.match((await t.kubectl(['get', 'all'])).stdout, /deployment.apps\/web\s+0\/0/)
      assert.match((await t.kubectl(['get', 'cm', '-A', '--field-selector', 'metadata.name=one'])).stdout, /^NAMESPACE/)
    },
  }),
  defineCase({
    name: 'kubectl create: makes objects from its arguments',
    stands: `${reference}kubectl_create/`,
    needs,
    async run(t) {
      await t.namespace()
      await t.kubectl([
        'create',
        'configmap',
        'settings',
        '--from-literal=a=1',
        `--from-file=b=${await t.file('b.txt', 'two')}`,
      ])
      assert.deepEqual((await (await t.in(configmaps)).get('settings')).data, { a: '1', b: 'two' })
      await t.kubectl(['create', 'secret', 'generic', 'keys', '--from-literal=x=y'])
      assert.equal((await t.kubectl(['get', 'secret', 'keys', '-o', 'jsonpath={.data.x}'])).stdout, 'eQ==')
      await t.kubectl(['create', 'serviceaccount', 'robot'])
      await t.kubectl(['create', 'role', 'reader', '--verb=get', '--resource=pods'])
      await t.kubectl(['create', 'rolebinding', 'reader', '--role=reader', '--serviceaccount=default:robot'])
      const again = await t.kubectl(['create', 'configmap', 'settings'], { mayFail: true })
      assert.match(again.stderr, /configmaps "settings" already exists/)
    },
  }),
  defineCase({
    name: 'kubectl create: issues the token of a service account',
    stands: `${reference}kubectl_create/kubectl_create_token/`,
    needs,
    kubectlSince: 24,
    async run(t) {
      await t.namespace()
      assert.match((await t.kubectl(['create', 'token', 'default'])).stdout, /^eyJ[\w.-]+\n?$/)
    },
  }),
  defineCase({
    name: 'kubectl create: a dry run of the server shows and leaves nothing',
    stands: `${reference}kubectl_create/`,
    needs,
    async run(t) {
      await t.namespace()
      const { stdout } = await t.kubectl([
        'create',
        'configmap',
        'one',
        '--dry-run=server',
        '-o',
        'jsonpath={.metadata.uid}',
      ])
      assert.match(stdout, /^[0-9a-f-]{36}$/)
      assert.equal((await t.kubectl(['get', 'configmap', 'one', '--ignore-not-found'])).stdout, '')
    },
  }),
  defineCase({
    name: 'kubectl describe: shows an object and its events',
    stands: `${reference}kubectl_describe/`,
    needs,
    async run(t) {
      await (await t.in(configmaps)).create(configMap('one', { a: 'value' }))
      const { stdout } = await t.kubectl(['describe', 'configmap', 'one'])
      for (const part of [/^Name:\s+one$/m, /^Namespace:\s+conformance-/m, /^a:\n----\nvalue$/m, /^Events:/m])
        assert.match(stdout, part)
      await (await t.in(pods)).create(runningPod(t, 'one', { schedulerName: 'nobody' }))
      assert.match((await t.kubectl(['describe', 'pod', 'one'])).stdout, /^Status:\s+Pending$/m)
    },
  }),
  defineCase({
    name: 'kubectl diff: shows what an apply would change',
    stands: `${reference}kubectl_diff/`,
    needs,
    async run(t) {
      await t.namespace()
      const input = (value: string) => ({ input: json(configMap('one', { a: value })), mayFail: true })
      await t.kubectl(['apply', '-f', '-'], input('1'))
      assert.equal((await t.kubectl(['diff', '-f', '-'], input('1'))).exitCode, 0)
      const { exitCode, stdout } = await t.kubectl(['diff', '-f', '-'], input('2'))
      assert.equal(exitCode, 1)
      assert.match(stdout, /^-\s+a: "1"$/m)
      assert.match(stdout, /^\+\s+a: "2"$/m)
    },
  }),
  defineCase({
    name: 'kubectl label and annotate: add, overwrite and remove',
    stands: `${reference}kubectl_label/`,
    needs,
    async run(t) {
      const door = await t.in(configmaps)
      await door.create(configMap('one'))
      await t.kubectl(['label', 'configmap', 'one', 'tier=web'])
      assert.match(
        (await t.kubectl(['label', 'configmap', 'one', 'tier=db'], { mayFail: true })).stderr,
        /'tier' already has a value/,
      )
      await t.kubectl(['label', 'configmap', 'one', 'tier=db', '--overwrite'])
      await t.kubectl(['annotate', 'configmap', 'one', 'note=some words'])
      const { metadata } = await door.get('one')
      assert.deepEqual([metadata.labels, metadata.annotations], [{ tier: 'db' }, { note: 'some words' }])
      await t.kubectl(['label', 'configmap', 'one', 'tier-'])
      assert.deepEqual((await door.get('one')).metadata.labels ?? {}, {})
    },
  }),
  defineCase({
    name: 'kubectl patch: in each of its types',
    stands: `${reference}kubectl_patch/`,
    needs,
    async run(t) {
      const door = await t.in(configmaps)
      await door.create(configMap('one', { a: '1' }))
      await t.kubectl(['patch', 'configmap', 'one', '-p', '{"data":{"b":"2"}}'])
      await t.kubectl(['patch', 'configmap', 'one', '--type=merge', '-p', '{"data":{"a":null}}'])
      await t.kubectl(['patch', 'configmap', 'one', '--type=json', '-p', '[{"op":"add","path":"/data/c","value":"3"}]'])
      assert.deepEqual((await door.get('one')).data, { b: '2', c: '3' })
    },
  }),
  defineCase({
    name: 'kubectl replace: puts another object in the place of one',
    stands: `${reference}kubectl_replace/`,
    needs,
    async run(t) {
      const door = await t.in(configmaps)
      await door.create(configMap('one', { a: '1' }))
      await t.kubectl(['replace', '-f', '-'], { input: json(configMap('one', { b: '2' })) })
      assert.deepEqual((await door.get('one')).data, { b: '2' })
    },
  }),
  defineCase({
    name: 'kubectl edit: writes what the editor left',
    stands: `${reference}kubectl_edit/`,
    needs,
    async run(t) {
      const door = await t.in(configmaps)
      await door.create(configMap('one', { a: 'before' }))
      const { stdout } = await t.kubectl(['edit', 'configmap', 'one'], {
        env: { KUBE_EDITOR: 'sed -i s/before/after/' },
      })
      assert.equal(stdout, 'configmap/one edited\n')
      assert.deepEqual((await door.get('one')).data, { a: 'after' })
    },
  }),
  defineCase({
    name: 'kubectl delete: by name, by label and from a file',
    stands: `${reference}kubectl_delete/`,
    needs,
    async run(t) {
      const door = await t.in(configmaps)
      for (const name of ['a', 'b', 'c'])
        await door.create(configMap(name, {}, { labels: { mine: name === 'b' ? 'yes' : 'no' } }))
      assert.match((await t.kubectl(['delete', 'configmap', 'a'])).stdout, /^configmap "a" deleted/)
      await t.kubectl(['delete', 'configmap', '-l', 'mine=yes'])
      await t.kubectl(['delete', '-f', '-'], { input: json(configMap('c')) })
      assert.equal((await t.kubectl(['get', 'cm', '-l', 'mine', '-o', 'name'])).stdout, '')
    },
  }),
  defineCase({
    name: 'kubectl wait: for a condition, a value and an end',
    stands: `${reference}kubectl_wait/`,
    needs,
    kubectlSince: 23,
    async run(t) {
      const kind = widgetKind(t)
      await establish(t, kind)
      const door = await t.in(kind.ref)
      const made = await door.create(widget(kind, 'one'))
      const name = `widgets.${kind.group}/one`
      await t.kubectl(['wait', '--for=condition=Established', `crd/widgets.${kind.group}`, '--timeout=10s'])
      await t.eventually(() => t.kubectl(['get', name]))
      const value = t.kubectl(['wait', '--for=jsonpath={.status.phase}=Done', name, '--timeout=20s'])
      await door.updateStatus({ ...made, status: { phase: 'Done' } })
      await value
      const end = t.kubectl(['wait', '--for=delete', name, '--timeout=20s'])
      await door.delete('one')
      await end
      const late = await t.kubectl(['wait', '--for=condition=Never', `crd/widgets.${kind.group}`, '--timeout=1s'], {
        mayFail: true,
      })
      assert.match(late.stderr, /timed out waiting for the condition/)
    },
  }),
  defineCase({
    name: 'kubectl scale and set: change a deployment',
    stands: `${reference}kubectl_scale/`,
    needs,
    async run(t) {
      await t.namespace()
      await t.kubectl(['apply', '-f', '-'], { input: json(deployment(t, 'web', 0)) })
      await t.kubectl(['set', 'image', 'deployment/web', 'main=example.com/app:2'])
      await t.kubectl(['set', 'env', 'deployment/web', 'MORE=1'])
      await t.kubectl(['scale', 'deployment/web', '--replicas=2', '--current-replicas=0'])
      const { stdout } = await t.kubectl([
        'get',
        'deployment',
        'web',
        '-o',
        'jsonpath={.spec.replicas} {.spec.template.spec.containers[0].image}',
      ])
      assert.equal(stdout, '2 example.com/app:2')
      assert.match(
        (await t.kubectl(['get', 'deployment', 'web'])).stdout,
        /^NAME\s+READY\s+UP-TO-DATE\s+AVAILABLE\s+AGE\nweb\s+\d\/2/,
      )
    },
  }),
  defineCase({
    name: 'kubectl expose: makes a service of a deployment',
    stands: `${reference}kubectl_expose/`,
    needs,
    async run(t) {
      await t.namespace()
      await t.kubectl(['apply', '-f', '-'], { input: json(deployment(t, 'web', 0)) })
      await t.kubectl(['expose', 'deployment', 'web', '--port=80', '--target-port=8080'])
      assert.equal(
        (await t.kubectl(['get', 'service', 'web', '-o', 'jsonpath={.spec.selector.app} {.spec.ports[0].targetPort}']))
          .stdout,
        'web 8080',
      )
    },
  }),
]
