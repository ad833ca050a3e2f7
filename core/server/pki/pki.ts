import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { readIfThere, writePrivateFile } from '../private-file.ts'
import {
  type CertificateRequest,
  type Issuer,
  isAddress,
  issueCertificate,
  type KeyAndCertificate,
  newKeyPair,
  privateKeyPem,
} from './certificate.ts'

/**
 * The keys and certificates a cluster stands on, kept in `<directory>/pki` under the names that kubeadm uses.
 * Whatever is missing is made; certificates are renewed when less than a third of their life is left.
 */
export interface Pki {
  ca: KeyAndCertificate
  /** Of the API server, for every name and address it is known by. */
  serving: KeyAndCertificate
  /** kubernetes-admin of system:masters: may do anything. */
  admin: KeyAndCertificate
  /** What the API server shows to kubelets. */
  kubeletClient: KeyAndCertificate
  /**
   * How this server shows aggregated API servers whom it speaks for. An authority of its own: those servers believe what a
   * holder of its certificates says about users.
   */
  frontProxy: { ca: KeyAndCertificate; client: KeyAndCertificate }
  /** Signs the tokens of service accounts. */
  serviceAccountKey: { privatePem: string; publicPem: string }
  /** A fresh client certificate, not kept, such as a joining node's. */
  issueClient(commonName: string, organizations: readonly string[]): KeyAndCertificate
  /** A fresh client certificate for a node's agent. */
  issueNodeClient(nodeName: string): KeyAndCertificate
}

export interface PkiOptions {
  /** The data directory. */
  directory: string
  /** Names and addresses clients use besides the usual ones: the bind address, public names. */
  hosts?: readonly string[]
  /** Milliseconds since the epoch. */
  clock?: () => number
}

const day = 86_400_000
const authorityLifeMs = 3650 * day
const leafLifeMs = 365 * day
/** Clocks of a cluster's machines differ a little. */
const backdateMs = 300_000

const authorities = { ca: { commonName: 'kubernetes' }, 'front-proxy-ca': { commonName: 'front-proxy-ca' } }
type AuthorityName = keyof typeof authorities
/** The only name aggregated API servers accept. */
export const frontProxyName = 'front-proxy-client'
const kubernetesNames = [
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
]
const usualHosts = ['localhost', '127.0.0.1', '::1', ...kubernetesNames, '10.96.0.1']

/** @throws Error that names the file when one is damaged or half a pair is missing */
export async function loadOrCreatePki({ directory, hosts = [], clock = Date.now }: PkiOptions): Promise<Pki> {
  const folder = join(directory, 'pki')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const store = new PkiFolder(folder, clock())
  const [authority, proxyAuthority] = await Promise.all([store.authority('ca'), store.authority('front-proxy-ca')])
  const names = [...new Set([...usualHosts, hostname(), ...hosts.filter(isCertifiable)])]
  const [serving, admin, kubeletClient, proxyClient, serviceAccountKey] = await Promise.all([
    store.leaf('apiserver', authority, {
      subject: { commonName: 'kube-apiserver' },
      usage: 'server',
      hosts: names,
    }),
    store.leaf('admin', authority, {
      subject: { commonName: 'kubernetes-admin', organizations: ['system:masters'] },
      usage: 'client',
    }),
    store.leaf('apiserver-kubelet-client', authority, {
      subject: { commonName: 'kube-apiserver-kubelet-client', organizations: ['system:masters'] },
      usage: 'client',
    }),
    store.leaf('front-proxy-client', proxyAuthority, { subject: { commonName: frontProxyName }, usage: 'client' }),
    store.signingKey('sa'),
    authority.stored,
    proxyAuthority.stored,
  ])
  const issueClient = (commonName: string, organizations: readonly string[]) =>
    newLeaf({ subject: { commonName, organizations }, usage: 'client' }, authority.issuer, clock())
  return {
    ca: authority.pair,
    serving,
    admin,
    kubeletClient,
    frontProxy: { ca: proxyAuthority.pair, client: proxyClient },
    serviceAccountKey,
    issueClient,
    issueNodeClient: (nodeName) => issueClient(`system:node:${nodeName}`, ['system:nodes']),
  }
}

/** "All addresses" is nobody's name. */
const isCertifiable = (host: string) => host !== '' && host !== '0.0.0.0' && host !== '::'

type LeafRequest = Pick<CertificateRequest, 'subject' | 'usage' | 'hosts'>

interface Authority {
  pair: KeyAndCertificate
  issuer: Issuer
  /** Both files are written; the leaves need not wait for it. */
  stored: Promise<void>
}

function newLeaf(request: LeafRequest, issuer: Issuer, now: number): KeyAndCertificate {
  const { publicKey, privateKey } = newKeyPair()
  const certPem = issueCertificate({ ...request, publicKey, ...validity(now, leafLifeMs) }, issuer)
  return { keyPem: privateKeyPem(privateKey), certPem }
}

const validity = (now: number, lifeMs: number) => ({
  notBefore: new Date(now - backdateMs),
  notAfter: new Date(now + lifeMs),
})

