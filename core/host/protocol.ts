import type { Isolation } from '#apis/plugin/v1/manifest.ts'

/** What the host and a unit (a worker or a process that runs components) say to each other. Structured-clone safe. */
export interface StartComponent {
  plugin: string
  component: string
  /** `file:` URL of the module. */
  entry: string
  config: Record<string, unknown>
  token: string
}

export type HostMessage =
  | { type: 'start'; api: { server: string; caData: string }; components: StartComponent[] }
  | { type: 'token'; plugin: string; token: string }
  | { type: 'stop' }
  | { type: 'ping' }

export type UnitMessage =
  | { type: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; message: string; keys: Record<string, unknown> }
  | { type: 'ready'; plugin: string; component: string }
  /** `error` absent: it returned although nobody asked it to stop. */
  | { type: 'failed'; plugin: string; component: string; error?: string }
  | { type: 'stopped' }
  | { type: 'pong'; memoryBytes: number }

export type UnitIsolation = Exclude<Isolation, 'isolate'>
