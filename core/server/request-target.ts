/** The path of a request target, still escaped. */
export function pathOf(target: string): string {
  const mark = target.indexOf('?')
  return mark < 0 ? target : target.slice(0, mark)
}

/** The query of a request target; unlike a URL's, it may be anything after the first `?`. */
export function queryOf(target: string): URLSearchParams {
  const mark = target.indexOf('?')
  return new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1))
}

/**
 * The target in origin form. HTTP/1.1 also allows `https://host/path`, as sent to proxies.
 * @returns undefined for what names no path: `*` and the `host:port` of CONNECT
 */
export function originForm(target: string | undefined): string | undefined {
  if (target === undefined) return undefined
  if (target.startsWith('/')) return target
  const scheme = /^https?:\/\/[^/?]*/i.exec(target)
  if (!scheme) return undefined
  const rest = target.slice(scheme[0].length)
  return rest.startsWith('/') ? rest : `/${rest}`
}
