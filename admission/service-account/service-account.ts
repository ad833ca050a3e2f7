import type { Pod, ServiceAccount, Volume } from '#apis/core/v1/zz_generated.types.ts'
import type { AdmissionRequest, ObjectReader } from '#apis/plugin/v1/admission.ts'
import { newForbidden } from '#core/errors/status-error.ts'
import type { AdmissionStep } from '../chain.ts'

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount'
const volumePrefix = 'kube-api-access-'
/** A new namespace gets its default account a moment after it is made. */
const defaultAccountWaitMs = 1_000
const tokenSeconds = 3607

/**
 * Every pod acts as a ServiceAccount that exists, and finds its token mounted unless it asks not to.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#serviceaccount-admission-controller
 */
export function serviceAccount(reader: ObjectReader): AdmissionStep {
  return {
    name: 'ServiceAccount',
    async admit(request) {
      if (!isPodCreate(request)) return
      const pod = request.object as unknown as Pod
      if (!pod.spec || pod.metadata.annotations?.['kubernetes.io/config.mirror']) return
      const name = pod.spec.serviceAccountName || pod.spec.serviceAccount || 'default'
      pod.spec.serviceAccountName = name
      pod.spec.serviceAccount = name
      const account = await findAccount(reader, request, name)
      if (!pod.spec.imagePullSecrets?.length && account.imagePullSecrets?.length) {
        pod.spec.imagePullSecrets = structuredClone(account.imagePullSecrets)
      }
      const automount = pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true
      if (automount) mountToken(pod)
    },
  }
}

function isPodCreate({ operation, group, resource, subresource }: AdmissionRequest): boolean {
  return operation === 'CREATE' && group === '' && resource === 'pods' && subresource === ''
}

async function findAccount(
  reader: ObjectReader,
  { namespace, name }: AdmissionRequest,
  account: string,
): Promise<ServiceAccount> {
  const waitMs = account === 'default' ? defaultAccountWaitMs : 0
  const found =
    reader.get<ServiceAccount>('', 'serviceaccounts', namespace, account) ??
    (await reader.waitFor<ServiceAccount>('', 'serviceaccounts', namespace, account, waitMs))
  if (found) return found
  throw newForbidden(
    { group: '', resource: 'pods' },
    name,
    `error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`,
  )
}

function mountToken({ metadata, spec }: Pod): void {
  const containers = [...(spec!.initContainers ?? []), ...(spec!.containers ?? [])]
  const lacking = containers.filter(
    (container) => !container.volumeMounts?.some((mount) => mount.mountPath === mountPath),
  )
  if (lacking.length === 0) return
  const standing = spec!.volumes?.find((volume) => volume.name.startsWith(volumePrefix))
  const volume = standing ?? tokenVolume(volumePrefix + suffixOf(metadata.uid))
  if (!standing) spec!.volumes = [...(spec!.volumes ?? []), volume]
  for (const container of lacking) {
    container.volumeMounts = [...(container.volumeMounts ?? []), { name: volume.name, readOnly: true, mountPath }]
  }
}

/** Five letters, so that two pods' volumes are told apart in logs. */
function suffixOf(uid: string | undefined): string {
  return (uid ?? crypto.randomUUID()).replaceAll('-', '').slice(0, 5)
}

/** The volume Kubernetes gives: a bound token, the cluster's CA, the pod's namespace. */
function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: 420,
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
    },
  }
}
