import type { ContainerConfig, PodSandboxConfig } from '@keelson/apis/plugin/v1/cri.ts'
import { expect, test } from 'vitest'
import { containerOptions, sandboxOptions } from './create-options.ts'
import { readLabels } from './naming.ts'

const pod: PodSandboxConfig = {
  metadata: { name: 'web-0', namespace: 'shop', uid: 'u-1', attempt: 2 },
  ...{ hostname: 'web-0', portMappings: [], labels: { app: 'web' }, annotations: { 'a/b': 'c' } },
  linux: {
    sysctls: {},
    securityContext: {
      namespaceOptions: { network: 'POD', pid: 'CONTAINER', ipc: 'POD' },
      ...{ privileged: false, supplementalGroups: [] },
    },
  },
}

const container: ContainerConfig = {
  metadata: { name: 'main', attempt: 4 },
  ...{ image: 'busybox:1', command: [], args: [], envs: [], mounts: [], devices: [], labels: {}, annotations: {} },
  ...{ stdin: false, stdinOnce: false, tty: false },
  linux: {
    resources: {},
    securityContext: {
      capabilities: { addCapabilities: [], dropCapabilities: [] },
      ...{ privileged: false, readonlyRootfs: false, noNewPrivs: false, supplementalGroups: [] },
      namespaceOptions: pod.linux.securityContext.namespaceOptions,
    },
  },
}

const withSecurity = (changes: Partial<ContainerConfig['linux']['securityContext']>): ContainerConfig => ({
  ...container,
  linux: { ...container.linux, securityContext: { ...container.linux.securityContext, ...changes } },
})

const withResources = (resources: ContainerConfig['linux']['resources']): ContainerConfig => ({
  ...container,
  linux: { ...container.linux, resources },
})

test.each([
  { name: 'joins the sandbox', config: container, want: { NetworkMode: 'container:s', IpcMode: 'container:s' } },
  { name: 'is never restarted by docker', config: container, want: { RestartPolicy: { Name: 'no' } } },
  { name: 'never lowers the OOM score', config: withResources({ oomScoreAdj: -997 }), want: { OomScoreAdj: 0 } },
  {
    name: 'limits memory without swap',
    config: withResources({ memoryLimitInBytes: 1 << 20, cpuQuota: 50_000 }),
    want: { Memory: 1 << 20, MemorySwap: 1 << 20, CpuQuota: 50_000, CpuPeriod: 100_000 },
  },
  {
    name: 'forbids new privileges',
    config: withSecurity({ noNewPrivs: true, seccomp: { profileType: 'Unconfined' } }),
    want: { SecurityOpt: ['no-new-privileges', 'seccomp=unconfined'] },
  },
  {
    name: 'shares process ids when asked',
    config: withSecurity({ namespaceOptions: { network: 'POD', pid: 'POD', ipc: 'NODE' } }),
    want: { PidMode: 'container:s', IpcMode: 'host' },
  },
  {
    name: 'joins the target of a debugging container',
    config: withSecurity({ namespaceOptions: { network: 'POD', pid: 'TARGET', ipc: 'POD', targetId: 't' } }),
    want: { PidMode: 'container:t' },
  },
])('a container $name', ({ config, want }) => expect(containerOptions(config, pod, 's').HostConfig).toMatchObject(want))

test('names and labels say whose a container is, and can be read back', () => {
  const options = containerOptions({ ...container, annotations: { note: 'x' } }, pod, 's')
  expect(options.name).toBe('k8s_main_web-0_shop_u-1_4')
  expect(readLabels(options.Labels ?? {})).toMatchObject({
    ...{ type: 'container', sandboxId: 's', attempt: 4, containerName: 'main', annotations: { note: 'x' } },
    pod: { name: 'web-0', namespace: 'shop', uid: 'u-1' },
  })
})

test('a user is written with its group', () => {
  expect(containerOptions(withSecurity({ runAsUser: 0, runAsGroup: 7 }), pod, 's').User).toBe('0:7')
  expect(containerOptions(withSecurity({ runAsUser: 5 }), pod, 's').User).toBe('5')
  expect(containerOptions(container, pod, 's').User).toBeUndefined()
})

test('a sandbox publishes host ports, unless it has the host network', () => {
  const portMappings = [
    { protocol: 'TCP' as const, containerPort: 80, hostPort: 8080, hostIp: '127.0.0.1' },
    { protocol: 'TCP' as const, containerPort: 80, hostPort: 8081 },
    { protocol: 'UDP' as const, containerPort: 53, hostPort: 0 },
  ]
  const published = sandboxOptions({ ...pod, portMappings })
  expect(published.name).toBe('k8s_POD_web-0_shop_u-1_2')
  expect(published.HostConfig?.PortBindings).toEqual({
    '80/tcp': [
      { HostIp: '127.0.0.1', HostPort: '8080' },
      { HostIp: '', HostPort: '8081' },
    ],
  })
  const securityContext = {
    ...pod.linux.securityContext,
    namespaceOptions: { network: 'NODE' as const, pid: 'NODE' as const, ipc: 'NODE' as const },
  }
  const onHost = sandboxOptions({ ...pod, portMappings, linux: { ...pod.linux, securityContext } })
  expect(onHost.Hostname).toBeUndefined()
  expect(onHost.HostConfig).toMatchObject({ NetworkMode: 'host', PidMode: 'host', IpcMode: 'host' })
  expect(onHost.HostConfig?.PortBindings).toBeUndefined()
})
