import { once } from 'node:events'

import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'

import { Endpoint, onionPublicKeyOfSeed, systemClock, systemRandom } from '@hushlamp/client'
import type { Contact, ContactPresence, ReceivedMessage } from '@hushlamp/client'
import { FakeTor, FakeTorNetwork, MemoryStorage } from '@hushlamp/client/testing'
import { createCertificate, hex } from '@hushlamp/shared'
import type { CreatedCertificate, Registry } from '@hushlamp/shared'
import { MemoryRegistry } from '@hushlamp/shared/testing'

let alice: CreatedCertificate
let bob: CreatedCertificate
let carol: CreatedCertificate

beforeAll(async () => {
  const now = systemClock.unixSeconds() - 1
  const make = (name: string): Promise<CreatedCertificate> =>
    createCertificate({ name }, systemRandom, now)
  ;[alice, bob, carol] = await Promise.all([make('Alice'), make('Bob'), make('Carol')])
})

/** One user with everything that outlives a session. */
class User {
  readonly storage = new MemoryStorage()
  readonly identity: CreatedCertificate
  readonly received: ReceivedMessage[] = []
  readonly delivered: string[] = []
  endpoint: Endpoint | undefined
  tor: FakeTor | undefined

  constructor(identity: CreatedCertificate) {
    this.identity = identity
  }

  async login(world: World): Promise<Endpoint> {
    this.tor = new FakeTor({ network: world.network })
    const endpoint = await Endpoint.open({
      identity: this.identity,
      storage: this.storage,
      tor: this.tor,
      registry: world.registry,
      mode: 'instant'
    })
    endpoint.on('message', (_contact, message) => this.received.push(message))
    endpoint.on('delivered', (_contact, id) => this.delivered.push(id))
    this.endpoint = endpoint
    world.endpoints.push(endpoint)
    return endpoint
  }
}

interface World {
  readonly network: FakeTorNetwork
  readonly registry: Registry
  readonly endpoints: Endpoint[]
}

const worlds: World[] = []

function newWorld(registry: Registry = new MemoryRegistry({ clock: systemClock })): World {
  const world = { network: new FakeTorNetwork(), registry, endpoints: [] }
  worlds.push(world)
  return world
}

afterEach(async () => {
  for (const world of worlds.splice(0))
    for (const endpoint of world.endpoints) await endpoint.close()
})

/** Alice and Bob, contacts of each other, both logged in. */
async function pair(world = newWorld()): Promise<{
  a: User
  b: User
  world: World
  bobOfAlice: Contact
  aliceOfBob: Contact
}> {
  const [a, b] = [new User(alice), new User(bob)]
  const [atA, atB] = [await a.login(world), await b.login(world)]
  const bobOfAlice = await atA.addContact(bob.certificate, 'bob')
  const aliceOfBob = await atB.addContact(alice.certificate, 'alice')
  return { a, b, world, bobOfAlice, aliceOfBob }
}

async function expectState(
  user: User,
  contact: Contact,
  state: ContactPresence['state']
): Promise<void> {
  await vi.waitFor(() => expect(user.endpoint?.presenceOf(contact.id).state).toBe(state), 10_000)
}

