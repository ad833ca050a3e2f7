import type { Exchange } from '#core/server/exchange.ts'
import { queryOf } from '#core/server/request-target.ts'

/** As much of an exchange as flow control uses. */
export interface FakeExchange {
  exchange: Exchange
  headers: Map<string, string>
  /** Undefined until it is answered. */
  answer: { status: number; contentType: string; body: string } | undefined
  /** The client goes away. */
  goAway(): void
}

export function fakeExchange(target = '/'): FakeExchange {
  const listeners: (() => void)[] = []
  const fake: FakeExchange = {
    headers: new Map(),
    answer: undefined,
    goAway: () => {
      for (const listener of listeners) listener()
    },
    exchange: {
      target,
      query: queryOf(target),
      onEnd: (listener: () => void) => listeners.push(listener),
      setHeader: (name: string, value: string) => fake.headers.set(name, value),
      send: (status: number, contentType: string, body: string) => {
        fake.answer = { status, contentType, body }
      },
    } as unknown as Exchange,
  }
  return fake
}
