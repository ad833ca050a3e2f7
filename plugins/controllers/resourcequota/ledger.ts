import {
  type Amounts,
  addAmounts,
  amountsBeyond,
  noAmounts,
  readAmounts,
  totalOf,
} from '@keelson/apis/core/v1/amounts.ts'
import type { ResourceQuota } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'

type Quota = DeepReadonly<ResourceQuota>

/** What was seen to happen to quotas, beyond what they say: who was charged of late, and what was given back. */
export interface Ledger {
  /** Notes what a quota's usage grew by since it was seen before; all of it at the first time. */
  see(quota: Quota): void
  forget(quota: Quota): void
  /** Notes what an object no longer uses. */
  depart(quota: Quota, amounts: Amounts): void
  departed(quota: Quota): Amounts
  /** What departed is no longer to be taken off. */
  settle(quota: Quota, amounts: Amounts): void
  /** What was charged within the last `windowMs`, and how long the oldest of it has to stay. */
  recent(quota: Quota): { amounts: Amounts; oldestEndsInMs: number }
}

interface Account {
  used: Amounts
  charges: { at: number; amounts: Amounts }[]
  departed: Amounts
}

/** @param now milliseconds that only grow */
export function createLedger(now: () => number, windowMs: number): Ledger {
  const accounts = new Map<string, Account>()
  const keyOf = ({ metadata }: Quota) => metadata.uid ?? ''

  function accountOf(quota: Quota): Account {
    const key = keyOf(quota)
    const account = accounts.get(key) ?? { used: noAmounts, charges: [], departed: noAmounts }
    accounts.set(key, account)
    return account
  }

  return {
    see(quota) {
      const account = accountOf(quota)
      const used = readAmounts(quota.status?.used)
      const amounts = amountsBeyond(used, account.used)
      account.used = used
      if (amounts.size > 0) account.charges.push({ at: now(), amounts })
    },
    forget: (quota) => void accounts.delete(keyOf(quota)),
    depart(quota, amounts) {
      const account = accountOf(quota)
      account.departed = addAmounts(account.departed, amounts)
    },
    departed: (quota) => accountOf(quota).departed,
    settle(quota, amounts) {
      const account = accountOf(quota)
      account.departed = amountsBeyond(account.departed, amounts)
    },
    recent(quota) {
      const account = accountOf(quota)
      const since = now() - windowMs
      account.charges = account.charges.filter(({ at }) => at > since)
      const amounts = totalOf(account.charges.map((charge) => charge.amounts))
      return { amounts, oldestEndsInMs: (account.charges[0]?.at ?? since) - since }
    },
  }
}
