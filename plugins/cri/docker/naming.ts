import type { ContainerConfig, PodSandboxConfig } from '@keelson/apis/plugin/v1/cri.ts'

/** How pods are written into, and read back from, the names and labels of the engine's containers: docker keeps no more. */
export const labels = {
  type: 'io.kubernetes.docker.type',
  podUid: 'io.kubernetes.pod.uid',
  sandboxId: 'io.kubernetes.sandbox.id',
  attempt: 'io.kubernetes.container.attempt',
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  containerName: 'io.kubernetes.container.name',
  /** Whose it is: several clusters may share an engine, and see only what is theirs. */
  owner: 'dev.keelson.owner',
} as const

export type DockerType = 'podsandbox' | 'container'

/** Annotations are labels with this before their key. */
const annotationPrefix = 'annotation.'

export function sandboxName({ metadata }: PodSandboxConfig): string {
  return ['k8s_POD', metadata.name, metadata.namespace, metadata.uid, metadata.attempt].join('_')
}

export function containerName(container: ContainerConfig, { metadata: pod }: PodSandboxConfig): string {
  const { name, attempt } = container.metadata
  return ['k8s', name, pod.name, pod.namespace, pod.uid, attempt].join('_')
}

/** The labels of a sandbox, or of a container in the sandbox `sandboxId`. */
export function dockerLabels(
  of: Pick<ContainerConfig, 'labels' | 'annotations' | 'metadata'>,
  pod: PodSandboxConfig,
  sandboxId?: string,
): Record<string, string> {
  const type: DockerType = sandboxId ? 'container' : 'podsandbox'
  const annotations = Object.entries(of.annotations).map(([key, value]) => [`${annotationPrefix}${key}`, value])
  return {
    ...of.labels,
    ...Object.fromEntries(annotations),
    [labels.type]: type,
    [labels.podName]: pod.metadata.name,
    [labels.podNamespace]: pod.metadata.namespace,
    [labels.podUid]: pod.metadata.uid,
    [labels.attempt]: String(of.metadata.attempt),
    ...(sandboxId && { [labels.sandboxId]: sandboxId, [labels.containerName]: of.metadata.name }),
  }
}

/** As the engine's filters take labels. */
export function selectorTerms(wanted: Readonly<Record<string, string>>): string[] {
  return Object.entries(wanted).map(([key, value]) => `${key}=${value}`)
}

/** What the labels say, with labels and annotations apart again. */
export function readLabels(all: Readonly<Record<string, string>>) {
  const entries = Object.entries(all)
  const annotations = entries
    .filter(([key]) => key.startsWith(annotationPrefix))
    .map(([key, value]) => [key.slice(annotationPrefix.length), value])
  return {
    type: all[labels.type] as DockerType | undefined,
    sandboxId: all[labels.sandboxId] ?? '',
    attempt: Number(all[labels.attempt] ?? 0),
    pod: {
      name: all[labels.podName] ?? '',
      namespace: all[labels.podNamespace] ?? '',
      uid: all[labels.podUid] ?? '',
    },
    containerName: all[labels.containerName] ?? '',
    labels: Object.fromEntries(entries.filter(([key]) => !key.startsWith(annotationPrefix))),
    annotations: Object.fromEntries(annotations) as Record<string, string>,
  }
}
