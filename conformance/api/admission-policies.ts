import assert from 'node:assert/strict'
import {
  type MutatingAdmissionPolicySpec,
  mutatingadmissionpolicies,
  mutatingadmissionpolicybindings,
  type NamedRuleWithOperations,
  type ValidatingAdmissionPolicyBindingSpec,
  type ValidatingAdmissionPolicySpec,
  type Validation,
  validatingadmissionpolicies,
  validatingadmissionpolicybindings,
} from '@keelson/apis/admissionregistration/v1/zz_generated.types.ts'
import { deployments, replicasets } from '@keelson/apis/apps/v1/zz_generated.types.ts'
import {
  type HorizontalPodAutoscaler,
  horizontalpodautoscalers,
} from '@keelson/apis/autoscaling/v2/zz_generated.types.ts'
import { configmaps, namespaces, pods, secrets, serviceaccounts } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { ObjectMeta, Status } from '@keelson/apis/meta/v1/types.ts'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import { configMap, deployment, establish, runningPod, widget, widgetKind } from '../runner/fixtures.ts'

const validating = 'https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/'
const mutating = 'https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/'

const inNamespace = (name: string) => ({ matchLabels: { 'kubernetes.io/metadata.name': name } })

const on = (
  apiGroup: string,
  resource: string,
  operations = ['CREATE', 'UPDATE'],
  more: NamedRuleWithOperations = {},
): NamedRuleWithOperations => ({
  apiGroups: [apiGroup],
  apiVersions: ['v1'],
  operations,
  resources: [resource],
  ...more,
})

const onConfigMaps = on('', 'configmaps')

/** A policy that is for the case's namespace alone, bound. It is in force once something tells so. */
async function bind(
  t: CaseContext,
  rules: NamedRuleWithOperations | NamedRuleWithOperations[],
  spec: ValidatingAdmissionPolicySpec,
  binding: Partial<ValidatingAdmissionPolicyBindingSpec> = {},
): Promise<string> {
  const name = t.unique('policy')
  const policies = t.client.resource(validatingadmissionpolicies)
  const bindings = t.client.resource(validatingadmissionpolicybindings)
  t.cleanup(() => policies.delete(name))
  t.cleanup(() => bindings.delete(name))
  const { matchConstraints, ...rest } = spec
  const namespaceSelector = inNamespace(await t.namespace())
  await policies.create({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: { ...rest, matchConstraints: { resourceRules: [rules].flat(), namespaceSelector, ...matchConstraints } },
  })
  await bindings.create({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'], ...binding },
  })
  return name
}

/** The same for a policy that changes what is written. */
async function bindMutating(
  t: CaseContext,
  rules: NamedRuleWithOperations,
  spec: MutatingAdmissionPolicySpec,
  name = t.unique('policy'),
): Promise<string> {
  const policies = t.client.resource(mutatingadmissionpolicies)
  const bindings = t.client.resource(mutatingadmissionpolicybindings)
  t.cleanup(() => policies.delete(name))
  t.cleanup(() => bindings.delete(name))
  const namespaceSelector = inNamespace(await t.namespace())
  await policies.create({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicy',
    metadata: { name },
    spec: { reinvocationPolicy: 'Never', matchConstraints: { resourceRules: [rules], namespaceSelector }, ...spec },
  })
  await bindings.create({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name },
  })
  return name
}

const applying = (expression: string) => ({
  patchType: 'ApplyConfiguration' as const,
  applyConfiguration: { expression },
})
const patching = (expression: string) => ({ patchType: 'JSONPatch' as const, jsonPatch: { expression } })

/** Resolves once the policies are in force that refuse it: elsewhere that takes a while. `write` changes nothing. */
function refused(
  t: CaseContext,
  write: () => Promise<unknown>,
  like: Partial<Status> & { messageIncludes?: string },
): Promise<Status> {
  return t.eventually(() => t.rejects(write(), like))
}

const tried = { dryRun: true }

const denial = (policy: string, message: string) =>
  `ValidatingAdmissionPolicy '${policy}' with binding '${policy}' denied request: ${message}`

const autoscaler = (averageUtilization: number): HorizontalPodAutoscaler => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'one' },
  spec: {
    maxReplicas: 2,
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'one' },
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } }],
  },
})

