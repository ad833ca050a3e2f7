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
  /** The last words of a process. */
  | { type: 'dying'; error: string }

export type UnitIsolation = Exclude<Isolation, 'isolate'>

const levels = new Set(['debug', 'info', 'warn', 'error'])
const isText = (value: unknown) => typeof value === 'string'
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** @returns undefined for what is no message: a component may reach its channel and say anything */
export function readUnitMessage(value: unknown): UnitMessage | undefined {
  return isRecord(value) && isUnitMessage(value) ? (value as UnitMessage) : undefined
}

function isUnitMessage(message: Record<string, unknown>): boolean {
  const { type, level, plugin, component, keys, error = '' } = message
  switch (type) {
    case 'log':
      return levels.has(level as string) && isText(message.message) && isRecord(keys)
    case 'ready':
      return isText(plugin) && isText(component)
    case 'failed':
      return isText(plugin) && isText(component) && isText(error)
    case 'dying':
      return isText(error)
    default:
      return type === 'stopped' || type === 'pong'
  }
}
