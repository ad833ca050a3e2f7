import type { Container, PodSpec, SecurityContext } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { expect, test } from 'vitest'
import { spec, view } from '../testing/views.ts'
import { type ContainerOptions, containerConfig, sandboxConfig } from './container-config.ts'
import { rolesOf } from './model.ts'

const options: ContainerOptions = {
  ...{ attempt: 2, environment: new Map([['NAME', 'red']]), mounts: [], instance: 'i', runtimeName: 'sim' },
  ...{ nodeMemory: 2 ** 32, seccompDirectory: '/profiles' },
}

const configOf = (container: Partial<Container>, pod: Partial<PodSpec> = {}, more: Partial<ContainerOptions> = {}) => {
  const { pod: whole } = view({ spec: { ...pod, containers: [spec('main', container)] } })
  return containerConfig(whole, rolesOf(whole)[0]!, { ...options, ...more })
}
const securityOf = (
  securityContext: SecurityContext,
  pod: Partial<PodSpec> = {},
  more: Partial<ContainerOptions> = {},
) => configOf({ securityContext }, pod, more).linux.securityContext

test('commands and arguments see the environment', () => {
  expect(configOf({ command: ['echo', '$(NAME)'], args: ['$$(NAME)', '$(OTHER)'] })).toMatchObject({
    ...{ metadata: { name: 'main', attempt: 2 }, command: ['echo', 'red'], args: ['$(NAME)', '$(OTHER)'] },
    ...{ envs: [{ key: 'NAME', value: 'red' }], annotations: { 'keelson.dev/runtime': 'sim' } },
    labels: { 'io.kubernetes.pod.uid': 'u-1', 'io.kubernetes.container.name': 'main', 'keelson.dev/agent': 'i' },
  })
})

test.each([
  {
    name: 'the container over the pod',
    own: { runAsUser: 5 },
    pod: { runAsUser: 1, runAsGroup: 2 },
    want: { runAsUser: 5, runAsGroup: 2 },
  },
  {
    name: 'groups of the pod',
    own: {},
    pod: { supplementalGroups: [7], fsGroup: 8 },
    want: { supplementalGroups: [7, 8] },
  },
  { name: 'no new privileges', own: { allowPrivilegeEscalation: false }, pod: {}, want: { noNewPrivs: true } },
  {
    name: 'capabilities',
    own: { capabilities: { drop: ['ALL'] } },
    pod: {},
    want: { capabilities: { dropCapabilities: ['ALL'] } },
  },
  {
    name: 'a profile of its own',
    own: { seccompProfile: { type: 'Localhost' as const, localhostProfile: 'a/b.json' } },
    pod: { seccompProfile: { type: 'Unconfined' as const } },
    want: { seccomp: { profileType: 'Localhost', localhostRef: '/profiles/a/b.json' } },
  },
])('security: $name', ({ own, pod, want }) => {
  expect(securityOf(own, { securityContext: pod })).toMatchObject(want)
})

test.each(['../shadow', '/etc/shadow', 'a/../../b', ''])('%j is no seccomp profile', (localhostProfile) => {
  expect(() => securityOf({ seccompProfile: { type: 'Localhost', localhostProfile } })).toThrow(
    'invalid seccomp profile path',
  )
})

test.each([
  { runAsUser: 0, imageUser: '5', message: "container's runAsUser breaks non-root policy" },
  { imageUser: undefined, message: 'container has runAsNonRoot and image will run as root' },
  { imageUser: '0:0', message: 'image will run as root' },
  { imageUser: 'app', message: 'image has non-numeric user (app), cannot verify user is non-root' },
  { imageUser: '5', message: undefined },
  { runAsUser: 5, imageUser: 'root', message: undefined },
])('runAsNonRoot with user $runAsUser and image user $imageUser: $message', ({ runAsUser, imageUser, message }) => {
  const make = () => securityOf({ runAsNonRoot: true, runAsUser }, {}, { imageUser })
  if (message) expect(make).toThrow(message)
  else expect(make).not.toThrow()
})

const sandboxOf = (pod: Partial<PodSpec>, dns = { servers: ['10.96.0.10'], domain: 'cluster.local' }) =>
  sandboxConfig(view({ spec: pod }).pod, { dns, instance: 'i', attempt: 1 })

const cluster = {
  ...{ servers: ['10.96.0.10'], options: ['ndots:5'] },
  searches: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
}
test.each([
  { name: 'of a pod is that of the cluster', pod: {}, want: cluster },
  { name: 'on the host network is the node its own', pod: { hostNetwork: true }, want: undefined },
  { name: 'of a node', pod: { dnsPolicy: 'Default' as const }, want: undefined },
  {
    name: 'is what the pod says',
    pod: {
      dnsPolicy: 'None' as const,
      dnsConfig: { nameservers: ['1.1.1.1'], options: [{ name: 'ndots', value: '2' }] },
    },
    want: { servers: ['1.1.1.1'], searches: [], options: ['ndots:2'] },
  },
])('name service $name', ({ pod, want }) => expect(sandboxOf(pod).dnsConfig).toEqual(want))

test('a sandbox publishes host ports and shares what the pod asks for', () => {
  const ports = [{ containerPort: 80, hostPort: 8080 }, { containerPort: 81 }]
  expect(sandboxOf({ shareProcessNamespace: true, containers: [spec('main', { ports })] })).toMatchObject({
    ...{ hostname: 'web', portMappings: [{ protocol: 'TCP', containerPort: 80, hostPort: 8080 }] },
    linux: { securityContext: { namespaceOptions: { network: 'POD', pid: 'POD', ipc: 'POD' } } },
  })
  expect(sandboxOf({ hostNetwork: true, containers: [spec('main', { ports })] })).toMatchObject({
    hostname: '',
    portMappings: [],
  })
})
