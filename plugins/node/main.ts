import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { ContainerRuntime, CreateRuntime } from '@keelson/apis/plugin/v1/cri.ts'
import type { PluginHost, Run } from '@keelson/apis/plugin/v1/host.ts'
import { type Client, connect } from '@keelson/client'
import {
  createEventRecorder,
  createInformers,
  createLimiter,
  type EventRecorder,
  systemClock,
  untilAborted,
} from '@keelson/kit'
import { NodeAgent } from './agent.ts'
import { type NodeConfig, nodeNames, readConfig } from './config.ts'
import { capacityOf, machineAddress, systemInfo } from './node/facts.ts'
import type { NodeDescription } from './node/node-object.ts'
import { NodeRegistration } from './node/registration.ts'
import { createObjectCache } from './object-cache.ts'
import { quantityValue } from './pod/quantity.ts'
import { createAuthorize } from './server/authorize.ts'
import { startKubeletServer } from './server/kubelet-server.ts'
import { createRoutes } from './server/routes.ts'
import { selfSignedCertificate } from './server/self-signed.ts'
import { createPodVolumes, noVolumes } from './volumes/pod-volumes.ts'
import { ServiceAccountTokens } from './volumes/service-account-tokens.ts'

/**
 * The node agent: a component of kind `node-agent`. Stands for one node of real containers or for many simulated ones,
 * with one runtime, one watch of pods and one kubelet port for all of them.
 */
const run: Run = async (host) => {
  const config = readConfig(host.config)
  await using runtime = await loadRuntime(config)
  await using client = connect(host.api, { userAgent: 'kubelet/v1.36.0 keelson' })
  await runNodes(host, config, runtime, client)
}

export default run

/** A path is relative to where the process runs; anything else is a package or a URL. */
async function loadRuntime({ runtime, runtimeOptions }: NodeConfig): Promise<ContainerRuntime> {
  const specifier = runtime.startsWith('.') || runtime.startsWith('/') ? `file://${resolve(runtime)}` : runtime
  const { default: create } = (await import(specifier)) as { default: CreateRuntime }
  return create(runtimeOptions)
}

/** Concurrent writes about nodes, and about pods: enough to keep a server busy, too few to starve its other clients. */
const nodeWrites = 32
const statusWrites = 64

/** As `run`, with the runtime and the client given. */
export async function runNodes(
  host: PluginHost,
  config: NodeConfig,
  runtime: ContainerRuntime,
  client: Client,
): Promise<void> {
  const { log, signal } = host
  const clock = systemClock
  const startedAtMs = clock.now()
  await mkdir(config.dataDir, { recursive: true, mode: 0o750 })
  const [{ features }, version] = await Promise.all([runtime.status(), runtime.version()])
  const [capacity, info] = await Promise.all([
    capacityOf(features, config.dataDir, config.maxPods),
    systemInfo(version),
  ])
  const names = nodeNames(config)
  const address = config.address ?? (features.podNetwork ? machineAddress() : '127.0.0.1')
  const informers = createInformers(client, { log, signal })
  const fieldSelector = names.length === 1 ? `spec.nodeName=${names[0]}` : 'spec.nodeName!='
  const objects = createObjectCache(client, informers, (uid) => agent.worker(uid)?.objectsChanged())
  let problem: string | undefined = 'it has not answered yet'

  const agent = new NodeAgent({
    nodes: new Set(names),
    pods: informers.for(pods, { fieldSelector }),
    context: {
      ...{ client, runtime, runtimeName: version.runtimeName, features, objects, clock, log },
      recorder: recorderOf(config, createEventRecorder(client, 'kubelet', { log })),
      volumes: features.hostMounts ? createPodVolumes(resolve(config.dataDir)) : noVolumes,
      tokens: new ServiceAccountTokens(client, clock.now),
      node: { hostIPs: [address], backoff: { initialMs: config.backoffInitialMs, maxMs: config.backoffMaxMs } },
      allocatable: capacity,
      nodeMemory: quantityValue(capacity.memory),
      ...(config.clusterDns.length > 0 && { dns: { servers: config.clusterDns, domain: config.clusterDomain } }),
      clusterEnvironment: clusterEnvironment(config),
      seccompDirectory: resolve(config.dataDir, 'seccomp'),
      instance: instanceOf(config, names),
      statusLimit: createLimiter(statusWrites),
    },
    onRuntime: (message) => {
      problem = message
      for (const registration of registrations) {
        registration.writeStatus().catch((error) => log.warn('node status not written', { error }))
      }
      becameReady.resolve()
    },
  })
  const becameReady = Promise.withResolvers<void>()
  const registrations: NodeRegistration[] = []
  const nodeName = names[0] ?? ''
  await using server = await startKubeletServer({
    ...{ address, port: config.port, caData: host.api.caData, nodeName, log },
    tls: config.kubeletTls ?? selfSignedCertificate([nodeName, 'localhost', address, '127.0.0.1'], startedAtMs),
    authorize: createAuthorize(client, clock),
    routes: createRoutes({ agent, runtime, nodeName, startedAtMs, now: clock.now }),
  })
  const describe = async (name: string): Promise<NodeDescription> => ({
    ...{ name, address, kubeletPort: server.port, capacity, info, labels: config.labels, taints: config.taints },
    images: features.hostMounts && !problem ? await runtime.listImages().catch(() => []) : [],
    ...(problem !== undefined && { problem }),
  })
  const running = agent.run(signal)
  await Promise.race([becameReady.promise, running])
  const limit = createLimiter(nodeWrites)
  for (const [index, name] of names.entries()) {
    const phase = index / names.length
    registrations.push(
      new NodeRegistration({ client, clock, log, signal, limit, name, phase, describe: () => describe(name) }),
    )
  }
  await Promise.all(registrations.map((registration) => registration.start()))
  host.ready()
  await Promise.all([running, untilAborted(signal)])
}

/** Thousands of pods that all start well are no news. */
function recorderOf({ events }: NodeConfig, recorder: EventRecorder): EventRecorder {
  if (events === 'all') return recorder
  return { event: (object, type, ...rest) => type === 'Warning' && recorder.event(object, type, ...rest) }
}

/** The same for an agent that starts again with the same data, different for any other. */
export function instanceOf({ dataDir }: NodeConfig, names: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([resolve(dataDir), names[0], names.length]))
    .digest('hex')
    .slice(0, 16)
}

function clusterEnvironment({ kubernetesService }: NodeConfig): Map<string, string> {
  if (!kubernetesService) return new Map()
  const { host, port } = kubernetesService
  return new Map([
    ['KUBERNETES_SERVICE_HOST', host],
    ['KUBERNETES_SERVICE_PORT', String(port)],
    ['KUBERNETES_SERVICE_PORT_HTTPS', String(port)],
  ])
}
