import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { resolveSubPath } from './sub-path.ts'

let root: string
let outside: string
beforeEach(async () => {
  const base = await realpath(await mkdtemp(join(tmpdir(), 'keelson-subpath-')))
  root = join(base, 'volume')
  outside = join(base, 'outside')
  await Promise.all([mkdir(join(root, 'real'), { recursive: true }), mkdir(outside)])
})
afterEach(() => rm(join(root, '..'), { recursive: true, force: true }))

test('what is there is found, what is not is made', async () => {
  await writeFile(join(root, 'file'), '')
  await symlink('real', join(root, 'link'))
  expect(await resolveSubPath(root, 'file')).toBe(join(root, 'file'))
  expect(await resolveSubPath(root, 'link')).toBe(join(root, 'real'))
  expect(await resolveSubPath(root, 'link/new/dir')).toBe(join(root, 'real/new/dir'))
})

test.each(['../outside', '/etc', 'real/../../outside', 'escape', 'escape/new'])(
  '%s does not lead out',
  async (subPath) => {
    await symlink(outside, join(root, 'escape'))
    await expect(resolveSubPath(root, subPath)).rejects.toThrow('volume')
    expect(await readdir(outside)).toEqual([])
  },
)
