import type { Readable } from 'node:stream'
import type { TerminalSize } from './types.ts'

const maxPendingChars = 1024

/**
 * The sizes a client sends as JSON objects (`{"Width":80,"Height":24}`), one behind the other. `source` is read whether or
 * not anyone asks; only the newest unread size is kept, and what is no size is skipped. Ends when `source` does, at once
 * without a source. For one reader.
 */
export function readTerminalSizes(source: Readable | undefined): AsyncIterable<TerminalSize> {
  let newest: TerminalSize | undefined
  let pending = ''
  let ended = source === undefined
  let wake = Promise.withResolvers<void>()
  source?.on('data', (chunk: Buffer) => {
    const texts = (pending + chunk.toString('latin1')).split('}')
    pending = texts.pop()!.slice(0, maxPendingChars)
    newest = texts.map(parseTerminalSize).findLast((size) => size !== undefined) ?? newest
    wake.resolve()
  })
  const onEnd = () => {
    ended = true
    wake.resolve()
  }
  source?.on('end', onEnd).on('close', onEnd).on('error', onEnd)

  async function* sizes(): AsyncGenerator<TerminalSize, void> {
    while (!ended || newest) {
      const size = newest
      newest = undefined
      if (size) yield size
      else await wake.promise
      wake = Promise.withResolvers<void>()
    }
  }
  return sizes()
}

/** @param text a JSON object without its closing brace */
function parseTerminalSize(text: string): TerminalSize | undefined {
  try {
    const parsed: unknown = JSON.parse(`${text}}`)
    const values = new Map(Object.entries(parsed as object).map(([name, value]) => [name.toLowerCase(), value]))
    const [width, height] = [values.get('width'), values.get('height')]
    return isCells(width) && isCells(height) ? { width, height } : undefined
  } catch {
    return undefined
  }
}

const isCells = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) < 65_536
