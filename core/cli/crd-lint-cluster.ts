import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import { customresourcedefinitions } from '#apis/apiextensions/v1/zz_generated.types.ts'
import { UsageError } from './usage-error.ts'

/** The definitions of these names that a cluster has. @throws UsageError when it cannot be asked */
export async function definitionsInCluster(
  kubeconfig: string,
  names: readonly string[],
): Promise<Map<string, CustomResourceDefinition>> {
  const { connect, isNotFound, loadKubeconfig } = await import('@keelson/client')
  const found = new Map<string, CustomResourceDefinition>()
  try {
    await using client = connect(loadKubeconfig(kubeconfig))
    const door = client.resource(customresourcedefinitions)
    await Promise.all(
      names.map(async (name) => {
        try {
          found.set(name, (await door.get(name)) as CustomResourceDefinition)
        } catch (error) {
          if (!isNotFound(error)) throw error
        }
      }),
    )
  } catch (cause) {
    throw new UsageError(`--kubeconfig: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
  return found
}
