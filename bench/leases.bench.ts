import { setTimeout as sleep } from 'node:timers/promises'
import type { Figure } from './figure.ts'
import { cpuSeconds, processTree } from './process-tree.ts'
import { openSession, request, scratch, startKeelson } from './servers.ts'

const nodes = 5_000
/** 5,000 nodes that renew every ten seconds. */
const renewalsPerSecond = 500
const sessions = 20
/** Heartbeats go on for weeks; at this pace the compiler needs many seconds to know their way. */
const warmUpMs = 12_000
const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases'

/** What 500 lease renewals a second, the heartbeats of 5,000 nodes, cost the server. */
export async function leasesBench(durationMs: number): Promise<Figure[]> {
  const { directory, remove } = scratch()
  await using keelson = await startKeelson(directory, ['server'])
  const open = Array.from({ length: sessions }, () => openSession(keelson))
  const versions: string[] = []
  const write = async (at: number, method: string, path: string) => {
    const headers = { ':method': method, ':path': path, 'content-type': 'application/json' }
    const { status, body } = await request(open[at % sessions]!, headers, lease(at, versions[at]))
    if (status >= 300) throw new Error(`${method} answered ${status}: ${body.toString('utf8', 0, 300)}`)
    versions[at] = (JSON.parse(body.toString()) as { metadata: { resourceVersion: string } }).metadata.resourceVersion
  }
  const renewFor = async (forMs: number) => {
    const started = performance.now()
    const renewals: Promise<void>[] = []
    for (let sent = 0; performance.now() - started < forMs; sent++) {
      const due = (sent * 1000) / renewalsPerSecond - (performance.now() - started)
      if (due > 1) await sleep(due)
      renewals.push(write(sent % nodes, 'PUT', `${leases}/${nameOf(sent % nodes)}`))
    }
    await Promise.all(renewals)
    return renewals.length
  }
  try {
    for (let at = 0; at < nodes; at += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, index) => write(at + index, 'POST', leases)))
    }
    await renewFor(warmUpMs)
    const cpu = () => cpuSeconds(processTree(keelson.pid))
    const [cpuBefore, started] = [cpu(), performance.now()]
    const done = await renewFor(durationMs)
    const used = cpu() - cpuBefore
    const share = (used / ((performance.now() - started) / 1000)) * 100
    return [
      { what: `${renewalsPerSecond} lease renewals/s, of a core`, value: share, unit: '%', goal: { atMost: 25 } },
      { what: 'CPU of a lease renewal', value: (used / done) * 1000, unit: 'ms' },
    ]
  } finally {
    for (const session of open) session.close()
    remove()
  }
}

const nameOf = (at: number) => `node-${at}`

/** As a kubelet writes it. */
function lease(at: number, resourceVersion: string | undefined): Buffer {
  const renewTime = new Date().toISOString().replace('Z', '000Z')
  return Buffer.from(
    JSON.stringify({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: nameOf(at), namespace: 'kube-node-lease', resourceVersion },
      spec: { holderIdentity: nameOf(at), leaseDurationSeconds: 40, renewTime },
    }),
  )
}
