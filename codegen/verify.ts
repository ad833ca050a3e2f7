import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateDefinitions } from './generators/definitions.ts'
import { readCatalog } from './generators/files.ts'
import { generateTypes } from './generators/types.ts'

/** Every generated file, built afresh from the manifests: path below apis/ to text. Same manifests, same bytes. */
export async function generateAll(apis: string): Promise<Map<string, string>> {
  const catalog = await readCatalog(join(apis, 'crds'))
  return new Map([['crds/zz_generated.definitions.json', generateDefinitions(catalog)], ...generateTypes(catalog)])
}

/** A generated file that is not what the manifests say. */
export interface Difference {
  path: string
  /** The first line that differs, as it is and as it should be; `undefined` when the file ends before it. */
  line: number
  is?: string
  want?: string
}

/** What in `apis` differs from what its manifests say; empty when all is in order. */
export async function verify(apis: string): Promise<Difference[]> {
  const differences: Difference[] = []
  for (const [path, want] of await generateAll(apis)) {
    const is = await readFile(join(apis, path), 'utf8').catch(() => '')
    const difference = firstDifference(is, want)
    if (difference) differences.push({ path, ...difference })
  }
  return differences
}

export function firstDifference(is: string, want: string): Omit<Difference, 'path'> | undefined {
  if (is === want) return undefined
  const [left, right] = [is.split('\n'), want.split('\n')]
  const at = right.findIndex((line, index) => line !== left[index])
  const index = at === -1 ? right.length : at
  return { line: index + 1, is: left[index], want: right[index] }
}

export function describe({ path, line, is, want }: Difference): string {
  return [`apis/${path}:${line}`, `  is:   ${excerpt(is)}`, `  want: ${excerpt(want)}`].join('\n')
}

function excerpt(line: string | undefined): string {
  if (line === undefined) return '(end of file)'
  return line.length > 200 ? `${line.slice(0, 200)}...` : line
}
