import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage, type RequestOptions } from 'node:http'
import { dirname, join } from 'node:path'
import { defineCase } from '../runner/case.ts'

const needs = ['kubectl'] as const

/** GET without TLS, as one talks to a proxy on one's own machine. */
async function readJson(options: RequestOptions): Promise<{ versions: string[] }> {
  const [answer] = (await once(get({ path: '/api/', agent: false, ...options }), 'response')) as [IncomingMessage]
  return JSON.parse(Buffer.concat(await answer.toArray()).toString())
}

export const cases = [
  defineCase({
    name: 'kubectl proxy: finds a port by itself and forwards to the server',
    stands: 'Kubectl client Proxy server should support proxy with --port 0',
    needs,
    async run(t) {
      const { firstLine } = await t.kubectlUntilEnd(['proxy', '--port=0', '--disable-filter'])
      const port = /^Starting to serve on 127\.0\.0\.1:(\d+)$/.exec(firstLine)?.[1]
      assert.ok(port, firstLine)
      assert.ok((await readJson({ host: '127.0.0.1', port })).versions.includes('v1'))
    },
  }),
  defineCase({
    name: 'kubectl proxy: listens on a socket in the file system',
    stands: 'Kubectl client Proxy server should support --unix-socket=/path',
    needs,
    async run(t) {
      const socketPath = join(dirname(await t.file('any', '')), 'proxy.sock')
      const { firstLine } = await t.kubectlUntilEnd(['proxy', `--unix-socket=${socketPath}`])
      assert.equal(firstLine, `Starting to serve on ${socketPath}`)
      assert.ok((await readJson({ socketPath, host: 'localhost' })).versions.includes('v1'))
    },
  }),
]
