import { type Figure, figureOf } from './figure.ts'
import { measureRate } from './load.ts'
import { configMap, configMaps } from './objects.ts'
import { alternate } from './rounds.ts'
import { openSession, request, scratch, startKeelson, type Target } from './servers.ts'

const group = '/apis/admissionregistration.k8s.io/v1'
const policyCount = 10

/** A variable, a condition, and three rules that hold. */
const policy = {
  matchConstraints: {
    resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
  },
  matchConditions: [{ name: 'not-a-node', expression: "!request.userInfo.username.startsWith('system:node:')" }],
  variables: [{ name: 'labels', expression: 'object.metadata.?labels.orValue({})' }],
  validations: [
    { expression: 'object.data.size() <= 50' },
    { expression: "object.data.all(key, key.matches('^[a-z]+$'))" },
    { expression: "'app' in variables.labels && variables.labels.app.size() < 64" },
  ],
}

async function makePolicies(server: Target): Promise<void> {
  const session = openSession(server)
  for (let at = 0; at < policyCount; at++) {
    const metadata = { name: `bench-${at}` }
    const spec = { policyName: metadata.name, validationActions: ['Deny'] }
    await post(session, 'validatingadmissionpolicies', { metadata, spec: policy })
    await post(session, 'validatingadmissionpolicybindings', { metadata, spec })
  }
  session.close()
}

async function post(session: ReturnType<typeof openSession>, resource: string, object: object): Promise<void> {
  const headers = { ':method': 'POST', ':path': `${group}/${resource}`, 'content-type': 'application/json' }
  const { status, body } = await request(session, headers, Buffer.from(JSON.stringify(object)))
  if (status !== 201) throw new Error(`${resource} was answered ${status}: ${body}`)
}

/** Creates of 2 KB that ten policies judge, against a server that has none. */
export async function policiesBench(durationMs: number): Promise<Figure[]> {
  const plain = scratch()
  const judged = scratch()
  try {
    await using free = await startKeelson(plain.directory, ['server'])
    await using strict = await startKeelson(judged.directory, ['server'])
    await makePolicies(strict)
    let created = 0
    const creates = (server: Target) => (roundMs: number) =>
      measureRate(server, { concurrency: 16, protocol: 'h2', sessions: 4, durationMs: roundMs }, () => ({
        path: configMaps,
        body: configMap(`bench-${created++}`, 2_048),
      }))
    const round = await alternate(durationMs, creates(free), creates(strict))
    return [figureOf('create 2 KB under 10 policies', round, 'create without', { atLeastRatio: 0.7 })]
  } finally {
    plain.remove()
    judged.remove()
  }
}
