import { expect, test, vi } from 'vitest'
import { parseRequest } from '#core/server/request-info.ts'
import { queryOf } from '#core/server/request-target.ts'
import { RequestDeadline } from './request-deadline.ts'

const deadline = new RequestDeadline(60_000)

function of(method: string, target: string): number {
  const query = queryOf(target)
  const info = parseRequest(method, target.split('?')[0]!, () => query)
  return deadline.of({ target, query }, info)
}

const pod = '/api/v1/namespaces/a/pods/x'

test.each([
  ['GET', pod, 60_000],
  ['GET', `${pod}?timeout=1s`, 1_000],
  ['GET', `${pod}?timeout=0s`, 60_000],
  ['GET', `${pod}?timeout=-1s`, 60_000],
  ['GET', `${pod}?timeout=1h`, 60_000],
  ['GET', `${pod}?timeout=`, 60_000],
  ['GET', '/api/v1/pods?timeoutSeconds=5', 60_000],
  ['POST', '/api/v1/namespaces/a/pods?timeout=30s', 30_000],
  ['GET', '/api/v1/pods?watch=true&timeout=1s', 0],
  ['GET', `${pod}/log`, 0],
  ['POST', `${pod}/exec`, 0],
  ['GET', '/api/v1/namespaces/a/services/x/proxy/some/where', 0],
  ['GET', '/version', 60_000],
])('%s %s may take %d ms', (method, target, want) => {
  expect(of(method, target)).toBe(want)
})

test('a timeout that is none is refused in Kubernetes’ words', () => {
  const message = 'invalid timeout specified in the request URL - time: invalid duration "soon"'
  expect(() => of('GET', `${pod}?timeout=soon`)).toThrow(message)
})

test('what takes too long fails with 504, and what comes after it is not heard of', async () => {
  vi.useFakeTimers()
  try {
    const { promise, reject } = Promise.withResolvers<void>()
    const bound = deadline.bound(promise, 1_000)
    const failed = expect(bound).rejects.toMatchObject({
      status: {
        code: 504,
        reason: 'Timeout',
        message: 'Timeout: request did not complete within the allotted timeout',
      },
    })
    vi.advanceTimersByTime(1_000)
    await failed
    reject(new Error('too late'))
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})

test('what is done in time leaves no timer, and its failure is its own', async () => {
  vi.useFakeTimers()
  try {
    await deadline.bound(Promise.resolve(), 1_000)
    await expect(deadline.bound(Promise.reject(new Error('its own')), 1_000)).rejects.toThrow('its own')
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})
