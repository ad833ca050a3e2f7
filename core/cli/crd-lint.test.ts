import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { lint, lintArguments } from './crd-lint.ts'
import type { Finding } from './crd-lint-report.ts'
import { readSource } from './crd-lint-source.ts'
import { UsageError } from './usage-error.ts'

interface Shape {
  spec?: string
  root?: string
  version?: string
  more?: string
  names?: string
}

const indent = (text: string, depth: number) =>
  text
    .split('\n')
    .map((line) => ' '.repeat(depth) + line)
    .join('\n')

/** A definition whose parts can be replaced; each begins on a line of its own. */
const definition = ({
  spec = 'a: { type: string, description: x }',
  root = '',
  version = '',
  more = '',
  names = '',
}: Shape = {}) =>
  `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: sites.example.dev
spec:
  group: example.dev
  scope: Namespaced
  names: { plural: sites, kind: Site${names} }
${more}
  versions:
    - name: v1
      served: true
      storage: true
${indent(version, 6)}
      schema:
        openAPIV3Schema:
          type: object
${indent(root, 10)}
          properties:
            spec:
              type: object
              description: x
              properties:
${indent(spec, 16)}
`

/** How versions are converted. @param config its client configuration */
const webhook = (config: string, reviewVersions = '[v1]') =>
  `  conversion:
    strategy: Webhook
    webhook:
      conversionReviewVersions: ${reviewVersions}
${indent(config, 6)}`

