/** Bytes that a base64 text stands for, without decoding it. */
export function decodedLength(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0
  return Math.floor((base64.length * 3) / 4) - padding
}

export function encodeText(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64')
}

export function decodeText(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8')
}
