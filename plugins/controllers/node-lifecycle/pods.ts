import { nodes, type Pod, pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { Logger } from '@keelson/apis/plugin/v1/host.ts'
import { type Client, ignoreAbsence } from '@keelson/client'
import {
  type Clock,
  type EventRecorder,
  type Informers,
  isPodTerminal,
  namespacedKey,
  type ReconcileResult,
  runReconciler,
  splitKey,
} from '@keelson/kit'
import { type AnyNode, type AnyPod, isNodeDead, noExecuteTaints, planDisruption, planPod, planUnready } from './plan.ts'

/** Evicts pods from nodes that must not run them, and removes those that nobody else can end. */
export interface PodKeeper {
  /** To be called when a node's taints or readiness changed, or it came or went. */
  nodeChanged(name: string): void
  readonly stopped: Promise<void>
}

export interface PodKeeperOptions {
  client: Client
  informers: Informers
  recorder: EventRecorder
  log: Logger
  signal: AbortSignal
  clock: Clock
  /** Ended pods that may be kept for their logs and status; beyond it the oldest go. */
  endedPodsKept: number
}

/** A node that is gone may be back: it has this long to register again before its pods are removed. */
const quarantineMs = 40_000
/** Not the key of a pod: those have a slash. */
const endedPodsKey = 'ended'

/** The informers must have synced. */
export function keepPods({
  client,
  informers,
  recorder,
  log,
  signal,
  clock,
  endedPodsKept,
}: PodKeeperOptions): PodKeeper {
  const nodeInformer = informers.for(nodes)
  const podInformer = informers.for(pods)
  const ended = new Set<string>()
  podInformer.addIndex('node', (pod) => (pod.spec.nodeName ? [pod.spec.nodeName] : []))

  async function reconcile(key: string): Promise<ReconcileResult> {
    if (key === endedPodsKey) return removeEnded()
    const { namespace, name } = splitKey(key)
    const pod = podInformer.get(namespace, name)
    if (!pod) return undefined
    const node = nodeInformer.get('', pod.spec.nodeName ?? '')
    const plan = planPod(pod, node, clock.now())
    if (plan.do === 'remove') return plan.reason === 'NodeGone' ? removeLost(pod) : removeNow(pod)
    if (node && isNodeDead(node)) await markUnready(pod)
    return plan.do === 'evict' ? evictAt(pod, plan.at) : undefined
  }

  async function evictAt(pod: AnyPod, at: number): Promise<ReconcileResult> {
    const leftMs = at - clock.now()
    if (leftMs > 0) return { requeueAfterMs: leftMs }
    const { namespace = '', name = '', uid } = pod.metadata
    await mark(pod, 'DeletionByTaintManager', 'Taint manager: deleting due to NoExecute taint', false)
    await client.resource(pods).in(namespace).delete(name, { preconditions: { uid } }).catch(ignoreAbsence)
    recorder.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${namespace}/${name}`)
    return undefined
  }

  /** The cache may lag behind: only the server's answer makes a node gone. */
  async function removeLost(pod: AnyPod): Promise<undefined> {
    const live = await client
      .metadata(nodes)
      .get(pod.spec.nodeName ?? '', { signal })
      .catch(ignoreAbsence)
    if (live) return
    await mark(pod, 'DeletionByPodGC', 'PodGC: node no longer exists', true)
    await removeNow(pod)
  }

  async function removeNow(pod: AnyPod): Promise<undefined> {
    const { namespace = '', name = '', uid } = pod.metadata
    const options = { gracePeriodSeconds: 0, preconditions: { uid } }
    await client.resource(pods).in(namespace).delete(name, options).catch(ignoreAbsence)
    log.info('pod removed', { namespace, name, node: pod.spec.nodeName })
  }

  async function mark(pod: AnyPod, reason: string, message: string, isLost: boolean): Promise<void> {
    const status = planDisruption(pod, reason, message, isLost, clock.now())
    await patchStatus(pod, { phase: status?.phase, conditions: status?.conditions })
  }

  async function markUnready(pod: AnyPod): Promise<void> {
    const conditions = planUnready(pod, clock.now())
    if (!conditions) return
    await patchStatus(pod, { conditions })
    recorder.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready')
  }

  /** The resourceVersion keeps conditions that the kubelet wrote meanwhile from being overwritten. */
  async function patchStatus(pod: AnyPod, status: Pod['status']): Promise<void> {
    const { namespace = '', name = '', uid, resourceVersion } = pod.metadata
    const patch = { type: 'merge', body: { metadata: { uid, resourceVersion }, status } } as const
    await client.resource(pods).in(namespace).patch(name, patch, { subresource: 'status' }).catch(ignoreAbsence)
  }

  async function removeEnded(): Promise<undefined> {
    const excess = ended.size - endedPodsKept
    if (excess <= 0) return
    const all = [...ended].flatMap((key) => {
      const { namespace, name } = splitKey(key)
      return podInformer.get(namespace, name) ?? []
    })
    const oldest = all.sort((a, b) => compareText(a.metadata.creationTimestamp, b.metadata.creationTimestamp))
    for (const pod of oldest.slice(0, excess)) await removeNow(pod)
  }

  function examine(pod: AnyPod): void {
    const key = namespacedKey(pod)
    noteEnded(key, pod)
    const { nodeName } = pod.spec
    const node = nodeInformer.get('', nodeName ?? '')
    if (nodeName && !node) queue.addAfter(key, quarantineMs)
    else if (node ? concernsPods(node) : pod.metadata.deletionTimestamp) queue.add(key)
  }

  function noteEnded(key: string, pod: AnyPod): void {
    if (!isPodTerminal(pod)) return
    ended.add(key)
    if (ended.size > endedPodsKept) queue.add(endedPodsKey)
  }

  const queue = runReconciler({ name: 'node-lifecycle-pods', log, reconcile, concurrency: 20, signal, clock })
  podInformer.on({
    added: examine,
    updated: examine,
    deleted: (pod) => ended.delete(namespacedKey(pod)),
  })
  return {
    nodeChanged(name) {
      const node = nodeInformer.get('', name)
      const delayMs = node ? 0 : quarantineMs
      if (node && !concernsPods(node)) return
      for (const pod of podInformer.byIndex('node', name)) queue.addAfter(namespacedKey(pod), delayMs)
    },
    stopped: queue.stopped,
  }
}

const concernsPods = (node: AnyNode) => isNodeDead(node) || noExecuteTaints(node).length > 0
const compareText = (a = '', b = '') => (a < b ? -1 : a > b ? 1 : 0)
