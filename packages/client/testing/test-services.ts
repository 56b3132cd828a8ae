import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'

import { isHushlampError } from '@hushlamp/shared'
import type { ErrorCode } from '@hushlamp/shared'

import type {
  CircuitToken,
  ConnectOptions,
  OnionTarget,
  TorProvider,
  TorTarget
} from '../src/tor/tor-provider.ts'

/** Between attempts with an onion service that was published just now. */
const retryMs = 300
const attempts = 12
/** For one attempt to connect. */
export const attemptDeadlineMs = 8000

/** An onion service for one test. */
export interface TestService extends AsyncDisposable {
  readonly target: OnionTarget
}

/** Starts a service at port 80 and waits until it is published. */
export async function startService(
  provider: TorProvider,
  onStream: (stream: Duplex) => void,
  seed: Uint8Array = randomBytes(32)
): Promise<TestService> {
  const listener = await provider.listen({ seed, port: 80 }, onStream)
  await listener.published
  return {
    target: onion(listener.publicKey),
    [Symbol.asyncDispose]: async () => listener[Symbol.asyncDispose]()
  }
}

/** A service that sends back what it gets. */
export async function echoService(provider: TorProvider): Promise<TestService> {
  return await startService(provider, (stream) => stream.pipe(stream))
}

/** Connects with the patience that a service needs whose descriptor was uploaded just now. */
export async function connect(
  provider: TorProvider,
  target: TorTarget,
  options: ConnectOptions = {},
  circuit: CircuitToken = token()
): Promise<Duplex> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await provider.connect(target, circuit, { deadlineMs: attemptDeadlineMs, ...options })
    } catch (error) {
      const isWorthRepeating =
        isHushlampError(error, 'tor-unreachable') || isHushlampError(error, 'tor-timeout')
      if (!isWorthRepeating || attempt === attempts) throw error
      await new Promise((resolve) => {
        setTimeout(resolve, retryMs)
      })
    }
  }
}

/** Waits for so many bytes of a stream, or some more. */
export async function read(
  stream: Duplex,
  bytes: number,
  encoding: BufferEncoding = 'utf8'
): Promise<string> {
  const whole = await new Promise<Buffer>((resolve) => {
    let received: Buffer = Buffer.alloc(0)
    const take = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk])
      if (received.length < bytes) return
      stream.off('data', take)
      resolve(received)
    }
    stream.on('data', take)
  })
  return whole.toString(encoding)
}

/** The code of the error that `work` ends with, if it does. */
export async function codeOf(work: Promise<unknown>): Promise<ErrorCode | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    if (isHushlampError(error)) return error.code
    throw error
  }
}

/** A service at port 80. */
export function onion(publicKey: Uint8Array): OnionTarget {
  return { kind: 'onion', publicKey, port: 80 }
}

/** A token that nobody else has. */
export function token(): CircuitToken {
  return { username: randomBytes(8).toString('hex'), password: 'x' }
}

/** Wants no streams. */
export function ignore(stream: Duplex): void {
  stream.destroy()
}
