import type { PluginHost, Run } from '@keelson/apis/plugin/v1/host.ts'
import { type Client, connect } from '@keelson/client'

/** The body of a controller: sets itself up, says `host.ready()`, and resolves once `host.signal` aborted and all is released. */
export type ControllerBody = (client: Client, host: PluginHost) => Promise<void>

/** The `run` of a controller: `body` with a client of the plugin's own account, closed at the end. */
export function controller(body: ControllerBody): Run {
  return async (host) => {
    await using client = connect(host.api, { userAgent: `${host.plugin}/${host.abiVersion}` })
    await body(client, host)
  }
}
