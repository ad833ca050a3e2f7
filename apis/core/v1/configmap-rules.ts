import { isSame } from '../../meta/v1/equality.ts'
import { faults, keyOf } from '../../meta/v1/field-checks.ts'
import { type FieldError, forbidden, invalid, tooLong } from '../../meta/v1/field-error.ts'
import { byteLength, configMapKeyFaults } from '../../meta/v1/names.ts'
import { ageColumn, integer, nameColumn, printer } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import { decodedLength } from './base64.ts'
import type { ConfigMap } from './zz_generated.types.ts'

/** Most bytes of the values of a ConfigMap or a Secret. */
export const maxDataBytes = 1024 * 1024

type Texts = Readonly<Record<string, string>>

export const configMapRules: Rules<ConfigMap> = {
  validate({ data = {}, binaryData = {} }) {
    return [
      ...Object.keys(data).flatMap((key) => [
        ...faults(keyOf('data', key), key, configMapKeyFaults),
        ...(Object.hasOwn(binaryData, key)
          ? [invalid(keyOf('data', key), key, 'duplicate of key present in binaryData')]
          : []),
      ]),
      ...Object.keys(binaryData).flatMap((key) => faults(keyOf('binaryData', key), key, configMapKeyFaults)),
      ...(isTooLarge(data, binaryData) ? [tooLong('', maxDataBytes)] : []),
    ]
  },
  validateUpdate: (configMap, old) => frozenErrors(configMap, old, ['data', 'binaryData']),
  print: printer<ConfigMap>(
    nameColumn,
    integer('Data', ({ data = {}, binaryData = {} }) => Object.keys(data).length + Object.keys(binaryData).length),
    ageColumn,
  ),
}

function isTooLarge(data: Texts, binaryData: Texts): boolean {
  // No character takes more than three bytes for each of its code units: most maps need no closer look.
  if (3 * sum(data, lengthOf) + sum(binaryData, lengthOf) <= maxDataBytes) return false
  return sum(data, byteLength) + sum(binaryData, decodedLength) > maxDataBytes
}

const lengthOf = (text: string) => text.length

export function sum(texts: Texts, lengthOf: (text: string) => number): number {
  return Object.values(texts).reduce((total, text) => total + lengthOf(text), 0)
}

/** Errors of a change of what has been declared immutable, which it stays. */
export function frozenErrors<T extends { immutable?: boolean }>(
  object: T,
  old: T,
  fields: readonly (keyof T & string)[],
): FieldError[] {
  if (!old.immutable) return []
  const detail = 'field is immutable when `immutable` is set'
  return [
    ...(object.immutable ? [] : [forbidden('immutable', detail)]),
    ...fields.filter((field) => !isSame(object[field], old[field])).map((field) => forbidden(field, detail)),
  ]
}
