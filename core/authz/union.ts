import type { Authorizer } from '#core/server/exchange.ts'

/** Allows what any of them allows; otherwise gives the reasons of all that gave one. */
export function union(authorizers: readonly Authorizer[]): Authorizer {
  return {
    authorize(user, attributes) {
      const reasons: string[] = []
      for (const authorizer of authorizers) {
        const decision = authorizer.authorize(user, attributes)
        if (decision.allowed) return decision
        if (decision.reason) reasons.push(decision.reason)
      }
      return { allowed: false, reason: reasons.join(', ') }
    },
  }
}
