import type { IncomingMessage } from 'node:http'

export class AnswerTooLarge extends Error {}

/** The body that another server answers with. @throws AnswerTooLarge, or what cut it off */
export async function readText(answer: IncomingMessage, limitBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer) {
    bytes += (chunk as Buffer).length
    if (bytes > limitBytes) throw new AnswerTooLarge(`the answer is larger than ${limitBytes} bytes`)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString()
}
