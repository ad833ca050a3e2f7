import { type Amounts, addAmounts, amountsBeyond, readAmounts, writeAmounts } from '#apis/core/v1/amounts.ts'
import type { ResourceQuota } from '#apis/core/v1/zz_generated.types.ts'
import { assess, type Demand, isRefusal, type Verdict } from './assess.ts'

/** Writes the status of quotas. Implemented over the store. */
export interface QuotaWriter {
  /**
   * Gives a quota the status that `change` makes of its latest state; on a conflict it is asked again, with the newer one.
   * A quota that is gone is passed over.
   */
  updateStatus(
    namespace: string,
    name: string,
    change: (latest: Readonly<ResourceQuota>) => ResourceQuota['status'],
  ): Promise<void>
}

/** What was charged, by quota; or why nothing was. */
export interface Receipt {
  refusal?: string
  charged: ReadonlyMap<string, Amounts>
}

interface Customer {
  demand: Demand
  refusal?: string
  /** So far. */
  charged: Map<string, Amounts>
  leave(receipt: Receipt): void
  fail(error: unknown): void
}

/**
 * Charges writes to the quotas of their namespace before they are stored. Who comes while others are served is served with
 * all who wait, in one write of each quota: a thousand creates cost a few writes, and no two of them get the same last place.
 */
export class Till {
  readonly #quotasOf: (namespace: string) => readonly ResourceQuota[]
  readonly #writer: QuotaWriter
  readonly #waiting = new Map<string, Customer[]>()

  /** @param quotasOf the quotas of a namespace as they are known here; they may have changed since */
  constructor(quotasOf: (namespace: string) => readonly ResourceQuota[], writer: QuotaWriter) {
    this.#quotasOf = quotasOf
    this.#writer = writer
  }

  /** Charges a demand to all quotas that it concerns, or to none. */
  charge(namespace: string, demand: Demand): Promise<Receipt> {
    return new Promise((leave, fail) => {
      const customer: Customer = { demand, charged: new Map(), leave, fail }
      const line = this.#waiting.get(namespace)
      if (line) {
        line.push(customer)
        return
      }
      this.#waiting.set(namespace, [customer])
      void this.#serve(namespace)
    })
  }

  async #serve(namespace: string): Promise<void> {
    for (;;) {
      const customers = this.#waiting.get(namespace)!
      if (customers.length === 0) break
      this.#waiting.set(namespace, [])
      await this.#serveTogether(namespace, customers).catch((error) => {
        for (const customer of customers) customer.fail(error)
      })
    }
    this.#waiting.delete(namespace)
  }

  async #serveTogether(namespace: string, customers: readonly Customer[]): Promise<void> {
    const quotas = this.#quotasOf(namespace)
    for (const [customer, refusal] of foresee(quotas, customers)) customer.refusal = refusal
    for (const { metadata } of quotas) await this.#chargeTo(namespace, metadata.name ?? '', customers)
    for (const customer of customers) {
      const { refusal, charged } = customer
      if (refusal !== undefined) await this.giveBack(namespace, charged)
      customer.leave(refusal === undefined ? { charged } : { refusal, charged: new Map() })
    }
  }

  async #chargeTo(namespace: string, name: string, customers: readonly Customer[]): Promise<void> {
    const open = customers.filter(({ refusal }) => refusal === undefined)
    const cached = this.#quotasOf(namespace).find((quota) => quota.metadata.name === name)
    if (!cached || !open.some(({ demand }) => assess(cached, demand, usedBy(cached)))) return
    let verdicts = new Map<Customer, Verdict>()
    await this.#writer.updateStatus(namespace, name, (latest) => {
      const granted = grant(latest, open)
      verdicts = granted.verdicts
      return { ...latest.status, used: writeAmounts(granted.used) }
    })
    for (const [customer, verdict] of verdicts) {
      if (isRefusal(verdict)) customer.refusal = verdict.refusal
      else if (verdict) customer.charged.set(name, verdict.charge)
    }
  }

  /** What was charged is not going to be used. */
  async giveBack(namespace: string, charged: Receipt['charged']): Promise<void> {
    for (const [name, charge] of charged) {
      await this.#writer.updateStatus(namespace, name, (latest) => ({
        ...latest.status,
        used: writeAmounts(lessen(usedBy(latest), charge)),
      }))
    }
  }
}

/** Who is going to be refused by what is known here, so that nobody has to be charged in vain. */
function foresee(quotas: readonly ResourceQuota[], customers: readonly Customer[]): Map<Customer, string> {
  const refused = new Map<Customer, string>()
  for (const quota of quotas) {
    const open = customers.filter((customer) => !refused.has(customer))
    for (const [customer, verdict] of grant(quota, open).verdicts) {
      if (isRefusal(verdict)) refused.set(customer, verdict.refusal)
    }
  }
  return refused
}

/** Serves customers one after another, as long as there is enough for the next. */
function grant(
  quota: Readonly<ResourceQuota>,
  customers: readonly Customer[],
): { used: Amounts; verdicts: Map<Customer, Verdict> } {
  const verdicts = new Map<Customer, Verdict>()
  let used = usedBy(quota)
  for (const customer of customers) {
    const verdict = assess(quota, customer.demand, used)
    verdicts.set(customer, verdict)
    if (verdict && !isRefusal(verdict)) used = addAmounts(used, verdict.charge)
  }
  return { used, verdicts }
}

const usedBy = ({ status }: Readonly<ResourceQuota>): Amounts => readAmounts(status?.used)

/** Of what becomes nothing, zero is left. */
function lessen(used: Amounts, charge: Amounts): Amounts {
  const rest = amountsBeyond(used, charge)
  return new Map([...used].map(([name, amount]) => [name, rest.get(name) ?? { ...amount, nano: 0n }]))
}
