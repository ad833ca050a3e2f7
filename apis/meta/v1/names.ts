/**
 * The grammars of names, labels and keys. Each function returns the faults of a value in Kubernetes' words, none when it
 * is well formed; who asks adds the field.
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
 */

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const subdomain = `${label}(\\.${label})*`
const qualified = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'

/** A grammar as it is matched, as it is shown, and what it demands. */
interface Grammar {
  whole: RegExp
  shown: string
  demand: string
  examples: readonly string[]
}

const grammar = (shown: string, demand: string, ...examples: string[]): Grammar => ({
  whole: new RegExp(`^(?:${shown})$`),
  shown,
  demand,
  examples,
})

const dnsLabel = grammar(
  label,
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  'my-name',
  '123-abc',
)
const dnsSubdomain = grammar(
  subdomain,
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  'example.com',
)
const dns1035Label = grammar(
  '[a-z]([-a-z0-9]*[a-z0-9])?',
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  'my-name',
  'abc-123',
)
const wildcardSubdomain = grammar(
  `\\*\\.${subdomain}`,
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  '*.example.com',
)
const qualifiedName = grammar(
  qualified,
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  'MyName',
  'my.name',
  '123-abc',
)
const labelValue = grammar(
  `(${qualified})?`,
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  'MyValue',
  'my_value',
  '12345',
)
const configMapKey = grammar(
  '[-._a-zA-Z0-9]+',
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  'key.name',
  'KEY_NAME',
  'key-name',
)
const cIdentifier = grammar(
  '[A-Za-z_][A-Za-z0-9_]*',
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
  'my_name',
  'MY_NAME',
  'MyName',
)
const percent = grammar(
  '[0-9]+%',
  "a valid percent string must be a numeric string followed by an ending '%'",
  '1%',
  '93%',
)

/** The demand of a grammar with its examples and expression, spaced as Kubernetes does. */
function regexFault({ demand, shown, examples }: Grammar): string {
  const list = examples.map((one) => `'${one}', `).join(' or ')
  return `${demand} (e.g. ${list}regex used for validation is '${shown}')`
}

function matchFaults(value: string, grammar: Grammar, maxBytes: number): string[] {
  const faults = lengthFaults(value, maxBytes)
  if (!grammar.whole.test(value)) faults.push(regexFault(grammar))
  return faults
}

function lengthFaults(value: string, maxBytes: number): string[] {
  return exceedsBytes(value, maxBytes) ? [`must be no more than ${maxBytes} bytes`] : []
}

/** True when `value` takes more than `maxBytes` in UTF-8. Most texts are so short that nobody has to look at them. */
export function exceedsBytes(value: string, maxBytes: number): boolean {
  return value.length * 3 > maxBytes && byteLength(value) > maxBytes
}

/** Bytes of `value` in UTF-8, without making them. */
export function byteLength(value: string): number {
  let bytes = value.length
  for (let at = 0; at < value.length; at++) {
    const unit = value.charCodeAt(at)
    if (unit > 0x7f) bytes += unit > 0x7ff && !(unit >= 0xd800 && unit <= 0xdfff) ? 2 : 1
  }
  return bytes
}

/** At most 63 bytes of lower case letters, digits and inner `-`: namespaces. */
export function dnsLabelFaults(value: string): string[] {
  const faults = lengthFaults(value, 63)
  if (dnsLabel.whole.test(value)) return faults
  faults.push(dnsSubdomain.whole.test(value) ? 'must not contain dots' : regexFault(dnsLabel))
  return faults
}

/** At most 253 bytes of labels joined by dots: the names of most objects. */
export const dnsSubdomainFaults = (value: string): string[] => matchFaults(value, dnsSubdomain, 253)

/** A DNS label that starts with a letter: services. */
export const dns1035LabelFaults = (value: string): string[] => matchFaults(value, dns1035Label, 63)

export const wildcardSubdomainFaults = (value: string): string[] => matchFaults(value, wildcardSubdomain, 253)

/** An optional DNS subdomain and `/`, then a name: keys of labels, finalizers, resource names. */
export function labelKeyFaults(value: string): string[] {
  const parts = value.split('/')
  if (parts.length > 2) {
    return [
      `a valid label key ${regexFault(qualifiedName)} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  const name = parts.at(-1)!
  const faults = parts.length === 2 ? prefixFaults(parts[0]!) : []
  if (name === '') faults.push('name part must be non-empty')
  return faults.concat(matchFaults(name, qualifiedName, 63).map((fault) => `name part ${fault}`))
}

function prefixFaults(prefix: string): string[] {
  if (prefix === '') return ['prefix part must be non-empty']
  return dnsSubdomainFaults(prefix).map((fault) => `prefix part ${fault}`)
}

export const labelValueFaults = (value: string): string[] => matchFaults(value, labelValue, 63)

/** As a label key, but of any case in its prefix. */
export const annotationKeyFaults = (value: string): string[] => labelKeyFaults(value.toLowerCase())

/** Keys of ConfigMaps and Secrets. */
export function configMapKeyFaults(value: string): string[] {
  const faults = matchFaults(value, configMapKey, 253)
  return faults.concat(dotFaults(value))
}

/** Names of environment variables: printable ASCII without `=`. */
export function envVarNameFaults(value: string): string[] {
  if (value === '') return ['environment variable name must be non-empty']
  if (/^[\x20-\x3c\x3e-\x7e]+$/.test(value)) return []
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
}

export const cIdentifierFaults = (value: string): string[] => matchFaults(value, cIdentifier, Number.POSITIVE_INFINITY)

export const percentFaults = (value: string): string[] => matchFaults(value, percent, Number.POSITIVE_INFINITY)

/** IANA service names: ports named in containers and services. */
export function portNameFaults(value: string): string[] {
  const faults = lengthFaults(value, 15)
  if (!/^[-a-z0-9]+$/.test(value)) {
    faults.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  }
  if (!/[a-z]/.test(value)) faults.push('must contain at least one letter (a-z)')
  if (value.includes('--')) faults.push('must not contain consecutive hyphens')
  if (value.startsWith('-') || value.endsWith('-')) faults.push('must not begin or end with a hyphen')
  return faults
}

export function portNumberFaults(port: number): string[] {
  return Number.isInteger(port) && port >= 1 && port <= 65535 ? [] : ['must be between 1 and 65535, inclusive']
}

/** What a name needs to be one segment of a URL path: RBAC objects and other kinds with free names. */
export function pathSegmentFaults(value: string): string[] {
  if (value === '.' || value === '..') return [`may not be '${value}'`]
  return ['/', '%'].filter((one) => value.includes(one)).map((one) => `may not contain '${one}'`)
}

function dotFaults(value: string): string[] {
  if (value === '.' || value === '..') return [`must not be '${value}'`]
  return value.startsWith('..') ? ["must not start with '..'"] : []
}
