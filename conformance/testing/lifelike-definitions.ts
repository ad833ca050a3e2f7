/**
 * CustomResourceDefinitions of the size and shape of those that people install: a certificate manager's, a monitoring
 * operator's with whole pods in them, a workflow engine's, a composition's, one of a megabyte and one of forty levels. Each
 * comes with an object as its users write them. They are made when they are asked for: nobody keeps megabytes of YAML.
 */

export type Schema = Record<string, unknown>

export interface Lifelike {
  what: string
  names: {
    plural: string
    singular: string
    kind: string
    listKind: string
    shortNames?: string[]
    categories?: string[]
  }
  scope: 'Cluster' | 'Namespaced'
  /** Of the whole object. */
  schema: Schema
  columns: { name: string; type: string; jsonPath: string; priority?: number }[]
  subresources: object
  /** Beside apiVersion, kind and metadata. */
  object: Schema
  /** What the server fills in or leaves of it, at dotted paths. */
  becomes: Record<string, unknown>
  /** The cells behind the name, but for the age. */
  cells: unknown[]
  /** A description that is to be found by who has the object explained. */
  explained: { path: string; says: string }
}

const object = (properties: Schema, more: Schema = {}): Schema => ({ type: 'object', properties, ...more })
const list = (items: Schema, more: Schema = {}): Schema => ({ type: 'array', items, ...more })
const keyed = (items: Schema, ...keys: string[]) =>
  list(items, { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys })
const text: Schema = { type: 'string' }
const whole: Schema = { type: 'integer', format: 'int32' }
const open: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
const texts: Schema = { type: 'object', additionalProperties: text }
const says = (schema: Schema, description: string): Schema => ({ ...schema, description })

const age = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }
const column = (name: string, type: string, jsonPath: string, priority?: number) => ({
  name,
  type,
  jsonPath,
  ...(priority && { priority }),
})

