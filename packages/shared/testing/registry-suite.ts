import { randomBytes } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import {
  base64,
  compareBytes,
  concat,
  maxOwnedValuesPerKey,
  maxValuesPerKey,
  ownedRegistryKey,
  ownerKeyFromSeed,
  proveOwnership,
  sha1,
  utf8
} from '../src/index.ts'
import type {
  ErrorCode,
  GetRequest,
  PutRequest,
  Registry,
  RemoveRequest,
  SigningKey,
  StoredValue,
  UnixSeconds
} from '../src/index.ts'

/** A registry under test and what the suite may do with its surroundings. */
export interface RegistryFixture {
  readonly registry: Registry
  /** Wall clock of the registry. */
  unixSeconds(): UnixSeconds
  /** Lets the registry's time pass. Where it is missing, the tests of expiry are skipped. */
  advance?(seconds: number): Promise<void> | void
  /** Frees everything that {@link RegistrySetup.create} made. */
  dispose?(): Promise<void>
}

/** How a package makes the registry that it wants to be tested, and what that one can do. */
export interface RegistrySetup {
  create(): Promise<RegistryFixture>
  /** Whether time can be advanced. Default true. */
  readonly time?: boolean
  /** Whether a key can be filled with as many values as it holds, which takes a hundred puts. Default true. */
  readonly fullKeys?: boolean
}

const text = (value: string): Uint8Array => utf8(value)
const freshKey = (): Uint8Array => new Uint8Array(randomBytes(20))
const hour = 3600
const noSecret = new Uint8Array(20)
const someOwner = (): SigningKey => ownerKeyFromSeed(new Uint8Array(randomBytes(32)))
const error = (code: ErrorCode) => ({ name: 'HushlampError', code })

