import { asServer as untracked } from '#core/registry/as-server.ts'
import type { WriteContext } from '#core/registry/resource-store.ts'

/** Writes of the server's own, which owns what it sets. */
export const asServer: WriteContext = { ...untracked, manager: 'kube-apiserver' }
