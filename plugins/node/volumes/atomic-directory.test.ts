import { lstat, mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isSafePath, writeAtomically } from './atomic-directory.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keelson-volume-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const files = (of: Record<string, string>, mode = 0o644) =>
  new Map(Object.entries(of).map(([path, text]) => [path, { content: Buffer.from(text), mode }]))
const read = (path: string) => readFile(join(directory, path), 'utf8')

test('files are seen through one link that changes', async () => {
  expect(await writeAtomically(directory, files({ a: '1', 'b/c': '2' }, 0o600))).toBe(true)
  expect([await read('a'), await read('b/c')]).toEqual(['1', '2'])
  expect((await stat(join(directory, 'a'))).mode & 0o777).toBe(0o600)
  expect(await readlink(join(directory, 'a'))).toBe('..data/a')
  const before = await readlink(join(directory, '..data'))
  expect(await writeAtomically(directory, files({ a: '1', 'b/c': '2' }, 0o600))).toBe(false)
  expect(await readlink(join(directory, '..data'))).toBe(before)
  expect(await writeAtomically(directory, files({ a: '3', d: '4' }))).toBe(true)
  expect([await read('a'), await read('d')]).toEqual(['3', '4'])
  const names = await readdir(directory)
  expect(names.filter((name) => !name.startsWith('..')).sort()).toEqual(['a', 'd'])
  expect(names).not.toContain(before)
})

test.each(['../x', '/x', 'a/../../x', '..', '..data', '.', '', 'a//b', 'a\0b'])(
  '%j never leads anywhere',
  async (path) => {
    expect(isSafePath(path)).toBe(false)
    await expect(writeAtomically(directory, files({ ok: '1', [path]: 'evil' }))).rejects.toThrow(
      'no path inside a volume',
    )
    expect(await readdir(directory)).toEqual([])
  },
)

test('a safe path stays below', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', '.', '..', '', '...', '..data', '/', 'b'), { maxLength: 6 }), (parts) => {
      const path = parts.join('/')
      if (isSafePath(path)) expect(join('/root', path).startsWith('/root/')).toBe(true)
    }),
  )
})

test('a group that owns the volume may read', async () => {
  await writeAtomically(directory, files({ a: '1' }, 0o400), process.getgid?.() ?? 0)
  expect((await lstat(join(directory, '..data/a'))).mode & 0o777).toBe(0o440)
})
