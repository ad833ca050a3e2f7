import { expect, test } from 'vitest'
import { type LogOptions, newLogger, withKeys } from './log.ts'

const clock = () => Date.UTC(2026, 0, 2, 3, 4, 5, 6)

function capture(options: LogOptions) {
  const lines: string[] = []
  return { lines, log: newLogger({ clock, out: { write: (line) => lines.push(line) }, ...options }) }
}

test('text is one line a message, quoted where it must be', () => {
  const { lines, log } = capture({ format: 'text', level: 'debug' })
  log.info('pod bound', { pod: 'default/web', node: 'a b', count: 3, gone: undefined, list: [1] })
  log.error('bad\nnews', { error: new Error('outer', { cause: new Error('in\u001b[2Jner') }) })
  log.debug('fine')
  expect(lines).toEqual([
    '03:04:05.006 INFO  pod bound pod=default/web node="a b" count=3 list=[1]\n',
    '03:04:05.006 ERROR "bad\\nnews" error="outer: in\\u001b[2Jner"\n',
    '03:04:05.006 DEBUG fine\n',
  ])
})

test('JSON keeps its own keys', () => {
  const { lines, log } = capture({ format: 'json' })
  const circle: Record<string, unknown> = {}
  circle.self = circle
  withKeys(log, { plugin: 'dns' }).warn('slow', { msg: 'x', ['__proto__']: 'p', circle, big: 1n })
  log.debug('not written')
  expect(lines).toEqual([
    '{"ts":"2026-01-02T03:04:05.006Z","level":"warn","msg":"slow","plugin":"dns","msg_":"x","__proto__":"p","circle":"[object Object]","big":"1"}\n',
  ])
})

test('colors are for terminals', () => {
  const terminal = { isTTY: true, lines: [] as string[], write: (line: string) => terminal.lines.push(line) }
  newLogger({ clock, out: terminal, color: true }).info('x')
  newLogger({ clock, out: terminal, color: false }).info('x')
  expect(terminal.lines[0]).toContain('\u001b[32m')
  expect(terminal.lines[1]).toBe('03:04:05.006 INFO  x\n')
})
