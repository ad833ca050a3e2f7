import type { ContainerStatus, PodSandboxStatus } from '@keelson/apis/plugin/v1/cri.ts'

const order = { CONTAINER_CREATED: 0, CONTAINER_RUNNING: 1, CONTAINER_UNKNOWN: 2, CONTAINER_EXITED: 3 } as const

/** What the runtime last said of one pod's sandboxes and containers. Answers may arrive out of order: nothing comes back to life. */
export class RuntimeState {
  readonly #sandboxes = new Map<string, PodSandboxStatus>()
  readonly #containers = new Map<string, ContainerStatus>()

  /** Newest first. */
  get sandboxes(): PodSandboxStatus[] {
    return [...this.#sandboxes.values()].sort((a, b) => b.metadata.attempt - a.metadata.attempt)
  }

  get containers(): ContainerStatus[] {
    return [...this.#containers.values()]
  }

  hasSandbox(id: string): boolean {
    return this.#sandboxes.has(id)
  }

  container(id: string): ContainerStatus | undefined {
    return this.#containers.get(id)
  }

  putSandbox(status: PodSandboxStatus): void {
    if (this.#sandboxes.get(status.id)?.state !== 'SANDBOX_NOTREADY') this.#sandboxes.set(status.id, status)
  }

  /** @returns false when more is known already */
  putContainer(status: ContainerStatus): boolean {
    const known = this.#containers.get(status.id)
    if (known && order[known.state] > order[status.state]) return false
    this.#containers.set(status.id, status)
    return true
  }

  /** Forgets the sandbox and what was in it, or the container. */
  remove(id: string): void {
    this.#containers.delete(id)
    if (!this.#sandboxes.delete(id)) return
    for (const { id: container, podSandboxId } of this.containers)
      if (podSandboxId === id) this.#containers.delete(container)
  }

  ids(): string[] {
    return [...this.#sandboxes.keys(), ...this.#containers.keys()]
  }
}
