import { type Figure, figureOf } from './figure.ts'
import { type Ask, measureRate } from './load.ts'
import { deployment } from './objects.ts'
import { alternate } from './rounds.ts'
import { openSession, request, scratch, startKeelson, type Target } from './servers.ts'

const path = '/apis/apps/v1/namespaces/default/deployments'
const objects = 64

/** Server-side apply of a Deployment of 4 KB, one value different each time, against plain updates of the same. */
export async function applyBench(durationMs: number): Promise<Figure[]> {
  const { directory, remove } = scratch()
  await using keelson = await startKeelson(directory, ['server'])
  try {
    await createObjects(keelson)
    let written = 0
    const measure = (ask: (name: string, body: Buffer) => Ask) => (roundMs: number) =>
      measureRate(keelson, { concurrency: 16, protocol: 'h2', sessions: 4, durationMs: roundMs }, () => {
        const name = `web-${written++ % objects}`
        return ask(name, bodyOf(name, written))
      })
    const round = await alternate(durationMs, measure(update), measure(apply))
    return [figureOf('apply a 4 KB Deployment, 16 in flight', round, 'plain update', { atLeastRatio: 0.5 })]
  } finally {
    remove()
  }
}

const bodyOf = (name: string, at: number) => Buffer.from(JSON.stringify(deployment(name, `value-${at}`)))

const update = (name: string, body: Buffer): Ask => ({ path: `${path}/${name}`, method: 'PUT', body })

const apply = (name: string, body: Buffer): Ask => ({
  path: `${path}/${name}?fieldManager=bench&force=true`,
  method: 'PATCH',
  contentType: 'application/apply-patch+yaml',
  body,
})

/** A plain update makes nothing. */
async function createObjects(target: Target): Promise<void> {
  const session = openSession(target)
  const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/json' }
  for (let at = 0; at < objects; at++) await request(session, headers, bodyOf(`web-${at}`, 0))
  session.close()
}