async function run(text: string, old?: string, flags: string[] = []) {
  const directory = mkdtempSync(join(tmpdir(), 'keelson-lint-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, 'new.yaml')
  writeFileSync(file, text)
  const against = join(directory, 'old.yaml')
  if (old) writeFileSync(against, old)
  const args = [file, '-o', 'json', ...(old ? ['--against', against] : []), ...flags]
  const { text: shown, status } = await lint(lintArguments(args), false)
  const { findings } = JSON.parse(shown) as { findings: Finding[] }
  return {
    status,
    file,
    findings,
    brief: findings.map(({ line, column, severity, message }) => `${line}:${column} ${severity} ${message}`),
  }
}

describe('what the server would say', () => {
  test('of what is right there is nothing to say', async () => {
    expect(await run(definition())).toMatchObject({ status: 0, findings: [] })
  })

  test.each([
    {
      name: 'a type that is none',
      shape: { spec: 'a:\n  description: x\n  type: text' },
      at: '26:19',
      says: 'Unsupported value: "text"',
    },
    { name: 'a field that is none', shape: { more: '  scop: x' }, at: '9:3', says: 'unknown field' },
    {
      name: 'a name that does not fit',
      shape: { more: '', names: ', listKind: Site' },
      at: '8:39',
      says: 'kind and listKind may not be the same',
    },
    {
      name: 'a field of the wrong type',
      shape: { version: 'deprecated: 1' },
      at: '14:7',
      says: 'cannot unmarshal number',
    },
    {
      name: 'a key that comes again',
      shape: { version: 'served: true' },
      at: '14:7',
      says: 'key "served" already set in map',
    },
    {
      name: 'a webhook that cannot be called',
      shape: { more: webhook('clientConfig: { url: "http://hooks.example.dev" }') },
      at: '13:23',
      says: "'https' is the only allowed URL scheme",
    },
    {
      name: 'a service without a name',
      shape: { more: webhook('clientConfig:\n  service:\n    namespace: hooks\n    name: ""') },
      at: '16:11',
      says: 'service name is required',
    },
    {
      name: 'a webhook that nobody calls',
      shape: { more: webhook('clientConfig: { url: "https://hooks.example.dev" }', '[]').replace('Webhook', 'None') },
      at: '13:7',
      says: 'should not be set when strategy is not set to Webhook',
    },
    {
      name: 'reviews in no version that is known',
      shape: { more: webhook('clientConfig: { url: "https://hooks.example.dev" }', '[v7]') },
      at: '12:7',
      says: 'must include at least one of v1, v1beta1',
    },
    {
      name: 'a rule that does not compile',
      shape: {
        spec: 'a:\n  type: string\n  description: x\n  maxLength: 5\n  x-kubernetes-validations:\n    - rule: self.b == 1',
      },
      at: '29:23',
      says: 'compilation failed',
    },
    {
      name: 'a rule that may cost too much',
      shape: {
        spec: 'a:\n  type: array\n  description: x\n  items: { type: string }\n  x-kubernetes-validations:\n    - rule: self.all(x, self.all(y, x == y))',
      },
      at: '29:23',
      says: 'estimated rule cost exceeds budget',
    },
    {
      name: 'an extension that is wrong',
      shape: { spec: 'a: { type: string, description: x, x-keelson-unique: world }' },
      at: '24:52',
      says: 'Unsupported value: "world"',
    },
    {
      name: 'a field with dots in its name',
      shape: { spec: 'a.b/c:\n  description: x\n  type: text' },
      at: '26:19',
      says: 'Unsupported value: "text"',
    },
  ])('$name is an error at its place', async ({ shape, at, says }) => {
    const { brief, status } = await run(definition(shape))
    expect(brief.filter((one) => one.includes(says))).toEqual([expect.stringContaining(`${at} error `)])
    expect(status).toBe(1)
  })

  test('several documents and lists are read, others are left alone', async () => {
    const item = definition({ more: '  scop: x' }).replaceAll(/^/gm, '    ').replace('    api', '  - api')
    const text = `kind: ConfigMap\n---\n${definition({ more: '  scop: x' })}---\nkind: List\nitems:\n${item}`
    const { findings } = await run(text)
    expect(findings.map(({ line, definition }) => [line, definition])).toEqual([
      [11, 'sites.example.dev'],
      [11 + text.slice(0, text.indexOf('- api')).split('\n').length - 3, 'sites.example.dev'],
    ])
  })

  test.each(['a: [1\nb: 2', 'a: &a {b: *a}', 'a: *b'])('%j is told to be no YAML', async (text) => {
    expect(await run(text)).toMatchObject({ status: 1, findings: [{ severity: 'error' }] })
  })

  test('an unusual definition is no reason to fail', async () => {
    for (const text of [
      'kind: CustomResourceDefinition',
      'kind: CustomResourceDefinition\nspec: 1',
      'kind: CustomResourceDefinition\nspec: {versions: [1]}',
    ]) {
      expect((await run(text)).status).toBe(1)
    }
  })
})

describe('what will hurt later', () => {
  test.each([
    {
      name: 'a list that a rule reads',
      shape: {
        root: 'x-kubernetes-validations: [{ rule: self.spec.a.size() < 9 }]',
        spec: 'a: { type: array, description: x, items: { type: integer } }',
      },
      says: 'warning has no maxItems',
    },
    {
      name: 'a map that a rule reads',
      shape: {
        root: 'x-kubernetes-validations: [{ rule: self.spec.a.size() < 9 }]',
        spec: 'a: { type: object, description: x, additionalProperties: { type: integer } }',
      },
      says: 'warning has no maxProperties',
    },
    {
      name: 'a text that a rule reads',
      shape: { spec: 'a: { type: string, description: x, x-kubernetes-validations: [{ rule: self != "" }] }' },
      says: 'warning has no maxLength',
    },
    {
      name: 'a list with rules within',
      shape: {
        spec: 'a: { type: array, description: x, items: { type: integer, x-kubernetes-validations: [{ rule: self > 1 }] } }',
      },
      says: 'warning has no maxItems',
    },
    {
      name: 'a field without description',
      shape: { spec: 'a: { type: string }' },
      says: 'info 1 of 2 fields have no description: spec.a',
    },
    {
      name: 'whatever is kept',
      shape: { root: 'x-kubernetes-preserve-unknown-fields: true' },
      says: 'warning any field is kept',
    },
    {
      name: 'a format that is none',
      shape: { spec: 'a: { type: string, description: x, format: foo }' },
      says: 'warning unrecognized format "foo"',
    },
  ])('$name is pointed out', async ({ shape, says }) => {
    const { brief, status } = await run(definition(shape))
    expect(brief).toEqual([expect.stringContaining(says)])
    expect(status).toBe(0)
  })

  test('what no rule reads needs no bound', async () => {
    const root = 'x-kubernetes-validations: [{ rule: self.spec.b > 1 }]'
    const spec = 'a: { type: array, description: x, items: { type: string } }\nb: { type: integer, description: x }'
    expect((await run(definition({ root, spec }))).brief).toEqual([])
  })

  test('a status wants its subresource, and --strict wants warnings heeded', async () => {
    const status = definition().replace(
      '            spec:',
      '            status: { type: object, description: x }\n            spec:',
    )
    expect(await run(status)).toMatchObject({ status: 0, findings: [{ severity: 'warning', line: 20 }] })
    expect(await run(status, undefined, ['--strict'])).toMatchObject({ status: 1 })
  })
})

describe('what breaks', () => {
  const spec = (text: string): Shape => ({ spec: text })
  const described = (text: string) => spec(`a: { description: x, ${text} }`)
  test.each<{ name: string; old: Shape; now: Shape; says: string }>([
    {
      name: 'a field that is gone',
      old: spec('a: { type: string, description: x }\nb: { type: string }'),
      now: {},
      says: 'field "b" is gone',
    },
    {
      name: 'another type',
      old: described('type: string'),
      now: described('type: integer'),
      says: 'was string, is integer',
    },
    {
      name: 'fewer values',
      old: described('type: string, enum: [p, q]'),
      now: described('type: string, enum: [q]'),
      says: '"p" no longer allowed',
    },
    {
      name: 'only some values',
      old: described('type: string'),
      now: described('type: string, enum: [q]'),
      says: 'any value was allowed',
    },
    {
      name: 'a lower bound',
      old: described('type: string, maxLength: 9'),
      now: described('type: string, maxLength: 8'),
      says: 'was 9, is 8',
    },
    {
      name: 'a new bound',
      old: described('type: integer'),
      now: described('type: integer, minimum: 0'),
      says: 'was absent, is 0',
    },
    {
      name: 'another pattern',
      old: described('type: string'),
      now: described('type: string, pattern: ^a'),
      says: 'values of today may not match',
    },
    {
      name: 'null',
      old: described('type: string, nullable: true'),
      now: described('type: string'),
      says: 'null is no longer allowed',
    },
    {
      name: 'a list by keys',
      old: described('type: array, items: { type: string }'),
      now: described('type: array, x-kubernetes-list-type: set, items: { type: string }'),
      says: 'was atomic, is set',
    },
    {
      name: 'no unknown fields',
      old: { root: 'x-kubernetes-preserve-unknown-fields: true' },
      now: {},
      says: 'unknown fields were kept',
    },
    { name: 'a field that is needed', old: {}, now: { root: 'required: [spec]' }, says: 'field "spec" was optional' },
    {
      name: 'a status by itself',
      old: {},
      now: { version: 'subresources: { status: {} }' },
      says: 'the status subresource is new',
    },
    {
      name: 'a selector',
      old: { version: 'selectableFields: [{ jsonPath: .spec.a }]' },
      now: {},
      says: '.spec.a can no longer be selected by',
    },
    { name: 'a name', old: { names: ', singular: one' }, now: {}, says: 'was "one"' },
  ])('$name', async ({ old, now, says }) => {
    const { brief, status } = await run(definition(now), definition(old))
    expect(brief.filter((one) => one.includes(' breaking '))).toEqual([expect.stringContaining(says)])
    expect(status).toBe(1)
    // The other way round it is no more than a widening, but for who owns what.
    if (!/is set|subresource|selected|"one"|"b"|integer$/.test(says)) {
      expect((await run(definition(old), definition(now))).brief.filter((one) => one.includes(' breaking '))).toEqual(
        [],
      )
    }
  })

  test('a version that is served today', async () => {
    const two = definition().replace(
      'versions:',
      'versions:\n    - { name: v0, served: true, storage: false, schema: { openAPIV3Schema: { type: object } } }',
    )
    const { brief } = await run(definition(), two)
    expect(brief.filter((one) => one.includes(' breaking '))).toEqual([
      expect.stringContaining('version "v0" is served today'),
    ])
  })

  test('what the server refuses of an update', async () => {
    const { brief } = await run(definition().replace('Namespaced', 'Cluster'), definition())
    expect(brief).toEqual([expect.stringMatching(/^7:3 error .*field is immutable/)])
  })

  test('nothing, when nothing has changed or the definition is another', async () => {
    expect((await run(definition(), definition())).brief).toEqual([])
    const other = definition().replaceAll('sites', 'pages').replace('Site', 'Page')
    expect((await run(definition(), other)).brief).toEqual([])
  })
})

test.each([
  { name: 'no file', args: [] },
  { name: 'another format', args: ['x', '-o', 'xml'] },
  { name: 'a flag that is none', args: ['x', '--loud'] },
  { name: 'two sources of today', args: ['x', '--against', 'y', '--kubeconfig', 'z'] },
])('$name is a mistake', ({ args }) => expect(() => lintArguments(args)).toThrow(UsageError))

test('files that cannot be read or hold no definition are a mistake', async () => {
  await expect(lint(lintArguments(['/does/not/exist']), false)).rejects.toThrow(UsageError)
  await expect(run('kind: ConfigMap')).rejects.toThrow('holds no CustomResourceDefinition')
})

test('text for people has colours when it is asked for, and nothing that moves the cursor', async () => {
  const { file } = await run(definition({ spec: '"a\\e[2J": { type: text, description: x }' }))
  const plain = await lint(lintArguments([file]), false)
  expect(plain.text).not.toContain('\u001b')
  expect(plain.text).toMatch(/\n {2}24:\d+ {2}error {5}spec\.versions.*Unsupported value: "text"/)
  expect(plain.text).toMatch(/\n1 error in 1 definition\n$/)
  expect((await lint(lintArguments([file]), true)).text).toContain('\u001b[31merror')
})

test('any text is read to its end, and any path leads somewhere', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), fc.string({ maxLength: 50 }), (text, path) => {
      for (const document of readSource(text).documents) expect(document.locate(path).line).toBeGreaterThan(0)
    }),
  )
})

test('what comes from a cluster is judged as it would be by another', async () => {
  const more = 'resourceVersion: "7"\n  uid: x\n  generation: 3'
  expect((await run(definition().replace('metadata:', `metadata:\n  ${more}`))).brief).toEqual([])
})
