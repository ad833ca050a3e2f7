import type { QueueSortPlugin } from '../framework/types.ts'

/** Higher priority first, then who has waited longer. */
export const prioritySort: QueueSortPlugin = {
  name: 'priority-sort',
  compare: (a, b) => b.info.priority - a.info.priority || a.queuedAt - b.queuedAt,
}