function newAuthorityCertificate(issuer: Issuer, now: number): string {
  const { subject, publicKey } = issuer
  return issueCertificate({ subject, publicKey, usage: 'authority', ...validity(now, authorityLifeMs) }, issuer)
}

/** True until two thirds of the life have passed. */
function isFresh(certificate: X509Certificate, now: number): boolean {
  const start = certificate.validFromDate.getTime()
  const end = certificate.validToDate.getTime()
  return now >= start && end - now > (end - start) / 3
}

class PkiFolder {
  readonly #directory: string
  readonly #now: number

  constructor(directory: string, now: number) {
    this.#directory = directory
    this.#now = now
  }

  /** A renewed authority keeps its key, so everything it issued stays valid. */
  async authority(name: AuthorityName): Promise<Authority> {
    const [keyPem, certPem] = await Promise.all([this.#read(`${name}.key`), this.#read(`${name}.crt`)])
    if (certPem !== undefined && keyPem === undefined) {
      throw new Error(
        `${this.#file(`${name}.key`)} is missing: restore it, or remove the folder to begin a new authority`,
      )
    }
    const privateKey = keyPem === undefined ? newKeyPair().privateKey : this.#parseKey(`${name}.key`, keyPem)
    const issuer = { subject: authorities[name], privateKey, publicKey: createPublicKey(privateKey) }
    const old = certPem === undefined ? undefined : this.#parseCertificate(`${name}.crt`, certPem)
    if (old && !old.checkPrivateKey(privateKey)) {
      throw new Error(`${this.#file(`${name}.crt`)} is not the certificate of ${name}.key`)
    }
    const pair = {
      keyPem: keyPem ?? privateKeyPem(privateKey),
      certPem: old && certPem && isFresh(old, this.#now) ? certPem : newAuthorityCertificate(issuer, this.#now),
    }
    return { pair, issuer, stored: this.#storeAuthority(name, pair, { keyPem, certPem }) }
  }

  /** The key first: a certificate can be made again from it, not the other way round. */
  async #storeAuthority(name: AuthorityName, pair: KeyAndCertificate, old: Partial<KeyAndCertificate>): Promise<void> {
    if (pair.keyPem !== old.keyPem) await this.#write(`${name}.key`, pair.keyPem)
    if (pair.certPem !== old.certPem) await this.#write(`${name}.crt`, pair.certPem)
  }

  async leaf(name: string, { issuer }: Authority, request: LeafRequest): Promise<KeyAndCertificate> {
    const [keyPem, certPem] = await Promise.all([this.#read(`${name}.key`), this.#read(`${name}.crt`)])
    if (keyPem !== undefined && certPem !== undefined) {
      const key = this.#parseKey(`${name}.key`, keyPem)
      const certificate = this.#parseCertificate(`${name}.crt`, certPem)
      if (isUsable(certificate, key, issuer, request.hosts ?? [], this.#now)) return { keyPem, certPem }
    }
    const pair = newLeaf(request, issuer, this.#now)
    await Promise.all([this.#write(`${name}.key`, pair.keyPem), this.#write(`${name}.crt`, pair.certPem)])
    return pair
  }

  async signingKey(name: string): Promise<{ privatePem: string; publicPem: string }> {
    const stored = await this.#read(`${name}.key`)
    const key = stored === undefined ? newKeyPair().privateKey : this.#parseKey(`${name}.key`, stored)
    const privatePem = stored ?? privateKeyPem(key)
    const publicPem = createPublicKey(key).export({ type: 'spki', format: 'pem' }) as string
    if (stored === undefined) {
      await Promise.all([this.#write(`${name}.key`, privatePem), this.#write(`${name}.pub`, publicPem)])
    }
    return { privatePem, publicPem }
  }

  #file(name: string): string {
    return join(this.#directory, name)
  }

  #read(name: string): Promise<string | undefined> {
    return readIfThere(this.#file(name))
  }

  #write(name: string, text: string): Promise<void> {
    return writePrivateFile(this.#file(name), text)
  }

  #parseKey(name: string, pem: string): KeyObject {
    try {
      return createPrivateKey(pem)
    } catch (cause) {
      throw new Error(`${this.#file(name)} is damaged: it holds no private key in PEM`, { cause })
    }
  }

  #parseCertificate(name: string, pem: string): X509Certificate {
    try {
      return new X509Certificate(pem)
    } catch (cause) {
      throw new Error(`${this.#file(name)} is damaged: it holds no certificate in PEM`, { cause })
    }
  }
}

/** A pair torn by a crash, an older authority's, an old one, or one that lacks a name is issued again. */
function isUsable(
  certificate: X509Certificate,
  key: KeyObject,
  issuer: Issuer,
  hosts: readonly string[],
  now: number,
): boolean {
  return (
    certificate.checkPrivateKey(key) &&
    certificate.verify(issuer.publicKey) &&
    isFresh(certificate, now) &&
    hosts.every((host) => (isAddress(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined)
  )
}
