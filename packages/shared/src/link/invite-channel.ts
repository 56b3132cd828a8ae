import { concat, wipe } from '../crypto/bytes.ts'
import { FrameReceiver, FrameSender } from './frames.ts'
import type { LinkKeys } from './handshake.ts'
import { decodeInvitePayload, encodeInvitePayload } from './invite-payload.ts'
import type { InvitePayload } from './invite-payload.ts'

/** Why the link of an invite ended. Whatever it is, the stream is closed; after `rejected` with a random delay. */
export type InviteEnd = 'completed' | 'rejected' | 'invalid' | 'timeout' | 'disconnected'

const empty = new Uint8Array(0)

/** Collects a message of fixed length from a stream, however that is cut. */
export class FixedMessage {
  readonly #length: number
  #bytes: Uint8Array = empty

  constructor(length: number) {
    this.#length = length
  }

  /** The message and what came behind it, once it is complete. */
  take(bytes: Uint8Array): { readonly message: Uint8Array; readonly rest: Uint8Array } | undefined {
    this.#bytes = concat(this.#bytes, bytes)
    if (this.#bytes.length < this.#length) return undefined
    return {
      message: this.#bytes.subarray(0, this.#length),
      rest: this.#bytes.subarray(this.#length)
    }
  }
}

/** Payloads in both directions after the handshake, in the frames of ordinary links. */
export class InviteChannel {
  readonly #sender: FrameSender
  readonly #receiver: FrameReceiver

  constructor(linkKeys: LinkKeys) {
    this.#sender = new FrameSender(linkKeys.send)
    this.#receiver = new FrameReceiver(linkKeys.receive)
    wipe(linkKeys.send)
    wipe(linkKeys.receive)
  }

  /** Forgets the keys. */
  wipe(): void {
    this.#sender.wipe()
    this.#receiver.wipe()
  }

  /** Frames of one payload. */
  seal(payload: InvitePayload): Uint8Array {
    return this.#sender.payload(encodeInvitePayload(payload))
  }

  /** Complete payloads of kinds that we know; undefined where anything is wrong. */
  open(bytes: Uint8Array): readonly InvitePayload[] | undefined {
    const frames = this.#receiver.receive(bytes)
    if (!frames) return undefined
    const payloads: InvitePayload[] = []
    for (const frame of frames) {
      if (frame.kind === 'keep-alive') continue
      const payload = decodeInvitePayload(frame.payload)
      if (!payload) return undefined
      if (payload.kind !== 'unknown') payloads.push(payload)
    }
    return payloads
  }
}
