import type { Logger, PluginHost, Run } from '@keelson/apis/plugin/v1/host.ts'

/** A Logger that keeps what it is told. */
export interface MemoryLog extends Logger {
  lines: { level: string; message: string; keys?: Record<string, unknown> }[]
}

export function createMemoryLog(): MemoryLog {
  const lines: MemoryLog['lines'] = []
  const at = (level: string) => (message: string, keys?: Record<string, unknown>) =>
    void lines.push({ level, message, keys })
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

export interface RunningComponent extends AsyncDisposable {
  log: MemoryLog
  /** Resolves when the component said that it is ready. */
  ready: Promise<void>
}

/** Runs a component as a host does; leaving the scope stops it and waits for its end. */
export function startComponent(run: Run, given: Partial<PluginHost> = {}): RunningComponent {
  const stopping = new AbortController()
  const log = createMemoryLog()
  const ready = Promise.withResolvers<void>()
  const host: PluginHost = {
    abiVersion: '0.1.0',
    plugin: 'test',
    component: 'test',
    config: {},
    api: { server: 'https://fake', caData: 'CA' },
    log,
    signal: stopping.signal,
    ready: ready.resolve,
    ...given,
  }
  const running = run(host)
  running.catch(ready.reject)
  return {
    log,
    ready: ready.promise,
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await running
    },
  }
}
