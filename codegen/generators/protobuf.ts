import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Messages by full name; each field as the reference has it, under its name in JSON (`*` for a message whose fields are its
 * parent's there), marked where a zero is absence or an empty string is none: `<number> [repeated |omitzero |keepempty ]<type> <name>`. */
export type Messages = Record<string, string[]>

const facts = async <T>(file: string) => JSON.parse(await readFile(join(import.meta.dirname, file), 'utf8')) as T

/**
 * Numbers and booleans that Go keeps by value and leaves out of JSON when they are zero: the `omitempty` fields that are no
 * pointers in the types.go files of kubernetes/api v1.36. Go's protobuf writes them all.
 */
const omitZero = await facts<Record<string, string[]>>('omitzero.json')

/** Strings that Go keeps behind a pointer, there too: empty is not absent (`storageClassName: ""`). All others Go always writes. */
const keepEmpty = await facts<Record<string, string[]>>('keepempty.json')

/** Messages of repositories that the reference leaves out (apiextensions-apiserver, kube-aggregator, meta/v1beta1), as they come out. */
const further = await facts<Messages>('protobuf-messages.json')

/** Where every message that can be sent or is part of one begins. */
const roots = [
  /^k8s\.io\.api\.[a-z]+\.v\d+\./,
  /^k8s\.io\.api\.storagemigration\.v1beta1\./,
  /^k8s\.io\.api\.apidiscovery\.v2beta1\./,
  /^k8s\.io\.apimachinery\.pkg\.apis\.meta\.v1\.(DeleteOptions|Status|PartialObjectMetadata(List)?)$/,
  /^k8s\.io\.apimachinery\.pkg\.apis\.meta\.v1\.API(Versions|Group|GroupList|ResourceList)$/,
]

/**
 * The protobuf numbers of every kind this server takes, as one line of JSON.
 * @param reference the folder with the facts of a Kubernetes release
 */
export async function generateProtobuf(reference: string): Promise<string> {
  const all = JSON.parse(await readFile(join(reference, 'kubernetes-v1.36-protobuf.json'), 'utf8')) as Messages
  const definitions = JSON.parse(
    await readFile(join(reference, 'kubernetes-v1.36-definitions.json'), 'utf8'),
  ) as Definitions
  const kept = new Map<string, string[]>()
  const visit = (name: string) => {
    const fields = all[name]
    if (!fields || kept.has(name)) return
    const names = Object.keys(definitions[definitionName(name)]?.properties ?? {})
    kept.set(
      name,
      fields.map((field) => marked(inJson(field, names), name)),
    )
    for (const field of fields) for (const type of typesOf(field)) visit(resolveMessage(type, name))
  }
  for (const name of Object.keys(all)) if (roots.some((root) => root.test(name))) visit(name)
  for (const [name, fields] of Object.entries(further)) kept.set(name, fields)
  const sorted = [...kept].sort(([a], [b]) => (a < b ? -1 : 1))
  return `${JSON.stringify(Object.fromEntries(sorted))}\n`
}

type Definitions = Record<string, { properties?: Record<string, unknown> }>

/** `k8s.io.api.core.v1.Pod` -> `io.k8s.api.core.v1.Pod` */
function definitionName(message: string): string {
  return `io.k8s.${message.slice('k8s.io.'.length)}`.replace('kube_aggregator', 'kube-aggregator')
}

/** The field under the name it has in JSON. @param names of the kind's properties; none for a message that is no object there */
function inJson(field: string, names: readonly string[]): string {
  const at = field.lastIndexOf(' ') + 1
  const name = field.slice(at)
  if (names.length === 0 || names.includes(name)) return field
  const alike = names.find((one) => one.toLowerCase() === name.toLowerCase())
  return field.slice(0, at) + (alike ?? '*')
}

function marked(field: string, message: string): string {
  const [number, ...rest] = field.split(' ')
  const name = rest.at(-1)!
  const mark = omitZero[message]?.includes(name) ? 'omitzero' : keepEmpty[message]?.includes(name) ? 'keepempty' : ''
  return mark ? [number, mark, ...rest].join(' ') : field
}

/** `3 map<string, Quantity> limits` -> `string`, `Quantity` */
function typesOf(field: string): string[] {
  const type = field.slice(field.indexOf(' ') + 1, field.lastIndexOf(' ')).replace(/^repeated /, '')
  const map = /^map<(.+), (.+)>$/.exec(type)
  return map ? [map[1]!, map[2]!] : [type]
}

/** Types are named in full behind a dot, others live where the message does. */
function resolveMessage(type: string, within: string): string {
  return type.startsWith('.') ? type.slice(1) : `${within.slice(0, within.lastIndexOf('.'))}.${type}`
}
