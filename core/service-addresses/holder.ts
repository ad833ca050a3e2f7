/** The service that has an address or a port. */
export interface Holder {
  namespace: string
  name: string
}

export function isSameHolder(a: Holder | undefined, b: Holder): boolean {
  return a?.namespace === b.namespace && a.name === b.name
}

/** Something cannot be had; the message is Kubernetes', for others to say which field it is about. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable'
}

/** How long what nobody has may still be on its way to somebody. */
export const graceMs = 120_000
