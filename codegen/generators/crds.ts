import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { deriveCatalog } from './derive.ts'
import { readCatalog, writeCatalog } from './files.ts'
import { formatInventory } from './inventory.ts'
import { mergeCatalogs } from './merge.ts'
import { readReference } from './reference.ts'

export interface CrdTargets {
  /** Folder of the manifests: apis/crds. */
  manifests: string
  /** File of the release's resources and verbs, which tests hold the manifests against. */
  inventory: string
}

/**
 * Renews the manifests from the reference of a Kubernetes release, keeping what people added.
 * Comments in the YAML are not kept: say it in `description`.
 */
export async function generateCrds(directory: string, { manifests, inventory }: CrdTargets): Promise<void> {
  const reference = await readReference(directory)
  await writeCatalog(manifests, mergeCatalogs(deriveCatalog(reference), await readCatalog(manifests)))
  await mkdir(dirname(inventory), { recursive: true })
  await writeFile(inventory, formatInventory(reference.endpoints))
}
