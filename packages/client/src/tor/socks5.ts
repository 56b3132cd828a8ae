import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

import { HushlampError, isHushlampError } from '@hushlamp/shared'
import type { Clock } from '@hushlamp/shared'

import { Deadline } from './deadline.ts'
import { dial } from './local-socket.ts'
import type { LocalAddress } from './local-socket.ts'
import { socksDestination } from './socks5-address.ts'
import { Socks5Handshake } from './socks5-handshake.ts'
import type { SocksEffect } from './socks5-handshake.ts'
import type { CircuitToken, ConnectOptions, TorTarget } from './tor-provider.ts'

/** Tor's own deadline is two minutes; nobody should wait that long for one attempt. */
const defaultDeadlineMs = 15_000

/** A connection to be made through a SOCKS port. */
export interface SocksConnectInit {
  /** Where Tor's SOCKS port is. Nothing else is ever dialled. */
  readonly socks: LocalAddress
  readonly target: TorTarget
  readonly circuit: CircuitToken
}

/**
 * Opens a stream through Tor. It has a listener for errors already, so that one that nobody awaits ends nothing but the
 * stream.
 *
 * Errors: as {@link TorProvider.connect}; the `cause` of what Tor reported is a {@link SocksReplyError}.
 */
export async function connectBySocks(
  components: { readonly clock: Pick<Clock, 'after'> },
  init: SocksConnectInit,
  options: ConnectOptions = {}
): Promise<Duplex> {
  const handshake = new Socks5Handshake({
    destination: socksDestination(init.target),
    circuit: init.circuit,
    initialData: options.initialData
  })
  using deadline = new Deadline(components.clock, {
    deadlineMs: options.deadlineMs ?? defaultDeadlineMs,
    code: 'tor-timeout',
    signal: options.signal
  })
  const socket = await dial(init.socks, deadline.signal).catch((cause: unknown) => {
    if (isHushlampError(cause)) throw cause
    throw new HushlampError('tor-lost', 'The SOCKS port of Tor cannot be opened.', { cause })
  })
  socket.on('error', () => {})
  try {
    await shakeHands(socket, handshake, deadline.signal)
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/**
 * Carries out the handshake. It reads by `readable`, which leaves the stream neither flowing nor paused, as a fresh one.
 */
function shakeHands(
  socket: Socket,
  handshake: Socks5Handshake,
  signal: AbortSignal
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      signal.removeEventListener('abort', onAbort)
      socket.off('readable', onReadable).off('close', onClose)
    }
    const fail = (error: unknown): void => {
      settle()
      reject(error)
    }
    const onAbort = (): void => fail(signal.reason)
    const onClose = (): void => fail(new HushlampError('tor-lost'))
    const carryOut = (effect: SocksEffect): void => {
      switch (effect.kind) {
        case 'send': {
          socket.write(effect.bytes)
          return
        }
        case 'open': {
          settle()
          if (effect.rest.length > 0) socket.unshift(effect.rest)
          return resolve()
        }
        case 'failed': {
          return fail(effect.error)
        }
      }
    }
    const onReadable = (): void => {
      const bytes: unknown = socket.read()
      if (bytes instanceof Uint8Array) handshake.push(bytes).forEach(carryOut)
    }
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('readable', onReadable).on('close', onClose)
    handshake.start().forEach(carryOut)
  })
}
