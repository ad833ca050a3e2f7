import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Countable, evaluatorOf } from '#apis/core/v1/quota/evaluator.ts'
import type { ResourceQuota } from '#apis/core/v1/zz_generated.types.ts'
import type { Demand } from './assess.ts'
import { type QuotaWriter, Till } from './till.ts'

const quota = (name: string, hard: string, used = '0'): ResourceQuota => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name, namespace: 'shop' },
  spec: { hard: { secrets: hard } },
  status: { hard: { secrets: hard }, used: { secrets: used } },
})

const evaluator = evaluatorOf({ group: '', resource: 'secrets' })!
const object: Countable = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } }
const demand: Demand = { evaluator, object, usage: evaluator.usage(object, 0) }

/** Quotas that are written one after another, with readers that may hear of it late. */
class Quotas {
  readonly #latest: Map<string, ResourceQuota>
  writes = 0

  constructor(...quotas: ResourceQuota[]) {
    this.#latest = new Map(quotas.map((one) => [one.metadata.name!, one]))
  }

  used(name: string): string {
    return String(this.#latest.get(name)!.status!.used!.secrets)
  }

  /** @param lag how many reads ago what it tells was so */
  reader(lag: number): (namespace: string) => ResourceQuota[] {
    const seen: ResourceQuota[][] = []
    return () => {
      seen.push([...this.#latest.values()])
      return seen.at(-1 - lag) ?? seen[0]!
    }
  }

  /** A write of one that others wrote meanwhile is tried again, as the store does. */
  readonly writer: QuotaWriter = {
    updateStatus: async (_namespace, name, change) => {
      for (;;) {
        const before = this.#latest.get(name)!
        const status = change(before)
        await setImmediate()
        if (this.#latest.get(name) !== before) continue
        if (JSON.stringify(status) !== JSON.stringify(before.status)) this.writes++
        this.#latest.set(name, { ...before, status })
        return
      }
    },
  }
}

/** @returns why each was refused, or nothing */
const chargeMany = (tills: readonly Till[], count: number) =>
  Promise.all(
    Array.from({ length: count }, async (_, at) => (await tills[at % tills.length]!.charge('shop', demand)).refusal),
  )

test('as many get in as there is room for, however many servers there are and however late they hear', async () => {
  const numbers = fc.record({
    room: fc.nat(8),
    used: fc.nat(4),
    count: fc.integer({ min: 1, max: 20 }),
    lags: fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }),
  })
  await fc.assert(
    fc.asyncProperty(numbers, async ({ room, used, count, lags }) => {
      const quotas = new Quotas(quota('q', String(room + used), String(used)))
      const tills = lags.map((lag) => new Till(quotas.reader(lag), quotas.writer))
      const refusals = await chargeMany(tills, count)
      const granted = refusals.filter((refusal) => refusal === undefined).length
      expect(granted).toBe(Math.min(room, count))
      expect(quotas.used('q')).toBe(String(used + granted))
    }),
    { numRuns: 60 },
  )
})

test('who comes at once is charged in one write, but for the first', async () => {
  const quotas = new Quotas(quota('q', '100'))
  await chargeMany([new Till(quotas.reader(0), quotas.writer)], 50)
  expect([quotas.used('q'), quotas.writes]).toEqual(['50', 2])
})

test('what another quota has no room for is charged to none', async () => {
  const quotas = new Quotas(quota('a', '9'), quota('b', '1', '1'))
  const { refusal, charged } = await new Till(quotas.reader(0), quotas.writer).charge('shop', demand)
  expect(refusal).toBe('exceeded quota: b, requested: secrets=1, used: secrets=1, limited: secrets=1')
  expect([quotas.used('a'), quotas.writes, charged.size]).toEqual(['0', 0, 0])
})

test('what another quota turns out to have no room for is given back', async () => {
  const quotas = new Quotas(quota('a', '9'), quota('b', '2'))
  const tills = [new Till(quotas.reader(1), quotas.writer), new Till(quotas.reader(1), quotas.writer)]
  const refusals = await chargeMany(tills, 6)
  expect(refusals.filter((refusal) => refusal === undefined)).toHaveLength(2)
  expect([quotas.used('a'), quotas.used('b')]).toEqual(['2', '2'])
})

test('a write that fails fails those who wait for it, and nobody after them', async () => {
  const quotas = new Quotas(quota('q', '9'))
  let isDown = true
  const writer: QuotaWriter = {
    updateStatus: async (...change) => {
      if (isDown) throw new Error('the store is down')
      return quotas.writer.updateStatus(...change)
    },
  }
  const till = new Till(quotas.reader(0), writer)
  await expect(till.charge('shop', demand)).rejects.toThrow('the store is down')
  isDown = false
  expect((await till.charge('shop', demand)).refusal).toBeUndefined()
})

test('what was charged can be given back', async () => {
  const quotas = new Quotas(quota('a', '2', '1'), quota('b', '3', '1'))
  const till = new Till(quotas.reader(0), quotas.writer)
  const { charged } = await till.charge('shop', demand)
  expect([quotas.used('a'), quotas.used('b')]).toEqual(['2', '2'])
  await till.giveBack('shop', charged)
  expect([quotas.used('a'), quotas.used('b')]).toEqual(['1', '1'])
})
