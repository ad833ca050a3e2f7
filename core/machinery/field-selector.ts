import { newBadRequest } from '#core/errors/status-error.ts'

/**
 * Field selectors: `metadata.name=a,status.phase!=Running`. In values `\` escapes itself, `,` and `=`.
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/
 */
export interface FieldRequirement {
  field: string
  operator: '=' | '!='
  value: string
}

/** @throws StatusError BadRequest */
export function parseFieldSelector(text: string): FieldRequirement[] {
  return splitTerms(text)
    .filter((term) => term !== '')
    .map((term) => parseTerm(term, text))
}

/** The selector as text; parsing it gives the same requirements. */
export function formatFieldSelector(requirements: readonly FieldRequirement[]): string {
  return requirements
    .map(({ field, operator, value }) => `${field}${operator}${value.replace(/[\\,=]/g, '\\$&')}`)
    .join()
}

/** @param fields the object's values; an absent one is the empty string */
export function matchesFields(
  requirements: readonly FieldRequirement[],
  fields: Readonly<Record<string, string>>,
): boolean {
  for (const { field, operator, value } of requirements) {
    const actual = Object.hasOwn(fields, field) ? fields[field] : ''
    if ((actual === value) !== (operator === '=')) return false
  }
  return true
}

function splitTerms(text: string): string[] {
  const terms: string[] = []
  let start = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === ',') {
      terms.push(text.slice(start, at))
      start = at + 1
    }
  }
  return [...terms, text.slice(start)]
}

/** The first operator splits: fields have no escapes. */
function parseTerm(term: string, text: string): FieldRequirement {
  const at = term.search(/!=|=/)
  if (at === -1) throw newBadRequest(`invalid selector: '${text}'; can't understand '${term}'`)
  const operator = term[at] === '!' ? '!=' : '='
  const width = operator === '!=' || term[at + 1] === '=' ? 2 : 1
  return { field: term.slice(0, at), operator, value: unescapeValue(term.slice(at + width)) }
}

function unescapeValue(escaped: string): string {
  let value = ''
  for (let at = 0; at < escaped.length; at++) {
    const char = escaped[at]!
    if (char === ',' || char === '=')
      throw newBadRequest(`invalid field selector: unescaped character in value: ${char}`)
    if (char !== '\\') {
      value += char
      continue
    }
    const next = escaped[++at] ?? ''
    if (next === '' || !'\\,='.includes(next)) {
      throw newBadRequest(`invalid field selector: invalid escape sequence: \\${next}`)
    }
    value += next
  }
  return value
}
