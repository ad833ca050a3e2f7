import { type ReplicationController, replicationcontrollers } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { PluginHost } from '@keelson/apis/plugin/v1/host.ts'
import type { Client } from '@keelson/client'
import { type Clock, controller } from '@keelson/kit'
import { type ReplicaKind, runReplicas } from './controller.ts'

/** ReplicationControllers are ReplicaSets whose selector is a plain set of labels. */
const replicationControllerKind: ReplicaKind<ReplicationController> = {
  ref: replicationcontrollers,
  component: 'replication-controller',
  view: ({ spec, ...object }) => ({ ...object, spec: { ...spec, selector: { matchLabels: spec?.selector ?? {} } } }),
  report: ({ terminatingReplicas: _, ...status }) => status,
}

/** Keeps the number of pods that each ReplicationController asks for. */
export const runReplicationControllers = (client: Client, host: PluginHost, clock?: Clock): Promise<void> =>
  runReplicas(replicationControllerKind, client, host, clock)

export default controller(runReplicationControllers)
