/** A ConfigMap whose stored JSON measures about `bytes`. */
export function configMap(name: string, bytes: number, namespace = 'default'): Buffer {
  const head = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels: { app: 'bench' } } }
  const filler = 'x'.repeat(Math.max(0, bytes - 330))
  return Buffer.from(JSON.stringify({ ...head, data: { payload: filler } }))
}

export const configMaps = '/api/v1/namespaces/default/configmaps'
