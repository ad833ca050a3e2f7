import { join } from 'node:path'
import { admissionChain, builtinSteps } from '#admission/chain.ts'
import { policyRules } from '#admission/policies/expression-rules.ts'
import { MutatingPolicies } from '#admission/policies/mutating.ts'
import { typeWarnings } from '#admission/policies/type-checking.ts'
import { ValidatingPolicies } from '#admission/policies/validating.ts'
import { resourceQuota } from '#admission/resource-quota/resource-quota.ts'
import type { ValidatingAdmissionPolicy } from '#apis/admissionregistration/v1/zz_generated.types.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { Logger } from '#apis/plugin/v1/host.ts'
import { Aggregation } from './aggregation/aggregation.ts'
import { requestHeaderObjects } from './aggregation/request-header-objects.ts'
import { serviceResolver } from './aggregation/service-resolver.ts'
import { serviceAccountTokens } from './authn/bearer-token.ts'
import { clientCertificates } from './authn/client-certificate.ts'
import { newIdentify } from './authn/identify.ts'
import { TokenIssuer } from './authn/token-issuer.ts'
import { bootstrapClusterRoleBindings, bootstrapClusterRoles } from './authz/bootstrap-policy.ts'
import { requireAllowed } from './authz/forbidden.ts'
import { nodeAuthorizer } from './authz/node-authorizer.ts'
import { showAggregatedRules } from './authz/rbac/aggregation.ts'
import { escalationPrevention } from './authz/rbac/escalation.ts'
import { feedRbac } from './authz/rbac/feed.ts'
import { RbacIndex } from './authz/rbac/rbac-index.ts'
import { union } from './authz/union.ts'
import type { ServerFlags } from './cli/flags.ts'
import { Constraints } from './constraints/constraints.ts'
import { definitionCheck } from './constraints/definition-check.ts'
import { releaseConverted } from './conversion/converted-cache.ts'
import { convertersWith } from './conversion/converters.ts'
import { connectEndpoints } from './endpoints/connect.ts'
import type { Endpoint } from './endpoints/endpoint.ts'
import { get } from './endpoints/get.ts'
import { patch } from './endpoints/patch.ts'
import { releaseEncoded } from './endpoints/protobuf-form.ts'
import { binding, virtualBinding } from './endpoints/subresources/binding.ts'
import { eviction } from './endpoints/subresources/eviction.ts'
import { scale } from './endpoints/subresources/scale.ts'
import { tokenEndpoint } from './endpoints/subresources/token.ts'
import { update } from './endpoints/update.ts'
import { reviewEndpoints } from './endpoints/virtual/reviews.ts'
import { RequestDeadline } from './flow-control/request-deadline.ts'
import { startFlowControl } from './flow-control/start.ts'
import { entryUrl, findBuiltinPlugins, type PluginPackage } from './host/builtin-plugins.ts'
import { Host } from './host/host.ts'
import { PluginObjects } from './host/objects.ts'
import { AdmissionKinds } from './registry/admission-kinds.ts'
import { type builtinRules, builtinRulesWith, loadBuiltinDefinitions } from './registry/builtin.ts'
import { CustomResources } from './registry/custom/custom-resources.ts'
import { CacheReader } from './registry/object-reader.ts'
import { feedPolicies } from './registry/policy-feed.ts'
import { keepPolicyStatus } from './registry/policy-status.ts'
import { quotaWriter } from './registry/quota-writer.ts'
import { Registry } from './registry/registry.ts'
import { ResourceStore } from './registry/resource-store.ts'
import { type BootstrapObject, bootstrap, builtinObjects } from './server/bootstrap.ts'
import { documentEndpoint } from './server/documents.ts'
import { Handler } from './server/handler.ts'
import type { HealthCheck } from './server/health.ts'
import { releaseMemoryWhenIdle } from './server/idle-memory.ts'
import { writeKubeconfig } from './server/kubeconfig.ts'
import { listen } from './server/listener.ts'
import { newLogger } from './server/log.ts'
import { pathEndpoint } from './server/paths.ts'
import { loadOrCreatePki, type Pki } from './server/pki/pki.ts'
import { mutatingPolicyMetrics, validatingPolicyMetrics } from './server/policy-metrics.ts'
import { createServerMetrics } from './server/server-metrics.ts'
import { certifiedAddresses, startServiceNetwork } from './service-addresses/start.ts'
import { Cacher } from './storage/cacher/cacher.ts'
import { openEmbeddedStorage } from './storage/embedded/embedded-storage.ts'
import { isShared, type Storage } from './storage/storage.ts'
import { WebhookClient } from './webhooks/client.ts'

