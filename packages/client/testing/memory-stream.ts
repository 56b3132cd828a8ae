import { Duplex } from 'node:stream'

/** One end of a stream within this process that behaves as a socket does: when one end ends, so does the other. */
class MemoryStream extends Duplex {
  peer: MemoryStream | undefined
  #acknowledge: (() => void) | undefined

  constructor() {
    super({ allowHalfOpen: false })
    this.on('error', () => {})
  }

  override _read(): void {
    const acknowledge = this.#acknowledge
    this.#acknowledge = undefined
    acknowledge?.()
  }

  override _write(bytes: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    const { peer } = this
    if (peer === undefined || peer.destroyed) return done()
    // The other end is asynchronous and gets a copy, as with a socket.
    const copy = Buffer.from(bytes)
    setImmediate(() => peer.#deliver(copy, done))
  }

  override _final(done: () => void): void {
    setImmediate(() => {
      if (this.peer?.destroyed === false) this.peer.push(null)
      done()
    })
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { peer } = this
    setImmediate(() => {
      if (peer?.destroyed === false && !peer.readableEnded) peer.push(null)
    })
    done(error)
  }

  #deliver(bytes: Uint8Array, done: () => void): void {
    if (this.destroyed || this.readableEnded || this.push(bytes)) done()
    else this.#acknowledge = done
  }
}

/** The two ends of a stream. Each has a listener for errors already. */
export function memoryStreams(): readonly [Duplex, Duplex] {
  const [near, far] = [new MemoryStream(), new MemoryStream()]
  near.peer = far
  far.peer = near
  return [near, far]
}
