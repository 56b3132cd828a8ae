import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { readFileSync } from 'node:fs'

import { isHushlampError, textOf, utf8 } from '@hushlamp/shared'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  decoyCredentials,
  deriveCredentials,
  passwordMatches,
  scramSecrets
} from '../src/xmpp/sasl/credentials.ts'
import { plain } from '../src/xmpp/sasl/plain.ts'
import type { SaslComponents, SaslMechanism, SaslReply } from '../src/xmpp/sasl/sasl-exchange.ts'
import { saslPrep } from '../src/xmpp/sasl/saslprep.ts'
import { scramMechanism, scramSha1, scramSha256 } from '../src/xmpp/sasl/scram.ts'
import { countingRandom, testCredentials } from './scripts/fixtures.ts'

const decoyKey = new Uint8Array(32)

/** A published exchange. */
interface Vector {
  readonly title: string
  readonly hash: string
  readonly password: string
  readonly salt: string
  readonly iterations: number
  readonly serverNonce: string
  readonly clientFirst: string
  readonly serverFirst: string
  readonly clientFinal: string
  readonly serverFinal: string
}

const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL('scripts/scram-vectors.json', import.meta.url), 'utf8')
)

function componentsFor(credentials = testCredentials, random = countingRandom()): SaslComponents {
  return {
    random,
    resolve: (name) =>
      name === 'alice' || name === 'user'
        ? { account: name, credentials }
        : { account: undefined, credentials: decoyCredentials(name, decoyKey) }
  }
}

function dataOf(reply: SaslReply): string {
  return 'data' in reply ? (textOf(reply.data) ?? '') : `failure ${reply.condition}`
}

/** What goes into the last message of a client. */
interface FinalMessage {
  readonly hash: 'sha1' | 'sha256'
  readonly password: string
  readonly bare: string
  readonly serverFirst: string
  readonly binding?: string
  readonly nonce?: string
}

/** A client's side of SCRAM, written down from RFC 5802 §3 independently of the server. */
function clientFinal(message: FinalMessage): string {
  const { hash, password, bare, serverFirst, binding = 'biws' } = message
  const [, serverNonce = '', salt = '', rounds = ''] =
    /^r=(.*),s=(.*),i=(.*)$/.exec(serverFirst) ?? []
  const length = hash === 'sha1' ? 20 : 32
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(rounds), length, hash)
  const clientKey = createHmac(hash, salted).update('Client Key').digest()
  const stored = createHash(hash).update(clientKey).digest()
  const unproved = `c=${binding},r=${message.nonce ?? serverNonce}`
  const signature = createHmac(hash, stored).update(`${bare},${serverFirst},${unproved}`).digest()
  const proof = clientKey.map((byte, i) => byte ^ (signature[i] ?? 0))
  return `${unproved},p=${Buffer.from(proof).toString('base64')}`
}

function logIn(
  mechanism: SaslMechanism,
  name: string,
  password: string,
  header = 'n,,'
): SaslReply {
  const exchange = mechanism.start(componentsFor())
  const bare = `n=${name},r=fyko+d2lbbFgONRv9qkxdawL`
  const serverFirst = dataOf(exchange.respond(utf8(header + bare)))
  const hash = mechanism === scramSha1 ? 'sha1' : 'sha256'
  const binding = Buffer.from(header).toString('base64')
  return exchange.respond(utf8(clientFinal({ hash, password, bare, serverFirst, binding })))
}

