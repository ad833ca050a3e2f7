import type { WriteContext } from '#core/registry/resource-store.ts'

/** Writes of the server's own. */
export const asServer: WriteContext = {
  user: { username: 'system:apiserver', groups: ['system:masters'] },
  dryRun: false,
  fieldValidation: 'Ignore',
  warn: () => {},
  manager: 'kube-apiserver',
}
