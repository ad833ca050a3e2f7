import { type Lease, leases } from '@keelson/apis/coordination/v1/zz_generated.types.ts'
import { nodes, pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { PluginHost } from '@keelson/apis/plugin/v1/host.ts'
import { type Client, type DeepReadonly, equalJson } from '@keelson/client'
import {
  type Clock,
  controller,
  createEventRecorder,
  createInformers,
  type ReconcileResult,
  runReconciler,
  systemClock,
} from '@keelson/kit'
import { createHeartbeats } from './heartbeats.ts'
import { type AnyNode, graceMs, graceOf, isNodeDead, isNodeReady, planSilence, planTaints } from './plan.ts'
import { keepPods } from './pods.ts'

/** A ready node that was heard from so lately lives: two of its heartbeats fit in. */
const aliveMs = graceMs / 2
const undecidedMs = 5_000

export interface NodeLifecycleOptions {
  clock?: Clock
  endedPodsKept?: number
}

/** Finds nodes that went silent, taints nodes by their state, and evicts or removes pods accordingly. */
export async function runNodeLifecycle(
  client: Client,
  host: PluginHost,
  { clock = systemClock, endedPodsKept = 12_500 }: NodeLifecycleOptions = {},
): Promise<void> {
  const { log, signal } = host
  const informers = createInformers(client, { log, signal, clock })
  const nodeInformer = informers.for(nodes)
  const leaseInformer = informers.for(leases, { namespace: 'kube-node-lease' })
  const recorder = createEventRecorder(client, 'node-controller', { log, clock })
  const heartbeats = createHeartbeats(clock)
  const ready = new Set<string>()
  informers.for(pods)
  await informers.synced()
  const keeper = keepPods({ client, informers, recorder, log, signal, clock, endedPodsKept })

  async function reconcile(name: string): Promise<ReconcileResult> {
    const node = nodeInformer.get('', name)
    if (!node || node.metadata.deletionTimestamp) return undefined
    const leftMs = graceOf(node) - heartbeats.silentMs(name)
    const current = leftMs > 0 ? node : await markSilent(node)
    const mayEvict = isAnyAlive()
    await writeTaints(current, mayEvict)
    if (leftMs > 0) return { requeueAfterMs: leftMs }
    return !mayEvict && ready.size > 0 ? { requeueAfterMs: undecidedMs } : undefined
  }

  /** A cluster that is cut off falls silent node by node: those not yet missed are no sign of life. */
  function isAnyAlive(): boolean {
    for (const name of ready) if (heartbeats.silentMs(name) < aliveMs) return true
    return false
  }

  async function markSilent(node: AnyNode): Promise<AnyNode> {
    const conditions = planSilence(node, clock.now())
    if (!conditions) return node
    const { name } = node.metadata
    log.warn('node fell silent', { node: name, silentMs: heartbeats.silentMs(name ?? '') })
    recorder.event(node, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`)
    return client.resource(nodes).updateStatus({ ...node, status: { ...node.status, conditions } })
  }

  async function writeTaints(node: AnyNode, mayEvict: boolean): Promise<void> {
    const taints = planTaints(node, mayEvict, clock.now())
    if (!taints) return
    const { name = '', resourceVersion } = node.metadata
    await client
      .resource(nodes)
      .patch(name, { type: 'merge', body: { metadata: { resourceVersion }, spec: { taints } } })
  }

  /** Whether any node is ready at all decides for all of them whether pods may be evicted. */
  function noteReadiness(name: string, isReady: boolean): void {
    const wasAny = ready.size > 0
    if (isReady) ready.add(name)
    else ready.delete(name)
    if (wasAny === ready.size > 0) return
    for (const { metadata } of nodeInformer.list()) queue.add(metadata.name ?? '')
  }

  const queue = runReconciler({ name: 'node-lifecycle', log, reconcile, concurrency: 10, signal, clock })
  leaseInformer.on({ added: renewed, updated: renewed })
  nodeInformer.on({
    added: changed,
    updated: (node, old) => changed(node, old),
    deleted({ metadata: { name = '' } }) {
      heartbeats.forget(name)
      noteReadiness(name, false)
      keeper.nodeChanged(name)
    },
  })

  function changed(node: AnyNode, old?: AnyNode): void {
    const { name = '' } = node.metadata
    heartbeats.sawNode(node)
    noteReadiness(name, isNodeReady(node))
    if (old && equalJson(traitsOf(node), traitsOf(old))) return
    queue.add(name)
    keeper.nodeChanged(name)
  }

  /** Renewals are frequent: only that of a node believed dead needs a look, the others are met when their time is up. */
  function renewed(lease: DeepReadonly<Lease>): void {
    const { name = '' } = lease.metadata
    const node = heartbeats.sawLease(lease) ? nodeInformer.get('', name) : undefined
    if (node && isNodeDead(node)) queue.add(name)
  }

  host.ready()
  await Promise.all([queue.stopped, keeper.stopped])
}

/** What of a node its conditions, taints and pods depend on: not the time of its last report. */
const traitsOf = ({ metadata, spec, status }: AnyNode) => [
  metadata.uid,
  spec?.taints,
  spec?.unschedulable,
  status?.conditions?.map(({ type, status }) => [type, status]),
]

export default controller((client, host) => runNodeLifecycle(client, host))
