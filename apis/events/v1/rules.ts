import type { Rules } from '../../meta/v1/rules.ts'
import { eventRules } from './event-rules.ts'

export const eventsRules = new Map<string, unknown>([['events.k8s.io/events', eventRules]]) as ReadonlyMap<
  string,
  Rules
>
