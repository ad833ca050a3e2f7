import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import * as der from './der.ts'

/**
 * X.509 v3 certificates with ECDSA P-256 keys: what a cluster's authority issues, and no more.
 * @see https://www.rfc-editor.org/rfc/rfc5280
 */
export interface KeyAndCertificate {
  keyPem: string
  certPem: string
}

export interface Subject {
  commonName: string
  organizations?: readonly string[]
}

export interface CertificateRequest {
  subject: Subject
  /** The key the certificate is for. */
  publicKey: KeyObject
  usage: 'authority' | 'server' | 'client'
  /** DNS names and IP addresses. */
  hosts?: readonly string[]
  notBefore: Date
  notAfter: Date
}

export interface Issuer {
  subject: Subject
  publicKey: KeyObject
  privateKey: KeyObject
}

const oid = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const

/** Positions in KeyUsage. */
const keyUsage = { digitalSignature: 0, keyCertSign: 5, crlSign: 6 } as const
/** Choices of GeneralName. */
const generalName = { dns: 2, ip: 7 } as const

/** @returns the certificate as PEM */
export function issueCertificate(request: CertificateRequest, issuer: Issuer): string {
  const algorithm = der.sequence(der.objectIdentifier(oid.ecdsaWithSha256))
  const body = der.sequence(
    der.explicit(0, der.unsignedInteger(Buffer.from([2]))),
    der.unsignedInteger(serialNumber()),
    algorithm,
    name(issuer.subject),
    der.sequence(der.time(request.notBefore), der.time(request.notAfter)),
    name(request.subject),
    publicKeyInfo(request.publicKey),
    der.explicit(3, der.sequence(...extensions(request, issuer))),
  )
  const signature = sign('sha256', body, issuer.privateKey)
  return pem('CERTIFICATE', der.sequence(body, algorithm, der.bitString(signature)))
}

export function newKeyPair(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

export function privateKeyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/** 127 random bits, positive and never zero. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return bytes
}

function name({ commonName, organizations = [] }: Subject): Buffer {
  const attribute = (type: string, value: string) =>
    der.set(der.sequence(der.objectIdentifier(type), der.utf8String(value)))
  return der.sequence(
    ...organizations.map((organization) => attribute(oid.organization, organization)),
    attribute(oid.commonName, commonName),
  )
}

const publicKeyInfo = (key: KeyObject) => key.export({ type: 'spki', format: 'der' })

const keyIdentifier = (key: KeyObject) => createHash('sha1').update(publicKeyInfo(key)).digest()

function extensions(request: CertificateRequest, issuer: Issuer): Buffer[] {
  const isAuthority = request.usage === 'authority'
  const usages = isAuthority
    ? [keyUsage.digitalSignature, keyUsage.keyCertSign, keyUsage.crlSign]
    : [keyUsage.digitalSignature]
  const list = [
    extension(oid.keyUsage, der.namedBits(usages), 'critical'),
    extension(oid.basicConstraints, der.sequence(...(isAuthority ? [der.boolean(true)] : [])), 'critical'),
    extension(oid.subjectKeyIdentifier, der.octetString(keyIdentifier(request.publicKey))),
    extension(oid.authorityKeyIdentifier, der.sequence(der.implicit(0, keyIdentifier(issuer.publicKey)))),
  ]
  if (!isAuthority) {
    const purpose = request.usage === 'server' ? oid.serverAuth : oid.clientAuth
    list.push(extension(oid.extendedKeyUsage, der.sequence(der.objectIdentifier(purpose))))
  }
  if (request.hosts?.length) {
    list.push(extension(oid.subjectAltName, der.sequence(...request.hosts.map(alternativeName))))
  }
  return list
}

function extension(type: string, value: Buffer, critical?: 'critical'): Buffer {
  const flag = critical ? [der.boolean(true)] : []
  return der.sequence(der.objectIdentifier(type), ...flag, der.octetString(value))
}

function alternativeName(host: string): Buffer {
  return isAddress(host)
    ? der.implicit(generalName.ip, ipBytes(host))
    : der.implicit(generalName.dns, Buffer.from(host, 'latin1'))
}

/** Tells addresses from names without node's `isIP`, whose expression for IPv6 takes 8 ms to compile. */
export const isAddress = (host: string) => host.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(host)

/** The 4 or 16 bytes of a well-formed address. */
export function ipBytes(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number))
  const [withoutZone = ''] = address.split('%')
  const [left = '', right] = withoutZone.split('::')
  const head = groups(left)
  const tail = right === undefined ? [] : groups(right)
  const zeros = new Array<number>(16 - head.length - tail.length).fill(0)
  return Buffer.from([...head, ...zeros, ...tail])
}

function groups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}