/** The compliance suite of every {@link Registry}: OpenDHT's semantics, owned puts, limits. */
export function registrySuite(title: string, setup: RegistrySetup): void {
  describe(`registry: ${title}`, () => {
    let fixture: RegistryFixture
    let registry: Registry
    beforeAll(async () => {
      fixture = await setup.create()
      registry = fixture.registry
    }, 60_000)
    afterAll(async () => {
      await fixture?.dispose?.()
    }, 60_000)

    const advance = async (seconds: number): Promise<void> => {
      if (fixture.advance === undefined) throw new Error('the setup cannot advance time')
      await fixture.advance(seconds)
    }
    const put = async (request: PutRequest): Promise<void> => {
      expect(await registry.put(request)).toBe(0)
    }
    const all = async (key: Uint8Array, maxValues = 64): Promise<StoredValue[]> => {
      const values: StoredValue[] = []
      let placemark = new Uint8Array()
      do {
        const page = await registry.get({ key, maxValues, placemark })
        expect(page.values.length).toBeLessThanOrEqual(maxValues)
        values.push(...page.values)
        placemark = new Uint8Array(page.placemark)
      } while (placemark.length > 0)
      return values
    }
    const texts = async (key: Uint8Array): Promise<string[]> =>
      (await all(key)).map(({ value }) => new TextDecoder().decode(value)).sort()

    const owned = (owner: SigningKey, value: string, ttlSeconds = hour) => ({
      key: ownedRegistryKey(owner.publicKey),
      value: text(value),
      ttlSeconds,
      owner: proveOwnership(owner, text(value), ttlSeconds, fixture.unixSeconds())
    })

    describe('put and get', () => {
      it('finds nothing under a key that nobody used', async () => {
        const page = await registry.get({ key: freshKey() })
        expect(page.values).toEqual([])
        expect(page.placemark).toHaveLength(0)
      })

      it('returns a value byte for byte with what remains of its time to live', async () => {
        const key = freshKey()
        const value = new Uint8Array(randomBytes(128))
        await put({ key, value, ttlSeconds: hour })
        const [stored, ...others] = await all(key)
        expect(others).toEqual([])
        expect(base64(stored?.value ?? text(''))).toBe(base64(value))
        expect(stored?.ttlSeconds).toBeGreaterThan(hour - 120)
        expect(stored?.ttlSeconds).toBeLessThanOrEqual(hour)
        expect(stored?.secretHash).toEqual(noSecret)
        expect(stored?.ownerPublicKey).toBeUndefined()
      })

      it('keeps several values under one key', async () => {
        const key = freshKey()
        for (const value of ['red', 'blue']) await put({ key, value: text(value), ttlSeconds: 60 })
        expect(await texts(key)).toEqual(['blue', 'red'])
      })

      it('keeps one value of many equal puts', async () => {
        const key = freshKey()
        for (let i = 0; i < 3; i++) await put({ key, value: text('red'), ttlSeconds: 60 })
        expect(await texts(key)).toEqual(['red'])
      })

      it('takes the same value with another secret hash as another value', async () => {
        const key = freshKey()
        const value = text('red')
        await put({ key, value, ttlSeconds: 60 })
        await put({ key, value, ttlSeconds: 60, secretHash: sha1(text('one')) })
        await put({ key, value, ttlSeconds: 60, secretHash: sha1(text('two')) })
        expect(await texts(key)).toEqual(['red', 'red', 'red'])
      })

      it('extends the time to live by another put', async () => {
        const key = freshKey()
        await put({ key, value: text('red'), ttlSeconds: 60 })
        await put({ key, value: text('red'), ttlSeconds: hour })
        expect((await all(key))[0]?.ttlSeconds).toBeGreaterThan(60)
      })

      it('never shortens the time to live by another put', async () => {
        const key = freshKey()
        await put({ key, value: text('red'), ttlSeconds: hour })
        await put({ key, value: text('red'), ttlSeconds: 1 })
        expect((await all(key))[0]?.ttlSeconds).toBeGreaterThan(60)
      })

      it('keeps the values of twenty writers that write at the same time', async () => {
        const key = freshKey()
        const values = Array.from({ length: 20 }, (_, i) => `writer ${String(i).padStart(2, '0')}`)
        await Promise.all(
          values.map(async (value) => put({ key, value: text(value), ttlSeconds: 60 }))
        )
        expect(await texts(key)).toEqual(values)
      })
    })

    describe('remove', () => {
      const secret = text('a secret')
      const removable = (key: Uint8Array, value: string): PutRequest => ({
        key,
        value: text(value),
        ttlSeconds: 60,
        secretHash: sha1(secret)
      })
      const removal = (key: Uint8Array, value: string, ttlSeconds = 120): RemoveRequest => ({
        key,
        valueHash: sha1(text(value)),
        secret,
        ttlSeconds
      })

      it('hides the value whose secret it knows, and no other', async () => {
        const key = freshKey()
        await put(removable(key, 'red'))
        await put(removable(key, 'blue'))
        await put({ key, value: text('red'), ttlSeconds: 60 })
        expect(await registry.remove(removal(key, 'red'))).toBe(0)
        const values = await all(key)
        expect(values.map(({ value }) => new TextDecoder().decode(value)).sort()).toEqual([
          'blue',
          'red'
        ])
        expect(values.find(({ value }) => value[0] === 'r'.charCodeAt(0))?.secretHash).toEqual(
          noSecret
        )
      })

      it('does not notice a wrong secret, and removes nothing', async () => {
        const key = freshKey()
        await put(removable(key, 'red'))
        expect(await registry.remove({ ...removal(key, 'red'), secret: text('wrong') })).toBe(0)
        expect(await texts(key)).toEqual(['red'])
      })

      it('outlives later puts of the same triple', async () => {
        const key = freshKey()
        expect(await registry.remove(removal(key, 'red'))).toBe(0)
        await put({ ...removable(key, 'red'), ttlSeconds: hour })
        expect(await texts(key)).toEqual([])
      })
    })

    describe('pages', () => {
      it('lists every value once, in the same order whatever the length of the pages', async () => {
        const key = freshKey()
        const written = Array.from({ length: 11 }, (_, i) => text(`value ${i}`))
        await Promise.all(written.map(async (value) => put({ key, value, ttlSeconds: 60 })))
        const order = written.sort((a, b) => compareBytes(sha1(a), sha1(b))).map(base64)
        for (const length of [1, 3, 11, 64]) {
          expect((await all(key, length)).map(({ value }) => base64(value))).toEqual(order)
        }
      })

      it('ends a page with the position of its last value, and the last page with nothing', async () => {
        const key = freshKey()
        for (const value of ['red', 'blue']) await put({ key, value: text(value), ttlSeconds: 60 })
        const first = await registry.get({ key, maxValues: 1 })
        const [only] = first.values
        expect(first.placemark).toEqual(concat(sha1(only?.value ?? text('')), noSecret))
        const second = await registry.get({ key, maxValues: 1, placemark: first.placemark })
        expect(second.values).toHaveLength(1)
        expect(second.placemark).toHaveLength(0)
      })

      it('continues behind a placemark whose value is gone', async () => {
        const key = freshKey()
        await put({ key, value: text('red'), ttlSeconds: 60 })
        const placemark = new Uint8Array(40).fill(0xff)
        expect((await registry.get({ key, placemark })).values).toEqual([])
        expect((await registry.get({ key, placemark: new Uint8Array(40) })).values).toHaveLength(1)
      })
    })

    describe('owned puts', () => {
      it('come first and name their owner', async () => {
        const owner = someOwner()
        const request = owned(owner, 'owned')
        for (let i = 0; i < 5; i++) {
          await put({ key: request.key, value: text(`plain ${i}`), ttlSeconds: 60 })
        }
        await put(request)
        for (const length of [1, 3, 64]) {
          const values = await all(request.key, length)
          expect(values).toHaveLength(6)
          expect(new TextDecoder().decode(values[0]?.value)).toBe('owned')
          expect(values[0]?.ownerPublicKey).toEqual(owner.publicKey)
          expect(values.slice(1).every((value) => value.ownerPublicKey === undefined)).toBe(true)
        }
      })

      it('are refused under a key that is not the owner’s', async () => {
        const request = { ...owned(someOwner(), 'owned'), key: freshKey() }
        await expect(registry.put(request)).rejects.toMatchObject({ code: 'registry-owner' })
        expect(await texts(request.key)).toEqual([])
      })

      it('are refused where the value is not the one that was signed', async () => {
        const request = { ...owned(someOwner(), 'owned'), value: text('another') }
        await expect(registry.put(request)).rejects.toMatchObject({ code: 'registry-owner' })
        expect(await texts(request.key)).toEqual([])
      })

      it('are refused together with a secret hash, which no signature covers', async () => {
        const request = { ...owned(someOwner(), 'owned'), secretHash: sha1(text('secret')) }
        await expect(registry.put(request)).rejects.toMatchObject({ code: 'registry-owner' })
      })

      it('are refused after the expiry that was signed', async () => {
        const owner = someOwner()
        const value = text('owned')
        const request = {
          key: ownedRegistryKey(owner.publicKey),
          value,
          ttlSeconds: 60,
          owner: proveOwnership(owner, value, 60, fixture.unixSeconds() - 2 * hour)
        }
        await expect(registry.put(request)).rejects.toMatchObject({ code: 'registry-owner' })
      })

      it('cannot be removed by anybody', async () => {
        const request = owned(someOwner(), 'owned')
        await put(request)
        await registry.remove({
          key: request.key,
          valueHash: sha1(request.value),
          secret: new Uint8Array(20),
          ttlSeconds: hour
        })
        expect(await texts(request.key)).toEqual(['owned'])
      })

      it.runIf(setup.fullKeys ?? true)('have places that plain values never take', async () => {
        const owner = someOwner()
        const { key } = owned(owner, 'owned')
        await Promise.all(
          Array.from({ length: maxValuesPerKey }, async (_, i) =>
            put({ key, value: text(`plain ${i}`), ttlSeconds: 60 })
          )
        )
        expect(await registry.put({ key, value: text('more'), ttlSeconds: 60 })).toBe(1)
        for (let i = 0; i < maxOwnedValuesPerKey; i++) await put(owned(owner, `owned ${i}`))
        expect(await registry.put(owned(owner, 'more'))).toBe(1)
        expect(await registry.put(owned(owner, 'owned 0'))).toBe(0)
        expect(await all(key)).toHaveLength(maxValuesPerKey + maxOwnedValuesPerKey)
      })
    })

    describe('limits', () => {
      const key = freshKey()
      const value = text('red')
      const puts: [string, Partial<PutRequest>, ErrorCode][] = [
        ['a short key', { key: new Uint8Array(19) }, 'registry-key-length'],
        ['a long key', { key: new Uint8Array(21) }, 'registry-key-length'],
        ['an empty value', { value: new Uint8Array() }, 'registry-value-length'],
        ['a long value', { value: new Uint8Array(129) }, 'registry-value-length'],
        ['a TTL of 0', { ttlSeconds: 0 }, 'registry-ttl-range'],
        ['a negative TTL', { ttlSeconds: -5 }, 'registry-ttl-range'],
        ['a TTL above 7 days', { ttlSeconds: 604_801 }, 'registry-ttl-range'],
        ['a broken TTL', { ttlSeconds: 1.5 }, 'registry-ttl-range'],
        ['a short secret hash', { secretHash: new Uint8Array(19) }, 'registry-hash-length']
      ]
      it.each(puts)('refuse a put with %s', async (_, part, code) => {
        const request = { key, value, ttlSeconds: 60, ...part }
        await expect(registry.put(request)).rejects.toMatchObject(error(code))
      })

      const gets: [string, Partial<GetRequest>, ErrorCode][] = [
        ['a short key', { key: new Uint8Array(19) }, 'registry-key-length'],
        ['no values', { maxValues: 0 }, 'registry-max-values'],
        ['too many values', { maxValues: 257 }, 'registry-max-values'],
        ['half a placemark', { placemark: new Uint8Array(20) }, 'registry-placemark']
      ]
      it.each(gets)('refuse a get with %s', async (_, part, code) => {
        await expect(registry.get({ key, ...part })).rejects.toMatchObject(error(code))
      })

      const removes: [string, Partial<RemoveRequest>, ErrorCode][] = [
        ['a short key', { key: new Uint8Array(19) }, 'registry-key-length'],
        ['a short value hash', { valueHash: new Uint8Array(19) }, 'registry-hash-length'],
        ['an empty secret', { secret: new Uint8Array() }, 'registry-secret-length'],
        ['a long secret', { secret: new Uint8Array(41) }, 'registry-secret-length'],
        ['a TTL of 0', { ttlSeconds: 0 }, 'registry-ttl-range']
      ]
      it.each(removes)('refuse a remove with %s', async (_, part, code) => {
        const request = { key, valueHash: sha1(value), secret: value, ttlSeconds: 60, ...part }
        await expect(registry.remove(request)).rejects.toMatchObject(error(code))
      })

      it('let nothing refused be stored', async () => {
        expect(await texts(key)).toEqual([])
      })

      it('allow the longest and the shortest', async () => {
        const wide = freshKey()
        await put({ key: wide, value: new Uint8Array(128), ttlSeconds: 604_800 })
        await put({ key: wide, value: new Uint8Array(1), ttlSeconds: 60 })
        expect(await all(wide, 256)).toHaveLength(2)
      })

      it('let a cancelled operation reject', async () => {
        const signal = AbortSignal.abort()
        const request = { key, value, ttlSeconds: 60 }
        await expect(registry.get({ key }, { signal })).rejects.toMatchObject(error('aborted'))
        await expect(registry.put(request, { signal })).rejects.toMatchObject(error('aborted'))
      })
    })

    describe.runIf(setup.time ?? true)('time', () => {
      it('returns no value that has expired, and those that have not', async () => {
        const key = freshKey()
        await put({ key, value: text('short'), ttlSeconds: 10 })
        await put({ key, value: text('long'), ttlSeconds: 100 })
        await advance(5)
        expect(await texts(key)).toEqual(['long', 'short'])
        await advance(5)
        expect(await texts(key)).toEqual(['long'])
        await advance(90)
        expect(await texts(key)).toEqual([])
      })

      it('lets a second put extend a life that has begun', async () => {
        const key = freshKey()
        await put({ key, value: text('red'), ttlSeconds: 10 })
        await advance(9)
        await put({ key, value: text('red'), ttlSeconds: 10 })
        await advance(9)
        expect(await texts(key)).toEqual(['red'])
      })

      it('accepts a put again when the remove has expired', async () => {
        const key = freshKey()
        const secret = text('secret')
        const request = { key, value: text('red'), ttlSeconds: 500, secretHash: sha1(secret) }
        await registry.remove({ key, valueHash: sha1(request.value), secret, ttlSeconds: 20 })
        await put(request)
        expect(await texts(key)).toEqual([])
        await advance(30)
        await put(request)
        expect(await texts(key)).toEqual(['red'])
      })

      it('keeps an owned value no longer than its owner signed', async () => {
        const owner = ownerKeyFromSeed(new Uint8Array(randomBytes(32)))
        const value = text('owned')
        const proof = proveOwnership(owner, value, 10, fixture.unixSeconds())
        const key = ownedRegistryKey(owner.publicKey)
        await put({ key, value, ttlSeconds: 604_800, owner: proof })
        expect((await all(key))[0]?.ttlSeconds).toBeLessThanOrEqual(610)
        await advance(611)
        expect(await texts(key)).toEqual([])
      })

      it.runIf(setup.fullKeys ?? true)(
        'gives the places of the expired to new values',
        async () => {
          const key = freshKey()
          await Promise.all(
            Array.from({ length: maxValuesPerKey }, async (_, i) =>
              put({ key, value: text(`old ${i}`), ttlSeconds: 10 })
            )
          )
          expect(await registry.put({ key, value: text('new'), ttlSeconds: 60 })).toBe(1)
          await advance(11)
          await put({ key, value: text('new'), ttlSeconds: 60 })
          expect(await texts(key)).toEqual(['new'])
        }
      )
    })
  })
}
