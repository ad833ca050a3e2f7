import {
  type Amounts,
  amountsBeyond,
  amountsOf,
  noAmounts,
  readAmounts,
  totalOf,
  writeAmounts,
} from '@keelson/apis/core/v1/amounts.ts'
import { type Countable, type CountedResource, evaluatorOf, usageUnder } from '@keelson/apis/core/v1/quota/evaluator.ts'
import { forgottenAt } from '@keelson/apis/core/v1/quota/pods.ts'
import { type Pod, type ResourceQuota, resourcequotas } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { KubeObject } from '@keelson/apis/meta/v1/types.ts'
import type { PluginHost } from '@keelson/apis/plugin/v1/host.ts'
import { type Client, type DeepReadonly, equalJson, isConflict, isNotFound } from '@keelson/client'
import {
  type Clock,
  controller,
  createInformers,
  type InformerHandler,
  namespacedKey,
  type ReconcileResult,
  runReconciler,
  splitKey,
  systemClock,
} from '@keelson/kit'
import { type CountedObjects, followCounted } from './counted.ts'
import { createLedger } from './ledger.ts'
import { greatest, planUsage } from './plan.ts'

type Quota = DeepReadonly<ResourceQuota>
type AnyObject = DeepReadonly<KubeObject>

/**
 * How long a charge is believed although no object is to be seen: longer than any write takes from its admission to the
 * store. What was charged and never stored is given back then.
 */
const chargeWindowMs = 10_000
/** Deletions come in crowds; one write gives them all back. */
const departureMs = 20
/** Objects are mostly charged before they come: only those that were made beside a new quota are news. */
const arrivalMs = 200

