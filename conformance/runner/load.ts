import { readdir } from 'node:fs/promises'
import { matchesGlob } from 'node:path'
import type { ConformanceCase } from './case.ts'

const folders = ['api', 'kubectl'].map((name) => new URL(`../${name}/`, import.meta.url))

/** All cases, in the order of their files and within them. @throws when two have the same name */
export async function loadCases(): Promise<ConformanceCase[]> {
  const cases: ConformanceCase[] = []
  for (const folder of folders) {
    const names = await readdir(folder)
    for (const name of names.filter((one) => one.endsWith('.ts')).sort()) {
      const { href } = new URL(name, folder)
      const module = (await import(href)) as { cases: ConformanceCase[] }
      cases.push(...module.cases)
    }
  }
  const twice = cases.find(({ name }, at) => cases.findIndex((other) => other.name === name) !== at)
  if (twice) throw new Error(`two cases are named ${JSON.stringify(twice.name)}`)
  return cases
}

/** True when the name contains `focus`, or matches it as a glob when it has a `*` or `?`. */
export function isInFocus(name: string, focus: string): boolean {
  const path = name.replaceAll('/', ' ')
  return /[*?]/.test(focus) ? matchesGlob(path, focus.replaceAll('/', ' ')) : name.includes(focus)
}