describe('Two contacts', () => {
  test('see each other come online', async () => {
    const { a, b, bobOfAlice, aliceOfBob } = await pair()
    await expectState(a, bobOfAlice, 'online')
    await expectState(b, aliceOfBob, 'online')
  })

  test('see each other whoever comes first', async () => {
    const world = newWorld()
    const { a, b, bobOfAlice, aliceOfBob } = await pair(world)
    await expectState(a, bobOfAlice, 'online')
    await b.endpoint?.close()
    await expectState(a, bobOfAlice, 'offline')
    await b.login(world)
    await expectState(a, bobOfAlice, 'online')
    await expectState(b, aliceOfBob, 'online')
  })

  test('exchange messages, each once and in order', async () => {
    const { a, b, bobOfAlice, aliceOfBob } = await pair()
    for (const id of ['1', '2', '3'])
      await a.endpoint?.send(bobOfAlice.id, { id, body: `to bob ${id}` })
    await b.endpoint?.send(aliceOfBob.id, { id: 'x', body: 'to alice' })
    await vi.waitFor(() => expect(a.delivered).toEqual(['1', '2', '3']), 10_000)
    expect(b.received.map(({ body }) => body)).toEqual(['to bob 1', 'to bob 2', 'to bob 3'])
    await vi.waitFor(() => expect(a.received.map(({ id }) => id)).toEqual(['x']))
  })

  test('get what was written while one of them was away', async () => {
    const { a, b, world, bobOfAlice } = await pair()
    await expectState(a, bobOfAlice, 'online')
    await b.endpoint?.close()
    await expectState(a, bobOfAlice, 'offline')
    await a.endpoint?.send(bobOfAlice.id, { id: 'later', body: 'are you there?' })
    await a.endpoint?.close()
    await a.login(world)
    await b.login(world)
    await vi.waitFor(() => expect(a.delivered).toEqual(['later']), 10_000)
    expect(b.received.map(({ id }) => id)).toEqual(['later'])
  })

  test('keep a received message until it is taken', async () => {
    const { a, b, world, bobOfAlice, aliceOfBob } = await pair()
    await a.endpoint?.send(bobOfAlice.id, { id: 'm', body: 'hello' })
    await vi.waitFor(() => expect(a.delivered).toEqual(['m']), 10_000)
    await b.endpoint?.close()
    const again = await b.login(world)
    const [waiting] = await again.untaken(aliceOfBob.id)
    expect(waiting).toMatchObject({ id: 'm', body: 'hello' })
    await again.taken(aliceOfBob.id, waiting?.key ?? '')
    expect(await again.untaken(aliceOfBob.id)).toEqual([])
  })

  test('see what the other says of its availability', async () => {
    const { a, b, bobOfAlice } = await pair()
    await expectState(a, bobOfAlice, 'online')
    b.endpoint?.setAvailability({ available: true, show: 'dnd', text: 'writing' })
    await vi.waitFor(() =>
      expect(a.endpoint?.presenceOf(bobOfAlice.id)).toMatchObject({
        state: 'online',
        show: 'dnd',
        text: 'writing'
      })
    )
    b.endpoint?.setAvailability({ available: false })
    await expectState(a, bobOfAlice, 'offline')
  })

  test('find each other again after a link has broken', async () => {
    const { a, b, bobOfAlice, aliceOfBob } = await pair()
    await expectState(a, bobOfAlice, 'online')
    await expectState(b, aliceOfBob, 'online')
    const states: string[] = []
    a.endpoint?.on('presence', (_contact, { state }) => states.push(state))
    b.tor?.lose()
    await expectState(b, aliceOfBob, 'unknown')
    await vi.waitFor(() => expect(states).toContain('connecting'), 10_000)
    expect(b.endpoint?.state).toBe('lost')
  })
})

