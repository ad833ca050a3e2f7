import { expect, test } from 'vitest'
import type { JsonSchema } from '#core/registry/resource.ts'
import { compileSchema } from './compile.ts'

const core = 'io.k8s.api.core.v1'
const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity'
const types: Record<string, JsonSchema> = {
  'io.k8s.api.apps.v1.Deployment': {
    type: 'object',
    properties: {
      metadata: { $ref: 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' },
      spec: { $ref: 'io.k8s.api.apps.v1.DeploymentSpec' },
    },
  },
  'io.k8s.api.apps.v1.DeploymentSpec': {
    type: 'object',
    properties: {
      replicas: { type: 'integer', format: 'int32' },
      paused: { type: 'boolean' },
      maxSurge: { type: 'string', format: 'int-or-string' },
      containers: { type: 'array', items: { $ref: `${core}.Container` } },
    },
  },
  [`${core}.Container`]: {
    type: 'object',
    properties: {
      env: { type: 'array', items: { $ref: `${core}.EnvVar` } },
      limits: { type: 'object', additionalProperties: { $ref: quantity } },
    },
  },
  [`${core}.EnvVar`]: { type: 'object', properties: { value: { type: 'string' } } },
  [quantity]: { 'x-kubernetes-int-or-string': true },
  'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta': {
    type: 'object',
    properties: {
      labels: { type: 'object', additionalProperties: { type: 'string' } },
      creationTimestamp: { type: 'string', format: 'date-time' },
    },
  },
}
const schema = compileSchema({ $ref: 'io.k8s.api.apps.v1.Deployment' }, types, { builtin: true })
const into = (field: string) => `json: cannot unmarshal ${field}`

const cases: { name: string; value: unknown; want: string | undefined }[] = [
  {
    name: 'what fits',
    value: { spec: { replicas: 1, maxSurge: 1, paused: null, containers: [{ limits: { cpu: 0.5 } }] } },
    want: undefined,
  },
  {
    name: 'a string for an int32',
    value: { spec: { replicas: 'x' } },
    want: into('string into Go struct field DeploymentSpec.spec.replicas of type int32'),
  },
  {
    name: 'a fraction',
    value: { spec: { replicas: 1.5 } },
    want: into('number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32'),
  },
  {
    name: 'more than an int32',
    value: { spec: { replicas: 3000000000 } },
    want: into('number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32'),
  },
  {
    name: 'a number for a string in lists',
    value: { spec: { containers: [{ env: [{ value: 1 }] }] } },
    want: into('number into Go struct field EnvVar.spec.containers.env.value of type string'),
  },
  {
    name: 'an object for a list',
    value: { spec: { containers: {} } },
    want: into('object into Go struct field DeploymentSpec.spec.containers of type []v1.Container'),
  },
  {
    name: 'a list for a map',
    value: { metadata: { labels: [] } },
    want: into('array into Go struct field ObjectMeta.metadata.labels of type map[string]string'),
  },
  {
    name: 'a number in a map',
    value: { metadata: { labels: { a: 1 } } },
    want: into('number into Go struct field ObjectMeta.metadata.labels of type string'),
  },
  {
    name: 'a string for a struct',
    value: { spec: 'x' },
    want: into('string into Go struct field Deployment.spec of type v1.DeploymentSpec'),
  },
  { name: 'no object at all', value: [], want: into('array into Go value of type v1.Deployment') },
  {
    name: 'a bool for an int-or-string',
    value: { spec: { maxSurge: true } },
    want: into('bool into Go struct field DeploymentSpec.spec.maxSurge of type int32'),
  },
  {
    name: 'a bad quantity',
    value: { spec: { containers: [{ limits: { cpu: '1 core' } }] } },
    want: "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  },
  {
    name: 'a bad time',
    value: { metadata: { creationTimestamp: 'now' } },
    want: 'parsing time "now" as "2006-01-02T15:04:05Z07:00": cannot parse "now" as "2006"',
  },
]
test.each(cases)('typeErrors says of $name what Go would', ({ value, want }) =>
  expect(schema.typeErrors(value)).toBe(want),
)
