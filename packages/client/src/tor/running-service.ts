import { HushlampError } from '@hushlamp/shared'

import type { ServiceSocket } from './service-sockets.ts'

/** One onion service as a Tor client sees it: its local end, and whether the world has heard of it. */
export class RunningService {
  /** Fulfilled by {@link markPublished}, rejected with `tor-lost` by {@link end}, whichever comes first. */
  readonly published: Promise<void>
  readonly #socket: ServiceSocket
  #settle: { resolve: () => void; reject: (error: HushlampError) => void } | undefined

  constructor(socket: ServiceSocket) {
    this.#socket = socket
    this.published = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    // Nobody has to wait for the publication.
    this.published.catch(() => {})
  }

  /** Tells that a directory holds the descriptor. */
  markPublished(): void {
    this.#settle?.resolve()
  }

  /** Takes no more streams. */
  end(): void {
    this.#settle?.reject(new HushlampError('tor-lost'))
    this.#socket.close()
  }
}
