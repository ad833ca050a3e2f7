import { expect, test } from 'vitest'
import { packedPackageJson, packedSource } from './packed.ts'

test.each([
  { name: 'relative imports', source: `import { a } from './a.ts'`, want: `import { a } from './a.js'` },
  { name: 'double quotes', source: `export * from "../a.ts";`, want: `export * from "../a.js";` },
  {
    name: 'modules of other packages',
    source: `import type { Run } from '@keelson/apis/plugin/v1/host.ts'`,
    want: `import type { Run } from '@keelson/apis/plugin/v1/host.js'`,
  },
  { name: 'imports for effect', source: `import './a.ts'`, want: `import './a.js'` },
  { name: 'types by import()', source: `x: import("./a.ts").A`, want: `x: import("./a.js").A` },
])('packedSource renames $name', ({ source, want }) => expect(packedSource(source)).toBe(want))

test.each([
  { name: 'packages', source: `import { a } from '@keelson/kit'` },
  { name: 'declarations', source: `import type { A } from './a.d.ts'` },
  { name: 'text that is no import', source: `const entry = './a.ts'` },
])('packedSource leaves $name', ({ source }) => expect(packedSource(source)).toBe(source))

test('packedPackageJson points at what was compiled', () => {
  const json = {
    name: 'p',
    files: ['**/*.js'],
    exports: { '.': './index.ts', './*': './*' },
    keelson: { abi: '^0.1', components: [{ name: 'c', entry: './controller.ts' }] },
  }
  expect(packedPackageJson(json)).toEqual({
    name: 'p',
    files: ['**/*.js'],
    exports: {
      '.': { types: './index.d.ts', default: './index.js' },
      './*.ts': { types: './*.d.ts', default: './*.js' },
      './*': './*',
    },
    keelson: { abi: '^0.1', components: [{ name: 'c', entry: './controller.js' }] },
  })
})
