/** API Priority and Fairness, and how long a request may take. How requests are queued is for the server's own tests. */
import assert from 'node:assert/strict'
import { flowschemas, prioritylevelconfigurations } from '@keelson/apis/flowcontrol/v1/zz_generated.types.ts'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'

const docs = 'https://kubernetes.io/docs/concepts/cluster-administration/flow-control/'
const group = '/apis/flowcontrol.apiserver.k8s.io/v1'
const schemaHeader = 'x-kubernetes-pf-flowschema-uid'
const levelHeader = 'x-kubernetes-pf-prioritylevel-uid'

const levelOf: Readonly<Record<string, string>> = {
  exempt: 'exempt',
  probes: 'exempt',
  'system-leader-election': 'leader-election',
  'endpoint-controller': 'workload-high',
  'workload-leader-election': 'leader-election',
  'system-node-high': 'node-high',
  'system-nodes': 'system',
  'kube-controller-manager': 'workload-high',
  'kube-scheduler': 'workload-high',
  'kube-system-service-accounts': 'workload-high',
  'service-accounts': 'workload-low',
  'global-default': 'global-default',
  'catch-all': 'catch-all',
}

/** The names of the schema and the level an answer's headers tell. */
async function toldBy(t: CaseContext, headers: Record<string, unknown>) {
  const [schemas, levels] = await Promise.all([
    t.client.resource(flowschemas).list(),
    t.client.resource(prioritylevelconfigurations).list(),
  ])
  const nameOf = (items: readonly { metadata: { name?: string; uid?: string } }[], uid: unknown) =>
    items.find(({ metadata }) => metadata.uid === uid)?.metadata.name
  return [nameOf(schemas.items, headers[schemaHeader]), nameOf(levels.items, headers[levelHeader])]
}

/** A schema for one user and all he asks, with everything but its level. */
function schemaFor(name: string, user: string, level: string) {
  return {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'FlowSchema',
    metadata: { name },
    spec: {
      matchingPrecedence: 5,
      priorityLevelConfiguration: { name: level },
      distinguisherMethod: { type: 'ByUser' },
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: user } }],
          nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
        },
      ],
    },
  }
}

