import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findStatusError } from '#core/errors/status-error.ts'
import type { ServedVersion } from '#core/registry/registry.ts'
import type { Exchange } from '#core/server/exchange.ts'
import { originForm, pathOf, queryOf } from '#core/server/request-target.ts'
import { mediaType, parseJson, parseYaml } from './body.ts'
import { decodeContinue } from './continue-token.ts'
import { parseListOptions, parseWatchOptions } from './list-options.ts'
import { negotiate } from './negotiate.ts'

/** Headers, parameters and bodies of any kind: each is understood, or refused with a Status that blames the client. */

const words = fc.constantFrom(
  'application',
  'json',
  'yaml',
  'as',
  'Table',
  'v1',
  'g',
  'meta.k8s.io',
  'q',
  '0.5',
  '*',
  '/',
  ';',
  '=',
  ',',
  ' ',
  '"',
  '__proto__',
  'constructor',
)
const header = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.array(words, { maxLength: 30 }).map((parts) => parts.join('')),
)

/** @returns what `act` does, unless it refuses as it may */
function orRefused<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch (error) {
    const status = findStatusError(error)?.status
    if (!status) throw error
    expect(status.code).toBeGreaterThanOrEqual(400)
    expect(status.code).toBeLessThan(500)
    return undefined
  }
}

const served = {
  apiVersion: 'v1',
  resource: { definition: { kind: 'Pod', builtin: true } },
} as unknown as ServedVersion

test('any Accept is served or refused', () => {
  fc.assert(
    fc.property(header, (accept) => {
      const exchange = { header: () => accept } as unknown as Exchange
      const found = orRefused(() => negotiate({ exchange, served }))
      if (found) expect(['json', 'yaml', 'protobuf']).toContain(found.format)
    }),
  )
})

test('any Content-Type is a media type', () => {
  fc.assert(
    fc.property(header, (type) => {
      expect(mediaType(type)).not.toMatch(/[;A-Z]|^ | $/)
    }),
  )
})

const names = fc.constantFrom(
  'limit',
  'continue',
  'resourceVersion',
  'resourceVersionMatch',
  'timeoutSeconds',
  'sendInitialEvents',
  'allowWatchBookmarks',
  'watch',
  '__proto__',
)
const values = fc.oneof(
  fc.constantFrom('', '0', '1', '-1', '1e9', '9'.repeat(40), 'true', 'Exact', 'NotOlderThan', 'null'),
  fc.string(),
)
const query = fc.array(fc.tuple(names, values), { maxLength: 6 }).map((pairs) => new URLSearchParams(pairs))

test('any parameters of a list or a watch are understood or refused', () => {
  fc.assert(
    fc.property(query, (parameters) => {
      const list = orRefused(() => parseListOptions(parameters))
      if (list) {
        expect(Number.isSafeInteger(list.revision) && list.revision >= 0).toBe(true)
        expect(list.limit).toBeGreaterThanOrEqual(0)
      }
      const watch = orRefused(() => parseWatchOptions(parameters, 1_000))
      if (watch) expect(watch.timeoutMs).toBeGreaterThanOrEqual(0)
    }),
  )
})

test('any continue token belongs to the list or is refused', () => {
  const claims = fc.record({ v: values, rv: fc.oneof(fc.integer(), values), start: values }, { requiredKeys: [] })
  const token = fc.oneof(
    fc.string(),
    claims.map((claim) => Buffer.from(JSON.stringify(claim)).toString('base64url')),
  )
  fc.assert(
    fc.property(token, (text) => {
      const found = orRefused(() => decodeContinue(text, 'team/'))
      if (found) expect(found.after.startsWith('team/')).toBe(true)
    }),
  )
})

test('any request target has a path, or is none', () => {
  const target = fc.oneof(
    fc.string(),
    fc
      .array(fc.constantFrom('/', '?', '#', 'http:', '//', '..', '%2f', 'a', '*', '@'), { maxLength: 12 })
      .map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(target, (text) => {
      const origin = originForm(text)
      if (origin === undefined) return
      expect(pathOf(origin)).toMatch(/^\/[^?]*$/)
      expect([...queryOf(origin)]).toBeInstanceOf(Array)
    }),
  )
})

test('any body is read or refused', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .array(fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '1', 'e', '-', '\\', 'null', ' ', '\n', '\u00ff'), {
        maxLength: 60,
      })
      .map((parts) => Buffer.from(parts.join(''), 'latin1')),
  )
  fc.assert(
    fc.property(bytes, (body) => {
      const reading = { fieldValidation: 'Warn' } as const
      orRefused(() => parseJson(Buffer.from(body), { ...reading }))
      orRefused(() => parseYaml(Buffer.from(body), { ...reading }))
    }),
  )
})
