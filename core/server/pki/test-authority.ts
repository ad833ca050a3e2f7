import {
  type CertificateRequest,
  issueCertificate,
  type KeyAndCertificate,
  newKeyPair,
  privateKeyPem,
} from './certificate.ts'

/** A throw-away certificate authority for tests that meet real TLS. */
export interface TestAuthority {
  caPem: string
  issue(request: Pick<CertificateRequest, 'subject' | 'usage' | 'hosts'> & { notAfter?: Date }): KeyAndCertificate
}

export function newTestAuthority(commonName = 'test-authority'): TestAuthority {
  const issuer = { subject: { commonName }, ...newKeyPair() }
  const hour = 3_600_000
  const notBefore = new Date(Date.now() - 2 * hour)
  const notAfter = new Date(Date.now() + hour)
  const issue: TestAuthority['issue'] = (request) => {
    const { publicKey, privateKey } = newKeyPair()
    const certPem = issueCertificate({ notBefore, notAfter, ...request, publicKey }, issuer)
    return { keyPem: privateKeyPem(privateKey), certPem }
  }
  const own = { subject: issuer.subject, publicKey: issuer.publicKey, usage: 'authority', notBefore, notAfter } as const
  return { caPem: issueCertificate(own, issuer), issue }
}

/** Serving material for `localhost` and the loopback addresses. */
export function testServing(authority: TestAuthority): { cert: string; key: string; ca: string } {
  const subject = { commonName: 'kube-apiserver' }
  const { certPem, keyPem } = authority.issue({ subject, usage: 'server', hosts: ['localhost', '127.0.0.1', '::1'] })
  return { cert: certPem, key: keyPem, ca: authority.caPem }
}
