import { parentPort } from 'node:worker_threads'
import type { FieldError } from '#apis/meta/v1/field-error.ts'
import { specErrors } from './definition-errors.ts'

/** The thread that judges large definitions: answers one after the other. */

export interface JudgeRequest {
  id: number
  /** JSON of the definition, and of the one before an update. */
  definition: string
  old: string | undefined
}

export interface JudgeReply {
  id: number
  /** Absent when they cannot be told. */
  errors: FieldError[] | undefined
}

parentPort!.on('message', ({ id, definition, old }: JudgeRequest) => {
  const reply: JudgeReply = { id, errors: undefined }
  try {
    reply.errors = specErrors(JSON.parse(definition), old === undefined ? undefined : JSON.parse(old))
  } catch {
    // It is judged again where it is validated, and what goes wrong is told there.
  }
  parentPort!.postMessage(reply)
})
