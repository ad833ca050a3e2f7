/**
 * Kubernetes' messages, by full name, as apis/crds/zz_generated.protobuf.json has them: each field as
 * `<number> [repeated |omitzero |keepempty ]<type> <name>`.
 */
export type Messages = Readonly<Record<string, readonly string[]>>

export interface Field {
  number: number
  /** In JSON; `*` for a message whose fields are its parent's there. */
  name: string
  shape: 'single' | 'repeated' | 'map'
  /** Go writes its zero when nobody has set it. */
  omitZero: boolean
  /** A string that Go writes only when somebody has set it, if to nothing. */
  keepEmpty: boolean
  /** A scalar's name, or the full name of a message. */
  type: string
}

const meta = 'k8s.io.apimachinery.pkg.apis.meta'
const apiextensions = 'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1'

/** What a message is in JSON when it is no object with its fields. */
export type SpecialForm =
  | 'quantity'
  | 'time'
  | 'microTime'
  | 'json'
  | 'intOrString'
  | 'strings'
  | 'schemaOrArray'
  | 'schemaOrBool'
  | 'schemaOrStrings'

const specialForms = new Map<string, SpecialForm>([
  ['k8s.io.apimachinery.pkg.api.resource.Quantity', 'quantity'],
  [`${meta}.v1.Time`, 'time'],
  [`${meta}.v1.MicroTime`, 'microTime'],
  [`${meta}.v1.FieldsV1`, 'json'],
  ['k8s.io.apimachinery.pkg.runtime.RawExtension', 'json'],
  [`${apiextensions}.JSON`, 'json'],
  ['k8s.io.apimachinery.pkg.util.intstr.IntOrString', 'intOrString'],
  [`${apiextensions}.JSONSchemaPropsOrArray`, 'schemaOrArray'],
  [`${apiextensions}.JSONSchemaPropsOrBool`, 'schemaOrBool'],
  [`${apiextensions}.JSONSchemaPropsOrStringArray`, 'schemaOrStrings'],
])
const listsOfStrings = /\.(ExtraValue|Verbs)$/

export const schemaMessage = `${apiextensions}.JSONSchemaProps`

export function specialFormOf(type: string): SpecialForm | undefined {
  return specialForms.get(type) ?? (listsOfStrings.test(type) ? 'strings' : undefined)
}

/** The messages, each parsed when it is first asked for. */
export class MessageTable {
  readonly #messages: Messages
  readonly #fields = new Map<string, readonly Field[]>()

  constructor(messages: Messages) {
    this.#messages = messages
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#messages, name)
  }

  /** @throws Error for a name that is no message's */
  fieldsOf(name: string): readonly Field[] {
    let fields = this.#fields.get(name)
    if (!fields) {
      if (!this.has(name)) throw new Error(`there is no message ${name}`)
      fields = this.#messages[name]!.map((line) => parseField(line, name))
      this.#fields.set(name, fields)
    }
    return fields
  }

  /** `rbac.authorization.k8s.io/v1`, `Role` -> `k8s.io.api.rbac.v1.Role`; undefined for a kind without a protobuf form. */
  messageOf(apiVersion: string, kind: string): string | undefined {
    const slash = apiVersion.indexOf('/')
    const group = slash < 0 ? '' : apiVersion.slice(0, slash)
    const version = apiVersion.slice(slash + 1)
    return packagesOf(group, version)
      .map((name) => `${name}.${kind}`)
      .find((name) => this.has(name))
  }
}

/** Where a group's messages may be. A custom resource's group is nobody's, though its first label may be that of another. */
function packagesOf(group: string, version: string): string[] {
  if (group === '') return [`k8s.io.api.core.${version}`, `${meta}.${version}`]
  if (group === 'meta.k8s.io') return [`${meta}.${version}`, `${meta}.v1`]
  if (group.includes('.') && !group.endsWith('.k8s.io')) return []
  const [first] = group.split('.')
  const home: Record<string, string> = {
    apiextensions: 'k8s.io.apiextensions_apiserver.pkg.apis',
    apiregistration: 'k8s.io.kube_aggregator.pkg.apis',
  }
  return [`${Object.hasOwn(home, first!) ? home[first!] : 'k8s.io.api'}.${first}.${version}`, `${meta}.v1`]
}

/** `4 map<string, bytes> data` of a message */
function parseField(line: string, within: string): Field {
  const [number, ...words] = line.split(' ')
  const name = words.pop()!
  const omitZero = words[0] === 'omitzero'
  const keepEmpty = words[0] === 'keepempty'
  const declared = words.slice(omitZero || keepEmpty ? 1 : 0).join(' ')
  const map = /^map<string, (.+)>$/.exec(declared)
  const repeated = declared.startsWith('repeated ')
  const type = map ? map[1]! : repeated ? declared.slice('repeated '.length) : declared
  const shape = map ? 'map' : repeated ? 'repeated' : 'single'
  return { number: Number(number), name, shape, omitZero, keepEmpty, type: fullName(type, within) }
}

export const scalars: ReadonlySet<string> = new Set([
  'string',
  'bytes',
  'bool',
  'int32',
  'int64',
  'uint32',
  'uint64',
  'double',
])

/** Types are named in full behind a dot, others live where the message does. */
function fullName(type: string, within: string): string {
  if (scalars.has(type)) return type
  return type.startsWith('.') ? type.slice(1) : `${within.slice(0, within.lastIndexOf('.'))}.${type}`
}