/**
 * The composition root: the one file that names the store, admission and the plugins together and makes a server of them.
 */
export interface ClusterOptions extends ServerFlags {
  /** Absent: no node agent runs here. */
  node?: { nodes: number; runtime: 'docker' | 'sim'; dockerSocket: string }
}

export interface Cluster {
  /** `https://127.0.0.1:6443` */
  server: string
  /** Path of the administrator's kubeconfig. */
  kubeconfig: string
  /** From the start of the process to the first time everything was ready, in milliseconds. */
  startedInMs: number
  /** Ends everything within five seconds; containers are left running. */
  stop(): Promise<void>
  /** Rejects when the server cannot go on. */
  failed: Promise<never>
}

const serviceAccountIssuer = 'https://kubernetes.default.svc.cluster.local'
const shutdownGraceMs = 2_000
const renewEveryMs = 24 * 3_600_000

export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const log = newLogger({ level: options.logLevel, format: options.logFormat })
  const pkiOptions = { directory: options.dataDir, hosts: [options.bindAddress, ...certifiedAddresses(options)] }
  const [pki, storage, definitions, plugins] = await Promise.all([
    loadOrCreatePki(pkiOptions),
    openStorage(options, log),
    loadBuiltinDefinitions(),
    findBuiltinPlugins(),
  ])
  const cacher = await Cacher.start(storage)
  const webhooks = new WebhookClient({ resolve: (service) => serviceResolver(registry)(service) })
  const registry: Registry = new Registry({
    cacher,
    types: definitions.types,
    rules: rulesFor(options),
    converterOf: convertersWith(webhooks, { declarative: options.declarativeConversion }),
  })
  for (const definition of definitions.resources) registry.install(definition)

  const reader = new CacheReader(() => registry)
  const rbac = new RbacIndex()
  feedRbac(rbac, registry)
  const authorizer = union([nodeAuthorizer(), rbac])
  const quotas = quotaWriter(registry, () => store)
  const metrics = createServerMetrics(registry)
  const around = { reader, kinds: new AdmissionKinds(() => registry), authority: authorizer }
  const mutating = new MutatingPolicies(around, mutatingPolicyMetrics(metrics.families))
  const validating = new ValidatingPolicies(around, validatingPolicyMetrics(metrics.families))
  feedPolicies(registry, 'mutating', mutating.set)
  feedPolicies(registry, 'validating', validating.set)
  const steps = [
    ...builtinSteps(reader),
    mutating,
    escalationPrevention(rbac, authorizer),
    validating,
    definitionCheck(registry),
    resourceQuota(reader, quotas),
  ]
  const store: ResourceStore = new ResourceStore({ storage, admission: admissionChain(steps) })
  new Constraints({ registry, storage, cacher, log }).start()
  new CustomResources({ registry, store, log }).start()
  const services = startServiceNetwork(options, { registry, store, storage, cacher, log })
  showAggregatedRules({ rbac, registry, store, log })
  const warningsOf = (policy: ValidatingAdmissionPolicy) => typeWarnings(policy, around.kinds)
  keepPolicyStatus({ registry, store, log, warningsOf })

  const issuer = tokenIssuer(pki, reader)
  const identify = newIdentify({
    authenticators: [clientCertificates(), serviceAccountTokens(issuer)],
    authorizer,
    allowAnonymous: options.anonymousAuth,
  })

  const flowControl = startFlowControl(options, { registry, store, reader, metrics: metrics.families, log })
  const readiness: HealthCheck[] = []
  let bootstrapped = false
  readiness.push(
    { name: 'ping', failure: () => undefined },
    { name: 'store', failure: () => cacher.failure?.message },
    ...(isShared(storage) ? [{ name: 'etcd', failure: () => storage.failure?.message }] : []),
    { name: 'bootstrap', failure: () => (bootstrapped ? undefined : 'not finished') },
  )
  const liveness = readiness.slice(0, 1)
  let proxyClient = frontProxyClient(pki)
  const aggregation = new Aggregation({ registry, store, client: () => proxyClient, log })
  let server = ''
  const connections = connectEndpoints({ registry, store, kubeletTls: kubeletTls(pki), log })
  const handler = new Handler({
    registry,
    store,
    cacher,
    identify,
    gate: flowControl.gate,
    deadline: new RequestDeadline(options.requestTimeoutMs),
    minWatchMs: options.minRequestTimeoutMs,
    permit: (user, info) => requireAllowed(authorizer, user, info),
    remotes: aggregation,
    paths: flowControl.withDebugPaths(
      pathEndpoint({
        health: { livez: liveness, readyz: readiness, healthz: readiness },
        documents: documentEndpoint({
          source: aggregation.source,
          types: definitions.types,
          remoteOpenApi: aggregation.openApi,
        }),
        metrics: () => metrics.text(),
        tokens: { issuer: serviceAccountIssuer, server: () => server, jwks: () => issuer.jwks() },
      }),
    ),
    subresources: new Map([...objectSubresources(issuer), ...connections.subresources]),
    virtual: new Map([['binding', virtualBinding], ...reviewEndpoints({ issuer, authorizer, rbac })]),
    upgrades: connections.upgrades,
    metrics,
    log,
  })
  const listener = await listen({
    host: options.bindAddress,
    port: options.port,
    tls: servingTls(pki),
    onExchange: (exchange) => handler.handle(exchange),
    onUpgrade: (upgrade) => handler.handleUpgrade(upgrade),
    log,
  })
  const renewal = setInterval(() => {
    loadOrCreatePki(pkiOptions).then(
      (renewed) => {
        listener.renew(servingTls(renewed))
        proxyClient = frontProxyClient(renewed)
      },
      (error) => log.error('certificates not renewed', { error }),
    )
  }, renewEveryMs)
  await Promise.all([
    bootstrap(registry, store, [...builtinObjects(), ...bootstrapRoles(), ...requestHeaderObjects(pki)]),
    aggregation.start(),
    flowControl.keepDefaults(),
    services.ready(),
  ])
  await services.serve({ address: options.bindAddress, port: listener.address.port })
  server = `https://${reachableHost(options.bindAddress)}:${listener.address.port}`
  const kubeconfig = join(options.dataDir, 'admin.kubeconfig')
  await writeKubeconfig(kubeconfig, {
    server,
    caPem: pki.ca.certPem,
    certPem: pki.admin.certPem,
    keyPem: pki.admin.keyPem,
    name: 'keelson',
  })
  bootstrapped = true

  const host = new Host({
    plugins,
    config: { node: nodeConfig(options, plugins, clusterUid(reader)) },
    without: new Set(options.node ? [] : ['node']),
    objects: new PluginObjects(registry, store),
    api: { server, caData: pki.ca.certPem },
    issueToken: ({ namespace, name, uid }, expirationSeconds) =>
      issuer.issue({ namespace, serviceAccount: { name, uid }, audiences: issuer.defaultAudiences, expirationSeconds })
        .token,
    log,
  })
  const election = isShared(storage) ? await electLeader(host, kubeconfig, log) : undefined
  const memory = releaseMemoryWhenIdle(() => {
    releaseEncoded()
    releaseConverted()
  })
  const startedInMs = performance.now()
  const failed = Promise.race([host.start().then(() => new Promise<never>(() => {})), cacher.lost])
  return {
    server,
    kubeconfig,
    startedInMs,
    failed,
    stop: async () => {
      clearInterval(renewal)
      flowControl[Symbol.dispose]()
      memory[Symbol.dispose]()
      aggregation[Symbol.dispose]()
      await election?.[Symbol.asyncDispose]()
      await services[Symbol.asyncDispose]()
      await host.stop()
      await listener.close({ graceMs: shutdownGraceMs })
      webhooks[Symbol.dispose]()
      await cacher[Symbol.asyncDispose]()
      await storage[Symbol.asyncDispose]()
    },
  }
}

