import type { Plugin, PluginComponentStatus } from '#apis/keelson/v1/zz_generated.types.ts'
import { rfc3339 } from '#apis/meta/v1/time.ts'
import type { Condition } from '#apis/meta/v1/types.ts'
import { abiVersion } from '#apis/plugin/v1/manifest.ts'
import type { PluginPackage } from './builtin-plugins.ts'
import type { ComponentState } from './supervisor.ts'

export type PluginStatus = NonNullable<Plugin['status']>

/** Changes that come together are written together. */
const settleMs = 100
const maxErrorLength = 1_000

/** How one plugin's components fare, told to its object whenever that changes. */
export class PluginComponents {
  readonly #plugin: PluginPackage
  readonly #write: (status: PluginStatus) => void
  readonly #components = new Map<string, PluginComponentStatus>()
  #enabled = true
  #timer: NodeJS.Timeout | undefined

  constructor(plugin: PluginPackage, write: (status: PluginStatus) => void) {
    this.#plugin = plugin
    this.#write = write
    for (const { name, kind, isolation } of plugin.manifest.components) {
      this.#components.set(name, { name, kind, isolation, state: 'Stopped', restarts: 0 })
    }
  }

  setEnabled(enabled: boolean): void {
    this.#enabled = enabled
    this.#changed()
  }

  set(component: string, next: ComponentState): void {
    const status = this.#components.get(component)
    if (!status) return
    if (next.state === 'Starting') {
      if (status.state === 'BackingOff') status.restarts = (status.restarts ?? 0) + 1
      status.startedAt = rfc3339(Date.now())
      status.pid = next.pid
    }
    if (next.state === 'BackingOff') status.lastError = next.error.slice(0, maxErrorLength)
    status.state = next.state
    this.#changed()
  }

  #changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#write(this.status())
    }, settleMs).unref()
  }

  notReady(): string[] {
    return this.#enabled
      ? this.#loaded()
          .filter((one) => one.state !== 'Running')
          .map((one) => `${this.#plugin.name}/${one.name}`)
      : []
  }

  /** Components that the host runs itself; a container runtime is loaded by the node agent. */
  #loaded(): PluginComponentStatus[] {
    return [...this.#components.values()].filter((one) => one.kind !== 'cri')
  }

  status(): PluginStatus {
    const components = [...this.#components.values()]
    return {
      abi: abiVersion,
      version: this.#plugin.version,
      restarts: components.reduce((sum, one) => sum + (one.restarts ?? 0), 0),
      components: structuredClone(components),
      conditions: [this.#ready()],
    }
  }

  #ready(): Condition {
    const waiting = this.notReady()
    const [status, reason, message] = !this.#enabled
      ? (['False', 'Disabled', 'spec.enabled is false, or the server was started without this plugin'] as const)
      : waiting.length === 0
        ? (['True', 'Running', 'every component runs'] as const)
        : (['False', 'ComponentsNotReady', `not running: ${waiting.join(', ')}`] as const)
    return { type: 'Ready', status, reason, message, lastTransitionTime: rfc3339(Date.now()) }
  }
}
