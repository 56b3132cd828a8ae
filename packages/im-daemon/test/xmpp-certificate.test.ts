import { createPrivateKey, X509Certificate } from 'node:crypto'

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { makeSelfSignedCertificate } from '../src/xmpp/self-signed-certificate.ts'
import { countingRandom } from './scripts/fixtures.ts'

const now = Date.UTC(2026, 10, 23) / 1000

describe('the certificate for clients', () => {
  const { keyPem, certificatePem } = makeSelfSignedCertificate(countingRandom(), now)
  const certificate = new X509Certificate(certificatePem)

  test('is for this computer and nothing else', () => {
    expect(certificate.subject).toBe('CN=localhost')
    expect(certificate.issuer).toBe('CN=localhost')
    expect(certificate.subjectAltName).toBe(
      'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1'
    )
    expect(certificate.checkHost('localhost')).toBe('localhost')
    expect(certificate.checkIP('::1')).toBe('::1')
    expect(certificate.checkHost('example.org')).toBeUndefined()
  })

  test('is signed with its own key and can vouch for no other', () => {
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect(certificate.checkPrivateKey(createPrivateKey(keyPem))).toBe(true)
    expect(certificate.ca).toBe(false)
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect(certificate.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' })
  })

  test('is valid for ten years', () => {
    expect(certificate.validFromDate.getTime() / 1000).toBe(now - 86_400)
    expect(certificate.validToDate.getTime() / 1000).toBe(now - 86_400 + 3_650 * 86_400)
  })

  test('parses for every serial number and on both sides of the year 2050', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.constantFrom(now, Date.UTC(2045, 0, 1) / 1000, Date.UTC(2060, 5, 1) / 1000),
        (bytes, at) => {
          const made = makeSelfSignedCertificate({ bytes: () => bytes.slice() }, at)
          const parsed = new X509Certificate(made.certificatePem)
          expect(parsed.serialNumber).toHaveLength(32)
          expect(parsed.verify(parsed.publicKey)).toBe(true)
          expect(parsed.validFromDate.getTime() / 1000).toBe(at - 86_400)
          expect(parsed.validToDate.getTime() / 1000).toBe(at - 86_400 + 3_650 * 86_400)
        }
      ),
      { numRuns: 30 }
    )
  })
})
