import { expect, test } from 'vitest'
import { compile } from '../cel.ts'
import { jsonPatch } from './json-patch.ts'
import { kubernetesEnvironment } from './kubernetes.ts'

test.each([
  ['example.com/team', 'example.com~1team'],
  ['~/~1', '~0~1~01'],
  ['', ''],
])('the key %o is %o within a path', (key, part) => {
  const environment = kubernetesEnvironment.extend({ libraries: [jsonPatch] })
  expect(compile(`jsonpatch.escapeKey('${key}')`, environment).evaluate({})).toBe(part)
})
