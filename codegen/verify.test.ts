import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { firstDifference, generateAll, verify } from './verify.ts'

const apis = join(import.meta.dirname, '..', 'apis')

test('the generated files are what the manifests say', async () => {
  expect(await verify(apis)).toEqual([])
})

test('a generated file edited by hand is found', async () => {
  const copy = await mkdtemp(join(tmpdir(), 'apis-'))
  try {
    await cp(join(apis, 'crds'), join(copy, 'crds'), { recursive: true })
    for (const [path, text] of await generateAll(copy)) {
      await cp(join(apis, path), join(copy, path))
      if (path === 'apps/v1/zz_generated.types.ts') await writeFile(join(copy, path), text.replace('Deployment', 'D'))
    }
    expect((await verify(copy)).map(({ path }) => path)).toEqual(['apps/v1/zz_generated.types.ts'])
  } finally {
    await rm(copy, { recursive: true })
  }
})

const cases = [
  { name: 'nothing in equal texts', is: 'a\nb', want: 'a\nb', difference: undefined },
  { name: 'a changed line', is: 'a\nb', want: 'a\nc', difference: { line: 2, is: 'b', want: 'c' } },
  { name: 'a missing line', is: 'a', want: 'a\nb', difference: { line: 2, is: undefined, want: 'b' } },
  { name: 'a line too many', is: 'a\nb', want: 'a', difference: { line: 2, is: 'b', want: undefined } },
]
test.each(cases)('firstDifference finds $name', ({ is, want, difference }) => {
  expect(firstDifference(is, want)).toEqual(difference)
})
