import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node, Pod } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { nodes } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { container, type Harness, loadRuntime, startAgent } from '../testing/harness.ts'

const isReady = (pod: Pod) => pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')

/** A certificate of an administrator that is its own authority. */
function administrator(): { cert: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-admin-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const subject = ['-subj', '/O=system:masters/CN=admin', '-days', '2']
  execFileSync('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  try {
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('the kubelet API', () => {
  const admin = administrator()
  let agent: Harness
  let port = 0

  beforeAll(async () => {
    agent = await startAgent(await loadRuntime('sim'), { nodes: 3, namePrefix: 'sim-' }, admin.cert)
    port = agent.client.stored<Node>(nodes)[0]?.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0
    const env = [{ name: 'COLOUR', value: 'red' }]
    await agent.create('web', { nodeName: 'sim-2', containers: [container({ env })] })
    await agent.until('web', isReady)
    await agent.create(
      'stuck',
      { nodeName: 'sim-1', containers: [container({ image: 'broken:1' })] },
      {
        annotations: { 'sim.keelson.dev/fail-image': 'broken:1' },
      },
    )
    await agent.until(
      'stuck',
      ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'ImagePullBackOff',
    )
  })
  afterAll(() => agent[Symbol.asyncDispose]())

  const ask = async (path: string, options: { method?: string; isAnonymous?: boolean } = {}) => {
    const identity = options.isAnonymous ? {} : admin
    const method = options.method ?? 'GET'
    const request = httpsRequest({
      host: '127.0.0.1',
      port,
      path,
      method,
      rejectUnauthorized: false,
      agent: false,
      ...identity,
    })
    const [response] = await once(request.end(), 'response')
    const body = Buffer.concat(await response.toArray()).toString()
    return { code: response.statusCode as number, body }
  }

  test.each([
    { path: '/healthz', code: 200, body: 'ok' },
    { path: '/containerLogs/default/web/main', code: 200, body: 'container main started, attempt 0\n' },
    { path: '/containerLogs/default/web/main?limitBytes=9', code: 200, body: 'container' },
    { path: '/containerLogs/default/web/main?tailLines=x', code: 400, body: 'invalid tailLines: "x"\n' },
    { path: '/containerLogs/default/web/none', code: 400, body: 'container "none" in pod "web" is not available\n' },
    {
      path: '/containerLogs/default/web/main?previous=true',
      code: 400,
      body: 'previous terminated container "main" in pod "web" not found\n',
    },
    {
      path: '/containerLogs/default/stuck/main',
      code: 400,
      body: expect.stringMatching(
        /^container "main" in pod "stuck" is waiting to start: (ErrImagePull|ImagePullBackOff)\n$/,
      ),
    },
    { path: '/containerLogs/default/none/main', code: 404, body: 'pod does not exist: default/none\n' },
    { path: '/exec/default/web/main', code: 400, body: 'you must upgrade this request\n' },
    { path: '/exec/default', code: 404, body: 'Not found\n' },
    { path: '/__proto__', code: 404, body: 'Not found\n' },
    { path: '/exec/default/%E0%A4%A/main', code: 400, body: 'malformed path: %E0%A4%A\n' },
  ])('GET $path is answered $code', async ({ path, code, body }) => expect(await ask(path)).toEqual({ code, body }))

  test('POST /run runs a command', async () => {
    expect(await ask('/run/default/web/main?cmd=echo%20hi', { method: 'POST' })).toEqual({ code: 200, body: 'hi\n' })
  })

  test('pods of all its nodes, their number and their names are told', async () => {
    const { items } = JSON.parse((await ask('/pods')).body) as { items: Pod[] }
    expect(items.map(({ metadata }) => metadata.name).sort()).toEqual(['stuck', 'web'])
    expect((await ask('/metrics')).body).toContain('kubelet_running_containers 1\n')
    expect(JSON.parse((await ask('/stats/summary')).body).pods).toHaveLength(2)
  })

  test.each([
    { path: '/healthz', code: 200 },
    { path: '/pods', code: 401 },
    { path: '/nowhere', code: 401 },
    { path: '/containerLogs/default/web/main', code: 401 },
  ])('anyone who asks for $path is answered $code', async ({ path, code }) => {
    expect((await ask(path, { isAnonymous: true })).code).toBe(code)
  })

  const open = (path: string, identity: object) =>
    new WebSocket(`wss://127.0.0.1:${port}${path}`, ['v5.channel.k8s.io'], { rejectUnauthorized: false, ...identity })

  test('exec streams a command and its exit code', async () => {
    const socket = open('/exec/default/web/main?command=cat&input=1&output=1&error=1', admin)
    const received: Buffer[] = []
    socket.on('message', (data: Buffer) => received.push(data))
    await once(socket, 'open')
    socket.send(Buffer.concat([Buffer.from([0]), Buffer.from('through and through')]))
    socket.send(Buffer.from([255, 0]))
    await once(socket, 'close')
    const channel = (number: number) =>
      Buffer.concat(received.filter((one) => one[0] === number).map((one) => one.subarray(1))).toString()
    expect(channel(1)).toBe('through and through')
    expect(JSON.parse(channel(3))).toMatchObject({ status: 'Success' })
  })

  test('nobody executes without a certificate', async () => {
    const socket = open('/exec/default/web/main?command=env&output=1', {})
    const [error] = (await once(socket, 'error')) as [Error]
    expect(error.message).toContain('401')
  })
})
