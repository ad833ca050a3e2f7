import type { RequestInfo } from './request-info.ts'

/** What the handler tells of requests. */
export interface RequestMetrics {
  started(info: RequestInfo): void
  /** @param info absent when the path could not be parsed @param ms from the request's head to the end of its answer */
  ended(info: RequestInfo | undefined, sent: { status: number; bytes: number }, ms: number): void
}
