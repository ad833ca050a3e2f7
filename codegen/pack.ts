/**
 * Makes what npm publishes: compiles every workspace package to JavaScript and declarations under dist/packages/<name>,
 * because Node does not strip types inside node_modules. Sources say `./x.ts`; what is packed says `./x.js`.
 *
 *     node codegen/pack.ts [--into DIR] [PACKAGE ...]
 */
import { execFile } from 'node:child_process'
import { cp, glob, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { type PackageJson, packedPackageJson, packedSource } from './packed.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
const outDirectory = join(root, 'dist', 'packages')
const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')
const notPacked = ['**/node_modules', '**/dist', '**/testing', '**/*.test.ts', '**/*.suite.ts', '**/*.bench.ts']

export interface Packed {
  name: string
  /** Absolute: a folder that `npm pack` and `npm publish` take as it is. */
  directory: string
}

/**
 * @param names packages to make; absent: all
 * @param into where their folders go, each emptied first
 */
export async function pack(names?: readonly string[], into: string = outDirectory): Promise<Packed[]> {
  await mkdir(into, { recursive: true })
  const work = await mkdtemp(join(into, '.compiled-'))
  try {
    const all = await workspacePackages()
    const unknown = names?.find((name) => !all.some(({ json }) => json.name === name))
    if (unknown) throw new Error(`there is no package ${JSON.stringify(unknown)}`)
    const wanted = all.filter(({ json }) => !names || names.includes(json.name))
    await compile(
      wanted.map(({ folder }) => folder),
      work,
    )
    return await Promise.all(wanted.map((one) => assemble(one, work, into)))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

interface WorkspacePackage {
  /** Relative to the repository. */
  folder: string
  json: PackageJson
}

async function workspacePackages(): Promise<WorkspacePackage[]> {
  const { workspaces } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { workspaces: string[] }
  const files = await Array.fromAsync(
    glob(
      workspaces.map((pattern) => `${pattern}/package.json`),
      { cwd: root },
    ),
  )
  return Promise.all(
    files.sort().map(async (file) => ({
      folder: dirname(file),
      json: JSON.parse(await readFile(join(root, file), 'utf8')) as PackageJson,
    })),
  )
}

/** All in one program, laid out as the repository is. Types are checked by `npm run check`, not again here. */
async function compile(folders: readonly string[], into: string): Promise<void> {
  const config = join(into, 'tsconfig.json')
  await writeFile(
    config,
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        noEmit: false,
        noCheck: true,
        declaration: true,
        allowImportingTsExtensions: false,
        rewriteRelativeImportExtensions: true,
        rootDir: root,
        outDir: into,
        typeRoots: [join(root, 'node_modules', '@types')],
      },
      include: folders.map((folder) => join(root, folder)),
      exclude: notPacked.map((pattern) => join(root, pattern)),
    }),
  )
  const run = promisify(execFile)
  await run(process.execPath, [compiler, '-p', config]).catch((error: { stdout?: string }) => {
    throw new Error(`compile packages: ${error.stdout}`, { cause: error })
  })
}

async function assemble({ folder, json }: WorkspacePackage, compiled: string, into: string): Promise<Packed> {
  const directory = join(into, json.name.split('/').at(-1)!)
  await rm(directory, { recursive: true, force: true })
  for await (const file of glob('**/*.{js,d.ts}', { cwd: join(compiled, folder) })) {
    const source = await readFile(join(compiled, folder, file), 'utf8')
    await mkdir(dirname(join(directory, file)), { recursive: true })
    await writeFile(join(directory, file), packedSource(source))
  }
  await copyData(join(root, folder), directory, json.files ?? [])
  await cp(join(root, 'LICENSE'), join(directory, 'LICENSE'))
  await writeFile(join(directory, 'package.json'), `${JSON.stringify(packedPackageJson(json), null, 2)}\n`)
  return { name: json.name, directory }
}

/** What `files` names beside compiled code, and the README. */
async function copyData(from: string, to: string, files: readonly string[]): Promise<void> {
  const data = files.filter((pattern) => !/\.(js|ts)$/.test(pattern))
  for await (const file of glob([...data, 'README.md'], { cwd: from })) {
    await cp(join(from, file), join(to, file), { recursive: true })
  }
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({ options: { into: { type: 'string' } }, allowPositionals: true })
  const packed = await pack(positionals.length > 0 ? positionals : undefined, values.into && resolve(values.into))
  for (const { name, directory } of packed) process.stdout.write(`${name}  ${directory}\n`)
}