const conditions = keyed(
  object(
    {
      type: says({ ...text, maxLength: 316 }, 'What the condition is about.'),
      status: { ...text, enum: ['True', 'False', 'Unknown'] },
      observedGeneration: { type: 'integer', format: 'int64', minimum: 0 },
      lastTransitionTime: { ...text, format: 'date-time' },
      reason: { ...text, minLength: 1, pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$' },
      message: text,
    },
    { required: ['type', 'status'] },
  ),
  'type',
)

const kindNames = (plural: string, kind: string, more: object = {}) => ({
  plural,
  singular: kind.toLowerCase(),
  kind,
  listKind: `${kind}List`,
  ...more,
})

/** Certificates: many texts with formats and enums, one of several issuers, durations, and references to secrets. */
export function certificate(): Lifelike {
  const reference = object({ name: text, key: text }, { required: ['name'] })
  const algorithm = object({
    algorithm: { ...text, enum: ['RSA', 'ECDSA', 'Ed25519'], default: 'RSA' },
    encoding: { ...text, enum: ['PKCS1', 'PKCS8'] },
    size: says(whole, 'The size of the key in bits.'),
    rotationPolicy: { ...text, enum: ['Never', 'Always'] },
  })
  const store = object({ create: { type: 'boolean' }, passwordSecretRef: reference }, { required: ['create'] })
  const spec = object(
    {
      secretName: says(text, 'The secret that the certificate is kept in.'),
      issuerRef: object(
        { name: text, kind: { ...text, default: 'Issuer' }, group: { ...text, default: 'certs.example.com' } },
        { required: ['name'] },
      ),
      commonName: { ...text, maxLength: 64 },
      dnsNames: list({ ...text, format: 'hostname' }, { 'x-kubernetes-list-type': 'set' }),
      ipAddresses: list(text),
      uris: list({ ...text, format: 'uri' }),
      duration: { ...text, format: 'duration', default: '2160h' },
      renewBefore: text,
      isCA: { type: 'boolean' },
      usages: list({
        ...text,
        enum: ['signing', 'digital signature', 'key encipherment', 'server auth', 'client auth'],
      }),
      privateKey: algorithm,
      keystores: object({ jks: store, pkcs12: store }),
      secretTemplate: object({ annotations: texts, labels: texts }),
    },
    {
      required: ['secretName', 'issuerRef'],
      anyOf: [{ required: ['commonName'] }, { required: ['dnsNames'] }, { required: ['uris'] }],
    },
  )
  const status = object({ conditions, notAfter: { ...text, format: 'date-time' }, revision: whole })
  return {
    what: 'a certificate',
    names: kindNames('certificates', 'Certificate', { shortNames: ['crtx'], categories: ['certs'] }),
    scope: 'Namespaced',
    schema: object({ spec, status }, { required: ['spec'], description: 'A certificate that is renewed in time.' }),
    columns: [
      column('Ready', 'string', '.status.conditions[?(@.type=="Ready")].status'),
      column('Secret', 'string', '.spec.secretName'),
      column('Issuer', 'string', '.spec.issuerRef.name', 1),
      age,
    ],
    subresources: { status: {} },
    object: {
      spec: {
        secretName: 'site-tls',
        issuerRef: { name: 'letters' },
        dnsNames: ['example.com', 'www.example.com'],
        privateKey: { size: 4096 },
        unknown: true,
      },
    },
    becomes: {
      'spec.issuerRef.kind': 'Issuer',
      'spec.duration': '2160h',
      'spec.privateKey.algorithm': 'RSA',
      'spec.unknown': undefined,
    },
    cells: [null, 'site-tls', 'letters'],
    explained: { path: 'spec.privateKey.size', says: 'The size of the key in bits.' },
  }
}

/** A monitoring server: hundreds of fields, and a whole pod template, with quantities, lists by keys and ports. */
export function monitor(podTemplate: Schema): Lifelike {
  const endpoint = object({
    port: says(text, 'The name of the port that is scraped.'),
    targetPort: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
    interval: {
      ...text,
      pattern: '^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$',
    },
    scheme: { ...text, enum: ['http', 'https'] },
    relabelings: list(
      object({
        sourceLabels: list({ ...text, pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' }),
        separator: text,
        regex: text,
        modulus: { type: 'integer', format: 'int64' },
        action: { ...text, default: 'replace', enum: ['replace', 'keep', 'drop', 'hashmod', 'labelmap'] },
      }),
    ),
    params: { type: 'object', additionalProperties: list(text) },
  })
  const spec = object(
    {
      replicas: { ...whole, minimum: 0, default: 1 },
      version: text,
      retention: { ...text, default: '24h' },
      endpoints: list(endpoint),
      podTemplate,
      sidecars: podTemplate,
    },
    { description: 'How it is run.' },
  )
  const scale = {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.status.selector',
  }
  return {
    what: 'a monitoring server',
    names: kindNames('monitors', 'Monitor', { shortNames: ['mon'] }),
    scope: 'Namespaced',
    schema: object({ spec, status: object({ replicas: whole, selector: text, conditions }) }, { required: ['spec'] }),
    columns: [
      column('Version', 'string', '.spec.version'),
      column('Desired', 'integer', '.spec.replicas'),
      column('Ready', 'integer', '.status.replicas'),
      age,
    ],
    subresources: { status: {}, scale },
    object: {
      spec: {
        version: 'v3.1.0',
        endpoints: [
          { port: 'web', targetPort: 8080, interval: '30s', relabelings: [{ sourceLabels: ['pod'], regex: '.*' }] },
        ],
        podTemplate: {
          spec: {
            containers: [
              {
                name: 'server',
                image: 'example.com/server:v3',
                ports: [{ containerPort: 9090 }],
                resources: { requests: { memory: '400Mi', cpu: 1 } },
              },
            ],
          },
        },
      },
    },
    becomes: {
      'spec.replicas': 1,
      'spec.retention': '24h',
      'spec.endpoints.0.relabelings.0.action': 'replace',
      'spec.podTemplate.spec.containers.0.ports.0.protocol': 'TCP',
    },
    cells: ['v3.1.0', 1, null],
    explained: { path: 'spec.endpoints.port', says: 'The name of the port that is scraped.' },
  }
}

/** A workflow: a list of templates each with a container or steps, much of it kept as it is. */
export function workflow(podTemplate: Schema): Lifelike {
  const containers = ((podTemplate.properties as Schema).spec as Schema).properties as Record<string, Schema>
  const container = containers.containers!.items as Schema
  const parameters = object({
    parameters: list(object({ name: text, value: text, default: text }, { required: ['name'] })),
  })
  const step = object({ name: text, template: text, when: text, arguments: parameters, withItems: list(open) })
  const template = object(
    {
      name: says(text, 'What other templates call it by.'),
      inputs: parameters,
      outputs: parameters,
      container: { ...container, required: ['image'] },
      script: { ...open, properties: { source: text, image: text } },
      steps: list(list(step)),
      dag: object({ tasks: list(object({ name: text, template: text, depends: text, arguments: parameters })) }),
      retryStrategy: object({ limit: { 'x-kubernetes-int-or-string': true }, backoff: open }),
      suspend: object({ duration: text }),
    },
    { required: ['name'] },
  )
  const spec = object({
    entrypoint: says(text, 'The template to begin with.'),
    arguments: parameters,
    templates: list(template),
    serviceAccountName: text,
    ttlStrategy: object({ secondsAfterCompletion: whole }),
    podSpecPatch: text,
    volumes: list(open),
  })
  return {
    what: 'a workflow',
    names: kindNames('workflows', 'Workflow', { shortNames: ['wfx'] }),
    scope: 'Namespaced',
    schema: object({ spec, status: { ...open } }, { required: ['spec'] }),
    columns: [
      column('Status', 'string', '.status.phase'),
      column('Entry', 'string', '.spec.entrypoint'),
      column('First', 'string', '.spec.templates[0].name', 1),
      age,
    ],
    subresources: {},
    object: {
      spec: {
        entrypoint: 'main',
        templates: [
          { name: 'main', steps: [[{ name: 'greet', template: 'echo', withItems: [{ a: 1 }, { b: [2] }] }]] },
          {
            name: 'echo',
            container: { name: 'main', image: 'busybox', command: ['echo'] },
            retryStrategy: { limit: '3' },
          },
        ],
        volumes: [{ name: 'work', emptyDir: {} }],
      },
      status: { phase: 'Running', nodes: { x: { children: ['y'] } } },
    },
    becomes: {
      'spec.templates.0.steps.0.0.withItems.1.b.0': 2,
      'spec.volumes.0.name': 'work',
      'status.nodes.x.children.0': 'y',
    },
    cells: ['Running', 'main', 'main'],
    explained: { path: 'spec.entrypoint', says: 'The template to begin with.' },
  }
}

/** A composition: of the cluster, resources within it, rules of how fields become others. */
export function composition(): Lifelike {
  const transform = object(
    {
      type: { ...text, enum: ['map', 'math', 'string', 'convert'], default: 'map' },
      map: { type: 'object', additionalProperties: { 'x-kubernetes-preserve-unknown-fields': true } },
      math: object({ multiply: { type: 'integer', format: 'int64' }, clampMax: { type: 'integer', format: 'int64' } }),
      string: object({ fmt: text, type: { ...text, default: 'Format' } }),
    },
    { required: ['type'] },
  )
  const patch = object({
    type: {
      ...text,
      default: 'FromCompositeFieldPath',
      enum: ['FromCompositeFieldPath', 'PatchSet', 'CombineToComposite'],
    },
    fromFieldPath: says(text, 'Where the value comes from.'),
    toFieldPath: text,
    transforms: list(transform),
    policy: object({ fromFieldPath: { ...text, enum: ['Optional', 'Required'] } }),
  })
  const resource = object(
    {
      name: text,
      base: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
      patches: list(patch),
      readinessChecks: list(object({ type: { ...text, default: 'MatchCondition' }, fieldPath: text })),
    },
    { required: ['name', 'base'] },
  )
  const spec = object(
    {
      compositeTypeRef: object({ apiVersion: text, kind: text }, { required: ['apiVersion', 'kind'] }),
      mode: { ...text, enum: ['Resources', 'Pipeline'], default: 'Resources' },
      resources: keyed(resource, 'name'),
      writeConnectionSecretsToNamespace: text,
    },
    { required: ['compositeTypeRef'] },
  )
  return {
    what: 'a composition',
    names: kindNames('compositions', 'Composition', { categories: ['compositions'] }),
    scope: 'Cluster',
    schema: object({ spec }),
    columns: [
      column('Kind', 'string', '.spec.compositeTypeRef.kind'),
      column('Version', 'string', '.spec.compositeTypeRef.apiVersion'),
      age,
    ],
    subresources: { status: {} },
    object: {
      spec: {
        compositeTypeRef: { apiVersion: 'db.example.com/v1', kind: 'Database' },
        resources: [
          {
            name: 'bucket',
            base: { apiVersion: 's3.example.com/v1', kind: 'Bucket', spec: { forProvider: { region: 'eu' } } },
            patches: [
              {
                fromFieldPath: 'spec.region',
                toFieldPath: 'spec.forProvider.region',
                transforms: [{ map: { a: 'b' } }],
              },
            ],
            readinessChecks: [{}],
          },
        ],
      },
    },
    becomes: {
      'spec.mode': 'Resources',
      'spec.resources.0.base.spec.forProvider.region': 'eu',
      'spec.resources.0.patches.0.type': 'FromCompositeFieldPath',
      'spec.resources.0.patches.0.transforms.0.type': 'map',
      'spec.resources.0.readinessChecks.0.type': 'MatchCondition',
    },
    cells: ['Database', 'db.example.com/v1'],
    explained: { path: 'spec.resources.patches.fromFieldPath', says: 'Where the value comes from.' },
  }
}

/** A schema of a little more than so many characters: as many pod templates as it takes. */
export function large(podTemplate: Schema, characters: number): Lifelike {
  const count = Math.ceil(characters / JSON.stringify(podTemplate).length)
  const pools = Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`pool${at}`, says({ ...podTemplate }, `Pods of pool ${at}.`)]),
  )
  const last = count - 1
  return {
    what: `a kind whose schema has ${characters} characters`,
    names: kindNames('fleets', 'Fleet'),
    scope: 'Namespaced',
    schema: object({ spec: object(pools) }),
    columns: [column('Image', 'string', `.spec.pool${last}.spec.containers[0].image`), age],
    subresources: {},
    object: {
      spec: {
        [`pool${last}`]: { spec: { containers: [{ name: 'a', image: 'b', ports: [{ containerPort: 80 }] }], more: 1 } },
      },
    },
    becomes: {
      [`spec.pool${last}.spec.containers.0.ports.0.protocol`]: 'TCP',
      [`spec.pool${last}.spec.more`]: undefined,
    },
    cells: ['b'],
    explained: { path: `spec.pool${last}`, says: `Pods of pool ${last}.` },
  }
}

