import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { root } from './cluster.ts'

const run = promisify(execFile)
const own = ['@keelson/apis', '@keelson/client', '@keelson/kit']
const fromNpm = ['ws', 'yaml', '@types/node', 'undici-types']
const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')

const tsconfig = {
  compilerOptions: {
    target: 'esnext',
    lib: ['esnext'],
    types: ['node'],
    module: 'nodenext',
    strict: true,
    skipLibCheck: false,
    rewriteRelativeImportExtensions: true,
  },
}

/**
 * The example plugin in a folder of its own outside of the repository, on packages as npm would install them, type-checked
 * and compiled to JavaScript. What the packages take from npm is lent by this repository, so nothing is downloaded.
 */
export async function installPlugin(): Promise<{ directory: string } & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), 'keelson-plugin-'))
  const modules = join(directory, 'node_modules')
  for (const scope of ['@keelson', '@types']) await mkdir(join(modules, scope), { recursive: true })
  await run(process.execPath, [join(root, 'codegen/pack.ts'), '--into', join(directory, 'packages'), ...own])
  for (const name of own) await install(name, directory)
  for (const name of fromNpm) await symlink(join(root, 'node_modules', name), join(modules, name))

  const sources = (await readdir(join(root, 'examples/plugin'))).filter((file) => !file.endsWith('.test.ts'))
  for (const file of sources) await cp(join(root, 'examples/plugin', file), join(directory, file))
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify({ ...tsconfig, include: ['*.ts'] }))
  await run(process.execPath, [compiler, '-p', directory]).catch((error: { stdout?: string }) => {
    throw new Error(`compile the plugin: ${error.stdout}`, { cause: error })
  })
  return { directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) }
}

/** Through a tarball, so that what `files` leaves out is missed here and not by users. */
async function install(name: string, directory: string): Promise<void> {
  const packed = join(directory, 'packages', name.split('/')[1]!)
  const target = join(directory, 'node_modules', name)
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', directory], { cwd: packed })
  await mkdir(target)
  await run('tar', ['-xzf', join(directory, stdout.trim()), '-C', target, '--strip-components=1'])
}
