import { type Namespace, namespaces } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { PluginHost } from '@keelson/apis/plugin/v1/host.ts'
import { type Client, type DeepReadonly, discover, equalJson, isNotFound } from '@keelson/client'
import {
  type Clock,
  controller,
  createInformers,
  formatTime,
  type ReconcileResult,
  runReconciler,
  systemClock,
} from '@keelson/kit'
import { drain } from './drain.ts'
import { type Findings, finalized, isEmpty, isEnding, planStages, planStatus, type Remaining } from './plan.ts'

type AnyNamespace = DeepReadonly<Namespace>

/** Looked at again after this long at the latest, should no deletion be seen before. */
const recheckMs = 15_000

/** Empties namespaces that are being deleted, then lets them go. */
export async function runNamespaces(client: Client, host: PluginHost, clock: Clock = systemClock): Promise<void> {
  const { log, signal } = host
  const informers = createInformers(client, { log, signal, clock })
  const informer = informers.for(namespaces)
  const observers = new Map<string, AbortController>()

  async function reconcile(name: string): Promise<ReconcileResult> {
    stopObserving(name)
    const namespace = informer.get('', name)
    if (!namespace || !isEnding(namespace)) return undefined
    const findings = await empty(name)
    const reported = await report(namespace, findings)
    if (isEmpty(findings)) return finish(reported)
    observe(name, findings.remaining)
    return { requeueAfterMs: findings.failures.length > 0 ? recheckMs / 5 : recheckMs }
  }

  /** Later stages wait for what remains of earlier ones. */
  async function empty(name: string): Promise<Findings> {
    const discovery = await discover(client, signal)
    let findings: Findings = { undiscovered: discovery.failed, failures: [], remaining: [] }
    for (const stage of planStages(discovery)) {
      findings = { ...findings, ...(await drain(client, name, stage, signal)) }
      if (findings.failures.length > 0 || findings.remaining.length > 0) break
    }
    return findings
  }

  async function report(namespace: AnyNamespace, findings: Findings): Promise<AnyNamespace> {
    const status = planStatus(namespace, findings, formatTime(clock.now()))
    if (equalJson(status, namespace.status)) return namespace
    return client.resource(namespaces).updateStatus({ ...namespace, status })
  }

  async function finish(namespace: AnyNamespace): Promise<undefined> {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace.metadata.name ?? '')}/finalize`
    try {
      await client.request({ method: 'PUT', path, body: finalized(namespace), signal })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  /** Watches what remains, and comes back when as many deletions were seen as there were objects. */
  function observe(name: string, remaining: readonly Remaining[]): void {
    const observer = new AbortController()
    observers.set(name, observer)
    let left = remaining.reduce((total, { count }) => total + count, 0)
    for (const { resource, resourceVersion } of remaining) {
      const watch = client.metadata(resource).in(name).watch({ resourceVersion, signal: observer.signal })
      void followDeletions(watch, () => {
        left--
        if (left <= 0) queue.add(name)
      })
    }
  }

  function stopObserving(name: string): void {
    observers.get(name)?.abort(new Error('no longer observed'))
    observers.delete(name)
  }

  /** A watch that fails costs only time: the namespace is looked at again anyway. */
  async function followDeletions(watch: AsyncIterable<{ type: string }>, onDeleted: () => void): Promise<void> {
    try {
      for await (const { type } of watch) if (type === 'DELETED') onDeleted()
    } catch (error) {
      log.debug('namespace content is no longer watched', { error })
    }
  }

  const queue = runReconciler({ name: 'namespaces', log, reconcile, concurrency: 10, signal, clock })
  await informers.synced()
  informer.on({
    added: (object) => isEnding(object) && queue.add(object.metadata.name ?? ''),
    updated: (object) => isEnding(object) && queue.add(object.metadata.name ?? ''),
    deleted: (object) => stopObserving(object.metadata.name ?? ''),
  })
  host.ready()
  await queue.stopped
  for (const name of [...observers.keys()]) stopObserving(name)
}

export default controller(runNamespaces)
