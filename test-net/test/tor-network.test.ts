import { constants, createHash, createPublicKey, publicDecrypt } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { PrivateTorNetwork } from '../src/index.ts'
import {
  authorityFingerprint,
  authorityKeys,
  generateAuthorityKeys,
  relayFingerprint,
  writeKeys
} from '../src/tor-network/authority-keys.ts'
import { freePorts } from '../src/tor-network/free-ports.ts'
import { delayLinks, spreadDelays } from '../src/tor-network/link-delay.ts'
import { networkDirectory } from '../src/tor-network/network-directory.ts'

let scratch: string

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'hushlamp-test-'))
})

afterEach(() => {
  rmSync(scratch, { recursive: true, force: true })
})

describe('the keys of the authority', () => {
  /** The bytes of the `index`-th PEM block with `label` in a text. */
  function block(text: string, label: string, index = 0): string {
    const form = new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`, 'g')
    return text.match(form)?.[index] ?? ''
  }

  const bytesOf = (pem: string): Buffer =>
    Buffer.from(pem.replaceAll(/-----[^-]+-----/g, ''), 'base64')

  function signedDigest(key: string, signature: string): string {
    const padding = constants.RSA_PKCS1_PADDING
    return publicDecrypt({ key, padding }, bytesOf(signature)).toString('hex')
  }

  const sha1 = (bytes: string | Uint8Array): string =>
    createHash('sha1').update(bytes).digest('hex')

  it('vouch for each other as dir-spec demands', async () => {
    const keys = await generateAuthorityKeys(new Date('2026-01-31T12:00:00Z'))
    const { certificate } = keys
    const identity = block(certificate, 'RSA PUBLIC KEY', 0)
    const signing = block(certificate, 'RSA PUBLIC KEY', 1)
    const identityDigest = sha1(bytesOf(identity))
    const [body = ''] = certificate.split('-----BEGIN SIGNATURE-----')
    expect(authorityFingerprint(keys)).toBe(identityDigest.toUpperCase())
    expect(signedDigest(signing, block(certificate, 'ID SIGNATURE'))).toBe(identityDigest)
    expect(signedDigest(identity, block(certificate, 'SIGNATURE'))).toBe(sha1(body))
    const { n } = createPublicKey(signing).export({ format: 'jwk' })
    expect(createPublicKey(keys.signingKey).export({ format: 'jwk' })).toMatchObject({ n })
    expect(certificate).toContain('dir-key-published 2026-01-31 12:00:00\n')
    expect(certificate).toContain('dir-key-expires 2027-01-31 12:00:00\n')
    expect(relayFingerprint(keys)).toMatch(/^[0-9A-F]{40}$/)
  })

  it('are made once and used again, also by those who ask at the same time', async () => {
    const directory = join(scratch, 'keys')
    const [one, other] = await Promise.all([authorityKeys(directory), authorityKeys(directory)])
    const later = await authorityKeys(directory)
    expect([one, other]).toContainEqual(later)
    expect(await authorityKeys(directory)).toEqual(later)
  })

  it('are made anew when the certificate is about to expire', async () => {
    const directory = join(scratch, 'keys')
    mkdirSync(directory)
    const old = await generateAuthorityKeys(new Date(Date.now() - 360 * 24 * 60 * 60 * 1000))
    await writeKeys(directory, old)
    expect(authorityFingerprint(await authorityKeys(directory))).not.toBe(authorityFingerprint(old))
  })
})

describe('delayLinks', () => {
  it('hands on all bytes in order, both ways, and the end of each', async () => {
    const server = createServer({ allowHalfOpen: true }, (socket) => void answer(socket))
    const answer = async (socket: ReturnType<typeof connect>): Promise<void> => {
      const received = await buffer(socket)
      socket.end(Buffer.from(received.toReversed()))
    }
    const [from = 0, to = 0] = await freePorts(2, '127.0.0.1')
    server.listen(to, '127.0.0.1')
    await once(server, 'listening')
    const delaying = await delayLinks([{ host: '127.0.0.1', from, to, oneWayMs: 20 }])
    try {
      const client = connect({ port: from, host: '127.0.0.1', allowHalfOpen: true })
      const bytes = Uint8Array.from({ length: 3_000_000 }, (_, index) => index % 251)
      client.end(bytes)
      expect(Buffer.from(bytes.toReversed()).equals(await buffer(client))).toBe(true)
    } finally {
      await delaying[Symbol.asyncDispose]()
      server.close()
    }
    await expect(once(connect(from, '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED')
  })

  it('spreads the delays over the range', () => {
    expect(spreadDelays([20, 60], 5)).toEqual([20, 30, 40, 50, 60])
    expect(spreadDelays([20, 60], 1)).toEqual([20])
  })
})

describe('networkDirectory', () => {
  it('refuses paths in which no socket would work', async () => {
    for (const wanted of [join(scratch, 'with blank'), join(scratch, 'x'.repeat(90))]) {
      await expect(networkDirectory(wanted)).rejects.toMatchObject({ code: 'config-invalid' })
    }
  })

  it('never takes a folder that holds something', async () => {
    writeFileSync(join(scratch, 'precious'), '')
    await expect(networkDirectory(scratch)).rejects.toMatchObject({ code: 'config-invalid' })
    expect(existsSync(join(scratch, 'precious'))).toBe(true)
  })

  it('removes what killed networks left behind, and nothing that is in use', async () => {
    const make = (): string => mkdtempSync(join(tmpdir(), 'hushlamp-private-tor-'))
    const [abandoned, inUse, young] = [make(), make(), make()] as const
    const longAgo = new Date(Date.now() - 60 * 60 * 1000)
    mkdirSync(join(inUse, 'authority'))
    const server = createServer().listen(join(inUse, 'authority/control'))
    await once(server, 'listening')
    for (const directory of [abandoned, inUse]) utimesSync(directory, longAgo, longAgo)
    const made = await networkDirectory()
    try {
      expect([abandoned, inUse, young, made].map((one) => existsSync(one))).toEqual([
        false,
        true,
        true,
        true
      ])
    } finally {
      server.close()
      for (const one of [inUse, young, made]) rmSync(one, { recursive: true, force: true })
    }
  })
})

describe.skipIf(process.platform === 'win32')('a network that does not come up', () => {
  /** A Tor that complains and ends. */
  function uselessTor(): { path: string; version: string; environment: NodeJS.ProcessEnv } {
    const path = join(scratch, 'tor')
    writeFileSync(path, '#!/bin/sh\necho "[err] out of oil"\nexit 1\n', { mode: 0o755 })
    return { path, version: '0.4.9.1', environment: process.env }
  }

  it('says which Tor it was and what that said, and leaves nothing behind', async () => {
    const directory = join(scratch, 'network')
    const keysDirectory = join(scratch, 'keys')
    const created = PrivateTorNetwork.create({ directory, keysDirectory, binary: uselessTor() })
    await expect(created).rejects.toMatchObject({
      code: 'tor-start-failed',
      message: expect.stringMatching(/"\w+".*\n\[err\] out of oil/)
    })
    expect(existsSync(directory)).toBe(false)
  })

  it('can be cancelled', async () => {
    const created = PrivateTorNetwork.create({
      directory: join(scratch, 'network'),
      keysDirectory: join(scratch, 'keys'),
      binary: uselessTor(),
      signal: AbortSignal.abort()
    })
    await expect(created).rejects.toMatchObject({ code: 'aborted' })
  })
})
