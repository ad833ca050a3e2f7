import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { BootstrapObject } from '#core/server/bootstrap.ts'
import { frontProxyName, type Pki } from '#core/server/pki/pki.ts'
import { requestHeaders } from './identity-headers.ts'

const namespace = 'kube-system'
const configMap = 'extension-apiserver-authentication'
const reader = 'extension-apiserver-authentication-reader'
const rbac = 'rbac.authorization.k8s.io'

/**
 * What aggregated API servers read to know whom to believe about users, and the role that lets them read it. Bound to
 * them by who installs them.
 */
export function requestHeaderObjects({ ca, frontProxy }: Pick<Pki, 'ca' | 'frontProxy'>): BootstrapObject[] {
  const list = (...names: string[]) => JSON.stringify(names)
  const data = {
    'client-ca-file': ca.certPem,
    'requestheader-allowed-names': list(frontProxyName),
    'requestheader-client-ca-file': frontProxy.ca.certPem,
    'requestheader-extra-headers-prefix': list(requestHeaders.extraPrefix),
    'requestheader-group-headers': list(requestHeaders.group),
    'requestheader-uid-headers': list(requestHeaders.uid),
    'requestheader-username-headers': list(requestHeaders.username),
  }
  const rules = [
    { apiGroups: [''], resources: ['configmaps'], resourceNames: [configMap], verbs: ['get', 'list', 'watch'] },
  ]
  return [
    {
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      object: objectOf('v1', 'ConfigMap', configMap, { data }),
      reconcile: ['data'],
    },
    {
      resource: { group: rbac, version: 'v1', resource: 'roles' },
      object: objectOf(`${rbac}/v1`, 'Role', reader, { rules }),
      reconcile: ['rules'],
    },
  ]
}

function objectOf(apiVersion: string, kind: string, name: string, more: object): UnstructuredObject {
  return { apiVersion, kind, metadata: { name, namespace }, ...more }
}
