import type { Migration } from './plan.ts'
import { beginning, type Progress } from './rewriter.ts'

/** How far a migration has come, kept in its annotations. Read by `keelson migrate` too, which shows it. */

/** The uid of the migration and the continue token behind the last page that was done: a copy of the object begins anew. */
const continueAnnotation = 'keelson.dev/continue'
/** `500/1200`: objects done, and objects there are. */
const progressAnnotation = 'keelson.dev/progress'

/** Where a migration goes on; at the beginning unless it is under way. */
export function progressIn({ metadata }: Migration): Progress {
  const { [continueAnnotation]: place = '', [progressAnnotation]: counts = '' } = metadata.annotations ?? {}
  const [uid, token = ''] = place.split(' ')
  const [, done, total] = /^(\d{1,15})\/(\d{1,15})$/.exec(counts) ?? []
  if (uid !== metadata.uid || !token || !done) return beginning
  return { token, done: Number(done), total: Number(total) }
}

/** A merge patch that notes it; behind the last page nothing is left to go on with. */
export const progressPatch = (uid: string, { token, done, total }: Progress) => ({
  metadata: {
    uid,
    annotations: { [continueAnnotation]: token ? `${uid} ${token}` : null, [progressAnnotation]: `${done}/${total}` },
  },
})
