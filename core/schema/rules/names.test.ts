import { expect, test } from 'vitest'
import { escapeName } from './names.ts'

test.each([
  ['replicas', 'replicas'],
  ['_true', '_true'],
  ['a_b', 'a_b'],
  ['a__b', 'a__underscores__b'],
  ['a___b', 'a__underscores___b'],
  ['dot.dot', 'dot__dot__dot'],
  ['dash-dash', 'dash__dash__dash'],
  ['slash/slash', 'slash__slash__slash'],
  ['-', '__dash__'],
  ['__dot__', '__underscores__dot__underscores__'],
  ['namespace', '__namespace__'],
  ['true', '__true__'],
  ['self', 'self'],
  ['__proto__', '__underscores__proto__underscores__'],
  ['constructor', 'constructor'],
  ['9lives', undefined],
  ['', undefined],
  ['k!', undefined],
  ['a b', undefined],
  ['é', undefined],
  ['a\n', undefined],
])('rules write %j as %s', (name, written) => expect(escapeName(name)).toBe(written))
