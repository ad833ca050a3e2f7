import { stringify as stringifyYaml } from 'yaml'
import type { Exchange } from '#core/server/exchange.ts'
import { isTrue } from '#core/server/request-info.ts'

/** How the bytes of an answer are dressed for who reads them: indented for people, compressed for who takes it. */

/** What people look at answers with. */
const peoplesTools = ['curl', 'Wget', 'Mozilla/5.0']

/** True when JSON is to be indented: the query decides, and without it who asks. */
export function isPretty(exchange: Exchange): boolean {
  const wish = exchange.target.includes('pretty') ? exchange.query.get('pretty') : null
  if (wish) return isTrue(wish)
  const agent = exchange.header('user-agent')
  return agent !== undefined && peoplesTools.some((tool) => agent.startsWith(tool))
}

/** @param json as one line */
export function indented(json: Buffer): string {
  return JSON.stringify(JSON.parse(json.toString()), null, 2)
}

/** YAML that readers of version 1.1, too, take for what it is: `"yes"` and times are quoted. */
export function yamlOf(value: unknown): string {
  return stringifyYaml(value, { version: '1.1', lineWidth: 0 })
}

/** Below this, compressing costs more than it saves; Kubernetes draws the same line. */
export const gzipThreshold = 128 * 1024

/** True when the client takes gzip by name; `gzip;q=0` is not its name. */
export function takesGzip(exchange: Exchange): boolean {
  const accepted = exchange.header('accept-encoding')
  return accepted?.includes('gzip') === true && accepted.split(',').some((coding) => coding.trim() === 'gzip')
}

export function announceGzip(exchange: Exchange): void {
  exchange.setHeader('content-encoding', 'gzip')
  exchange.setHeader('vary', 'Accept-Encoding')
}
