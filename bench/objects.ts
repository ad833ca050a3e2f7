/** A ConfigMap whose stored JSON measures about `bytes`. */
export function configMap(name: string, bytes: number, namespace = 'default'): Buffer {
  const head = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels: { app: 'bench' } } }
  const filler = 'x'.repeat(Math.max(0, bytes - 480))
  return Buffer.from(JSON.stringify({ ...head, data: { payload: filler } }))
}

export const configMaps = '/api/v1/namespaces/default/configmaps'

/** A Deployment as people write them, of about 4 KB once it is stored, its owners apart. @param env an environment variable's value, to change */
export function deployment(name: string, env: string, namespace = 'default'): object {
  const app = { app: name, tier: 'backend', team: 'bench' }
  const probe = (path: string) => ({
    httpGet: { path, port: 8080, scheme: 'HTTP' },
    initialDelaySeconds: 5,
    timeoutSeconds: 2,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  })
  const container = (container: string, port: number) => ({
    name: container,
    image: `registry.example.com/team/${container}:v1.2.3`,
    args: ['--listen', `:${port}`, '--log-level=info', '--config=/etc/app/config.yaml'],
    ports: [
      { name: 'web', containerPort: port },
      { name: 'metrics', containerPort: port + 1 },
    ],
    env: Array.from({ length: 6 }, (_, at) => ({ name: `SETTING_${at}`, value: `${env}-${at}` })),
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '1', memory: '256Mi' } },
    volumeMounts: [
      { name: 'config', mountPath: '/etc/app' },
      { name: 'scratch', mountPath: '/tmp' },
    ],
    livenessProbe: probe('/healthz'),
    readinessProbe: probe('/readyz'),
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
  })
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels: app, annotations: { 'example.com/owner': 'team-bench@example.com' } },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: app },
        spec: {
          containers: [container('web', 8080), container('proxy', 9090)],
          volumes: [
            { name: 'config', configMap: { name: 'app-config' } },
            { name: 'scratch', emptyDir: {} },
          ],
        },
      },
    },
  }
}