/** Objects in objects, lists and maps in turn. */
export function deep(levels: number): Lifelike {
  let schema: Schema = says({ type: 'integer', default: 7 }, 'The bottom.')
  let value: unknown
  const path: string[] = []
  const way: string[] = []
  for (let level = levels - 1; level >= 0; level--) {
    if (level % 3 === 1) {
      schema = object({ list: list(schema) })
      value = { list: [value ?? null] }
      path.unshift('list', '0')
      way.unshift('list')
    } else {
      schema = object({ [`level${level}`]: schema })
      value = { [`level${level}`]: value ?? {} }
      path.unshift(`level${level}`)
      way.unshift(`level${level}`)
    }
  }
  return {
    what: `a kind of ${levels} levels`,
    names: kindNames('wells', 'Well'),
    scope: 'Namespaced',
    schema: object({ spec: schema }),
    columns: [age],
    subresources: {},
    object: { spec: withoutBottom(value) },
    becomes: { [['spec', ...path].join('.')]: 7 },
    cells: [],
    explained: { path: ['spec', ...way].join('.'), says: 'The bottom.' },
  }
}

/** The value without what stands for the innermost field: it is to be filled in. */
function withoutBottom(value: unknown): unknown {
  const [[key, inner] = []] = Object.entries(value as Schema)
  if (key === 'list')
    return { list: [(inner as unknown[])[0] === null ? null : withoutBottom((inner as unknown[])[0])] }
  const isBottom = Object.keys(inner as Schema).length === 0
  return isBottom ? {} : { [key!]: withoutBottom(inner) }
}