/** Keeps the usage that quotas show true to what is there: what is deleted or has ended is given back. */
export async function runResourceQuotas(client: Client, host: PluginHost, clock: Clock = systemClock): Promise<void> {
  const { log, signal } = host
  const informers = createInformers(client, { log, signal, clock })
  const quotas = informers.for(resourcequotas)
  const ledger = createLedger(clock.elapsed, chargeWindowMs)
  const usages = new WeakMap<AnyObject, Amounts>()

  async function reconcile(key: string): Promise<ReconcileResult> {
    const { namespace, name } = splitKey(key)
    const quota = quotas.get(namespace, name)
    if (!quota) return undefined
    const counted = await counting.follow(Object.keys(quota.spec?.hard ?? {}))
    let decision = decide(key, counted, noAmounts)
    if (decision?.isCorrected) decision = decide(key, counted, await countNow(quota, counted))
    if (!decision) return undefined
    await write(decision.quota, decision.used, decision.departed)
    return decision.requeueAfterMs > 0 ? { requeueAfterMs: decision.requeueAfterMs } : undefined
  }

  /** What the status should say by all that is known at this moment. @param counted what was found there a moment ago */
  function decide(key: string, counted: readonly CountedObjects[], found: Amounts) {
    const { namespace, name } = splitKey(key)
    const quota = quotas.get(namespace, name)
    if (!quota) return undefined
    const departed = ledger.departed(quota)
    const recent = ledger.recent(quota)
    const used = readAmounts(quota.status?.used)
    const here = observe(quota, counted)
    const names = Object.keys(quota.spec?.hard ?? {}).filter((one) => isCounted(one, counted))
    const observed = greatest(here.amounts, found)
    const plan = planUsage({ names, used, observed, departed, recent: recent.amounts })
    const waits = [here.changesInMs, ...(plan.isUnexplained ? [recent.oldestEndsInMs + 1] : [])]
    const soonest = Math.min(...waits)
    return { ...plan, quota, departed, requeueAfterMs: Number.isFinite(soonest) ? soonest : 0 }
  }

  /** What the objects that are known use of a quota, and when that changes by itself. */
  function observe(quota: Quota, counted: readonly CountedObjects[]): { amounts: Amounts; changesInMs: number } {
    const namespace = quota.metadata.namespace ?? ''
    const here = counted.flatMap(({ of, informer }) => informer.list(namespace).map((object) => ({ of, object })))
    const ends = here
      .filter(({ of, object }) => isEnding(of, object))
      .map(({ object }) => (forgottenAt(object as unknown as Pod) ?? 0) - clock.now())
      .filter((leftMs) => leftMs >= 0)
    return {
      amounts: totalOf(here.map(({ of, object }) => usageIn(quota, of, object))),
      changesInMs: Math.min(...ends) + 1,
    }
  }

  async function countNow(quota: Quota, counted: readonly CountedObjects[]): Promise<Amounts> {
    const lists = counted.map(async ({ of, listNow }) => {
      const objects = await listNow(quota.metadata.namespace ?? '')
      return totalOf(objects.map((object) => usageIn(quota, of, object)))
    })
    return totalOf(await Promise.all(lists))
  }

  function usageIn(quota: Quota, of: CountedResource, object: AnyObject): Amounts {
    const evaluator = evaluatorOf(of)
    const spec = quota.spec as ResourceQuota['spec']
    if (!evaluator || !spec) return noAmounts
    return usageUnder(spec, evaluator, object as unknown as Countable, usageOf(of, object))
  }

  function usageOf(of: CountedResource, object: AnyObject): Amounts {
    const known = usages.get(object)
    if (known) return known
    const usage = evaluatorOf(of)?.usage(object as unknown as Countable, clock.now()) ?? noAmounts
    // A pod that should have ended already stops to count as time goes by.
    if (!isEnding(of, object)) usages.set(object, usage)
    return usage
  }

  async function write(quota: Quota, used: Amounts, departed: Amounts): Promise<void> {
    const status = statusOf(quota, used)
    try {
      if (!equalJson(status, quota.status ?? {})) {
        await client
          .resource(resourcequotas)
          .in(quota.metadata.namespace ?? '')
          .updateStatus({ ...quota, status }, { signal })
      }
      ledger.settle(quota, departed)
    } catch (error) {
      // Unless the server said that it was not written, it may have been: then the departed must not be taken off again.
      if (!isConflict(error)) ledger.settle(quota, departed)
      if (!isNotFound(error)) throw error
    }
  }

  /** Of an object that came, went or changed: what it gives back, and whether it may use more. */
  function noteChange(of: CountedResource, old: AnyObject | undefined, now: AnyObject | undefined): void {
    for (const quota of quotas.list((now ?? old)?.metadata.namespace)) {
      const before = old ? usageIn(quota, of, old) : noAmounts
      const after = now ? usageIn(quota, of, now) : noAmounts
      const gone = amountsBeyond(before, after)
      if (gone.size > 0) {
        ledger.depart(quota, gone)
        queue.addAfter(namespacedKey(quota), departureMs)
      } else if (amountsBeyond(after, before).size > 0) {
        queue.addAfter(namespacedKey(quota), arrivalMs)
      }
    }
  }

  const handlerOf = (of: CountedResource): InformerHandler<KubeObject> => ({
    added: (object) => noteChange(of, undefined, object),
    updated: (object, old) => noteChange(of, old, object),
    deleted: (object) => noteChange(of, object, undefined),
  })

  const queue = runReconciler({ name: 'resourcequotas', log, reconcile, signal, clock })
  const changed = () => {
    for (const quota of quotas.list()) queue.add(namespacedKey(quota))
  }
  const counting = followCounted(client, informers, { handlerOf, changed }, { signal, clock })
  await quotas.synced
  quotas.on({
    added(quota) {
      ledger.see(quota)
      queue.add(namespacedKey(quota))
    },
    updated(quota, old) {
      ledger.see(quota)
      if (!equalJson(quota.spec, old.spec)) queue.add(namespacedKey(quota))
      else if (!equalJson(quota.status, old.status)) queue.addAfter(namespacedKey(quota), chargeWindowMs + 1)
    },
    deleted: ledger.forget,
  })
  host.ready()
  await queue.stopped
}

const isEnding = ({ group, resource }: CountedResource, { metadata }: AnyObject) =>
  group === '' && resource === 'pods' && metadata.deletionTimestamp !== undefined

const isCounted = (name: string, counted: readonly CountedObjects[]) =>
  counted.some(({ of }) => evaluatorOf(of)?.counts(name))

/** What is limited but not counted keeps the usage it had. */
function statusOf({ spec, status }: Quota, used: Amounts): NonNullable<ResourceQuota['status']> {
  const hard = spec?.hard
  if (!hard) return {}
  const kept = amountsOf(readAmounts(status?.used), (name) => Object.hasOwn(hard, name))
  return { hard: { ...hard }, used: writeAmounts(new Map([...kept, ...used])) }
}

export default controller(runResourceQuotas)
