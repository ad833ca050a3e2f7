/** The formats of strings that Kubernetes has names for, and what is wrong with a string that is not of one. */
import {
  dns1035LabelFaults,
  dnsLabelFaults,
  dnsSubdomainFaults,
  labelKeyFaults,
  labelValueFaults,
} from '@keelson/apis/meta/v1/names.ts'
import { define, defineMethod, type Library } from '../environment.ts'
import { parseTimestamp } from '../time.ts'
import { list, opaque, optional, string } from '../types.ts'
import { Opaque, Optional } from '../values.ts'
import { isUrl, notAUrl } from './urls.ts'

const formatType = opaque('kubernetes.NamedFormat')

type Faults = (text: string) => readonly string[]

export class NamedFormat extends Opaque {
  readonly typeName = 'kubernetes.NamedFormat'
  readonly name: string
  readonly faults: Faults
  /** The length of a regular expression that a check is charged as. */
  readonly patternSize: number

  constructor(name: string, faults: Faults, patternSize: number) {
    super()
    this.name = name
    this.faults = faults
    this.patternSize = patternSize
  }

  override equals(other: Opaque): boolean {
    return other instanceof NamedFormat && other.name === this.name
  }
}

/** A prefix to which more is added may end in a dash. */
const ofPrefix =
  (faults: Faults): Faults =>
  (text) =>
    faults(text.replace(/(?<=.)-$/s, 'a'))

const unless =
  (holds: (text: string) => boolean, fault: string): Faults =>
  (text) =>
    holds(text) ? [] : [fault]

const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

function isTimestamp(text: string): boolean {
  try {
    parseTimestamp(text)
    return true
  } catch {
    return false
  }
}

const formats: readonly [name: string, patternSize: number, faults: Faults][] = [
  ['dns1123Label', 30, dnsLabelFaults],
  ['dns1123Subdomain', 60, dnsSubdomainFaults],
  ['dns1035Label', 30, dns1035LabelFaults],
  ['qualifiedName', 60, labelKeyFaults],
  ['dns1123LabelPrefix', 30, ofPrefix(dnsLabelFaults)],
  ['dns1123SubdomainPrefix', 60, ofPrefix(dnsSubdomainFaults)],
  ['dns1035LabelPrefix', 30, ofPrefix(dns1035LabelFaults)],
  ['labelValue', 40, labelValueFaults],
  ['uri', 1103, (text) => (isUrl(text) ? [] : [notAUrl(text)])],
  ['uuid', 70, unless((text) => uuid.test(text), 'does not match the UUID format')],
  ['byte', 84, unless((text) => text !== '' && base64.test(text), 'invalid base64')],
  ['date', 71, unless((text) => isTimestamp(`${text}T00:00:00Z`), 'invalid date')],
  ['datetime', 71, unless(isTimestamp, 'invalid datetime')],
]
const named = new Map(formats.map(([name, patternSize, faults]) => [name, new NamedFormat(name, faults, patternSize)]))

function validate({ faults }: NamedFormat, text: string): Optional {
  const found = faults(text)
  return found.length === 0 ? Optional.none : new Optional(found)
}

export const format: Library = [
  define('format.named', [string], optional(formatType), (name: string) => {
    const known = named.get(name)
    return known ? new Optional(known) : Optional.none
  }),
  ...[...named].map(([name, one]) => define(`format.${name}`, [], formatType, () => one)),
  defineMethod('validate', [formatType, string], optional(list(string)), validate),
]
