import { readCatalog, writeCatalog } from './files.ts'
import { deriveCatalog } from './derive.ts'
import { mergeCatalogs } from './merge.ts'
import { readReference } from './reference.ts'

/**
 * Renews the manifests of `manifests` (apis/crds) from the reference of a Kubernetes release, keeping what people added.
 * Comments in the YAML are not kept: say it in `description`.
 */
export async function generateCrds(reference: string, manifests: string): Promise<void> {
  const derived = deriveCatalog(await readReference(reference))
  await writeCatalog(manifests, mergeCatalogs(derived, await readCatalog(manifests)))
}