describe('An endpoint', () => {
  test('never shares a circuit between two operations or contacts', async () => {
    const { a, b, world, bobOfAlice, aliceOfBob } = await pair()
    await expectState(a, bobOfAlice, 'online')
    await expectState(b, aliceOfBob, 'online')
    const names = world.network.attempts.map(({ circuit }) => circuit.username)
    expect(names.length).toBeGreaterThanOrEqual(3)
    expect(new Set(names).size).toBe(names.length)
  })

  test('is online only once its own onion service answers through Tor', async () => {
    const user = new User(alice)
    const seed = systemRandom.bytes(32)
    await user.storage.write([{ type: 'put', key: 'onion/seed', value: seed }])
    const world = newWorld()
    const publicKey = onionPublicKeyOfSeed(seed)
    const heal = world.network.fail({ kind: 'onion', publicKey, port: 5853 }, 'unreachable')
    const endpoint = await user.login(world)
    await vi.waitFor(() => expect(world.network.attempts.length).toBeGreaterThan(1), 10_000)
    expect(endpoint.state).toBe('starting')
    heal()
    await vi.waitFor(() => expect(endpoint.state).toBe('online'), 10_000)
  })

  test('does not answer a stranger who knows the onion address', async () => {
    const { a, world, bobOfAlice } = await pair()
    await expectState(a, bobOfAlice, 'online')
    const seed = await a.storage.get('onion/seed')
    const tor = new FakeTor({ network: world.network })
    const target = {
      kind: 'onion',
      publicKey: onionPublicKeyOfSeed(seed ?? new Uint8Array(32)),
      port: 5853
    } as const
    const stream = await tor.connect(target, { username: 'stranger', password: 'x' })
    const heard: Uint8Array[] = []
    stream.on('data', (chunk: Uint8Array) => heard.push(chunk))
    stream.write(systemRandom.bytes(64))
    await once(stream, 'close')
    expect(heard).toEqual([])
    expect(a.endpoint?.presenceOf(bobOfAlice.id).state).toBe('online')
  })

  test('does nothing about junk in the registry under its keys', async () => {
    const honest = new MemoryRegistry({ clock: systemClock })
    const dials = { count: 0 }
    const junk: Registry = {
      put: (request) => honest.put(request),
      remove: (request) => honest.remove(request),
      get: async () => {
        dials.count++
        const values = [1, 2, 3].map(() => ({
          value: systemRandom.bytes(128),
          ttlSeconds: 60,
          secretHash: new Uint8Array(20)
        }))
        return { values, placemark: new Uint8Array(0) }
      }
    }
    const world = newWorld(junk)
    const { a, bobOfAlice } = await pair(world)
    await expectState(a, bobOfAlice, 'offline')
    expect(dials.count).toBeGreaterThan(0)
    const ownKeys = world.endpoints.length
    const onions = new Set(
      world.network.attempts.map(({ target }) =>
        target.kind === 'onion' ? hex(target.publicKey) : target.host
      )
    )
    expect(onions.size).toBe(ownKeys)
  })

  test('keeps trying while the registry refuses', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
    try {
      const honest = new MemoryRegistry({ clock: systemClock })
      let refusals = 3
      const flaky: Registry = {
        put: async (request) => (refusals-- > 0 ? 1 : honest.put(request)),
        get: (request) => honest.get(request),
        remove: (request) => honest.remove(request)
      }
      const { a, b, bobOfAlice, aliceOfBob } = await pair(newWorld(flaky))
      for (let second = 0; second < 120; second++) await vi.advanceTimersByTimeAsync(1_000)
      expect(a.endpoint?.presenceOf(bobOfAlice.id).state).toBe('online')
      expect(b.endpoint?.presenceOf(aliceOfBob.id).state).toBe('online')
    } finally {
      vi.useRealTimers()
    }
  })

  test('acknowledges nothing that its disk did not take', async () => {
    const { a, b, bobOfAlice, aliceOfBob } = await pair()
    await expectState(a, bobOfAlice, 'online')
    await expectState(b, aliceOfBob, 'online')
    b.storage.full = true
    const trouble = b.endpoint && once(b.endpoint, 'trouble')
    await a.endpoint?.send(bobOfAlice.id, { id: 'lost?', body: 'no' })
    await trouble
    expect(a.delivered).toEqual([])
    await b.endpoint?.close()
    b.storage.full = false
    const world = worlds.at(-1)
    if (world) await b.login(world)
    await vi.waitFor(() => expect(a.delivered).toEqual(['lost?']), 15_000)
    expect(b.received.map(({ id }) => id)).toEqual(['lost?'])
  })

  test('refuses itself and the same person twice as contacts', async () => {
    const { a } = await pair()
    await expect(a.endpoint?.addContact(alice.certificate)).rejects.toMatchObject({
      code: 'contact-is-self'
    })
    await expect(a.endpoint?.addContact(bob.certificate, 'bob2')).rejects.toMatchObject({
      code: 'contact-exists'
    })
    await expect(a.endpoint?.addContact(carol.certificate, 'Bad Alias')).rejects.toMatchObject({
      code: 'alias-invalid'
    })
    expect((await a.endpoint?.addContact(carol.certificate))?.alias).toBe('carol')
  })
})
