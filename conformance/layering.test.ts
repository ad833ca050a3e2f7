/** Keeps the shape of the tree: who imports whom, and what no file may contain. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { importsOf, judgeImport, type Package } from './layering/imports.ts'

const root = resolve(import.meta.dirname, '..')
const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 })
  .split('\0')
  .filter(Boolean)
const existing = files.filter((file) => read(file) !== undefined)
const sources = existing.filter((file) => file.endsWith('.ts'))

/** Undefined for a file that is listed but deleted. */
function read(file: string): string | undefined {
  try {
    return readFileSync(resolve(root, file), 'utf8')
  } catch {
    return undefined
  }
}

const packages = existing
  .filter((file) => /^(.*\/)?package\.json$/.test(file) && !file.includes('testdata'))
  .map((file): Package => {
    const { name, dependencies = {}, devDependencies = {} } = JSON.parse(read(file)!)
    const folder = dirname(file) === '.' ? '' : dirname(file)
    return {
      name,
      folder,
      dependencies: new Set(Object.keys(dependencies)),
      devDependencies: new Set(Object.keys(devDependencies)),
    }
  })

test('every import follows the table in layering/may-import.ts', () => {
  const faults = sources.flatMap((file) =>
    importsOf(read(file)!).map((specifier) => {
      const fault = judgeImport(file, specifier, packages)
      return fault && `${file}: ${specifier}: ${fault}`
    }),
  )
  expect(faults.filter(Boolean)).toEqual([])
})

/** Code without comments, strings and template text. */
function bare(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\/|\/\/.*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g, ' ')
}

test('no type is given up for any', () => {
  expect(sources.filter((file) => /(?::|\bas|<)\s*any\b/.test(bare(read(file)!)))).toEqual([])
})

test('no file knows the machine it was written on', () => {
  const names = (text: string) => /(?<![\w.:*-])\/(?:work|root)\/[\w.]/.test(text)
  const isBinary = (text: string) => text.includes('\0')
  expect(existing.filter((file) => !isBinary(read(file)!) && names(read(file)!))).toEqual([])
})

const plugin: Package = {
  name: '@keelson/x',
  folder: 'plugins/x',
  dependencies: new Set(['ws', '@keelson/kit']),
  devDependencies: new Set(),
}
const kit: Package = {
  name: '@keelson/kit',
  folder: 'plugins/kit',
  dependencies: new Set(),
  devDependencies: new Set(),
}
const other: Package = { name: '@keelson/y', folder: 'plugins/y', dependencies: new Set(), devDependencies: new Set() }
const repository: Package = {
  name: 'keelson',
  folder: '',
  dependencies: new Set(['yaml']),
  devDependencies: new Set(['vitest']),
}

test.each([
  { file: 'plugins/x/main.ts', specifier: '../y/main.ts', fault: 'may not import plugins/y/main.ts' },
  { file: 'plugins/x/main.ts', specifier: '#core/main.ts', fault: 'may not import core/main.ts' },
  { file: 'plugins/x/main.ts', specifier: '@keelson/kit/types.ts', fault: undefined },
  { file: 'plugins/x/main.ts', specifier: '@keelson/y', fault: 'does not declare the dependency @keelson/y' },
  { file: 'plugins/x/main.ts', specifier: 'left-pad', fault: 'does not declare the dependency left-pad' },
  { file: 'plugins/x/main.ts', specifier: 'ws', fault: undefined },
  { file: 'plugins/x/main.test.ts', specifier: 'vitest', fault: undefined },
  { file: 'plugins/x/main.ts', specifier: 'vitest', fault: 'does not declare the dependency vitest' },
  { file: 'core/server/a.ts', specifier: '#admission/chain.ts', fault: 'core may not import admission/chain.ts' },
  { file: 'core/server/a.ts', specifier: '../registry/b.ts', fault: undefined },
  { file: 'core/cluster.ts', specifier: '#admission/chain.ts', fault: undefined },
  { file: 'admission/a.ts', specifier: '#core/server/exchange.ts', fault: 'may not import core/server/exchange.ts' },
  { file: 'apis/a.ts', specifier: 'node:fs', fault: undefined },
])('$file importing $specifier: $fault', ({ file, specifier, fault }) => {
  const verdict = judgeImport(file, specifier, [repository, plugin, kit, other])
  if (fault) expect(verdict).toContain(fault)
  else expect(verdict).toBeUndefined()
})

test('imports are found in every form', () => {
  const dynamic = `${'imp'}ort('e')`
  const source = `import a from 'a'\nimport {\n  b,\n} from "b"\nexport * from 'c'\nimport 'd'\nconst e = await ${dynamic}\nconst f = "from 'f'"\n`
  expect(importsOf(source)).toEqual(['a', 'b', 'c', 'd', 'e'])
})
