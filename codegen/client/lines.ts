/**
 * Splits a stream of bytes at newlines. A line that spans chunks is joined once, when its end arrives, so that a long
 * line in many small chunks costs no more than its length. Empty lines are left out; a last line without newline counts.
 */
export async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let open: Buffer[] = []
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const tail = chunk.subarray(start, end)
      const line = open.length > 0 ? Buffer.concat([...open, tail]) : tail
      open = []
      start = end + 1
      if (line.length > 0) yield line
    }
    if (start < chunk.length) open.push(chunk.subarray(start))
  }
  if (open.length > 0) yield Buffer.concat(open)
}
