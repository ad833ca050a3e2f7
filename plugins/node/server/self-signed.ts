import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { isIPv4 } from 'node:net'

/**
 * A self-signed server certificate (ECDSA P-256, X.509 v3) in PEM. Clients that check it must be told to trust it.
 * @see https://www.rfc-editor.org/rfc/rfc5280
 */
export function selfSignedCertificate(
  names: readonly string[],
  nowMs: number,
  days = 365,
): { cert: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const subject = sequence(set(sequence(oid.commonName, utf8(names[0] ?? 'kubelet'))))
  const validity = sequence(time(nowMs - 3_600_000), time(nowMs + days * 86_400_000))
  const toBeSigned = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    sequence(oid.ecdsaWithSha256),
    subject,
    validity,
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(serverUse, alternativeNames(names))),
  )
  const signature = sign('sha256', toBeSigned, privateKey)
  const certificate = sequence(toBeSigned, sequence(oid.ecdsaWithSha256), bitString(signature))
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  return { cert: pem('CERTIFICATE', certificate), key }
}

function tagged(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const sequence = (...parts: readonly Uint8Array[]) => tagged(0x30, ...parts)
const set = (...parts: readonly Uint8Array[]) => tagged(0x31, ...parts)
const integer = (bytes: Uint8Array) => tagged(0x02, bytes)
const utf8 = (text: string) => tagged(0x0c, Buffer.from(text))
const octets = (bytes: Uint8Array) => tagged(0x04, bytes)
const bitString = (bytes: Uint8Array) => tagged(0x03, Buffer.from([0]), bytes)
const identifier = (hex: string) => tagged(0x06, Buffer.from(hex, 'hex'))

/** UTCTime, which is right until 2049. */
const time = (ms: number) =>
  tagged(0x17, Buffer.from(`${new Date(ms).toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`))

const oid = {
  commonName: identifier('550403'),
  ecdsaWithSha256: identifier('2a8648ce3d040302'),
  extendedKeyUsage: identifier('551d25'),
  subjectAlternativeName: identifier('551d11'),
  serverAuthentication: identifier('2b06010505070301'),
}

const serverUse = sequence(oid.extendedKeyUsage, octets(sequence(oid.serverAuthentication)))

function alternativeNames(names: readonly string[]): Buffer {
  const entries = names.map((name) =>
    isIPv4(name) ? tagged(0x87, Buffer.from(name.split('.').map(Number))) : tagged(0x82, Buffer.from(name)),
  )
  return sequence(oid.subjectAlternativeName, octets(sequence(...entries)))
}

function pem(title: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${title}-----`, ...lines, `-----END ${title}-----`, ''].join('\n')
}
