import fc from 'fast-check'
import { expect, test } from 'vitest'

import { DeliveryMachine, hex } from '@hushlamp/shared'
import type { DeliveryEffect, DeliveryEvent, DeliveryState, Payload } from '@hushlamp/shared'
import { testSecret } from '@hushlamp/shared/test-inputs'

/** One side: the machine and the disk behind it, which outlives it. */
class Side {
  machine: DeliveryMachine
  readonly outbox: Payload[] = []
  readonly inbox: string[] = []
  readonly delivered: string[] = []
  #disk: DeliveryState

  constructor(name: string) {
    const incarnation = testSecret(name).subarray(0, 16)
    this.#disk = { incarnation, lastSent: 0, waiting: [], received: new Map() }
    this.machine = new DeliveryMachine(this.#disk)
  }

  /** A crash: what is not on the disk is gone. */
  restart(): void {
    this.machine = new DeliveryMachine(this.#disk)
    this.outbox.length = 0
  }

  /** Carries out the effects in order, but crashes before the one with number `crashAt`. */
  step(event: DeliveryEvent, crashAt = Infinity): boolean {
    for (const [index, effect] of this.machine.step(event).entries()) {
      if (index >= crashAt) return false
      this.#carryOut(effect)
    }
    return true
  }

  #carryOut(effect: DeliveryEffect): void {
    switch (effect.type) {
      case 'store-outgoing':
        this.#disk = {
          ...this.#disk,
          lastSent: effect.message.counter,
          waiting: [...this.#disk.waiting, effect.message]
        }
        break
      case 'forget-outgoing': {
        const counters = new Set(effect.messages.map((message) => message.counter))
        const waiting = this.#disk.waiting.filter((message) => !counters.has(message.counter))
        this.#disk = { ...this.#disk, waiting }
        break
      }
      case 'store-incoming': {
        this.inbox.push(effect.message.id)
        const received = new Map(this.#disk.received)
        received.set(hex(effect.message.incarnation), effect.message.counter)
        this.#disk = { ...this.#disk, received }
        break
      }
      case 'send':
        this.outbox.push(effect.payload)
        break
      case 'delivered':
        this.delivered.push(effect.id)
    }
  }
}

const anyAction = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('submit' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('transfer' as const), toBob: fc.boolean() })
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('reconnect' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('crash' as const),
      bob: fc.boolean(),
      at: fc.integer({ min: 0, max: 2 })
    })
  }
)

test('Every message arrives once and in order, through lost links and crashes at any moment', () => {
  fc.assert(
    fc.property(fc.array(anyAction, { maxLength: 80 }), (actions) => {
      const alice = new Side('alice')
      const bob = new Side('bob')
      let submitted = 0
      const connect = (): void => {
        for (const side of [alice, bob]) {
          side.step({ type: 'link-down' })
          side.outbox.length = 0
        }
        alice.step({ type: 'link-up' })
        bob.step({ type: 'link-up' })
      }
      const transfer = (from: Side, to: Side, crashAt?: number): void => {
        const payload = from.outbox.shift()
        if (payload?.kind !== 'message' && payload?.kind !== 'receipt') return
        const event: DeliveryEvent =
          payload.kind === 'message' ? { type: 'message', payload } : { type: 'receipt', payload }
        if (!to.step(event, crashAt)) {
          to.restart()
          connect()
        }
      }
      connect()
      for (const action of actions) {
        if (action.do === 'submit') {
          const message = { id: `m${++submitted}`, body: '', sentAt: 0 }
          alice.step({ type: 'submit', message })
        } else if (action.do === 'transfer') {
          if (action.toBob) transfer(alice, bob)
          else transfer(bob, alice)
        } else if (action.do === 'reconnect') connect()
        else if (action.bob) transfer(alice, bob, action.at)
        else transfer(bob, alice, action.at)
      }
      connect()
      while (alice.outbox.length > 0 || bob.outbox.length > 0) {
        transfer(alice, bob)
        transfer(bob, alice)
      }
      const all = Array.from({ length: submitted }, (_, index) => `m${index + 1}`)
      expect(bob.inbox).toEqual(all)
      expect(alice.machine.waiting).toEqual([])
      expect(new Set(alice.delivered).size).toBe(alice.delivered.length)
    }),
    { numRuns: 300 }
  )
})

test('After a restore the waiting messages keep their ids beside those of the new incarnation', () => {
  const old = testSecret('old').subarray(0, 16)
  const waiting = { kind: 'message', incarnation: old, counter: 4, id: 'a', body: '', sentAt: 0 }
  const machine = new DeliveryMachine({
    incarnation: testSecret('new').subarray(0, 16),
    lastSent: 0,
    waiting: [{ ...waiting, kind: 'message' }],
    received: new Map()
  })
  machine.step({ type: 'submit', message: { id: 'b', body: '', sentAt: 0 } })
  expect(machine.waiting.map((message) => message.counter)).toEqual([4, 1])
  const receipt = { kind: 'receipt', incarnation: old, counter: 9 } as const
  machine.step({ type: 'receipt', payload: receipt })
  expect(machine.waiting.map((message) => message.id)).toEqual(['b'])
})
