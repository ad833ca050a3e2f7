/** Absolute URLs and absolute paths, read as Go reads the target of a request. */
import { define, defineMethod, type Library } from '../environment.ts'
import { bool, list, map, opaque, string } from '../types.ts'
import { CelMap, fail, Opaque } from '../values.ts'

const urlType = opaque('kubernetes.URL')

export class Url extends Opaque {
  readonly typeName = 'kubernetes.URL'
  readonly scheme: string
  /** With the port, if there is one. */
  readonly host: string
  readonly path: string
  readonly query: string
  readonly #text: string

  constructor(text: string, scheme: string, host: string, path: string, query: string) {
    super()
    this.#text = text
    this.scheme = scheme
    this.host = host
    this.path = path
    this.query = query
  }

  override equals(other: Opaque): boolean {
    return other instanceof Url && other.#text === this.#text
  }
}

const parts = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?([^?]*)(?:\?(.*))?$/s
const authority = /^\/\/(?:([^/@]*)@)?([^/]*)(.*)$/s
const hosts = /^(?:\[[0-9a-fA-F:.]+(?:%25[^\]]*)?\]|[^\s:[\]<>"%\\^`{|}#]*)(?::\d*)?$/
const control = /[\0-\x20\x7f]/
const badEscape = /%(?![0-9a-fA-F]{2})/

/** undefined for what is none. */
function parseUrl(text: string): Url | undefined {
  if (text === '' || /[\0-\x1f\x7f]/.test(text)) return undefined
  const [, scheme = '', rest = '', query = ''] = parts.exec(text)!
  if (!rest.startsWith('/')) return scheme === '' ? undefined : new Url(text, scheme.toLowerCase(), '', '', query)
  const [, user = '', host = '', path = rest] = (scheme !== '' && authority.exec(rest)) || []
  if (!hosts.test(host) || control.test(user) || badEscape.test(path)) return undefined
  return new Url(text, scheme.toLowerCase(), host, path, query)
}

/** What Go says of a text that is no URL. */
export const notAUrl = (text: string) => `parse ${JSON.stringify(text)}: invalid URI for request`

export const isUrl = (text: string) => parseUrl(text) !== undefined

const required = (text: string) =>
  parseUrl(text) ?? fail(`URL parse error during conversion from string: ${notAUrl(text)}`)

const hostname = ({ host }: Url) => host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1')
const port = ({ host }: Url) => /:(\d*)$/.exec(host)?.[1] ?? ''

/** What may stand in a path as it is; the rest is escaped, and escapes stay. */
const unsafe = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/%[\]]/gu
const escapedPath = ({ path }: Url) => path.toWellFormed().replaceAll(unsafe, encodeURIComponent)

/** Each key with its values in order. What is no pair of escaped strings is left out. */
function queryOf({ query }: Url): CelMap {
  const found = new CelMap()
  for (const pair of query.split('&')) {
    if (pair === '' || pair.includes(';')) continue
    const [key, value] = [pair.split('=', 1)[0]!, pair.slice(pair.indexOf('=') + 1)].map(decode)
    if (key === undefined || value === undefined) continue
    found.set(key, [...((found.get(key) as string[] | undefined) ?? []), pair.includes('=') ? value : ''])
  }
  return found
}

function decode(text: string): string | undefined {
  if (badEscape.test(text)) return undefined
  return text
    .replaceAll('+', ' ')
    .replaceAll(/(?:%[0-9a-fA-F]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString())
}

export const urls: Library = [
  define('url', [string], urlType, required),
  define('isURL', [string], bool, isUrl),
  defineMethod('getScheme', [urlType], string, ({ scheme }: Url) => scheme),
  defineMethod('getHost', [urlType], string, ({ host }: Url) => host),
  defineMethod('getHostname', [urlType], string, hostname),
  defineMethod('getPort', [urlType], string, port),
  defineMethod('getEscapedPath', [urlType], string, escapedPath),
  defineMethod('getQuery', [urlType], map(string, list(string)), queryOf),
]
