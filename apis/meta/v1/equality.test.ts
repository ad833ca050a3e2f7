import { expect, test } from 'vitest'
import { isSame } from './equality.ts'

test.each([
  [{ a: 1 }, { a: 1 }, true],
  [{ a: 1 }, { a: 2 }, false],
  [{ a: [] }, {}, true],
  [{ a: {} }, {}, true],
  [{ a: '' }, {}, true],
  [{ a: null }, {}, true],
  [{ a: 0 }, {}, false],
  [{ runAsNonRoot: false }, {}, false],
  [{ runAsUser: 0 }, {}, false],
  [{ hostNetwork: false, tty: false }, {}, true],
  [{ emptyDir: {} }, {}, false],
  [{ emptyDir: {} }, { emptyDir: {} }, true],
  [{ limits: { cpu: '1000m' } }, { limits: { cpu: 1 } }, true],
  [{ limits: { cpu: '1000m' } }, { limits: { cpu: '2' } }, false],
  [{ limits: { cpu: '1' } }, { limits: {} }, false],
  [{ limits: { cpu: 'x' } }, { limits: { cpu: 'y' } }, false],
  [{ labels: { a: '1000m' } }, { labels: { a: '1' } }, false],
  [{ emptyDir: { sizeLimit: '1Gi' } }, { emptyDir: { sizeLimit: '1024Mi' } }, true],
  [[1, 2], [2, 1], false],
  [[1, 2], [1, 2, 3], false],
  [{ a: { b: [{ c: 1 }] } }, { a: { b: [{ c: 1 }] } }, true],
  [JSON.parse('{"__proto__":1}'), {}, false],
])('that %j is the same as %j is %s', (a, b, want) => {
  expect(isSame(a, b)).toBe(want)
  expect(isSame(b, a)).toBe(want)
})
