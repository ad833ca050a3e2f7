import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Messages by full name; each field as the reference has it, marked where zero is absence: `<number> [repeated |omitzero ]<type> <name>`. */
export type Messages = Record<string, string[]>

/**
 * Numbers and booleans that Go keeps by value and leaves out of JSON when they are zero: the `omitempty` fields that are no
 * pointers in the types.go files of kubernetes/api v1.36. Go's protobuf writes them all.
 */
const omitZero = JSON.parse(await readFile(join(import.meta.dirname, 'omitzero.json'), 'utf8')) as Record<
  string,
  string[]
>

/** Where every message that can be sent or is part of one begins. */
const roots = [
  /^k8s\.io\.api\.[a-z]+\.v\d+\./,
  /^k8s\.io\.api\.storagemigration\.v1beta1\./,
  /^k8s\.io\.apimachinery\.pkg\.apis\.meta\.v1\.(DeleteOptions|Status)$/,
  /^k8s\.io\.kube_aggregator\.pkg\.apis\.apiregistration\.v1\./,
]

/**
 * The protobuf numbers of every kind this server takes, as one line of JSON.
 * @param reference the folder with the facts of a Kubernetes release
 */
export async function generateProtobuf(reference: string): Promise<string> {
  const all = JSON.parse(await readFile(join(reference, 'kubernetes-v1.36-protobuf.json'), 'utf8')) as Messages
  const kept = new Map<string, string[]>()
  const visit = (name: string) => {
    const fields = all[name]
    if (!fields || kept.has(name)) return
    kept.set(
      name,
      fields.map((field) => marked(field, name)),
    )
    for (const field of fields) for (const type of typesOf(field)) visit(resolveMessage(type, name))
  }
  for (const name of Object.keys(all)) if (roots.some((root) => root.test(name))) visit(name)
  const sorted = [...kept].sort(([a], [b]) => (a < b ? -1 : 1))
  return `${JSON.stringify(Object.fromEntries(sorted))}\n`
}

function marked(field: string, message: string): string {
  const [number, ...rest] = field.split(' ')
  return omitZero[message]?.includes(rest.at(-1)!) ? [number, 'omitzero', ...rest].join(' ') : field
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
