/** Lower-case letters and digits that form no words and are not mistaken for each other. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789'

/**
 * A short name for a value: equal JSON values (in whatever order of fields) give equal hashes, and the result is valid as
 * a label and in names. Meant for revisions of templates. `collisionCount` gives another hash for the same value.
 */
export function hashOf(value: unknown, collisionCount = 0): string {
  const text = canonical(value) + (collisionCount > 0 ? `#${collisionCount}` : '')
  return encode(fnv1a64(Buffer.from(text)))
}

/** JSON with the fields of each object in order and undefined ones left out. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`).join(',')}}`
}

/** @see http://www.isthe.com/chongo/tech/comp/fnv/ */
function fnv1a64(bytes: Buffer): bigint {
  let hash = 0xcbf29ce484222325n
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash
}

/** Ten characters: 47 bits, of which two templates of one object sharing all is not to be expected. */
function encode(hash: bigint): string {
  let text = ''
  for (let rest = hash; text.length < 10; rest /= 27n) text += alphabet[Number(rest % 27n)]
  return text
}