const validatingCases = [
  defineCase({
    name: 'policies: one refuses Deployments, and lets other kinds alone',
    stands: 'ValidatingAdmissionPolicy should validate against a Deployment',
    async run(t) {
      const policy = await bind(t, on('apps', 'deployments'), {
        validations: [
          {
            expression: 'object.spec.replicas > 1',
            messageExpression: "'wants replicas > 1, got ' + object.spec.replicas",
          },
        ],
      })
      // What cannot be computed is no message: an int is not added to a string.
      const door = await t.in(deployments)
      const message = `deployments.apps "one" is forbidden: ${denial(policy, 'failed expression: object.spec.replicas > 1')}`
      const status = await refused(t, () => door.create(deployment(t, 'one', 1), tried), { code: 422, message })
      assert.deepEqual([status.reason, status.details?.causes?.length], ['Invalid', 1])
      assert.equal((await door.create(deployment(t, 'two', 2), tried)).spec?.replicas, 2)
      const { spec } = deployment(t, 'one', 1)
      const replicaSet = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'one' }, spec: { ...spec! } }
      await (await t.in(replicasets)).create(replicaSet, tried)
    },
  }),
  defineCase({
    name: 'policies: expressions refer to variables, and those to the ones before them',
    stands: 'ValidatingAdmissionPolicy should allow expressions to refer variables.',
    async run(t) {
      const policy = await bind(t, on('apps', 'deployments'), {
        variables: [
          { name: 'replicas', expression: 'object.spec.replicas' },
          { name: 'oddReplicas', expression: 'variables.replicas % 2 == 1' },
        ],
        validations: [
          { expression: 'variables.replicas > 1' },
          { expression: 'variables.oddReplicas', messageExpression: "'even: ' + string(variables.replicas)" },
        ],
      })
      const door = await t.in(deployments)
      const small = denial(policy, 'failed expression: variables.replicas > 1')
      await refused(t, () => door.create(deployment(t, 'one', 1), tried), { code: 422, messageIncludes: small })
      const even = door.create(deployment(t, 'one', 4), tried)
      await t.rejects(even, { code: 422, messageIncludes: denial(policy, 'even: 4') })
      await door.create(deployment(t, 'one', 3), tried)
    },
  }),
  defineCase({
    name: 'policies: the reason of a refusal is the policy’s to choose, and the message to compute',
    stands: validating,
    async run(t) {
      const policy = await bind(t, onConfigMaps, {
        validations: [
          { expression: '!has(object.data.a)', messageExpression: "'no a: ' + object.data.a", reason: 'Forbidden' },
          { expression: '!has(object.data.b)', message: ' no b ', messageExpression: 'string(object.data.missing)' },
        ],
      })
      const door = await t.in(configmaps)
      const a = await refused(t, () => door.create(configMap('one', { a: 'yes' }), tried), { code: 403 })
      assert.deepEqual(
        [a.reason, a.message],
        ['Forbidden', `configmaps "one" is forbidden: ${denial(policy, 'no a: yes')}`],
      )
      const b = await t.rejects(door.create(configMap('one', { b: 'yes' }), tried), { code: 422 })
      assert.equal(b.message, `configmaps "one" is forbidden: ${denial(policy, 'no b')}`)
    },
  }),
  defineCase({
    name: 'policies: a binding warns instead of refusing',
    stands: validating,
    async run(t) {
      const policy = await bind(
        t,
        onConfigMaps,
        { validations: [{ expression: 'has(object.data.good)', message: 'is not good' }] },
        { validationActions: ['Warn', 'Audit'] },
      )
      const path = `/api/v1/namespaces/${await t.namespace()}/configmaps?dryRun=All`
      const warned = await t.eventually(async () => {
        const { status, headers } = await t.http({ method: 'POST', path, body: configMap('one') })
        return status === 201 && headers.warning
      })
      const text = `Validation failed for ValidatingAdmissionPolicy '${policy}' with binding '${policy}': is not good`
      assert.equal(warned, `299 - "${text}"`)
    },
  }),
  defineCase({
    name: 'policies: what fails refuses, or is ignored where the policy says so',
    stands: validating,
    async run(t) {
      const expression = "object.data.must == 'be'"
      const strict = await bind(t, on('', 'configmaps'), { validations: [{ expression }] })
      await bind(t, on('', 'secrets'), {
        failurePolicy: 'Ignore',
        validations: [{ expression: 'object.missing.field == 1' }, { expression: "object.metadata.name != 'bad'" }],
      })
      const door = await t.in(configmaps)
      await refused(t, () => door.create(configMap('one', { other: '' }), tried), {
        code: 422,
        messageIncludes: denial(strict, `expression '${expression}' resulted in error: no such key: must`),
      })
      const secret = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name } })
      const others = await t.in(secrets)
      await refused(t, () => others.create(secret('bad'), tried), { code: 422 })
      await others.create(secret('good'), tried)
    },
  }),
  defineCase({
    name: 'policies: conditions say which requests one is for',
    stands: validating,
    async run(t) {
      await bind(t, onConfigMaps, {
        matchConditions: [
          { name: 'not-exempt', expression: "!object.metadata.name.startsWith('exempt')" },
          { name: 'on-create', expression: "request.operation == 'CREATE'" },
        ],
        validations: [{ expression: 'false', message: 'never' }],
      })
      const door = await t.in(configmaps)
      await refused(t, () => door.create(configMap('one'), tried), { code: 422 })
      const made = await door.create(configMap('exempt'))
      await door.update({ ...made, data: { changed: 'yes' } })
    },
  }),
  defineCase({
    name: 'policies: a binding narrows them to namespaces, and rules to objects and names',
    stands: validating,
    async run(t) {
      const never = { validations: [{ expression: 'false' }] }
      const here = await t.namespace()
      const elsewhere = t.unique('elsewhere')
      t.cleanup(() => t.client.resource(namespaces).delete(elsewhere))
      await t.client.resource(namespaces).create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: elsewhere } })
      const both = {
        matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In' as const, values: [here, elsewhere] }],
      }
      await bind(
        t,
        onConfigMaps,
        { ...never, matchConstraints: { namespaceSelector: both, objectSelector: { matchLabels: { bad: 'yes' } } } },
        { matchResources: { namespaceSelector: inNamespace(here) } },
      )
      await bind(t, on('', 'secrets', ['CREATE'], { resourceNames: ['named'] }), {
        ...never,
        matchConstraints: { excludeResourceRules: [on('', 'secrets', ['UPDATE'])] },
      })
      const bad = configMap('one', {}, { labels: { bad: 'yes' } })
      const door = await t.in(configmaps)
      await refused(t, () => door.create(bad, tried), { code: 422 })
      await t.client.resource(configmaps).in(elsewhere).create(bad, tried)
      const made = await door.create(configMap('one'))
      // The object before counts as well as the one after.
      await t.rejects(door.update({ ...made, metadata: { ...made.metadata, labels: { bad: 'yes' } } }, tried), {
        code: 422,
      })
      const secret = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name } })
      await refused(t, async () => (await t.in(secrets)).create(secret('named'), tried), { code: 422 })
      await (await t.in(secrets)).create(secret('other'), tried)
    },
  }),
  defineCase({
    name: 'policies: an object in the namespace configures one',
    stands: validating,
    async run(t) {
      const policy = await bind(
        t,
        on('', 'secrets'),
        {
          paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
          validations: [
            {
              expression: 'object.metadata.name.size() <= int(params.data.max)',
              messageExpression: "'longer than ' + params.data.max",
            },
          ],
        },
        { paramRef: { name: 'limits', parameterNotFoundAction: 'Deny' } },
      )
      const door = await t.in(secrets)
      const long = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'longer-name' } }
      await refused(t, () => door.create(long, tried), {
        code: 422,
        messageIncludes: denial(
          policy,
          'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
        ),
      })
      await (await t.in(configmaps)).create(configMap('limits', { max: '5' }))
      await refused(t, () => door.create(long, tried), { code: 422, messageIncludes: denial(policy, 'longer than 5') })
      await (await t.in(configmaps)).patch('limits', { type: 'merge', body: { data: { max: '50' } } })
      await t.eventually(() => door.create(long, tried))
    },
  }),
  defineCase({
    name: 'policies: each of several objects that configure one has its say, and none may be enough',
    stands: validating,
    async run(t) {
      const policy = await bind(
        t,
        on('', 'secrets'),
        {
          paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
          validations: [
            { expression: 'object.metadata.name != params.data.no', messageExpression: "'not ' + params.data.no" },
          ],
        },
        { paramRef: { selector: { matchLabels: { limits: 'yes' } }, parameterNotFoundAction: 'Allow' } },
      )
      const door = await t.in(secrets)
      const secret = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name } })
      await door.create(secret('first'), tried)
      const labels = { limits: 'yes' }
      await (await t.in(configmaps)).create(configMap('one', { no: 'first' }, { labels }))
      await (await t.in(configmaps)).create(configMap('two', { no: 'second' }, { labels }))
      for (const name of ['first', 'second']) {
        await refused(t, () => door.create(secret(name), tried), { messageIncludes: denial(policy, `not ${name}`) })
      }
      await door.create(secret('third'), tried)
    },
  }),
  defineCase({
    name: 'policies: a custom resource configures one, and one judges custom resources',
    stands: validating,
    async run(t) {
      const kind = widgetKind(t)
      await establish(t, kind)
      const door = await t.in(kind.ref)
      await door.create(widget(kind, 'limits'))
      const policy = await bind(
        t,
        { ...on(kind.group, 'widgets'), apiVersions: ['*'] },
        {
          paramKind: { apiVersion: `${kind.group}/v1`, kind: 'Widget' },
          validations: [
            {
              expression: 'object.metadata.name.startsWith(params.metadata.name)',
              messageExpression: "'not of ' + params.metadata.name",
            },
          ],
        },
        { paramRef: { name: 'limits', parameterNotFoundAction: 'Deny' } },
      )
      await refused(t, () => door.create(widget(kind, 'other'), tried), {
        messageIncludes: denial(policy, 'not of limits'),
      })
      await door.create(widget(kind, 'limits-2'), tried)
    },
  }),
  defineCase({
    name: 'policies: of a deletion there is the old object alone',
    stands: validating,
    async run(t) {
      const policy = await bind(t, on('', 'configmaps', ['DELETE']), {
        validations: [{ expression: "object == null && oldObject.data.keep != 'yes'", message: 'is kept' }],
      })
      const door = await t.in(configmaps)
      await door.create(configMap('one', { keep: 'yes' }))
      await door.create(configMap('two', { keep: 'no' }))
      await refused(t, () => door.delete('one', { dryRun: ['All'] }), { messageIncludes: denial(policy, 'is kept') })
      await door.delete('two')
    },
  }),
  defineCase({
    name: 'policies: a subresource is another thing to write, with a kind of its own',
    stands: validating,
    async run(t) {
      const policy = await bind(t, on('apps', 'deployments/scale', ['UPDATE']), {
        validations: [
          {
            expression: "object.kind == 'Scale' && object.spec.replicas <= oldObject.spec.replicas + 1",
            messageExpression: "request.kind.group + ' ' + request.subResource + ' to ' + string(object.spec.replicas)",
          },
        ],
      })
      const door = await t.in(deployments)
      await door.create({ ...deployment(t, 'one', 0) })
      const scale = (replicas: number) =>
        door.patch('one', { type: 'merge', body: { spec: { replicas } } }, { subresource: 'scale', ...tried })
      await refused(t, () => scale(5), { code: 422, messageIncludes: denial(policy, 'autoscaling scale to 5') })
      await scale(1)
      await door.patch('one', { type: 'merge', body: { spec: { replicas: 5 } } }, tried)
    },
  }),
  defineCase({
    name: 'policies: what is posted to a subresource is judged as what it is',
    stands: validating,
    async run(t) {
      const policy = await bind(
        t,
        ['pods/binding', 'pods/eviction', 'serviceaccounts/token'].map((resource) => on('', resource, ['CREATE'])),
        {
          variables: [{ name: 'of', expression: "request.kind.kind + ' ' + request.name" }],
          validations: [
            {
              expression: "request.name.startsWith('free') || variables.of == ''",
              messageExpression: "'no ' + variables.of",
            },
          ],
        },
      )
      const door = await t.in(pods)
      for (const name of ['kept', 'free']) await door.create(runningPod(t, name, { schedulerName: 'nobody' }))
      const token = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }
      const accounts = await t.in(serviceaccounts)
      await refused(t, () => accounts.createSubresource('default', 'token', token), {
        messageIncludes: denial(policy, 'no TokenRequest default'),
      })
      const target = { apiVersion: 'v1', kind: 'Node', name: 'nowhere' }
      const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'kept' }, target }
      await t.rejects(door.createSubresource('kept', 'binding', binding), {
        messageIncludes: denial(policy, 'no Binding kept'),
      })
      const evict = (name: string) =>
        door.createSubresource(name, 'eviction', { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } })
      await t.rejects(evict('kept'), { messageIncludes: denial(policy, 'no Eviction kept') })
      // An eviction deletes, and is judged as an eviction alone.
      await bind(t, on('', 'pods', ['DELETE']), { validations: [{ expression: 'false', message: 'stays' }] })
      await refused(t, () => door.delete('free', { dryRun: ['All'] }), { messageIncludes: 'stays' })
      await evict('free')
      await t.untilGone(pods, 'free')
    },
  }),
  defineCase({
    name: 'policies: a connection is judged by what it asks for',
    stands: validating,
    async run(t) {
      const policy = await bind(t, on('', 'pods/exec', ['CONNECT']), {
        validations: [{ expression: "object.command[0] != 'rm'", messageExpression: "'no ' + object.command[0]" }],
      })
      const path = `/api/v1/namespaces/${await t.namespace()}/pods/nobody/exec?command=`
      const message = `pods "nobody" is forbidden: ${denial(policy, 'no rm')}`
      await t.eventually(async () => (await t.http({ path: `${path}rm` })).json<Status>().message === message)
      assert.notEqual((await t.http({ path: `${path}ls` })).json<Status>().message, message)
    },
  }),
  defineCase({
    name: 'policies: a rule for one version is asked about all, in its own',
    stands: validating,
    async run(t) {
      const rule = on('autoscaling', 'horizontalpodautoscalers')
      const policy = await bind(t, rule, {
        validations: [
          {
            expression: 'object.spec.targetCPUUtilizationPercentage > 50',
            messageExpression: "request.requestKind.version + ' as ' + request.kind.version",
          },
        ],
      })
      const door = await t.in(horizontalpodautoscalers)
      await refused(t, () => door.create(autoscaler(40), tried), { messageIncludes: denial(policy, 'v2 as v1') })
      await door.create(autoscaler(60), tried)
    },
  }),
  defineCase({
    name: 'policies: expressions see who asks, in which namespace, and may ask what he may do',
    stands: validating,
    async run(t) {
      await bind(t, on('', 'secrets'), {
        validations: [
          { expression: "request.userInfo.username != '' && request.dryRun && oldObject == null", message: 'who' },
          { expression: 'namespaceObject.metadata.name == request.namespace', message: 'where' },
          {
            expression: "request.options.kind == 'CreateOptions' && request.options.dryRun == ['All']",
            message: 'how',
          },
          { expression: "authorizer.requestResource.check('create').allowed()", message: 'may' },
          {
            expression:
              "authorizer.serviceAccount('default', 'nobody').group('').resource('secrets').check('get').allowed()",
            message: 'nobody may not',
          },
        ],
      })
      const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'one' } }
      await refused(t, async () => (await t.in(secrets)).create(secret, tried), { messageIncludes: 'nobody may not' })
    },
  }),
  defineCase({
    name: 'policies: an expression that costs too much is ended',
    stands: 'https://kubernetes.io/docs/reference/using-api/cel/#resource-constraints',
    async run(t) {
      const ten = '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]'
      const nested = (depth: number): string => (depth === 0 ? 'true' : `${ten}.all(x${depth}, ${nested(depth - 1)})`)
      const policy = await bind(t, onConfigMaps, { validations: [{ expression: nested(6) }] })
      const door = await t.in(configmaps)
      await refused(t, () => door.create(configMap('one'), tried), {
        code: 422,
        messageIncludes: denial(
          policy,
          `expression '${nested(6)}' resulted in error: operation cancelled: actual cost limit exceeded`,
        ),
      })
    },
  }),
  defineCase({
    name: 'policies: expressions that do not compile are refused with the policy, each with its place',
    stands: validating,
    async run(t) {
      const policy = (spec: ValidatingAdmissionPolicySpec) =>
        t.client.resource(validatingadmissionpolicies).create(
          {
            apiVersion: 'admissionregistration.k8s.io/v1',
            kind: 'ValidatingAdmissionPolicy',
            metadata: { name: t.unique('bad') },
            spec: { matchConstraints: { resourceRules: [onConfigMaps] }, ...spec },
          },
          tried,
        )
      const { details } = await t.rejects(
        policy({
          matchConditions: [{ name: 'one', expression: 'params.x' }],
          variables: [
            { name: 'one', expression: '1 +' },
            { name: 'two', expression: 'variables.three' },
          ],
          validations: [
            { expression: 'object.spec.replicas' },
            { expression: 'true', messageExpression: 'authorizer.path("/x").check("get").allowed()' },
          ],
          auditAnnotations: [{ key: 'one', valueExpression: '1' }],
        }),
        { code: 422, reason: 'Invalid' },
      )
      const messages = new Map(details?.causes?.map(({ field, message }) => [field, message]))
      const holds = (field: string, ...parts: string[]) => {
        for (const part of parts) assert.ok(messages.get(field)?.includes(part), `${field}: ${messages.get(field)}`)
      }
      holds(
        'spec.matchConditions[0].expression',
        'Invalid value: "params.x": compilation failed: ERROR: <input>:1:1: undeclared reference to \'params\'',
      )
      holds('spec.variables[0].expression', 'compilation failed: ERROR: <input>:1:4: Syntax error')
      holds('spec.variables[1].expression', "ERROR: <input>:1:10: undefined field 'three'")
      holds('spec.validations[0].expression', 'must evaluate to bool but got dyn')
      holds('spec.validations[1].messageExpression', "undeclared reference to 'authorizer'")
      holds('spec.auditAnnotations[0].valueExpression', 'must evaluate to one of [string null_type] but got int')
    },
  }),
  defineCase({
    name: 'policies: what a policy and a binding must say',
    stands: validating,
    async run(t) {
      const post = (kind: string, spec: object) =>
        t.http({
          method: 'POST',
          path: `/apis/admissionregistration.k8s.io/v1/${kind}?dryRun=All`,
          body: { metadata: { name: t.unique('bad') }, spec },
        })
      const fields = async (kind: string, spec: object) =>
        (await post(kind, spec)).json<Status>().details?.causes?.map(({ field }) => field)
      const rule = {
        apiGroups: ['*', 'apps'],
        apiVersions: ['v1'],
        operations: ['SOON'],
        resources: ['pods/*', 'pods/log'],
      }
      assert.deepEqual(await fields('validatingadmissionpolicies', { validations: [] }), [
        'spec.matchConstraints',
        'spec.validations',
        'spec.auditAnnotations',
      ])
      const wrong = await fields('validatingadmissionpolicies', {
        paramKind: { apiVersion: 'a/b/c', kind: 'no kind' },
        matchConstraints: { resourceRules: [rule] },
        variables: [{ name: 'in', expression: '1' }],
        validations: [{ expression: 'true', message: 'two\nlines', reason: 'Because' }],
      })
      assert.deepEqual(wrong?.toSorted(), [
        'spec.matchConstraints.resourceRules[0].apiGroups',
        'spec.matchConstraints.resourceRules[0].operations[0]',
        'spec.matchConstraints.resourceRules[0].resources[1]',
        'spec.paramKind.apiVersion',
        'spec.paramKind.kind',
        'spec.validations[0].message',
        'spec.validations[0].reason',
        'spec.variables[0].name',
      ])
      assert.deepEqual(
        await fields('validatingadmissionpolicybindings', {
          policyName: 'one',
          paramRef: { name: 'a', selector: {} },
          validationActions: ['Deny', 'Warn'],
        }),
        [
          'spec.paramRef.name',
          'spec.paramRef.selector',
          'spec.paramRef.parameterNotFoundAction',
          'spec.validationActions',
        ],
      )
    },
  }),
  defineCase({
    name: 'policies: types are checked against the schemas of what one matches, once it is written',
    stands: `${validating}#type-checking`,
    async run(t) {
      const door = t.client.resource(validatingadmissionpolicies)
      const write = async (validation: Validation, rule = on('apps', 'deployments')) => {
        const name = t.unique('typed')
        t.cleanup(() => door.delete(name))
        await door.create({
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: 'ValidatingAdmissionPolicy',
          metadata: { name },
          spec: { matchConstraints: { resourceRules: [rule] }, validations: [validation] },
        })
        const { metadata, status } = await t.until(
          validatingadmissionpolicies,
          name,
          (policy) => policy.status?.typeChecking !== undefined,
        )
        assert.equal(status?.observedGeneration, metadata.generation)
        return status?.typeChecking?.expressionWarnings ?? []
      }
      assert.deepEqual(await write({ expression: 'object.spec.replicas > 1' }), [])
      const warnings = await write({
        expression: "object.spec.replicas > '1'",
        messageExpression: "'wants replicas > 1, got ' + object.spec.replicas",
      })
      assert.deepEqual(
        warnings.map(({ fieldRef }) => fieldRef),
        ['spec.validations[0].expression', 'spec.validations[0].messageExpression'],
      )
      const [first, second] = warnings.map(({ warning }) => warning)
      assert.ok(
        first?.startsWith(
          "apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_>_' applied to '(int, string)'\n",
        ),
        String(first),
      )
      assert.ok(second?.includes("found no matching overload for '_+_' applied to '(string, int)'"))
      const kind = widgetKind(t)
      await establish(t, kind)
      const ofWidget = await write({ expression: "object.spec.size > '1'" }, on(kind.group, 'widgets'))
      assert.ok(
        ofWidget[0]?.warning.startsWith(`${kind.group}/v1, Kind=Widget: ERROR: <input>:1:18: found no matching`),
      )
    },
  }),
]

