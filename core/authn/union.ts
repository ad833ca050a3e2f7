import { isUnauthorized } from '#core/errors/status-error.ts'
import type { Authenticator, UserInfo } from '#core/server/exchange.ts'

type Credentials = Parameters<Authenticator['authenticate']>[0]

/**
 * Asks one after the other; the first to know the user is believed. A bad credential counts only when no other is good.
 * Stays synchronous as long as those it asks are.
 */
export function unionOf(authenticators: readonly Authenticator[]): Authenticator {
  return { authenticate: (request) => ask(authenticators, 0, request, undefined) }
}

function ask(
  authenticators: readonly Authenticator[],
  from: number,
  request: Credentials,
  refusal: unknown,
): Promise<UserInfo | undefined> | UserInfo | undefined {
  let refused = refusal
  for (let index = from; index < authenticators.length; index++) {
    try {
      const answer = authenticators[index]!.authenticate(request)
      if (answer instanceof Promise) return continueAfter(answer, authenticators, index + 1, request, refused)
      if (answer) return answer
    } catch (error) {
      if (!isUnauthorized(error)) throw error
      refused ??= error
    }
  }
  if (refused) throw refused
  return undefined
}

async function continueAfter(
  pending: Promise<UserInfo | undefined>,
  authenticators: readonly Authenticator[],
  next: number,
  request: Credentials,
  refusal: unknown,
): Promise<UserInfo | undefined> {
  let refused = refusal
  try {
    const answer = await pending
    if (answer) return answer
  } catch (error) {
    if (!isUnauthorized(error)) throw error
    refused ??= error
  }
  return ask(authenticators, next, request, refused)
}