/** The rules of the built-in kinds, with the time that those which come and go (Events) are to be kept. */
function rulesFor({ eventTtlMs, declarativeConversion }: ClusterOptions): typeof builtinRules {
  const ttlSeconds = Math.ceil(eventTtlMs / 1000)
  return new Map([...builtinRulesWith({ ttlSeconds, declarativeConversion }), ...policyRules])
}

/** Until it is elected, the host runs nothing but its node agent. */
async function electLeader(host: Host, kubeconfig: string, log: Logger): Promise<AsyncDisposable> {
  host.setLeading(false)
  const { standForElection } = await import('./leadership.ts')
  return standForElection({ kubeconfig, onChange: (isLeading) => host.setLeading(isLeading), log })
}

/** What is not used is not loaded. */
async function openStorage({ etcd, dataDir }: ClusterOptions, log: Logger): Promise<Storage> {
  if (!etcd) return openEmbeddedStorage({ directory: join(dataDir, 'store'), log })
  const { openEtcdStorage } = await import('./storage/etcd/etcd-storage.ts')
  return openEtcdStorage({ ...etcd, log })
}

/** Where this machine reaches a server that is bound to `address`, as part of a URL. */
function reachableHost(address: string): string {
  const host = address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address
  return host.includes(':') ? `[${host}]` : host
}

