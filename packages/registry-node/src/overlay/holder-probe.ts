import type { Clock, RegistryLimits, RegistryRow } from '@hushlamp/shared'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { Libp2p } from 'libp2p'

import { Channel } from './channel.ts'
import { frameStream } from './frame-stream.ts'
import { encodeRequest, fetchReplyOf, storeProtocol } from './wire.ts'

/** What a probe works with. */
export interface HolderProbeComponents {
  readonly clock: Clock
}

/** How a probe asks. */
export interface HolderProbeInit {
  readonly limits: RegistryLimits
  readonly timeoutMs: number
}

/**
 * Asks single nodes what they hold themselves, which the registry as a whole does not show: for checks of replication.
 * It answers nothing, so no node takes it for another.
 */
export class HolderProbe implements AsyncDisposable {
  readonly #clock: Clock
  readonly #init: HolderProbeInit
  readonly #p2p: Libp2p

  private constructor(clock: Clock, init: HolderProbeInit, p2p: Libp2p) {
    this.#clock = clock
    this.#init = init
    this.#p2p = p2p
  }

  /** Makes a probe. It connects when it asks. */
  static async create(
    components: HolderProbeComponents,
    init: HolderProbeInit
  ): Promise<HolderProbe> {
    const p2p = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionGater: { denyDialMultiaddr: () => false },
      connectionMonitor: { enabled: false }
    })
    return new HolderProbe(components.clock, init, p2p)
  }

  /**
   * The live rows of each key that the node at a multiaddress holds.
   *
   * @throws HushlampError `registry-unreachable`, `registry-malformed`, or an error of the connection
   */
  async rows(
    address: string,
    keys: readonly Uint8Array[]
  ): Promise<readonly (readonly RegistryRow[])[]> {
    const clock = this.#clock
    const { limits, timeoutMs } = this.#init
    const signal = AbortSignal.timeout(timeoutMs)
    const opened = await this.#p2p.dialProtocol(multiaddr(address), storeProtocol, { signal })
    const channel = new Channel({ stream: frameStream(opened), clock })
    try {
      const ring = new Uint8Array()
      const asked = keys.map(async (key) => {
        const body = await channel.request(
          (id) => encodeRequest(id, { op: 'fetch', key, ring }, clock.unixSeconds()),
          timeoutMs
        )
        return fetchReplyOf(body, key, limits, clock.unixSeconds()).rows
      })
      return await Promise.all(asked)
    } finally {
      channel.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#p2p.stop()
  }
}
