import { systemRandom } from '@hushlamp/client'
import { MemoryStorage } from '@hushlamp/client/testing'
import type { Payload } from '@hushlamp/shared'
import { describe, expect, test } from 'vitest'

import { Mailbox } from '../src/link/mailbox.ts'
import type { MailboxListener } from '../src/link/mailbox.ts'
import type { StorageChange } from '../src/storage/storage.ts'

/** A disk that takes its time: each write waits until it is let go. */
class SlowStorage extends MemoryStorage {
  readonly #held: (() => void)[] = []
  slow = false

  override async write(changes: readonly StorageChange[]): Promise<void> {
    if (this.slow)
      await new Promise<void>((resolve) => {
        this.#held.push(resolve)
      })
    await super.write(changes)
  }

  release(): void {
    this.slow = false
    for (const go of this.#held.splice(0)) go()
  }
}

const quiet: MailboxListener = {
  received: () => undefined,
  delivered: () => undefined,
  failed: () => undefined
}

const message = (id: string, body = ''): { id: string; body: string; sentAt: number } => ({
  id,
  body,
  sentAt: 0
})

const sentIds = (payloads: readonly Payload[]): string[] =>
  payloads.flatMap((payload) => (payload.kind === 'message' ? [payload.id] : []))

describe('A mailbox', () => {
  test('never lets a message overtake those that wait, although the link changes while it is stored', async () => {
    const storage = new SlowStorage()
    const mailbox = await Mailbox.open({ storage, random: systemRandom }, 'bob', quiet)
    const [first, second]: [Payload[], Payload[]] = [[], []]
    mailbox.linked((payload) => first.push(payload))
    await mailbox.submit(message('m1'))
    storage.slow = true
    const submitted = mailbox.submit(message('m2'))
    mailbox.unlinked()
    mailbox.linked((payload) => second.push(payload))
    storage.release()
    await submitted
    await mailbox.settled()
    expect(sentIds(second)).toEqual(['m1', 'm2'])
  })

  test('repeats what waits in the order of sending after a restart', async () => {
    const storage = new MemoryStorage()
    const components = { storage, random: systemRandom }
    const before = await Mailbox.open(components, 'bob', quiet)
    for (const id of ['a', 'b', 'c']) await before.submit(message(id))
    const after = await Mailbox.open(components, 'bob', quiet)
    expect(after.waiting).toBe(3)
    await after.submit(message('d'))
    const sent: Payload[] = []
    after.linked((payload) => sent.push(payload))
    await after.settled()
    expect(sentIds(sent)).toEqual(['a', 'b', 'c', 'd'])
  })

  test('forgets what is acknowledged, and gives its place to nobody', async () => {
    const storage = new MemoryStorage()
    const components = { storage, random: systemRandom }
    const mailbox = await Mailbox.open(components, 'bob', quiet)
    const sent: Payload[] = []
    mailbox.linked((payload) => sent.push(payload))
    for (const id of ['a', 'b']) await mailbox.submit(message(id))
    const [first] = sent
    if (first?.kind === 'message')
      mailbox.receive({ kind: 'receipt', incarnation: first.incarnation, counter: 1 })
    await mailbox.submit(message('c'))
    await mailbox.settled()
    expect((await Mailbox.open(components, 'bob', quiet)).waiting).toBe(2)
  })

  test('refuses at once what the contact would have to refuse', async () => {
    const storage = new MemoryStorage()
    const mailbox = await Mailbox.open({ storage, random: systemRandom }, 'bob', quiet)
    await expect(mailbox.submit(message('long', 'x'.repeat(200_000)))).rejects.toMatchObject({
      code: 'message-too-long'
    })
    expect(mailbox.waiting).toBe(0)
  })
})
