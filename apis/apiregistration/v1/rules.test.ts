import { expect, test } from 'vitest'
import { apiServiceRules } from './rules.ts'
import type { APIService, APIServiceSpec } from './zz_generated.types.ts'

const local: APIServiceSpec = { group: 'acme.dev', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 }
const remote: APIServiceSpec = { ...local, service: { namespace: 'a', name: 'b', port: 443 } }
const objectOf = (spec: APIServiceSpec, name = 'v1.acme.dev'): APIService => ({
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name },
  spec,
})

const cases: { name: string; of: APIService; want: string[] }[] = [
  { name: 'a local one', of: objectOf(local), want: [] },
  { name: 'a remote one', of: objectOf(remote), want: [] },
  { name: 'the core group', of: objectOf({ ...local, group: '' }, 'v1.'), want: [] },
  {
    name: 'another name',
    of: objectOf(local, 'v2.acme.dev'),
    want: ['metadata.name: Invalid value: "v2.acme.dev": must be `spec.version+"."+spec.group`: "v1.acme.dev"'],
  },
  {
    name: 'no group but the core’s',
    of: objectOf({ ...local, group: '', version: 'v2' }, 'v2.'),
    want: ['spec.group: Required value: only v1 may have an empty group and it better be legacy kube'],
  },
  {
    name: 'priorities out of bounds',
    of: objectOf({ ...local, groupPriorityMinimum: 20_001, versionPriority: 0 }),
    want: [
      'spec.groupPriorityMinimum: Invalid value: 20001: must be positive and less than 20000',
      'spec.versionPriority: Invalid value: 0: must be positive and less than 1000',
    ],
  },
  {
    name: 'trust without a service',
    of: objectOf({ ...local, caBundle: 'AAAA', insecureSkipTLSVerify: true }),
    want: [
      'spec.caBundle: Invalid value: "3 bytes": local APIServices may not have a caBundle',
      'spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify',
    ],
  },
  {
    name: 'a service without a name',
    of: objectOf({ ...remote, service: {} }),
    want: ['spec.service.namespace: Required value', 'spec.service.name: Required value'],
  },
  {
    name: 'trust in everybody and in somebody',
    of: objectOf({ ...remote, caBundle: 'AAAA', insecureSkipTLSVerify: true }),
    want: ['spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present'],
  },
]

test.each(cases)('$name is judged', ({ of, want }) => {
  expect(apiServiceRules.validate!(of).map(({ field, message }) => `${field}: ${message}`)).toEqual(want)
})

test('what is served here is available from its creation on, others are not', () => {
  const [ours, theirs] = [objectOf(local), objectOf(remote)]
  for (const one of [ours, theirs]) apiServiceRules.prepareCreate!(one)
  expect(ours.status?.conditions).toMatchObject([{ type: 'Available', status: 'True', reason: 'Local' }])
  expect(theirs.status).toEqual({})
})

test.each([
  ['Local', objectOf(local), 'Unknown'],
  ['a/b', { ...objectOf(remote), status: { conditions: [{ type: 'Available', status: 'True' }] } }, 'True'],
  [
    'a/b',
    {
      ...objectOf(remote),
      status: { conditions: [{ type: 'Available', status: 'False', reason: 'ServiceNotFound' }] },
    },
    'False (ServiceNotFound)',
  ],
] as [string, APIService, string][])('%s is shown as it stands', (service, object, shown) => {
  expect(apiServiceRules.print!.row(object, 0).slice(0, 3)).toEqual(['v1.acme.dev', service, shown])
})
