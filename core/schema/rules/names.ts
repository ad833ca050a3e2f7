/**
 * How rules write the names of properties: what CEL cannot read as an identifier is escaped.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-expression-escaping
 */
const reserved: ReadonlySet<string> = new Set(
  (
    'true false null in as break const continue else for function if import let loop package namespace return var void ' +
    'while'
  ).split(' '),
)

const escapes: Readonly<Record<string, string>> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
}

/** Whether a name is a word of CEL, which rules may write as it is or escaped. */
export const isReserved = (name: string) => reserved.has(name)

/** The name as rules write it; undefined for one that they cannot. */
export function escapeName(name: string): string | undefined {
  if (isReserved(name)) return `__${name}__`
  if (!/^[a-zA-Z_./-][a-zA-Z0-9_./-]*$/.test(name)) return undefined
  return name.replace(/__|[./-]/g, (part) => escapes[part]!)
}
