import { faults, immutable, keyOf } from '../../meta/v1/field-checks.ts'
import { type FieldError, invalid, required, tooLong } from '../../meta/v1/field-error.ts'
import { configMapKeyFaults } from '../../meta/v1/names.ts'
import { ageColumn, column, integer, nameColumn, printer } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import { decodedLength, decodeText, encodeText } from './base64.ts'
import { frozenErrors, maxDataBytes, sum } from './configmap-rules.ts'
import type { Secret } from './zz_generated.types.ts'

export const secretRules: Rules<Secret> = {
  default(secret) {
    const { stringData } = secret
    if (stringData) {
      // Entries may be called anything, `__proto__` too.
      const texts = Object.entries(stringData).map(([key, text]) => [key, encodeText(text)] as const)
      secret.data = Object.fromEntries([...Object.entries(secret.data ?? {}), ...texts])
    }
    delete secret.stringData
    secret.type ||= 'Opaque'
  },
  validate(secret) {
    const data = secret.data ?? {}
    return [
      ...Object.keys(data).flatMap((key) => faults(keyOf('data', key), key, configMapKeyFaults)),
      ...(sum(data, decodedLength) > maxDataBytes ? [tooLong('data', maxDataBytes)] : []),
      ...typeErrors(secret),
    ]
  },
  validateUpdate: (secret, old) => [
    ...immutable('type', secret.type, old.type),
    ...frozenErrors(secret, old, ['data']),
  ],
  fields: ({ type }) => ({ type: type ?? '' }),
  print: printer<Secret>(
    nameColumn,
    column('Type', ({ type }) => type ?? ''),
    integer('Data', ({ data }) => Object.keys(data ?? {}).length),
    ageColumn,
  ),
}

const accountName = 'kubernetes.io/service-account.name'

/** Each type of secret promises certain entries to those who read it. */
function typeErrors({ type, data = {}, metadata }: Secret): FieldError[] {
  const missing = (...keys: string[]) =>
    keys.filter((key) => !Object.hasOwn(data, key)).map((key) => required(keyOf('data', key)))
  switch (type) {
    case 'kubernetes.io/service-account-token':
      return metadata.annotations?.[accountName] ? [] : [required(keyOf('metadata.annotations', accountName))]
    case 'kubernetes.io/dockercfg':
      return jsonEntryErrors(data, '.dockercfg')
    case 'kubernetes.io/dockerconfigjson':
      return jsonEntryErrors(data, '.dockerconfigjson')
    case 'kubernetes.io/basic-auth': {
      const errors = missing('username', 'password')
      return errors.length === 2 ? errors : []
    }
    case 'kubernetes.io/ssh-auth':
      return data['ssh-privatekey'] ? [] : [required(keyOf('data', 'ssh-privatekey'))]
    case 'kubernetes.io/tls':
      return missing('tls.crt', 'tls.key')
    default:
      return []
  }
}

function jsonEntryErrors(data: Readonly<Record<string, string>>, key: string): FieldError[] {
  const field = keyOf('data', key)
  if (!Object.hasOwn(data, key)) return [required(field)]
  const fault = jsonFault(decodeText(data[key]!))
  return fault === undefined ? [] : [invalid(field, '<secret contents redacted>', fault)]
}

/** Why a text is no JSON object; never quotes it. */
function jsonFault(text: string): string | undefined {
  if (text.trim() === '') return 'unexpected end of JSON input'
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && !Array.isArray(value)) return undefined
    return 'json: cannot unmarshal into Go value of type map[string]interface {}'
  } catch {
    return 'invalid character in JSON'
  }
}
