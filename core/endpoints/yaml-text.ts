import { isAlias, isMap, isScalar, isSeq, LineCounter, type Pair, parseDocument, type Tags } from 'yaml'
import { checkValue } from './json-text.ts'

/** Told of the fields that come twice, as lines of the message Kubernetes gives. */
export type OnDuplicates = (lines: string[]) => void

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const unread = ['tag:yaml.org,2002:timestamp', 'tag:yaml.org,2002:merge']

/**
 * Kubernetes reads YAML 1.1 (`yes` is true, `0644` octal), and leaves what looks like a time as it is. Merging of maps is
 * left out: it makes much of little.
 */
const selectTags = (tags: Tags): Tags =>
  tags.filter((tag) => typeof tag === 'string' || (!unread.includes(tag.tag) && tag.format !== 'TIME'))

/** How the server reads YAML. */
export const yamlOptions = {
  version: '1.1',
  customTags: selectTags,
  logLevel: 'error',
  // The library compares every key with every other: a large map would hold up everybody.
  uniqueKeys: false,
} as const

/** More parts than any object has that people write: the library takes its time for each, and nobody else gets a turn. */
export const maxParts = 50_000
/** Of long texts; empty ones cost as well. */
export const maxLines = 200_000

/** What stands behind keys, between items and around them; in long texts too, where it says nothing. */
const partSigns = /:(?=\s)|[-?](?=\s)|[,#&*!|>[\]{}'"%@`]/g

/** @throws Error */
function checkParts(text: string): void {
  if (text.length <= maxParts) return
  let lines = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    if (++lines > maxLines) throw new Error(`more than ${maxLines} lines: send JSON, which is read faster`)
  }
  let parts = 0
  partSigns.lastIndex = 0
  while (partSigns.test(text)) {
    if (++parts > maxParts) throw new Error(`more than ${maxParts} parts: send JSON, which is read faster`)
  }
}

/**
 * Parses one document of YAML that anyone may have sent.
 * @throws Error for what is no YAML or no UTF-8, is nested too deeply, has too many parts, or repeats
 * itself too often through aliases
 */
export function parseYamlText(bytes: Buffer, onDuplicates?: OnDuplicates): unknown {
  const lineCounter = new LineCounter()
  const text = utf8.decode(bytes)
  checkParts(text)
  const document = parseDocument(text, { ...yamlOptions, lineCounter })
  const [error] = document.errors
  if (error) throw error
  const value: unknown = document.toJS({ maxAliasCount: 100 })
  checkValue(value)
  const lines: string[] = []
  if (onDuplicates) findDuplicates(document.contents, lineCounter, lines)
  if (lines.length > 0) onDuplicates!(lines)
  return value
}

const maxDuplicates = 100

function findDuplicates(node: unknown, counter: LineCounter, lines: string[]): void {
  if (isAlias(node)) return
  if (isSeq(node)) for (const item of node.items) findDuplicates(item, counter, lines)
  if (!isMap(node)) return
  const seen = new Set<string>()
  for (const { key, value } of node.items as Pair[]) {
    if (isScalar(key)) {
      const name = String(key.value)
      if (seen.has(name) && lines.length < maxDuplicates) {
        lines.push(`line ${counter.linePos(key.range?.[0] ?? 0).line}: key ${JSON.stringify(name)} already set in map`)
      }
      seen.add(name)
    }
    findDuplicates(value, counter, lines)
  }
}
