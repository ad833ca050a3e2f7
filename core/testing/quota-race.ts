import type { TestObject, TestServer } from './test-server.ts'

/** What came of many clients that make and delete objects of which there may be only a few. */
export interface RaceOutcome {
  /** The most that were there at any revision. */
  most: number
  /** How often each status was the answer to a create. */
  answers: Map<number, number>
  /** Why creates were refused, each reason once, whatever its numbers. */
  refusals: Set<string>
  /** How many more were made afterwards, one after another, until one was refused. */
  madeUntilFull: number
}

interface WatchEvent {
  type: string
  object: TestObject & { status?: { used?: Record<string, string> } }
}

const namespace = 'race'
const base = `/api/v1/namespaces/${namespace}`
const secrets = `${base}/secrets`
const quotas = `${base}/resourcequotas`

/** Lets `clients` make secrets at `servers` and delete them, `objects` each, where a quota has room for `room` of them. */
export async function raceForRoom(
  servers: readonly TestServer[],
  { room, clients, objects }: { room: number; clients: number; objects: number },
): Promise<RaceOutcome> {
  const outcome: RaceOutcome = { most: 0, answers: new Map(), refusals: new Set(), madeUntilFull: 0 }
  const server = (at: number) => servers[at % servers.length]!
  await server(0).request('POST', '/api/v1/namespaces', { metadata: { name: namespace } })
  await server(0).request('POST', quotas, { metadata: { name: 'q' }, spec: { hard: { secrets: String(room) } } })
  await usedComesTo(server(0), 0)
  const { resourceVersion } = (await server(0).request('GET', secrets)).json().metadata
  const watch = follow(server(0), `${secrets}?watch=true&resourceVersion=${resourceVersion}`)

  const make = async (at: number) => {
    const answer = await server(at).request('POST', secrets, { metadata: { generateName: 's-' } })
    outcome.answers.set(answer.status, (outcome.answers.get(answer.status) ?? 0) + 1)
    if (answer.status !== 201) outcome.refusals.add(reasonIn(answer.json().message!))
    return answer.status === 201 ? answer.json().metadata.name : undefined
  }
  const remove = (at: number, name: string) => server(at).request('DELETE', `${secrets}/${name}`)
  const client = async (at: number) => {
    for (let done = 0, i = at; done < objects; i++) {
      const name = await make(i)
      if (name === undefined) continue
      done++
      await remove(i + 1, name)
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, at) => client(at)))
  await usedComesTo(server(0), 0)
  while ((await make(outcome.madeUntilFull)) !== undefined) outcome.madeUntilFull++

  const made = outcome.answers.get(201) ?? 0
  let [there, seen] = [0, 0]
  for await (const { type } of watch) {
    there += type === 'ADDED' ? 1 : type === 'DELETED' ? -1 : 0
    outcome.most = Math.max(outcome.most, there)
    if (type === 'ADDED' && ++seen === made) break
  }
  return outcome
}

const reasonIn = (message: string) => message.split(' is forbidden: ').at(-1)!.replaceAll(/\d+/g, 'N')

async function usedComesTo(server: TestServer, wanted: number): Promise<void> {
  for await (const { object } of follow(server, `${quotas}?watch=true`)) {
    if (object.status?.used?.secrets === String(wanted)) return
  }
}

/** The events of a watch, closed with the reading. */
async function* follow(server: TestServer, target: string): AsyncGenerator<WatchEvent> {
  const session = server.session()
  try {
    let rest = ''
    for await (const chunk of session.request({ ':path': target }).setEncoding('utf8')) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop()!
      for (const line of lines) yield JSON.parse(line)
    }
  } finally {
    session.destroy()
  }
}
