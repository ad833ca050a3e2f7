import { expect, test } from 'vitest'
import { casesByOfficialTest, describeCoverage, officialTests } from './official.ts'
import { loadCases } from './runner/load.ts'

const cases = await loadCases()
const stoodFor = casesByOfficialTest(cases)
const tests = Object.values(officialTests).flatMap((group) => Object.entries(group))

test('every official test of these groups has a case, or a reason for having none', () => {
  const uncovered = tests.filter(([name, by]) => by === 'covered' && !stoodFor.has(name)).map(([name]) => name)
  expect(uncovered).toEqual([])
})

test('no official test has both a case and a reason for having none', () => {
  const both = tests.filter(([name, by]) => by !== 'covered' && stoodFor.has(name)).map(([name]) => name)
  expect(both).toEqual([])
})

test('what cases say of these groups is the name of an official test', () => {
  const known = new Map(tests)
  const subjects = new Set(tests.map(([name]) => subjectOf(name)))
  const unknown = [...stoodFor.keys()].filter((name) => subjects.has(subjectOf(name)) && !known.has(name))
  expect(unknown).toEqual([])
})

test('the table has a line for every official test', () => {
  const lines = describeCoverage(cases)
  expect(lines.filter((line) => line.startsWith('[sig-'))).toHaveLength(tests.length)
  expect(lines).toContain('[sig-api-machinery] AdmissionWebhook should honor timeout')
  expect(lines).toContain('    none: needs webhook')
  expect(lines).toContain('    discovery: /version tells the version')
})

/** What comes before `should`: tests of one subject have it in common. */
const subjectOf = (name: string) => (name.startsWith('Kubectl client ') ? 'Kubectl client' : name.split(' should ')[0])
