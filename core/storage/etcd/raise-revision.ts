import { EtcdClient, type EtcdClientOptions } from './etcd-client.ts'
import { decodeRevision, encodePut, rpc } from './messages.ts'

const atOnce = 64

/**
 * Brings a cluster's revision up to a number. There is no other way than to write that often: some thousand times a second.
 * @param onRevision told how far it has come
 * @throws StorageError
 */
export async function raiseEtcdRevision(
  options: EtcdClientOptions & { prefix: string },
  goal: number,
  onRevision: (revision: number) => void,
): Promise<void> {
  const client = new EtcdClient(options)
  const write = encodePut(`${options.prefix}.revision`, Buffer.alloc(0))
  let revision = 0
  let underWay = 0
  const raise = async () => {
    while (revision + underWay < goal) {
      underWay++
      revision = Math.max(revision, decodeRevision(await client.call(rpc.put, write)))
      underWay--
      onRevision(revision)
    }
  }
  try {
    revision = decodeRevision(await client.call(rpc.put, write))
    await Promise.all(Array.from({ length: atOnce }, raise))
  } finally {
    client.close()
  }
}
