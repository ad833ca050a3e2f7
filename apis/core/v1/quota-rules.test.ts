import { expect, test } from 'vitest'
import { resourceQuotaRules } from './quota-rules.ts'
import type { ResourceQuotaSpec } from './zz_generated.types.ts'

const quota = (spec: object) => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'a' },
  spec: spec as ResourceQuotaSpec,
})
const selecting = (...matchExpressions: object[]) => ({ scopeSelector: { matchExpressions } })

const cases: [name: string, spec: object, errors: string[]][] = [
  ['amounts of all kinds', { hard: { cpu: '1', 'count/widgets.acme.dev': '2', 'requests.example.com/gpu': '3' } }, []],
  [
    'a name of nothing',
    { hard: { gold: '1' } },
    [
      'spec.hard[gold]: Invalid value: "gold": must be a standard resource type or fully qualified',
      'spec.hard[gold]: Invalid value: "gold": must be a standard resource for quota',
    ],
  ],
  ['a part of a pod', { hard: { pods: '500m' } }, ['spec.hard[pods]: Invalid value: "500m": must be an integer']],
  ['pods that end', { hard: { pods: '1', 'limits.cpu': '1' }, scopes: ['Terminating'] }, []],
  [
    'memory of those that want none',
    { hard: { memory: '1' }, scopes: ['BestEffort'] },
    ['spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'],
  ],
  [
    'claims of an attributes class',
    {
      hard: { 'requests.storage': '1' },
      ...selecting({ scopeName: 'VolumeAttributesClass', operator: 'In', values: ['a'] }),
    },
    [],
  ],
  [
    'services by priority',
    { hard: { services: '1' }, ...selecting({ scopeName: 'PriorityClass', operator: 'Exists' }) },
    [
      'spec.scopeSelector.matchExpressions: Invalid value: {"matchExpressions":[{"scopeName":"PriorityClass","operator":"Exists"}]}: unsupported scope applied to resource',
    ],
  ],
  [
    'both of two contraries',
    { scopes: ['Terminating', 'NotTerminating'] },
    ['spec.scopes: Invalid value: ["Terminating","NotTerminating"]: conflicting scopes'],
  ],
  [
    'values for what has none',
    selecting({ scopeName: 'PriorityClass', operator: 'Exists', values: ['a'] }),
    [
      "spec.scopeSelector.matchExpressions.values: Invalid value: [\"a\"]: must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
    ],
  ],
  [
    'no values where some are wanted',
    selecting({ scopeName: 'PriorityClass', operator: 'In' }),
    [
      "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
    ],
  ],
]

test.each(cases)('a quota of %s', (_name, spec, errors) => {
  expect(resourceQuotaRules.validate!(quota(spec)).map(({ field, message }) => `${field}: ${message}`)).toEqual(errors)
})

test('scopes stay as they are', () => {
  const errors = (from: string[], to: string[]) =>
    resourceQuotaRules.validateUpdate!(quota({ scopes: to }), quota({ scopes: from }), '').map(({ message }) => message)
  expect(errors(['BestEffort', 'Terminating'], ['Terminating', 'BestEffort'])).toEqual([])
  expect(errors(['BestEffort'], [])).toEqual(['Invalid value: []: field is immutable'])
})
