import type { Container, PodSpec, PodStatus } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { ContainerStatus, PodSandboxStatus } from '@keelson/apis/plugin/v1/cri.ts'
import type { PodMemory, PodView } from '../pod/model.ts'
import { newMemory } from '../pod/model.ts'

/** Makes views of a pod `web` for tests of pure functions. Moments are seconds. */

export interface ViewParts {
  spec?: Partial<PodSpec>
  status?: PodStatus
  metadata?: PodView['pod']['metadata']
  sandboxes?: PodSandboxStatus[]
  containers?: ContainerStatus[]
  memory?: Partial<PodMemory>
  exists?: boolean
  now?: number
}

export const view = ({
  spec,
  status,
  metadata,
  sandboxes,
  containers,
  memory,
  exists = true,
  now = 1000,
}: ViewParts = {}): PodView => ({
  pod: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', uid: 'u-1', ...metadata },
    spec: { containers: [{ name: 'main', image: 'app:1' }], ...spec },
    ...(status && { status }),
  },
  nowMs: now * 1000,
  exists,
  sandboxes: sandboxes ?? [sandbox()],
  containers: containers ?? [],
  memory: { ...newMemory(), volumesMounted: 1, images: new Map([['main', { ref: 'x' }]]), ...memory },
  node: { hostIPs: ['192.0.2.1'], backoff: { initialMs: 10_000, maxMs: 300_000 } },
})

export const sandbox = (attempt = 0, state: PodSandboxStatus['state'] = 'SANDBOX_READY'): PodSandboxStatus => ({
  id: `s${attempt}`,
  metadata: { name: 'web', namespace: 'shop', uid: 'u-1', attempt },
  ...{ state, createdAtMs: 0, labels: {}, annotations: {} },
  network: { ...(state === 'SANDBOX_READY' && { ip: '10.0.0.7' }), additionalIps: [] },
})

const base = (name: string, attempt: number, sandboxId: string): ContainerStatus => ({
  id: `${name}-${attempt}`,
  podSandboxId: sandboxId,
  metadata: { name, attempt },
  ...{ image: 'app:1', imageId: 'sha256:1', imageRef: 'sha256:1', createdAtMs: 0 },
  ...{ labels: {}, annotations: {}, state: 'CONTAINER_CREATED' },
})

export const created = (name = 'main', attempt = 0, sandboxId = 's0') => base(name, attempt, sandboxId)

export const running = (name = 'main', attempt = 0, sandboxId = 's0'): ContainerStatus => ({
  ...base(name, attempt, sandboxId),
  state: 'CONTAINER_RUNNING',
  startedAtMs: 1000,
})

export const exited = (
  exitCode: number,
  finished = 990,
  name = 'main',
  attempt = 0,
  sandboxId = 's0',
): ContainerStatus => ({
  ...running(name, attempt, sandboxId),
  ...{ state: 'CONTAINER_EXITED', exitCode, finishedAtMs: finished * 1000 },
  reason: exitCode === 0 ? 'Completed' : 'Error',
})

export const spec = (name: string, more: Partial<Container> = {}): Container => ({ name, image: 'app:1', ...more })