const labelled = (labels: Record<string, string>): ObjectMeta => ({ labels })

const mutatingCases = [
  defineCase({
    name: 'policies: one changes Deployments',
    stands: 'MutatingAdmissionPolicy should mutate a Deployment',
    async run(t) {
      await bindMutating(t, on('apps', 'deployments'), {
        mutations: [applying('Object{metadata: Object.metadata{labels: {"mutated-by": "admission-policy"}}}')],
      })
      const door = await t.in(deployments)
      const made = await t.eventually(async () => {
        const { metadata } = await door.create(deployment(t, 'one', 0), tried)
        return metadata.labels?.['mutated-by'] !== undefined && metadata
      })
      assert.deepEqual(made.labels, { app: 'one', 'mutated-by': 'admission-policy' })
    },
  }),
  defineCase({
    name: 'policies: one annotates Deployments, whatever they have',
    stands: 'MutatingAdmissionPolicy should mutate a Deployment with annotations',
    async run(t) {
      await bindMutating(t, on('apps', 'deployments'), {
        mutations: [
          applying('Object{metadata: Object.metadata{annotations: {"my-foo-annotation": "myAnnotationValue"}}}'),
        ],
      })
      const door = await t.in(deployments)
      const create = (annotations?: Record<string, string>) => {
        const made = deployment(t, 'one', 0)
        return door.create({ ...made, metadata: { ...made.metadata, annotations } }, tried)
      }
      await t.eventually(
        async () => (await create()).metadata.annotations?.['my-foo-annotation'] === 'myAnnotationValue',
      )
      const { metadata } = await create({ own: 'one', 'my-foo-annotation': 'other' })
      assert.deepEqual(metadata.annotations, { own: 'one', 'my-foo-annotation': 'myAnnotationValue' })
    },
  }),
  defineCase({
    name: 'policies: a configuration is merged as one that is applied, and what it leaves out has its defaults',
    stands: mutating,
    async run(t) {
      await bindMutating(t, on('apps', 'deployments'), {
        variables: [{ name: 'image', expression: 'object.spec.template.spec.containers[0].image' }],
        mutations: [
          applying(`Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{
            containers: [Object.spec.template.spec.containers{name: "sidecar", image: variables.image}]}}}}`),
        ],
      })
      const door = await t.in(deployments)
      const containers = await t.eventually(async () => {
        const { spec } = await door.create(deployment(t, 'one', 0), tried)
        const found = spec?.template.spec?.containers
        return found?.length === 2 && found
      })
      const [main, sidecar] = containers.toSorted((a, b) => (a.name < b.name ? -1 : 1))
      assert.deepEqual([main?.name, sidecar?.name, sidecar?.image], ['main', 'sidecar', t.image])
      assert.equal(sidecar?.terminationMessagePath, '/dev/termination-log')
    },
  }),
  defineCase({
    name: 'policies: JSON patches are computed, with keys escaped',
    stands: mutating,
    async run(t) {
      await bindMutating(t, onConfigMaps, {
        mutations: [
          patching(`has(object.metadata.labels) ? [] : [JSONPatch{op: "add", path: "/metadata/labels", value: {}}]`),
          patching(`[
            JSONPatch{op: "test", path: "/data/kind", value: "good"},
            JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("example.com/size"),
              value: string(object.data.size())},
            JSONPatch{op: "move", from: "/data/old", path: "/data/new"}
          ]`),
        ],
      })
      const door = await t.in(configmaps)
      const good = await t.eventually(async () => {
        const made = await door.create(configMap('one', { kind: 'good', old: 'value' }), tried)
        return made.metadata.labels && made
      })
      assert.deepEqual([good.metadata.labels, good.data], [{ 'example.com/size': '2' }, { kind: 'good', new: 'value' }])
      // A test that fails leaves the object as it is.
      const other = await door.create(configMap('two', { kind: 'bad', old: 'value' }), tried)
      assert.deepEqual([other.metadata.labels ?? {}, other.data], [{}, { kind: 'bad', old: 'value' }])
    },
  }),
  defineCase({
    name: 'policies: one sees again what those behind it made, where it asks for that',
    stands: mutating,
    async run(t) {
      const prefix = t.unique('policy')
      const copies = (from: string, to: string, reinvocationPolicy: 'Never' | 'IfNeeded', name: string) =>
        bindMutating(
          t,
          onConfigMaps,
          {
            reinvocationPolicy,
            matchConditions: [
              { name: 'one', expression: `has(object.metadata.labels) && "${from}" in object.metadata.labels` },
            ],
            mutations: [
              applying(`Object{metadata: Object.metadata{labels: {"${to}": object.metadata.labels["${from}"]}}}`),
            ],
          },
          `${prefix}-${name}`,
        )
      await copies('b', 'c', 'IfNeeded', 'again')
      await copies('a', 'b', 'Never', 'once')
      const door = await t.in(configmaps)
      const create = async (labels: Record<string, string>) =>
        (await door.create(configMap('one', {}, labelled(labels)), tried)).metadata.labels
      await t.eventually(async () => (await create({ a: 'x', b: 'y' }))?.c === 'x')
    },
  }),
  defineCase({
    name: 'policies: a change that cannot be made refuses the write, or is left out where the policy says so',
    stands: mutating,
    async run(t) {
      const failingExpression = 'Object{data: Object.data{two: object.data.one}}'
      const policy = await bindMutating(t, onConfigMaps, { mutations: [applying(failingExpression)] })
      await bindMutating(t, on('', 'secrets'), {
        failurePolicy: 'Ignore',
        mutations: [
          applying(failingExpression),
          applying('Object{metadata: Object.metadata{labels: {"still": "done"}}}'),
        ],
      })
      const door = await t.in(configmaps)
      const { message } = await refused(t, () => door.create(configMap('one', { other: '' }), tried), {
        code: 403,
        reason: 'Invalid',
      })
      assert.equal(
        message,
        `policy '${policy}' with binding '${policy}' denied request: expression '${failingExpression}' resulted in error: no such key: one`,
      )
      const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'one' } }
      const others = await t.in(secrets)
      await t.eventually(async () => (await others.create(secret, tried)).metadata.labels?.still === 'done')
    },
  }),
  defineCase({
    name: 'policies: a configuration names the types of its fields by their paths, and replaces no list as a whole',
    stands: mutating,
    async run(t) {
      const attempt = async (expression: string) => {
        const name = await bindMutating(t, on('apps', 'deployments'), { mutations: [applying(expression)] })
        const door = await t.in(deployments)
        const { message = '' } = await refused(t, () => door.create(deployment(t, 'one', 0), tried), { code: 403 })
        const start = `policy '${name}' with binding '${name}' denied request: `
        assert.ok(message.startsWith(start), message)
        await t.client.resource(mutatingadmissionpolicybindings).delete(name)
        await t.eventually(() => door.create(deployment(t, 'one', 0), tried))
        return message.slice(start.length)
      }
      assert.equal(
        await attempt('Object{spec: Object.metadata{replicas: 1}}'),
        'type mismatch: unexpected type name "Object.metadata", expected "Object.spec", which matches field name path from root Object type',
      )
      assert.equal(
        await attempt('Object{spec: Object.spec{replica: 1}}'),
        'error applying patch: failed to convert patch object to typed object: .spec.replica: field not declared in schema',
      )
      assert.equal(
        await attempt(`Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{
          containers: [Object.spec.template.spec.containers{name: "main", args: ["one"]}]}}}}`),
        'error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.template.spec.containers[0].args',
      )
    },
  }),
  defineCase({
    name: 'policies: what a policy that changes objects must say',
    stands: mutating,
    async run(t) {
      const causes = async (spec: object) =>
        (
          await t.http({
            method: 'POST',
            path: '/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies?dryRun=All',
            body: { metadata: { name: t.unique('bad') }, spec },
          })
        )
          .json<Status>()
          .details?.causes?.map(({ field, message }) => `${field}: ${message}`)
      assert.deepEqual(await causes({}), [
        'spec.matchConstraints: Required value',
        'spec.mutations: Required value: mutations must contain at least one item',
        'spec.reinvocationPolicy: Required value',
      ])
      const found = await causes({
        reinvocationPolicy: 'Never',
        matchConstraints: { resourceRules: [on('', 'configmaps', ['DELETE'])] },
        mutations: [
          { patchType: 'JSONPatch', applyConfiguration: { expression: 'Object{}' } },
          applying('{"a": 1}'),
          patching('[JSONPatch{op: 1}]'),
          applying('Other{}'),
        ],
      })
      const holds = (part: string) =>
        assert.ok(
          found?.some((one) => one.startsWith(part)),
          `${part} in ${found?.join('\n')}`,
        )
      holds(
        'spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"',
      )
      holds('spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch')
      holds('spec.mutations[0].applyConfiguration: Invalid value: "{applyConfiguration}": must not be specified when')
      holds(
        'spec.mutations[1].applyConfiguration.expression: Invalid value: "{\\"a\\": 1}": must evaluate to Object but got map(string, int)',
      )
      holds(
        'spec.mutations[2].jsonPatch.expression: Invalid value: "[JSONPatch{op: 1}]": compilation failed: ERROR: <input>:1:14: expected type of field',
      )
      holds(
        'spec.mutations[3].applyConfiguration.expression: Invalid value: "Other{}": compilation failed: ERROR: <input>:1:6: undeclared reference',
      )
    },
  }),
]

export const cases = [...validatingCases, ...mutatingCases]
