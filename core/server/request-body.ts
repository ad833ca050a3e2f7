import type { Readable } from 'node:stream'
import { newBadRequest, newRequestEntityTooLarge, newTimeout } from '#core/errors/status-error.ts'

export interface BodyLimits {
  limitBytes: number
  /** Milliseconds the client has to send all of it. */
  timeoutMs: number
  /** The `content-length` header as sent. The protocol's parser checks that it is true. */
  declared: string | undefined
}

/** True when there is no need to read the body to know that it is too large. */
export function isDeclaredTooLarge({ declared, limitBytes }: Pick<BodyLimits, 'declared' | 'limitBytes'>): boolean {
  return declared !== undefined && Number(declared) > limitBytes
}

const empty = Buffer.alloc(0)

/**
 * Collects a request's body. Past the limit or the time the rest is thrown away as it comes, so that the answer still reaches the client.
 * @throws StatusError `RequestEntityTooLarge`, `Timeout`, or `BadRequest` when the client goes before the end
 */
export function readBody(source: Readable, limits: BodyLimits): Promise<Buffer> {
  const { limitBytes, timeoutMs } = limits
  if (isDeclaredTooLarge(limits)) {
    source.resume()
    return Promise.reject(newRequestEntityTooLarge(`limit is ${limitBytes}`))
  }
  if (source.readableEnded) return Promise.resolve(empty)
  if (source.destroyed) return Promise.reject(newBadRequest('the request body was cut short'))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    // The listeners stay when it is over, which is cheaper than to take them off: what they hear then means nothing.
    let isOver = false
    const timer = setTimeout(() => fail(newTimeout('the request body did not arrive in time')), timeoutMs)

    const fail = (error: Error) => {
      end()
      chunks.length = 0
      reject(error)
    }
    const end = () => {
      isOver = true
      clearTimeout(timer)
    }
    const onData = (chunk: Buffer) => {
      if (isOver) return
      size += chunk.length
      if (size > limitBytes) fail(newRequestEntityTooLarge(`limit is ${limitBytes}`))
      else chunks.push(chunk)
    }
    const onEnd = () => {
      if (isOver) return
      end()
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size))
    }
    const onCut = () => {
      if (!isOver) fail(newBadRequest('the request body was cut short'))
    }
    // An HTTP/2 stream that its client resets ends as if it were whole; only `aborted`, which comes first, tells.
    source.on('data', onData).on('end', onEnd).on('aborted', onCut).on('close', onCut).on('error', onCut)
  })
}
