import { parentPort } from 'node:worker_threads'
import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { type Judgement, judge } from './judged-specs.ts'

/** The thread that judges large definitions: answers one after the other. */

export interface JudgeRequest {
  id: number
  /** JSON of the definition. */
  definition: string
  /** Canonical bytes of the one before an update. */
  old: Uint8Array<ArrayBuffer> | undefined
}

export interface JudgeReply {
  id: number
  /** Absent when it cannot be told. */
  judgement: Judgement | undefined
}

function judgementOf({ definition, old }: JudgeRequest): Judgement | undefined {
  try {
    const before = old && reviveObject(Buffer.from(old.buffer))
    return judge(JSON.parse(definition), before as unknown as CustomResourceDefinition | undefined)
  } catch {
    // It is judged again where it is validated, and what goes wrong is told there.
    return undefined
  }
}

parentPort!.on('message', (request: JudgeRequest) => {
  parentPort!.postMessage({ id: request.id, judgement: judgementOf(request) } satisfies JudgeReply)
})
