/**
 * Calls to an etcd cluster of which any member may be down. A call is made again, to another member, only where that cannot
 * do it twice: reads always, writes when it is certain that no member has begun to act on them.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '#apis/plugin/v1/host.ts'
import { StorageError } from '../storage.ts'
import {
  GrpcChannel,
  type GrpcError,
  type GrpcStream,
  grpcCode,
  type StreamSink,
  type TlsFiles,
} from './grpc-channel.ts'
import { isGrpcError, storageErrorOf } from './grpc-errors.ts'

export interface EtcdClientOptions {
  /** `http://host:port` or `https://host:port`, at least one. */
  endpoints: readonly string[]
  tls?: TlsFiles
  /** How long a call is tried, elections included, before it fails. */
  timeoutMs?: number
  log?: Logger
}

const defaultTimeoutMs = 5_000
const connectTimeoutMs = 2_000
/** A member that does not answer a read for so long is left for another one. */
const readAttemptMs = 2_000
const firstPauseMs = 10
const longestPauseMs = 250

export class EtcdClient {
  readonly timeoutMs: number
  readonly #endpoints: readonly string[]
  readonly #tls: TlsFiles
  readonly #calls: Connector
  readonly #streams: Connector
  #isClosed = false

  constructor({ endpoints, tls = {}, timeoutMs = defaultTimeoutMs, log }: EtcdClientOptions) {
    this.timeoutMs = timeoutMs
    this.#endpoints = endpoints
    this.#tls = tls
    this.#calls = new Connector(endpoints, tls, log)
    // A connection of their own: a large answer does not hold up events.
    this.#streams = new Connector(endpoints, tls, log)
  }

  /** A call that may well be made twice. @throws StorageError */
  call(path: string, message: Buffer): Promise<Buffer> {
    return this.#repeat(path, message, true)
  }

  /** @throws StorageError `Timeout` when nobody knows whether it was done, `Unreachable` when it was not */
  callOnce(path: string, message: Buffer): Promise<Buffer> {
    return this.#repeat(path, message, false)
  }

  /** @throws StorageError when no member can be connected to */
  async stream(path: string, sink: StreamSink): Promise<GrpcStream> {
    try {
      const channel = await this.#streams.channel()
      return channel.stream(path, {
        onMessages: (messages) => sink.onMessages(messages),
        onEnd: (error) => {
          this.#streams.leave(channel)
          sink.onEnd(error)
        },
      })
    } catch (error) {
      throw storageErrorOf(error)
    }
  }

  /** The same call to every member. @returns an answer for each, undefined of those that do not give one */
  callEach(path: string, message: Buffer): Promise<(Buffer | undefined)[]> {
    return Promise.all(this.#endpoints.map((endpoint) => this.#callMember(endpoint, path, message)))
  }

  async #callMember(endpoint: string, path: string, message: Buffer): Promise<Buffer | undefined> {
    try {
      const channel = await GrpcChannel.connect(endpoint, this.#tls, connectTimeoutMs)
      try {
        return await channel.call(path, message, connectTimeoutMs)
      } finally {
        channel.close()
      }
    } catch {
      return undefined
    }
  }

  close(): void {
    this.#isClosed = true
    this.#calls.close()
    this.#streams.close()
  }

  async #repeat(path: string, message: Buffer, isRepeatable: boolean): Promise<Buffer> {
    const deadline = performance.now() + this.timeoutMs
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      if (this.#isClosed) throw new StorageError('Closed', 'the store is closed')
      try {
        const leftMs = Math.max(1, deadline - performance.now())
        return await this.#attempt(path, message, isRepeatable ? Math.min(leftMs, readAttemptMs) : leftMs)
      } catch (error) {
        const isLate = performance.now() + pauseMs >= deadline
        if (!isGrpcError(error) || isLate || !mayRepeat(error, isRepeatable)) throw storageErrorOf(error)
      }
      await sleep(pauseMs)
    }
  }

  async #attempt(path: string, message: Buffer, timeoutMs: number): Promise<Buffer> {
    const channel = await this.#calls.channel()
    try {
      return await channel.call(path, message, timeoutMs)
    } catch (error) {
      if (isGrpcError(error) && isOfMember(error)) this.#calls.leave(channel)
      throw error
    }
  }
}

function mayRepeat(error: GrpcError, isRepeatable: boolean): boolean {
  return !error.isBegun || (isRepeatable && isOfMember(error))
}

/** Whether another member may do better. */
function isOfMember({ code, isBegun }: GrpcError): boolean {
  return !isBegun || code === grpcCode.unavailable || code === grpcCode.deadlineExceeded
}

/** Keeps one connection to one member at a time, and goes on to the next member when that one fails. */
class Connector {
  readonly #endpoints: readonly string[]
  readonly #tls: TlsFiles
  readonly #log: Logger | undefined
  #at = 0
  #channel: GrpcChannel | undefined
  #connecting: Promise<GrpcChannel> | undefined
  #isClosed = false

  constructor(endpoints: readonly string[], tls: TlsFiles, log: Logger | undefined) {
    this.#endpoints = endpoints
    this.#tls = tls
    this.#log = log
  }

  /** @throws GrpcError of the last member when none answers */
  channel(): GrpcChannel | Promise<GrpcChannel> {
    if (this.#channel && !this.#channel.isClosed) return this.#channel
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  /** Asks the next member from now on. Calls under way on the old connection may end. */
  leave(channel: GrpcChannel): void {
    channel.close()
    if (this.#channel !== channel) return
    this.#channel = undefined
    this.#at++
  }

  close(): void {
    this.#isClosed = true
    this.#channel?.destroy()
  }

  async #connect(): Promise<GrpcChannel> {
    let failure: unknown
    for (let tried = 0; tried < this.#endpoints.length; tried++) {
      const endpoint = this.#endpoints[this.#at % this.#endpoints.length]!
      try {
        const channel = await GrpcChannel.connect(endpoint, this.#tls, connectTimeoutMs)
        this.#log?.debug('connected to etcd', { endpoint })
        this.#channel = channel
        if (this.#isClosed) channel.destroy()
        return channel
      } catch (error) {
        failure = error
        this.#at++
      }
    }
    throw failure
  }
}
