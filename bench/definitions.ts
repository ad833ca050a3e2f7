/** CustomResourceDefinitions and objects of the size and shape that operators bring along. */

export const groupCount = 100

/** The names of one of many definitions: they are spread over `groupCount` groups. */
export function namesOf(at: number): { group: string; plural: string; kind: string } {
  return { group: `g${at % groupCount}.bench.dev`, plural: `things${at}`, kind: `Thing${at}` }
}

export const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

export function objectsPath(at: number): string {
  const { group, plural } = namesOf(at)
  return `/apis/${group}/v1/namespaces/default/${plural}`
}

/** A definition whose JSON measures about `bytes`: types, bounds and words as generators of operators write them. */
export function definition(at: number, bytes: number): Buffer {
  const { group, plural, kind } = namesOf(at)
  const schema = (sections: number) => ({
    type: 'object',
    description: `${kind} is one of many kinds that somebody has installed.`,
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: {
        type: 'object',
        required: ['size'],
        properties: {
          ...spec,
          ...Object.fromEntries(Array.from({ length: sections }, (_, at) => [`section${at}`, section(at)])),
        },
      },
      status: { type: 'object', properties: { ready: { type: 'boolean' }, conditions } },
    },
  })
  const object = (sections: number) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, labels: { app: 'bench' } },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, kind },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [{ name: 'Ready', type: 'boolean', jsonPath: '.status.ready' }],
          schema: { openAPIV3Schema: schema(sections) },
        },
      ],
    },
  })
  const bare = JSON.stringify(object(0)).length
  const each = JSON.stringify(section(10)).length + 14
  return Buffer.from(JSON.stringify(object(Math.max(0, Math.round((bytes - bare) / each)))))
}

const text = (description: string, more: object = {}) => ({ type: 'string', description, ...more })

const spec = {
  size: text('How large it is to be.', { enum: ['small', 'medium', 'large'] }),
  replicas: { type: 'integer', format: 'int32', minimum: 0, maximum: 1_000, default: 1 },
  image: text('What runs.', { minLength: 1, maxLength: 512 }),
  paused: { type: 'boolean', default: false },
  labels: { type: 'object', additionalProperties: { type: 'string' } },
  ports: {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    items: {
      type: 'object',
      required: ['name', 'port'],
      properties: { name: text('Of the port.'), port: { type: 'integer', minimum: 1, maximum: 65_535 } },
    },
  },
  env: {
    type: 'array',
    items: { type: 'object', required: ['name'], properties: { name: text('Of it.'), value: text('Its value.') } },
  },
  resources: {
    type: 'object',
    properties: Object.fromEntries(
      ['limits', 'requests'].map((name) => [
        name,
        {
          type: 'object',
          additionalProperties: {
            anyOf: [{ type: 'integer' }, { type: 'string' }],
            'x-kubernetes-int-or-string': true,
          },
        },
      ]),
    ),
  },
}

const conditions = {
  type: 'array',
  items: {
    type: 'object',
    required: ['type', 'status'],
    properties: {
      type: text('Of condition.', { maxLength: 316, pattern: '^[A-Za-z]([A-Za-z0-9_.-]*[A-Za-z0-9])?$' }),
      status: text('One of three.', { enum: ['True', 'False', 'Unknown'] }),
      lastTransitionTime: text('When it last changed.', { format: 'date-time' }),
      reason: text('In one word.'),
      message: text('In many words.', { maxLength: 32_768 }),
    },
  },
}

/** One of the many optional things that a definition of some age has collected. */
function section(at: number): object {
  return {
    type: 'object',
    description: `Section ${at} says how one part of it is to behave when it is neither told otherwise nor left alone.`,
    properties: {
      enabled: { type: 'boolean', description: 'Whether that part is wanted at all.' },
      mode: text('How it works; what is not said is left to it.', { enum: ['Auto', 'Manual', 'Off'] }),
      timeoutSeconds: { type: 'integer', format: 'int64', minimum: 1, description: 'How long it may take.' },
      selector: {
        type: 'object',
        description: 'Which others it works with.',
        properties: {
          matchLabels: { type: 'object', additionalProperties: { type: 'string' } },
          names: { type: 'array', items: { type: 'string' }, description: 'Each of them by name.' },
        },
      },
      secretRef: {
        type: 'object',
        description: 'Where its secrets are.',
        required: ['name'],
        properties: { name: text('Of the Secret.'), key: text('Within it.') },
      },
    },
  }
}

/** An object of a definition, of about `bytes`. */
export function customObject(at: number, name: string, bytes: number): Buffer {
  const { group, kind } = namesOf(at)
  const env = Array.from({ length: 8 }, (_, at) => ({ name: `SETTING_${at}`, value: `value-${at}` }))
  const object = (filler: string) => ({
    apiVersion: `${group}/v1`,
    kind,
    metadata: { name, namespace: 'default', labels: { app: 'bench' } },
    spec: {
      size: 'small',
      replicas: 3,
      image: 'registry.example.com/team/thing:v1.2.3',
      labels: { tier: 'backend', team: 'bench' },
      ports: [
        { name: 'web', port: 8080 },
        { name: 'metrics', port: 9090 },
      ],
      env: [...env, { name: 'PAYLOAD', value: filler }],
      resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: 1, memory: '256Mi' } },
    },
  })
  const bare = JSON.stringify(object('')).length
  return Buffer.from(JSON.stringify(object('x'.repeat(Math.max(0, bytes - bare - overhead)))))
}

/** What the server adds to an object. */
const overhead = 734
