/** What etcd's refusals and a lost connection mean to those who use the store. */
import { StorageError, type StorageErrorCode } from '../storage.ts'
import { GrpcError, grpcCode } from './grpc-channel.ts'

export function isGrpcError(error: unknown): error is GrpcError {
  return error instanceof GrpcError
}

/** @see https://github.com/etcd-io/etcd/blob/main/api/v3rpc/rpctypes/error.go for the texts */
const meanings: readonly { code: number; text: string; means: StorageErrorCode }[] = [
  { code: grpcCode.outOfRange, text: 'has been compacted', means: 'Compacted' },
  { code: grpcCode.outOfRange, text: 'future revision', means: 'FutureRevision' },
  { code: grpcCode.resourceExhausted, text: 'database space exceeded', means: 'Full' },
  { code: grpcCode.invalidArgument, text: 'request is too large', means: 'TooLarge' },
  { code: grpcCode.resourceExhausted, text: 'received message larger than max', means: 'TooLarge' },
]

/** Errors that are not gRPC's come back as they are. */
export function storageErrorOf(error: unknown): unknown {
  if (!isGrpcError(error)) return error
  const { code, message } = error
  const known = meanings.find((meaning) => meaning.code === code && message.includes(meaning.text))
  return new StorageError(known?.means ?? unknownMeaning(error), `etcd: ${bare(message)}`, { cause: error })
}

/** What etcd understood and answered with an error was not done; where it took too long or went away, nobody knows. */
function unknownMeaning({ code, isBegun }: GrpcError): StorageErrorCode {
  const isAnswer = code !== grpcCode.unavailable && code !== grpcCode.deadlineExceeded && code !== grpcCode.unknown
  return isBegun && !isAnswer ? 'Timeout' : 'Unreachable'
}

function bare(message: string): string {
  return message.replace(/^etcdserver: /, '')
}