function tokenIssuer(pki: Pki, reader: CacheReader): TokenIssuer {
  return new TokenIssuer({
    issuer: serviceAccountIssuer,
    defaultAudiences: [serviceAccountIssuer],
    privatePem: pki.serviceAccountKey.privatePem,
    uidOf: (resource, namespace, name) => reader.get<UnstructuredObject>('', resource, namespace, name)?.metadata.uid,
  })
}

function servingTls({ serving, ca }: Pki) {
  return { cert: serving.certPem, key: serving.keyPem, ca: ca.certPem }
}

function kubeletTls({ kubeletClient }: Pki) {
  return { cert: kubeletClient.certPem, key: kubeletClient.keyPem }
}

function frontProxyClient({ frontProxy: { client } }: Pki) {
  return { cert: client.certPem, key: client.keyPem }
}

/** Subresources that read or write the object itself, by the names their manifests give their handlers. */
function objectSubresources(issuer: TokenIssuer): Map<string, Endpoint> {
  // What of the object each may change is for the kind's rules to say.
  const part: Endpoint = (request) =>
    request.info.verb === 'get' ? get(request) : request.info.verb === 'patch' ? patch(request) : update(request)
  return new Map<string, Endpoint>([
    ['scale', scale],
    ['binding', binding],
    ['eviction', eviction],
    ['token', tokenEndpoint(issuer)],
    ['finalize', part],
    ['approval', part],
    ['ephemeralcontainers', part],
    ['resize', part],
  ])
}

function bootstrapRoles(): BootstrapObject[] {
  const of = (resource: string) => ({ group: 'rbac.authorization.k8s.io', version: 'v1', resource })
  return [
    ...bootstrapClusterRoles.map((role) => ({
      resource: of('clusterroles'),
      object: role as unknown as BootstrapObject['object'],
      // The rules of an aggregated role are made from others.
      reconcile: role.aggregationRule ? [] : ['rules'],
    })),
    ...bootstrapClusterRoleBindings.map((one) => ({
      resource: of('clusterrolebindings'),
      object: one as unknown as BootstrapObject['object'],
    })),
  ]
}

/** What tells this cluster from all others for as long as its data lives. */
function clusterUid(reader: CacheReader): string | undefined {
  return reader.get<UnstructuredObject>('', 'namespaces', '', 'kube-system')?.metadata.uid
}

/** What the node agent is told by the command line. */
function nodeConfig(
  { node, dataDir }: ClusterOptions,
  plugins: readonly PluginPackage[],
  owner: string | undefined,
): Record<string, unknown> {
  if (!node) return {}
  const runtime = plugins.find((plugin) => plugin.name === `cri-${node.runtime}`)
  if (!runtime) throw new Error(`the runtime plugin cri-${node.runtime} is not installed`)
  return {
    nodes: node.nodes,
    runtime: entryUrl(runtime, runtime.manifest.components[0]!.entry),
    runtimeOptions: node.runtime === 'docker' ? { socketPath: node.dockerSocket, owner } : {},
    dataDir: join(dataDir, 'node'),
    // The Node object says which: several clusters share this machine.
    port: 0,
  }
}
