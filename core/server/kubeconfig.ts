import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writePrivateFile } from './private-file.ts'

export interface KubeconfigOptions {
  /** `https://127.0.0.1:6443` */
  server: string
  caPem: string
  /** Of the client. */
  certPem: string
  keyPem: string
  /** Names the cluster and the context. */
  name: string
}

/** Writes a kubeconfig that every Kubernetes client takes, for its owner's eyes only. */
export async function writeKubeconfig(file: string, options: KubeconfigOptions): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writePrivateFile(file, kubeconfigText(options))
}

/** JSON's strings are YAML's too, so nothing in a name or an address can break out of its place. */
export function kubeconfigText({ server, caPem, certPem, keyPem, name }: KubeconfigOptions): string {
  const base64 = (pem: string) => Buffer.from(pem).toString('base64')
  const cluster = JSON.stringify(name)
  const user = JSON.stringify(`${name}-admin`)
  return `apiVersion: v1
kind: Config
clusters:
- name: ${cluster}
  cluster:
    server: ${JSON.stringify(server)}
    certificate-authority-data: ${base64(caPem)}
users:
- name: ${user}
  user:
    client-certificate-data: ${base64(certPem)}
    client-key-data: ${base64(keyPem)}
contexts:
- name: ${cluster}
  context:
    cluster: ${cluster}
    user: ${user}
current-context: ${cluster}
preferences: {}
`
}
