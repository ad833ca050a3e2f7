import type { Pod, Toleration } from '#apis/core/v1/zz_generated.types.ts'
import type { AdmissionStep } from '../chain.ts'

const conditions = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']
const defaultSeconds = 300

/**
 * Pods stay for five minutes on a node that is not ready or out of reach, unless they say otherwise.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#defaulttolerationseconds
 */
export function defaultTolerationSeconds(): AdmissionStep {
  return {
    name: 'DefaultTolerationSeconds',
    admit({ operation, group, resource, subresource, object }) {
      if (operation !== 'CREATE' || group !== '' || resource !== 'pods' || subresource !== '') return
      const { spec } = object as unknown as Pod
      if (!spec) return
      const standing = spec.tolerations ?? []
      const added = conditions.filter((key) => !standing.some((one) => toleratesNoExecute(one, key)))
      if (added.length === 0) return
      spec.tolerations = [
        ...standing,
        ...added.map(
          (key): Toleration => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: defaultSeconds }),
        ),
      ]
    },
  }
}

function toleratesNoExecute({ key, effect }: Toleration, wanted: string): boolean {
  return (!key || key === wanted) && (!effect || effect === 'NoExecute')
}
