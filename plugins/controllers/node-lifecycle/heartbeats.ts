import type { Lease } from '@keelson/apis/coordination/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'
import { type Clock, findCondition } from '@keelson/kit'
import type { AnyNode } from './plan.ts'

/**
 * When each node was last heard from, by our own clock: its renewal of its Lease, or a report of its state. The times
 * that nodes write are only compared with each other, so their clocks need not be right.
 */
export interface Heartbeats {
  /** @returns true when the Lease was renewed since it was last shown */
  sawLease(lease: DeepReadonly<Lease>): boolean
  /** @returns true when the node reported since it was last shown */
  sawNode(node: AnyNode): boolean
  /** Milliseconds since the node was last heard from; 0 for one that was never shown. */
  silentMs(node: string): number
  forget(node: string): void
}

interface Heard {
  at: number
  lease?: string
  report?: string
}

export function createHeartbeats(clock: Clock): Heartbeats {
  const heard = new Map<string, Heard>()

  function note(node: string, kind: 'lease' | 'report', sign: string): boolean {
    const known = heard.get(node)
    if (known?.[kind] === sign) return false
    heard.set(node, { ...known, [kind]: sign, at: clock.elapsed() })
    return true
  }

  return {
    sawLease: ({ metadata, spec }) => note(metadata.name ?? '', 'lease', `${metadata.uid} ${spec?.renewTime}`),
    sawNode({ metadata, status }) {
      const ready = findCondition(status?.conditions, 'Ready')
      return note(metadata.name ?? '', 'report', `${metadata.uid} ${ready?.lastHeartbeatTime}`)
    },
    silentMs(node) {
      const known = heard.get(node)
      return known ? clock.elapsed() - known.at : 0
    },
    forget: (node) => void heard.delete(node),
  }
}
