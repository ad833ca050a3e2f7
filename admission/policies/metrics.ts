/** What an evaluation came to, as metrics count it. */
export interface Observation {
  policy: string
  binding: string
  /** `no_error`, `compile_error`, `out_of_budget`, `invalid_error` */
  errorType: string
  /** `allow`, `deny`, `warn`, `audit`; empty for what changes objects. */
  action: string
  seconds: number
}

/** Counts what policies decide; the server gives one that its metrics are made of. */
export interface PolicyMetrics {
  observe(observation: Observation): void
}

/** How metrics call what went wrong, by the message. */
export function errorTypeOf(message: string | undefined): string {
  if (message === undefined) return 'no_error'
  if (message.startsWith('compilation')) return 'compile_error'
  return message.startsWith('validation failed due to running out of cost budget') ? 'out_of_budget' : 'invalid_error'
}
