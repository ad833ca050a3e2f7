import { expect, test } from 'vitest'
import { readArguments } from './arguments.ts'
import { isInFocus, loadCases } from './load.ts'

test('flags win over the environment', () => {
  const environment = { KUBECONFIG: '/from/environment' }
  expect(readArguments([], environment)).toEqual({
    kubeconfig: '/from/environment',
    focus: '',
    junit: undefined,
    list: false,
    official: false,
    parallel: 4,
  })
  expect(readArguments(['--kubeconfig', 'f', '--parallel', '9'], environment)).toMatchObject({
    kubeconfig: 'f',
    parallel: 9,
  })
})

test.each([
  { argv: [], says: '--kubeconfig is missing' },
  { argv: ['--kubeconfig', 'f', '--parallel', '0'], says: 'a positive number is wanted' },
  { argv: ['--kubeconfig', 'f', '--parallel', 'many'], says: 'a positive number is wanted' },
  { argv: ['--nonsense'], says: "Unknown option '--nonsense'" },
])('$argv is refused', ({ argv, says }) => expect(() => readArguments(argv, {})).toThrow(says))

test.each([
  { name: 'watch: it ends', focus: '', want: true },
  { name: 'watch: it ends', focus: 'ends', want: true },
  { name: 'watch: it ends', focus: 'watch: *', want: true },
  { name: 'watch: it ends', focus: '*crud*', want: false },
  { name: 'watch: it ends', focus: 'it (ends', want: false },
  { name: 'discovery: /api is there', focus: 'discovery*', want: true },
  { name: 'discovery: /api is there', focus: '/api', want: true },
])('$name is in the focus $focus: $want', ({ name, focus, want }) => expect(isInFocus(name, focus)).toBe(want))

test('every case has a name with an area, and says what it stands for', async () => {
  const cases = await loadCases()
  expect(cases.length).toBeGreaterThan(60)
  for (const { name, stands } of cases) {
    expect(name).toMatch(/^[a-z][\w -]*: \S/)
    expect([stands].flat().every((one) => one !== '')).toBe(true)
  }
})
