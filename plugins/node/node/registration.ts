import type { Lease } from '@keelson/apis/coordination/v1/zz_generated.types.ts'
import { leases } from '@keelson/apis/coordination/v1/zz_generated.types.ts'
import type { Node, NodeStatus } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { nodes } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { Logger } from '@keelson/apis/plugin/v1/host.ts'
import type { Client } from '@keelson/client'
import { isAlreadyExists, isNotFound } from '@keelson/client'
import type { Clock, Limiter } from '@keelson/kit'
import { backoffMs, formatMicroTime, pause } from '@keelson/kit'
import type { NodeDescription } from './node-object.ts'
import { nodeLabels, nodeObject, nodeStatus } from './node-object.ts'

export interface RegistrationOptions {
  client: Client
  clock: Clock
  log: Logger
  signal: AbortSignal
  /** Bounds how many writes about nodes are under way. */
  limit: Limiter
  name: string
  /** What the node is now. */
  describe: () => Promise<NodeDescription>
  /** Share of a heartbeat's period, from 0 to 1, by which this node's come later than those of the first. */
  phase: number
}

const leaseNamespace = 'kube-node-lease'
const leaseDurationSeconds = 40
const heartbeatMs = 10_000
const statusMs = 300_000
const retries = { firstMs: 200, lastMs: 10_000 }

/** Keeps one Node registered: its object and status, and the Lease that says every ten seconds that it is alive. */
export class NodeRegistration {
  readonly #options: RegistrationOptions
  #status: NodeStatus | undefined
  #uid: string | undefined
  #hasLease = false
  #cancels: (() => void)[] = []

  constructor(options: RegistrationOptions) {
    this.#options = options
    options.signal.addEventListener('abort', () => this.#stop(), { once: true })
  }

  /** Resolves when the node is registered and has its Lease; tries until then, or until the signal aborts. */
  async start(): Promise<void> {
    await this.#persist('node not registered', () => this.#register())
    await this.#persist('lease not renewed', () => this.#renew())
    const { phase } = this.#options
    this.#every(heartbeatMs, phase, 'lease not renewed', () => this.#renew())
    this.#every(statusMs, phase, 'node status not written', () => this.writeStatus())
  }

  /** Writes the status as it is now. */
  async writeStatus(): Promise<void> {
    const description = await this.#options.describe()
    const status = nodeStatus(description, this.#status, this.#options.clock.now())
    await this.#patch(description.name, { status }, 'status')
    this.#status = status
  }

  /** The Node was deleted, and its Lease with it. */
  async #registerAnew(): Promise<void> {
    this.#hasLease = false
    await this.#persist('node not registered', () => this.#register())
    await this.#persist('lease not renewed', () => this.#renew())
  }

  #stop(): void {
    for (const cancel of this.#cancels) cancel()
  }

  async #register(): Promise<void> {
    const { client, clock, describe } = this.#options
    const description = await describe()
    const wanted = nodeObject(description, clock.now())
    const resource = client.resource<Node>(nodes)
    try {
      const created = await this.#options.limit(() => resource.create(wanted))
      this.#adopt(created, wanted.status)
      if (!created.status?.conditions?.length) await this.writeStatus()
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
      const found = await resource.get(description.name)
      this.#adopt(found, found.status)
      await this.#patch(description.name, { metadata: { labels: nodeLabels(description) } })
      await this.writeStatus()
    }
  }

  #adopt({ metadata }: Node, status: NodeStatus | undefined): void {
    this.#uid = metadata.uid
    this.#status = status
  }

  async #patch(name: string, body: unknown, subresource?: string): Promise<void> {
    const resource = this.#options.client.resource<Node>(nodes)
    await this.#options.limit(() =>
      resource.patch(name, { type: 'strategic', body }, subresource ? { subresource } : {}),
    )
  }

  async #renew(): Promise<void> {
    const { client, clock, name, limit } = this.#options
    const resource = client.resource<Lease>(leases).in(leaseNamespace)
    const spec = { holderIdentity: name, leaseDurationSeconds, renewTime: formatMicroTime(clock.now()) }
    const isNew = !this.#hasLease && (await this.#createLease(spec))
    this.#hasLease = true
    if (!isNew) await limit(() => resource.patch(name, { type: 'merge', body: { spec } }))
  }

  /** @returns false when there is one already */
  async #createLease(spec: Lease['spec']): Promise<boolean> {
    const { client, name, limit } = this.#options
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name, uid: this.#uid ?? '' }]
    const metadata = { name, namespace: leaseNamespace, ownerReferences }
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec }
    try {
      await limit(() => client.resource<Lease>(leases).in(leaseNamespace).create(lease))
      return true
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
      return false
    }
  }

  async #persist(complaint: string, step: () => Promise<void>): Promise<void> {
    const { clock, log, signal, name } = this.#options
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        return await step()
      } catch (error) {
        if (failures % 5 === 1) log.warn(complaint, { node: name, error })
        await pause(clock, backoffMs(failures, retries), signal)
      }
    }
  }

  /** Calls `step` in every period from now on, `phase` of one later. A node that was deleted is registered again. */
  #every(periodMs: number, phase: number, complaint: string, step: () => Promise<void>): void {
    const { clock, signal, log, name } = this.#options
    const index = this.#cancels.length
    const round = async () => {
      if (signal.aborted) return
      this.#cancels[index] = clock.schedule(periodMs, round)
      try {
        await step()
      } catch (error) {
        if (isNotFound(error)) await this.#registerAnew()
        else log.warn(complaint, { node: name, error })
      }
    }
    this.#cancels[index] = clock.schedule(periodMs * phase, round)
  }
}
