import { randomUUID } from 'node:crypto'
import type { ContainerEvent, PodSandboxConfig } from '@keelson/apis/plugin/v1/cri.ts'
import { expect, test } from 'vitest'
import createRuntime from './index.ts'
import { whyNoDocker } from './testing.ts'

const reason = await whyNoDocker()

const newPod = (): PodSandboxConfig => ({
  metadata: { name: 'shared', namespace: 'default', uid: randomUUID(), attempt: 0 },
  ...{ hostname: 'shared', portMappings: [], labels: {}, annotations: {} },
  linux: {
    sysctls: {},
    securityContext: {
      namespaceOptions: { network: 'POD', pid: 'CONTAINER', ipc: 'POD' },
      ...{ privileged: false, supplementalGroups: [] },
    },
  },
})

test('owners of one engine see and hear only of what is theirs', async ({ skip }) => {
  if (reason) skip(reason)
  await using one = await createRuntime({ owner: randomUUID() })
  await using other = await createRuntime({ owner: randomUUID() })
  const stop = new AbortController()
  const heard = other.events(stop.signal)[Symbol.asyncIterator]()
  expect((await heard.next()).value).toEqual({ type: 'RESYNC' })
  const ours = await one.runPodSandbox(newPod())
  const theirs = await other.runPodSandbox(newPod())
  try {
    expect((await one.listPodSandbox()).map(({ id }) => id)).toEqual([ours])
    expect((await other.listPodSandbox()).map(({ id }) => id)).toEqual([theirs])
    const { value } = (await heard.next()) as { value: Extract<ContainerEvent, { containerId: string }> }
    expect(value).toMatchObject({ type: 'CONTAINER_CREATED_EVENT', containerId: theirs })
  } finally {
    stop.abort()
    await Promise.all([one.removePodSandbox(ours), other.removePodSandbox(theirs)])
  }
})
