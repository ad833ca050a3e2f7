import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { generateCrds } from './generators/crds.ts'
import { generateProtobuf } from './generators/protobuf.ts'
import { describe, generateAll, verify } from './verify.ts'

/** The command line of code generation: `node codegen/main.ts <command>`. */
const usage = `usage: node codegen/main.ts <command>
  all                    generate types and definitions from the manifests in apis/crds
  crds <reference-dir>   renew the manifests' structure and the protobuf numbers from a Kubernetes release, then do \`all\`
  verify                 fail when a generated file is not what the manifests say`

const apis = join(import.meta.dirname, '..', 'apis')
const inventory = join(import.meta.dirname, 'testdata', 'inventory.tsv')

async function all(): Promise<void> {
  for (const [path, text] of await generateAll(apis)) {
    await mkdir(dirname(join(apis, path)), { recursive: true })
    await writeFile(join(apis, path), text)
  }
}

async function crds(reference: string): Promise<void> {
  await generateCrds(reference, { manifests: join(apis, 'crds'), inventory })
  await writeFile(join(apis, 'crds', 'zz_generated.protobuf.json'), await generateProtobuf(reference))
  await all()
}

async function check(): Promise<void> {
  const differences = await verify(apis)
  if (differences.length === 0) return
  for (const difference of differences) console.error(describe(difference))
  console.error('generated files are out of date: run `npm run codegen all`')
  process.exitCode = 1
}

const [command, reference] = process.argv.slice(2)
if (command === 'all') await all()
else if (command === 'crds' && reference) await crds(reference)
else if (command === 'verify') await check()
else {
  console.error(usage)
  process.exitCode = 2
}
