import type { Plugin } from '#apis/keelson/v1/zz_generated.types.ts'
import type { Logger } from '#apis/plugin/v1/host.ts'
import type { ComponentKind, ComponentManifest } from '#apis/plugin/v1/manifest.ts'
import { entryUrl, type PluginPackage } from './builtin-plugins.ts'
import { PluginComponents } from './components.ts'
import type { PluginIdentity, PluginObjects } from './objects.ts'
import type { StartComponent, UnitIsolation } from './protocol.ts'
import { UnitSupervisor } from './supervisor.ts'

/** Kinds the host runs by themselves; others are loaded by one of these. */
const runnable: ReadonlySet<ComponentKind> = new Set(['controller', 'scheduler', 'node-agent'])
/** Together with the listener's own grace, less than the five seconds a stop may take. */
const stopMs = 2_500
/** How long a plugin's token is good for, and how often it gets a new one. */
const tokenSeconds = 3_600
const renewEveryMs = 45 * 60_000

export interface HostOptions {
  plugins: readonly PluginPackage[]
  /** What the command line says of a plugin's configuration, by plugin; merged over the Plugin object's. */
  config: Readonly<Record<string, Record<string, unknown>>>
  /** Plugins that are not to run in this process whatever their objects say. */
  without: ReadonlySet<string>
  objects: PluginObjects
  api: { server: string; caData: string }
  issueToken(identity: PluginIdentity, seconds: number): string
  log: Logger
}

/**
 * Runs the plugins: each component in its unit (a worker that built-ins may share, or a process of its own), as the
 * plugin's own ServiceAccount, started again with backoff when it fails. What runs and how is in the Plugin objects.
 */
export class Host {
  readonly #options: HostOptions
  readonly #units = new Map<string, UnitSupervisor>()
  readonly #states = new Map<string, PluginComponents>()
  readonly #identities = new Map<string, PluginIdentity>()
  #renewal: NodeJS.Timeout | undefined
  #forgetChanges = () => {}
  #isLeading = true

  constructor(options: HostOptions) {
    this.#options = options
  }

  /** Registers every plugin and starts those that are enabled. Resolves when they are started, not when they are ready. */
  async start(): Promise<void> {
    const { plugins, objects } = this.#options
    await Promise.all(plugins.map((plugin) => this.#register(plugin)))
    for (const plugin of plugins) this.#follow(plugin)
    this.#forgetChanges = objects.onChange((name) => {
      const plugin = plugins.find((one) => one.name === name)
      if (plugin) this.#follow(plugin)
    })
    this.#renewal = setInterval(() => this.#renewTokens(), renewEveryMs)
  }

  /** Of several servers of one cluster only one runs controllers and the scheduler, and says how they are; each runs its node agent. */
  setLeading(isLeading: boolean): void {
    if (this.#isLeading === isLeading) return
    this.#isLeading = isLeading
    if (this.#renewal) for (const plugin of this.#options.plugins) this.#follow(plugin)
  }

  async #register(plugin: PluginPackage): Promise<void> {
    const { objects, log } = this.#options
    this.#identities.set(plugin.name, await objects.ensure(plugin))
    this.#states.set(
      plugin.name,
      new PluginComponents(plugin, (status) => {
        if (!this.#isLeading) return
        objects
          .writeStatus(plugin.name, status)
          .catch((error) => log.warn('plugin status not written', { plugin: plugin.name, error }))
      }),
    )
  }

  /** Starts or stops a plugin's components as its object says. */
  #follow(plugin: PluginPackage): void {
    const object = this.#options.objects.get(plugin.name)
    const enabled = object !== undefined && object.spec.enabled !== false && !this.#options.without.has(plugin.name)
    for (const component of plugin.manifest.components) {
      if (!runnable.has(component.kind)) continue
      const unit = this.#unitOf(plugin, component)
      const isMine = this.#isLeading || component.kind === 'node-agent'
      if (enabled && object && isMine) unit.run(this.#startOf(plugin, component, object))
      else unit.end(plugin.name, component.name)
    }
    this.#states.get(plugin.name)?.setEnabled(enabled)
  }

  #startOf(plugin: PluginPackage, component: ComponentManifest, object: Plugin): StartComponent {
    return {
      plugin: plugin.name,
      component: component.name,
      entry: entryUrl(plugin, component.entry),
      config: { ...object.spec.config, ...this.#options.config[plugin.name] },
      token: this.#token(plugin.name),
    }
  }

  #token(plugin: string): string {
    return this.#options.issueToken(this.#identities.get(plugin)!, tokenSeconds)
  }

  #unitOf(plugin: PluginPackage, component: ComponentManifest): UnitSupervisor {
    const name = component.unit ?? `${plugin.name}/${component.name}`
    let unit = this.#units.get(name)
    if (!unit) {
      const isolation = component.isolation as UnitIsolation
      const memoryMiB = component.memoryMiB ?? (isolation === 'worker' ? 128 : 256)
      unit = new UnitSupervisor({ name, isolation, memoryMiB }, this.#options.api, this.#options.log, {
        onState: (of, state) => this.#states.get(of.plugin)?.set(of.component, state),
      })
      this.#units.set(name, unit)
    }
    return unit
  }

  #renewTokens(): void {
    for (const unit of this.#units.values()) {
      for (const plugin of unit.plugins()) unit.send({ type: 'token', plugin, token: this.#token(plugin) })
    }
  }

  /** The components of every unit, for health reports. */
  notReady(): string[] {
    return [...this.#states.values()].flatMap((state) => state.notReady())
  }

  /** Asks every component to stop and ends those that do not in time. Containers are left running. */
  async stop(): Promise<void> {
    clearInterval(this.#renewal)
    this.#forgetChanges()
    await Promise.all([...this.#units.values()].map((unit) => unit.stop(stopMs)))
  }
}
