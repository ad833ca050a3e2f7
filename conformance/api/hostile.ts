import { rows as apply } from './hostile/apply.ts'
import { rows as bodies } from './hostile/bodies.ts'
import { rows as custom } from './hostile/custom.ts'
import { rows as definitions, harmless } from './hostile/definitions.ts'
import { rows as headers } from './hostile/headers.ts'
import { rows as metadata } from './hostile/metadata.ts'
import { rows as patches } from './hostile/patches.ts'
import { rows as paths } from './hostile/paths.ts'
import { rows as queries } from './hostile/queries.ts'
import { hostileCases } from './hostile/rows.ts'
import { rows as writes } from './hostile/writes.ts'

/** Hundreds of requests that no client should send: each answered as Kubernetes does, none changing anything. */
export const cases = [
  ...hostileCases('bodies', bodies),
  ...hostileCases('metadata', metadata),
  ...hostileCases('queries', queries),
  ...hostileCases('paths', paths),
  ...hostileCases('headers', headers),
  ...hostileCases('patches', patches),
  ...hostileCases('apply', apply),
  ...hostileCases('writes', writes),
  ...hostileCases('custom resources', custom),
  ...hostileCases('definitions', definitions),
  ...hostileCases('harmless definitions', harmless),
]
