import { createHash } from 'node:crypto'

import { HushlampError } from '@hushlamp/shared'
import type { Clock } from '@hushlamp/shared'

import type { ControlAddress, ListenAddress } from '../config/config.ts'
import { errorCode } from '../log.ts'
import type { Logger } from '../log.ts'
import { TorControl } from './tor-control.ts'

/** Where a Tor of the system is usually controlled. */
export const usualControlAddresses: readonly ControlAddress[] = [
  { path: '/run/tor/control' },
  { host: '127.0.0.1', port: 9051 }
]

/** What an onion service is made of. */
export interface OnionServiceComponents {
  readonly clock: Clock
  readonly logger: Logger
}

/** How an onion service is configured. */
export interface OnionServiceInit {
  /** Ed25519 seed, 32 bytes; the address follows from it. */
  readonly seed: Uint8Array
  /** Where the HTTP interface listens on this computer. */
  readonly target: ListenAddress
  /** Control ports to try, in this order. */
  readonly control: readonly ControlAddress[]
}

const firstRetryMs = 1000
const lastRetryMs = 60_000

/** The node's HTTP interface as an onion service of a Tor that runs here, made again whenever that Tor comes back. */
export class OnionService implements AsyncDisposable {
  readonly #components: OnionServiceComponents
  readonly #init: OnionServiceInit
  #control: TorControl | undefined
  #address: string | undefined
  #stopped = false
  #cancelRetry: () => void = () => {}

  private constructor(components: OnionServiceComponents, init: OnionServiceInit) {
    this.#components = components
    this.#init = init
  }

  /**
   * Starts the service.
   *
   * @throws HushlampError `tor-control` if no Tor can be controlled; the error of the last one tried.
   */
  static async start(
    components: OnionServiceComponents,
    init: OnionServiceInit
  ): Promise<OnionService> {
    const service = new OnionService(components, init)
    await service.#publish()
    return service
  }

  /** `http://….onion`, undefined while Tor is gone. */
  get address(): string | undefined {
    return this.#address
  }

  /** Takes the service down. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelRetry()
    this.#control?.[Symbol.dispose]()
    await this.#control?.closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #publish(): Promise<void> {
    const control = await connectToOneOf(this.#init.control)
    try {
      const { host, port } = this.#init.target
      const target = `${host.includes(':') ? `[${host}]` : host}:${port}`
      const reply = await control.command(
        `ADD_ONION ED25519-V3:${expandedKey(this.#init.seed)} Port=80,${target}`
      )
      const id = reply.map((line) => /^ServiceID=([a-z2-7]{56})$/.exec(line)?.[1]).find(Boolean)
      if (id === undefined) throw new HushlampError('tor-control')
      this.#address = `http://${id}.onion`
    } catch (error) {
      control[Symbol.dispose]()
      throw error
    }
    this.#control = control
    void control.closed.then(() => {
      this.#address = undefined
      if (this.#stopped) return
      this.#components.logger.warn('Tor is gone, and the onion service with it')
      this.#retry(firstRetryMs)
    })
    if (this.#stopped) control[Symbol.dispose]()
  }

  #retry(delayMs: number): void {
    if (this.#stopped) return
    const { clock, logger } = this.#components
    this.#cancelRetry = clock.after(delayMs, () => {
      this.#publish().then(
        () => logger.info('the onion service is back'),
        () => this.#retry(Math.min(2 * delayMs, lastRetryMs))
      )
    })
  }
}

async function connectToOneOf(addresses: readonly ControlAddress[]): Promise<TorControl> {
  let failure: unknown = new HushlampError('tor-control', 'No Tor is named.')
  for (const address of addresses) {
    try {
      return await TorControl.connect(address)
    } catch (error) {
      // That a Tor is there and refuses tells more than that there is none at the next place.
      const absent =
        error instanceof Error && ['ENOENT', 'ECONNREFUSED'].includes(errorCode(error.cause))
      if (!absent || failure instanceof HushlampError) failure = error
      if (!absent) break
    }
  }
  throw failure
}

/** The secret key as Tor takes it: the seed's SHA-512, clamped (RFC 8032 §5.1.5), in base64. */
function expandedKey(seed: Uint8Array): string {
  const expanded = createHash('sha512').update(seed).digest()
  expanded.writeUInt8(expanded.readUInt8(0) & 248, 0)
  expanded.writeUInt8((expanded.readUInt8(31) & 63) | 64, 31)
  return expanded.toString('base64')
}