/** What the built-in types of a cluster look like, as its OpenAPI v3 has them. */
export type Components = Record<string, Schema>

const ref = '#/components/schemas/'
const kept = ['type', 'description', 'required', 'format', 'minimum', 'enum', 'default']
const keptExtensions = ['x-kubernetes-list-type', 'x-kubernetes-list-map-keys', 'x-kubernetes-map-type']

/** A named type written in place, as those write it who generate definitions from Go types. */
export function inlined(components: Components, name: string): Schema {
  if (name.endsWith('.ObjectMeta')) return says(open, 'Labels and annotations.')
  const schema = components[name]!
  if (name.endsWith('.Quantity') || name.endsWith('.IntOrString')) {
    const either = { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true }
    return says(either, String(schema.description))
  }
  return inlinedSchema(components, schema)
}

function inlinedSchema(components: Components, schema: Schema): Schema {
  const [all] = (schema.allOf as Schema[] | undefined) ?? []
  const target = (schema.$ref ?? all?.$ref) as string | undefined
  if (target) {
    const whole = inlined(components, target.slice(ref.length))
    return schema.description ? { ...whole, description: schema.description } : whole
  }
  const made: Schema = {}
  for (const keyword of [...kept, ...keptExtensions]) if (keyword in schema) made[keyword] = schema[keyword]
  if (!made.type) return says(open, String(schema.description ?? ''))
  if (schema.items) made.items = inlinedSchema(components, schema.items as Schema)
  if (schema.additionalProperties) {
    made.additionalProperties = inlinedSchema(components, schema.additionalProperties as Schema)
  }
  if (schema.properties) {
    const properties = Object.entries(schema.properties as Record<string, Schema>)
    made.properties = Object.fromEntries(properties.map(([name, child]) => [name, inlinedSchema(components, child)]))
  }
  return made
}
