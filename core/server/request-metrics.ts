import type { RequestInfo } from './request-info.ts'

/** What the handler tells of requests. */
export interface RequestMetrics {
  /** A request begins. @param info absent when the path could not be parsed */
  begin(info: RequestInfo | undefined): ObservedRequest
}

export interface ObservedRequest {
  /** Once, when its answer is complete. @param ms from the request's head to the end of its answer */
  ended(status: number, ms: number): void
}
