import { createPrivateKey, X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { selfSignedCertificate } from './self-signed.ts'

test('a certificate names its hosts, is valid now and signed by its own key', () => {
  const now = Date.parse('2026-05-05T12:00:00Z')
  const { cert, key } = selfSignedCertificate(['node-a', 'localhost', '127.0.0.1'], now)
  const certificate = new X509Certificate(cert)
  expect(certificate.subject).toBe('CN=node-a')
  expect(certificate.subjectAltName).toBe('DNS:node-a, DNS:localhost, IP Address:127.0.0.1')
  expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true)
  expect(certificate.verify(certificate.publicKey)).toBe(true)
  expect(Date.parse(certificate.validFrom)).toBe(now - 3_600_000)
  expect(Date.parse(certificate.validTo)).toBe(now + 365 * 86_400_000)
})
