import { expect, test } from 'vitest'
import { accessLog } from './access-log.ts'
import type { Exchange } from './exchange.ts'
import { newLogger } from './log.ts'

test('the access log writes what was answered, when it was', () => {
  const lines: string[] = []
  const log = newLogger({ level: 'debug', format: 'json', out: { write: (line) => lines.push(line) }, clock: () => 0 })
  const times = [100, 112.34]
  let end: () => void = () => undefined
  accessLog(
    log,
    () => times.shift()!,
  )({
    method: 'GET',
    target: '/api?x=1',
    protocol: 'h2',
    socket: { remoteAddress: '127.0.0.1' },
    sent: { status: 200, bytes: 5 },
    header: () => 'kubectl',
    onEnd: (listener: () => void) => {
      end = listener
    },
  } as unknown as Exchange)
  expect(lines).toEqual([])
  end()
  expect(JSON.parse(lines[0]!)).toMatchObject({
    msg: 'request',
    method: 'GET',
    target: '/api?x=1',
    status: 200,
    bytes: 5,
    ms: 12.3,
    client: '127.0.0.1',
    agent: 'kubectl',
  })
})
