import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { pack } from './pack.ts'

const run = promisify(execFile)

/** A folder of a project that has these packages, and nothing of the repository around it. */
async function projectWith(names: readonly string[], dependency: string): Promise<string> {
  const project = await mkdtemp(join(tmpdir(), 'keelson-project-'))
  const modules = join(project, 'node_modules')
  for (const { name, directory } of await pack(names, join(project, 'packed'))) {
    await mkdir(dirname(join(modules, name)), { recursive: true })
    await cp(directory, join(modules, name), { recursive: true })
  }
  await symlink(fileURLToPath(new URL(`../node_modules/${dependency}`, import.meta.url)), join(modules, dependency))
  return project
}

test('a plain project uses the packed library of expressions', { timeout: 60_000 }, async () => {
  const project = await projectWith(['@keelson/apis', '@keelson/cel'], 're2js')
  try {
    await cp(fileURLToPath(new URL('testdata/use-cel.mjs', import.meta.url)), join(project, 'use.mjs'))
    const { stdout } = await run(process.execPath, [join(project, 'use.mjs')], { cwd: project })
    expect(JSON.parse(stdout)).toEqual([3, true, 10])
  } finally {
    await rm(project, { recursive: true })
  }
})