describe('SCRAM', () => {
  test.each(vectors)('answers $title', (vector) => {
    const hash = vector.hash === 'sha1' ? 'sha1' : 'sha256'
    const salt = new Uint8Array(Buffer.from(vector.salt, 'base64'))
    const secrets = scramSecrets(hash, vector.password, salt, vector.iterations)
    const exchange = scramMechanism(vector.title, hash, () => vector.serverNonce).start(
      componentsFor({ sha1: secrets, sha256: secrets })
    )
    expect(dataOf(exchange.respond(utf8(vector.clientFirst)))).toBe(vector.serverFirst)
    expect(dataOf(exchange.respond(utf8(vector.clientFinal)))).toBe(vector.serverFinal)
  })

  test.each([scramSha1, scramSha256])(
    '$name lets in who knows the password and nobody else',
    (mechanism) => {
      expect(logIn(mechanism, 'alice', 'secret')).toMatchObject({
        kind: 'success',
        account: 'alice'
      })
      expect(logIn(mechanism, 'alice', 'secret', 'y,,').kind).toBe('success')
      expect(logIn(mechanism, 'alice', 'secret', 'n,a=alice,').kind).toBe('success')
      expect(logIn(mechanism, 'alice', 'Secret')).toEqual({
        kind: 'failure',
        condition: 'not-authorized'
      })
      expect(logIn(mechanism, 'eve', 'secret')).toEqual({
        kind: 'failure',
        condition: 'not-authorized'
      })
      expect(logIn(mechanism, 'alice', 'secret', 'n,a=user2,')).toEqual({
        kind: 'failure',
        condition: 'invalid-authzid'
      })
    }
  )

  test('tells nobody whether a name has an account', () => {
    const first = (name: string): string =>
      dataOf(scramSha256.start(componentsFor()).respond(utf8(`n,,n=${name},r=abc`)))
    expect(first('eve')).toBe(first('eve'))
    expect(first('eve')).not.toBe(first('eva'))
    expect(first('eve').replace(/s=[^,]*/, '').length).toBe(
      first('alice').replace(/s=[^,]*/, '').length
    )
    expect(/s=([^,]*)/.exec(first('eve'))?.[1]?.length).toBe(
      /s=([^,]*)/.exec(first('alice'))?.[1]?.length
    )
  })

  test.each([
    'p=tls-unique,,n=alice,r=abc',
    'n,,m=x,n=alice,r=abc',
    'n,,n=,r=abc',
    'n,,n=al=ice,r=abc',
    'n,,n=alice',
    'n,,r=abc,n=alice',
    'n,a=,n=alice,r=abc',
    'n=alice,r=abc',
    'x,,n=alice,r=abc',
    'n,,n=alice,r=a\u0007b'
  ])('refuses the opening %j', (message) => {
    expect(scramSha256.start(componentsFor()).respond(utf8(message))).toEqual({
      kind: 'failure',
      condition: 'malformed-request'
    })
  })

  test('refuses a final message with another nonce, header or proof, though it is signed well', () => {
    const bare = 'n=alice,r=abc'
    const tryFinal = (answer: (serverFirst: string) => string): string => {
      const exchange = scramSha256.start(componentsFor())
      const serverFirst = dataOf(exchange.respond(utf8(`n,,${bare}`)))
      return dataOf(exchange.respond(utf8(answer(serverFirst))))
    }
    const final = (serverFirst: string, changes: Partial<FinalMessage> = {}): string =>
      clientFinal({ hash: 'sha256', password: 'secret', bare, serverFirst, ...changes })
    expect(tryFinal((first) => final(first))).toMatch(/^v=/)
    expect(tryFinal((first) => final(first, { nonce: 'abc' }))).toBe('failure not-authorized')
    expect(tryFinal((first) => final(first, { binding: 'eSws' }))).toBe('failure not-authorized')
    const withProof = (first: string, proof: string): string =>
      final(first).replace(/p=.*/, `p=${proof}`)
    const noProof = Buffer.alloc(32).toString('base64')
    expect(tryFinal((first) => withProof(first, noProof))).toBe('failure not-authorized')
    expect(tryFinal((first) => withProof(first, 'AAAA'))).toBe('failure malformed-request')
    expect(tryFinal((first) => final(first).replace(/,p=.*/, ''))).toBe('failure malformed-request')
    expect(tryFinal(() => '')).toBe('failure malformed-request')
  })

  test('never throws, whatever arrives', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(scramSha1, scramSha256),
        fc.array(fc.oneof(fc.uint8Array(), fc.constant(utf8('n,,n=alice,r=abc')))),
        (mechanism, messages) => {
          const exchange = mechanism.start(componentsFor())
          for (const message of messages) expect(exchange.respond(message).kind).not.toBe('success')
        }
      )
    )
  })
})

describe('PLAIN', () => {
  const respond = (message: string): SaslReply =>
    plain.start(componentsFor()).respond(utf8(message))

  test('lets in who knows the password and nobody else', () => {
    expect(respond('\0alice\0secret')).toMatchObject({ kind: 'success', account: 'alice' })
    expect(respond('alice\0alice\0secret')).toMatchObject({ kind: 'success', account: 'alice' })
    expect(respond('\0alice\0secre')).toEqual({ kind: 'failure', condition: 'not-authorized' })
    expect(respond('\0eve\0secret')).toEqual({ kind: 'failure', condition: 'not-authorized' })
    expect(respond('user\0alice\0secret')).toEqual({
      kind: 'failure',
      condition: 'invalid-authzid'
    })
  })

  test.each(['\0alice', 'alice', '\0\0secret', '\0alice\0', '\0alice\0secret\0'])(
    'refuses %j',
    (message) => {
      expect(respond(message)).toEqual({ kind: 'failure', condition: 'malformed-request' })
    }
  )
})

describe('credentials', () => {
  test('are of a password in whatever form it is typed', () => {
    const credentials = deriveCredentials('pa\u00DF \u212B', countingRandom())
    expect(passwordMatches('pa\u00DF\u00A0A\u030A', credentials)).toBe(true)
    expect(passwordMatches('pass A', credentials)).toBe(false)
  })

  test.each(['', '\u00AD', 'a\nb', '\uD800'])('are not made of %j', (password) => {
    expect(() => deriveCredentials(password, countingRandom())).toThrow(
      expect.toSatisfy((error) => isHushlampError(error, 'config-invalid'))
    )
  })

  test('use the preparation of RFC 4013 §3', () => {
    expect(saslPrep('I\u00ADX')).toBe('IX')
    expect(saslPrep('user')).toBe('user')
    expect(saslPrep('USER')).toBe('USER')
    expect(saslPrep('\u00AA')).toBe('a')
    expect(saslPrep('\u2168')).toBe('IX')
    expect(saslPrep('\u0007')).toBeUndefined()
  })
})
