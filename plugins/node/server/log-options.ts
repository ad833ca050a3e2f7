import type { LogOptions } from '@keelson/apis/plugin/v1/cri.ts'
import { isAsked } from '@keelson/kit/streaming/index.ts'
import { RequestError } from './kubelet-server.ts'

export interface LogRequest {
  options: LogOptions
  /** Infinity: all. */
  limitBytes: number
  isPrevious: boolean
}

/** @param nowMs what `sinceSeconds` counts back from. @throws RequestError 400 on a value that is none */
export function logOptions(query: URLSearchParams, nowMs = Date.now()): LogRequest {
  const isTrue = (name: string) => isAsked(query, name)
  const tailLines = count(query, 'tailLines')
  const sinceMs = since(query, nowMs)
  return {
    options: {
      follow: isTrue('follow'),
      timestamps: isTrue('timestamps'),
      ...(tailLines !== undefined && { tailLines }),
      ...(sinceMs !== undefined && { sinceMs }),
    },
    limitBytes: count(query, 'limitBytes') ?? Number.POSITIVE_INFINITY,
    isPrevious: isTrue('previous'),
  }
}

function count(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (!text) return undefined
  if (!/^\d{1,15}$/.test(text)) throw new RequestError(400, `invalid ${name}: ${JSON.stringify(text)}`)
  return Number(text)
}

function since(query: URLSearchParams, nowMs: number): number | undefined {
  const seconds = count(query, 'sinceSeconds')
  if (seconds !== undefined) return nowMs - seconds * 1000
  const text = query.get('sinceTime')
  if (!text) return undefined
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) throw new RequestError(400, `invalid sinceTime: ${JSON.stringify(text)}`)
  return ms
}
