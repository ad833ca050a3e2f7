import { expect, test } from 'vitest'
import { parseRequest } from '#core/server/request-info.ts'
import { queryOf } from '#core/server/request-target.ts'
import { MaxInFlight } from './max-in-flight.ts'
import { fakeExchange } from './testing/fake-exchange.ts'

const jane = { username: 'jane', groups: ['system:authenticated'] }
const admin = { username: 'admin', groups: ['system:masters'] }

function ask(gate: MaxInFlight, line: string, user = jane) {
  const [method = '', target = ''] = line.split(' ')
  const fake = fakeExchange(target)
  const info = parseRequest(method, target.split('?')[0]!, () => queryOf(target))
  return { fake, admitted: gate.admit(fake.exchange, info, user) }
}

test('reads and writes are counted apart, and what is too much is told to come again', () => {
  const gate = new MaxInFlight({ reads: 1, writes: 1 })
  const read = ask(gate, 'GET /api/v1/pods')
  expect(ask(gate, 'POST /api/v1/namespaces/a/pods').admitted).toBeDefined()
  const { fake, admitted } = ask(gate, 'GET /version')
  expect(admitted).toBeUndefined()
  expect(fake.answer).toEqual({
    status: 429,
    contentType: 'text/plain; charset=utf-8',
    body: 'Too many requests, please try again later.\n',
  })
  expect(fake.headers.get('retry-after')).toBe('1')
  read.admitted!.leave()
  expect(ask(gate, 'GET /version').admitted).toBeDefined()
})

test.each([
  { name: 'watches', line: 'GET /api/v1/pods?watch=true', user: jane },
  { name: 'administrators', line: 'GET /api/v1/pods', user: admin },
])('$name are never refused', ({ line, user }) => {
  const gate = new MaxInFlight({ reads: 1, writes: 1 })
  ask(gate, 'GET /api/v1/pods')
  expect(ask(gate, line, user).admitted).toBeDefined()
  expect(ask(gate, line, user).admitted).toBeDefined()
})

test('a limit of 0 is none', () => {
  const gate = new MaxInFlight({ reads: 0, writes: 0 })
  for (let count = 0; count < 100; count++) expect(ask(gate, 'GET /version').admitted).toBeDefined()
})
