import { EtcdClient } from '#core/storage/etcd/etcd-client.ts'
import { encodePut, rpc } from '#core/storage/etcd/messages.ts'
import { startEtcd, whyNoEtcd } from '#core/storage/etcd/testing/etcd-cluster.ts'
import { figureOf, type Row } from './figure.ts'
import { measureRate } from './load.ts'
import { configMap, configMaps } from './objects.ts'
import { alternate, type Rate } from './rounds.ts'
import { scratch, startKeelson } from './servers.ts'

const writers = 64
const what = `create 2 KB in etcd, ${writers} clients`

/** Durable creates through the whole server with etcd beside it, against puts of the same bytes straight to the same etcd. */
export async function storeEtcdBench(durationMs: number): Promise<Row[]> {
  const missing = await whyNoEtcd()
  if (missing) return [{ what, skipped: missing }]
  const { directory, remove } = scratch()
  await using etcd = await startEtcd()
  await using keelson = await startKeelson(directory, ['server', '--etcd-servers', etcd.urls.join()])
  const client = new EtcdClient({ endpoints: etcd.urls })
  let created = 0
  try {
    const round = await alternate(
      durationMs,
      (roundMs) => putRate(client, roundMs),
      (roundMs) =>
        measureRate(keelson, { concurrency: writers, protocol: 'h2', durationMs: roundMs }, () => ({
          path: configMaps,
          body: configMap(`bench-${created++}`, 2_048),
        })),
    )
    return [figureOf(what, round, 'puts to etcd', { atLeast: 1_000 })]
  } finally {
    client.close()
    remove()
  }
}

let puts = 0

async function putRate(client: EtcdClient, durationMs: number): Promise<Rate> {
  const started = performance.now()
  const value = configMap('put', 2_048)
  let done = 0
  const writer = async () => {
    while (performance.now() - started < durationMs) {
      await client.callOnce(rpc.put, encodePut(`/bench/${puts++}`, value))
      done++
    }
  }
  await Promise.all(Array.from({ length: writers }, writer))
  return { perSecond: (done / (performance.now() - started)) * 1_000 }
}
