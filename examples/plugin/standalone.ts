import { abiVersion } from '@keelson/apis/plugin/v1/manifest.ts'
import { loadKubeconfig } from '@keelson/client'
import run from './controller.ts'

/**
 * Runs the controller outside of a host, against any cluster: `KUBECONFIG=... node standalone.ts`. Prints a line of JSON
 * for each thing it says, the line `ready` once it works, and ends at SIGTERM or Ctrl-C.
 */
const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort())

const say = (level: string) => (message: string, keys?: object) =>
  console.error(JSON.stringify({ level, message, ...keys }))

if (!process.env.KUBECONFIG) throw new Error('KUBECONFIG is not set')
await run({
  abiVersion,
  plugin: 'team-config',
  component: 'team-config',
  config: {},
  api: loadKubeconfig(process.env.KUBECONFIG),
  log: { debug: () => {}, info: say('info'), warn: say('warn'), error: say('error') },
  signal: stop.signal,
  ready: () => console.log('ready'),
})
