import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Engine } from './engine.ts'
import { calling, messageOf, statusCodeOf } from './engine.ts'

/**
 * The image of a pod's sandbox: one static program that holds the pod's namespaces open. It is assembled here and imported
 * into the engine, so that no registry is needed. The program blocks SIGINT, SIGTERM and SIGCHLD and waits for them: on
 * SIGCHLD it reaps (it is process 1 of pods that share a PID namespace), on the others it ends with 0.
 */
export const pauseImage = 'keelson/pause:1'

const imageLabel = 'dev.keelson.pause'
const baseAddress = 0x400000n
const headersSize = 64 + 56
/** Bits of SIGINT (2), SIGTERM (15) and SIGCHLD (17). */
const waitedSignals = 0x14002

export type PauseArch = 'amd64' | 'arm64'

const amd64 = () =>
  Buffer.from(
    [
      ['68', '02400100'], // push waitedSignals
      ['31ff', '4889e6', '31d2', '6a08', '415a', '6a0e', '58', '0f05'], // rt_sigprocmask(SIG_BLOCK, rsp, 0, 8)
      ['4889e7', '31f6', '31d2', '6a08', '415a', '6880000000', '58', '0f05'], // wait: rt_sigtimedwait(rsp, 0, 0, 8)
      ['85c0', '78e9'], // negative: wait
      ['83f811', '7516'], // not SIGCHLD: exit
      ['6aff', '5f', '31f6', '6a01', '5a', '4d31d2', '6a3d', '58', '0f05'], // reap: wait4(-1, 0, WNOHANG, 0)
      ['85c0', '7fec'], // reaped one: reap
      ['ebce'], // wait
      ['31ff', '6a3c', '58', '0f05'], // exit(0)
    ]
      .flat()
      .join(''),
    'hex',
  )

const movz = (register: number, value: number) => (0xd2800000 | (value << 5) | register) >>> 0
const svc = 0xd4000001
const stackTo = (register: number) => (0x910003e0 | register) >>> 0

const arm64 = () => {
  const words = [
    movz(0, waitedSignals & 0xffff),
    0xf2a00020, // movk x0, #1, lsl #16
    0xf81f0fe0, // str x0, [sp, #-16]!
    ...[movz(0, 0), stackTo(1), movz(2, 0), movz(3, 8), movz(8, 135), svc], // rt_sigprocmask(SIG_BLOCK, sp, 0, 8)
    ...[stackTo(0), movz(1, 0), movz(2, 0), movz(3, 8), movz(8, 137), svc], // wait: rt_sigtimedwait(sp, 0, 0, 8)
    0x37ffff40, // tbnz w0, #31, wait
    0x7100441f, // cmp w0, #17
    0x54000141, // b.ne exit
    ...[0x92800000, movz(1, 0), movz(2, 1), movz(3, 0), movz(8, 260), svc], // reap: wait4(-1, 0, WNOHANG, 0)
    0xf100001f, // cmp x0, #0
    0x5400000c | ((-7 & 0x7ffff) << 5), // b.gt reap
    (0x14000000 | (-17 & 0x3ffffff)) >>> 0, // b wait
    ...[movz(0, 0), movz(8, 93), svc], // exit: exit(0)
  ]
  const code = Buffer.alloc(words.length * 4)
  for (const [index, word] of words.entries()) code.writeUInt32LE(word >>> 0, index * 4)
  return code
}

const machines = { amd64: { id: 62, code: amd64 }, arm64: { id: 183, code: arm64 } } as const

/** A static ELF executable of one read-execute segment. */
export function pauseProgram(arch: PauseArch): Buffer {
  const { id, code } = machines[arch]
  const text = code()
  const size = BigInt(headersSize + text.length)
  const head = Buffer.alloc(headersSize)
  Buffer.from('7f454c46020101', 'hex').copy(head)
  head.writeUInt16LE(2, 16) // executable
  head.writeUInt16LE(id, 18)
  head.writeUInt32LE(1, 20)
  head.writeBigUInt64LE(baseAddress + BigInt(headersSize), 24) // entry
  head.writeBigUInt64LE(64n, 32) // where the program header is
  head.writeUInt16LE(64, 52)
  head.writeUInt16LE(56, 54)
  head.writeUInt16LE(1, 56)
  head.writeUInt32LE(1, 64) // a segment to load
  head.writeUInt32LE(5, 68) // readable, executable
  head.writeBigUInt64LE(baseAddress, 80)
  head.writeBigUInt64LE(baseAddress, 88)
  head.writeBigUInt64LE(size, 96)
  head.writeBigUInt64LE(size, 104)
  head.writeBigUInt64LE(0x10000n, 112)
  return Buffer.concat([head, text])
}

/** A tar archive of one executable file. */
export function tarOf(name: string, content: Buffer): Buffer {
  const head = Buffer.alloc(512)
  head.write(name, 0)
  head.write('0000755\0', 100)
  head.write('0000000\0', 108)
  head.write('0000000\0', 116)
  head.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124)
  head.write('00000000000\0', 136)
  head.write('        ', 148)
  head.write('0', 156)
  head.write('ustar\0' + '00', 257)
  const checksum = head.reduce((sum, byte) => sum + byte, 0)
  head.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148)
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512)
  return Buffer.concat([head, content, padding, Buffer.alloc(1024)])
}

/** Imports the image unless the engine has it, made of the same bytes. */
export async function ensurePauseImage({ docker }: Engine): Promise<void> {
  const { Arch } = await calling('ask for the engine version', () => docker.version())
  if (Arch !== 'amd64' && Arch !== 'arm64') throw new Error(`no pause program for ${Arch}`)
  const archive = tarOf('pause', pauseProgram(Arch))
  const digest = createHash('sha256').update(archive).digest('hex')
  if ((await digestOfPresent(docker)) === digest) return
  const [repo, tag] = pauseImage.split(':')
  const changes = ['ENTRYPOINT ["/pause"]', `LABEL ${imageLabel}=${digest}`]
  const progress = await calling('import the pause image', () =>
    docker.importImage(Readable.from([archive]), { repo, tag, changes }),
  )
  for await (const _ of progress) {
    // Until the engine has closed the answer the image may not be there.
  }
  if ((await digestOfPresent(docker)) !== digest) throw new Error('the engine did not keep the pause image')
}

async function digestOfPresent(docker: Engine['docker']): Promise<string | undefined> {
  try {
    const { Config } = await docker.getImage(pauseImage).inspect()
    return Config?.Labels?.[imageLabel]
  } catch (error) {
    if (statusCodeOf(error) === 404) return undefined
    throw new Error(`inspect the pause image: ${messageOf(error)}`, { cause: error })
  }
}