export const cases = [
  defineCase({
    name: 'flow control: the default schemas are there, each with its level',
    stands: `${docs}#defaults`,
    async run(t) {
      const { items } = await t.client.resource(flowschemas).list()
      const found = new Map(items.map(({ metadata, spec }) => [metadata.name, spec.priorityLevelConfiguration.name]))
      for (const [schema, level] of Object.entries(levelOf)) assert.equal(found.get(schema), level, schema)
      const exempt = await t.client.resource(prioritylevelconfigurations).get('exempt')
      assert.equal(exempt.spec.type, 'Exempt')
      assert.equal(exempt.metadata.annotations?.['apf.kubernetes.io/autoupdate-spec'], 'true')
      const catchAll = await t.client.resource(prioritylevelconfigurations).get('catch-all')
      assert.equal(catchAll.spec.limited?.limitResponse?.type, 'Reject')
    },
  }),
  defineCase({
    name: 'flow control: the schemas say that their levels are there',
    stands: docs,
    async run(t) {
      const { status } = await t.until(flowschemas, 'global-default', ({ status }) => status?.conditions?.length)
      const [condition] = status!.conditions!
      assert.deepEqual([condition!.type, condition!.status, condition!.reason], ['Dangling', 'False', 'Found'])
    },
  }),
  defineCase({
    name: 'flow control: an answer names the schema and the level of its request, a refusal too',
    stands: `${docs}#diagnostics`,
    needs: ['impersonation'],
    async run(t) {
      const user = t.unique('user')
      const requests = [
        { path: '/version' },
        { path: '/api/v1/namespaces/default' },
        { path: '/api/v1/namespaces/nobody-has-this' },
        { path: '/api/v1/nodes', method: 'OPTIONS' },
      ]
      for (const request of requests) {
        const { headers } = await t.http({ ...request, headers: { 'impersonate-user': user } })
        assert.deepEqual(await toldBy(t, headers), ['global-default', 'global-default'], request.path)
      }
      const { headers } = await t.http({
        path: '/version',
        headers: { 'impersonate-user': user, 'impersonate-group': 'system:masters' },
      })
      assert.deepEqual(await toldBy(t, headers), ['exempt', 'exempt'])
    },
  }),
  defineCase({
    name: 'flow control: requests go to a schema as soon as its level is there',
    stands: [docs, 'API priority and fairness should support FlowSchema API operations'],
    needs: ['impersonation'],
    async run(t) {
      const user = t.unique('user')
      const name = t.unique('flow')
      const ask = async () => {
        const { headers } = await t.http({ path: '/version', headers: { 'impersonate-user': user } })
        return toldBy(t, headers)
      }
      const isDangling = (status: string) =>
        t.until(flowschemas, name, (schema) =>
          schema.status?.conditions?.some((one) => one.type === 'Dangling' && one.status === status),
        )
      await t.api('POST', `${group}/flowschemas`, schemaFor(name, user, name))
      t.cleanup(() => t.api('DELETE', `${group}/flowschemas/${name}`))
      await isDangling('True')
      assert.deepEqual(await ask(), ['global-default', 'global-default'])
      await t.api('POST', `${group}/prioritylevelconfigurations`, {
        metadata: { name },
        spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } },
      })
      t.cleanup(() => t.api('DELETE', `${group}/prioritylevelconfigurations/${name}`))
      await isDangling('False')
      assert.deepEqual(await ask(), [name, name])
    },
  }),
  defineCase({
    name: 'flow control: only the level of that name is exempt',
    stands: `${docs}#prioritylevelconfiguration`,
    async run(t) {
      const body = { metadata: { name: t.unique('level') }, spec: { type: 'Exempt' } }
      const answer = await t.http({ method: 'POST', path: `${group}/prioritylevelconfigurations`, body })
      assert.equal(answer.status, 422)
      assert.match(answer.text, /type must be 'Exempt' if and only if name is 'exempt'/)
    },
  }),
  defineCase({
    name: 'flow control: the metrics tell what each schema sent to each level',
    stands: `${docs}#metrics`,
    async run(t) {
      const { text } = await t.http({ path: '/metrics' })
      const labels = '\\{(?=[^}]*priority_level="exempt")(?=[^}]*flow_schema="exempt")[^}]*\\}'
      assert.match(text, new RegExp(`^apiserver_flowcontrol_dispatched_requests_total${labels} [1-9]`, 'm'))
      assert.match(text, new RegExp(`^apiserver_flowcontrol_current_executing_requests${labels} [1-9]`, 'm'))
      assert.match(text, /^apiserver_flowcontrol_nominal_limit_seats\{priority_level="workload-low"\} [1-9]/m)
      assert.match(text, /^apiserver_current_inflight_requests\{request_kind="readOnly"\} [1-9]/m)
    },
  }),
  defineCase({
    name: 'flow control: who looks into the queues sees every level',
    stands: 'https://kubernetes.io/docs/reference/debug-cluster/flow-control/',
    async run(t) {
      const look = (table: string) => t.http({ path: `/debug/api_priority_and_fairness/${table}` })
      const levels = await look('dump_priority_levels')
      assert.match(
        levels.text,
        /^PriorityLevelName, +ActiveQueues, +IsIdle, +IsQuiescing, +WaitingRequests, +Executing/,
      )
      assert.match(levels.text, /^catch-all, /m)
      assert.match((await look('dump_queues')).text, /^PriorityLevelName, +Index, +PendingRequests, /)
      assert.match((await look('dump_requests')).text, /^PriorityLevelName, +FlowSchemaName, +QueueIndex, /)
    },
  }),
  defineCase({
    name: 'flow control: a request says how long it may take, in a duration',
    stands: 'https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/',
    async run(t) {
      assert.equal((await t.http({ path: '/version?timeout=30s' })).status, 200)
      const { status, ...refusal } = await t.http({ path: '/api/v1/namespaces/default?timeout=soon' })
      const { reason, message } = refusal.json<{ reason: string; message: string }>()
      assert.deepEqual([status, reason], [400, 'BadRequest'])
      assert.equal(message, 'invalid timeout specified in the request URL - time: invalid duration "soon"')
    },
  }),
]
