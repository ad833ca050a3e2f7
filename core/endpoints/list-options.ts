import { newBadRequest } from '#core/errors/status-error.ts'

/** The parameters of lists and watches that are numbers. @see https://kubernetes.io/docs/reference/kubernetes-api/common-parameters/common-parameters/ */
const defaultTimeoutSeconds = 30 * 60

/** @returns 0 for absent @throws StatusError BadRequest */
export function parseRevision(text: string): number {
  if (text === '') return 0
  const revision = Number(text)
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(revision)) {
    throw newBadRequest(
      `Invalid value: ${JSON.stringify(text)}: resourceVersion must be a number that a server has given out`,
    )
  }
  return revision
}

/** @returns 0 for no limit @throws StatusError BadRequest */
export function parseLimit(text: string | null): number {
  if (text === null || text === '') return 0
  const limit = Number(text)
  if (!/^-?\d{1,16}$/.test(text)) throw newBadRequest(`limit must be a whole number, not ${JSON.stringify(text)}`)
  return Math.max(0, limit)
}

/** How long a watch may last. @returns milliseconds @throws StatusError BadRequest */
export function parseTimeout(text: string | null): number {
  if (text === null || text === '') return defaultTimeoutSeconds * (1 + Math.random()) * 1000
  const seconds = Number(text)
  if (!/^\d{1,9}$/.test(text))
    throw newBadRequest(`timeoutSeconds must be a whole number of seconds, not ${JSON.stringify(text)}`)
  return Math.min(seconds === 0 ? defaultTimeoutSeconds : seconds, 24 * 3600) * 1000
}
