import { readFile } from 'node:fs/promises'

import {
  HushlampError,
  concat,
  equalConstantTime,
  fromHex,
  hex,
  hmac,
  utf8
} from '@hushlamp/shared'
import type { Clock, Random } from '@hushlamp/shared'

import type { ControlReply } from './control-reply-parser.ts'
import { keywordArguments, quotedString } from './control-text.ts'
import { wait } from './deadline.ts'

/** How we prove to Tor that we may control it (control-spec §3.5, §3.24). */
export type ControlAuthentication =
  | {
      readonly kind: 'cookie-file'
      /** Where the cookie lies for us. Default: where Tor says that it wrote it. */
      readonly path?: string
    }
  | { readonly kind: 'password'; readonly password: string }

/** What {@link authenticate} needs. */
export interface AuthenticationComponents {
  /** Sends one command and awaits its reply. */
  readonly command: (line: string) => Promise<ControlReply>
  readonly clock: Pick<Clock, 'after'>
  readonly random: Random
}

/** Length of a cookie and of the nonces of SAFECOOKIE, in bytes. */
const cookieBytes = 32
/** How often a cookie file is looked for that Tor has not written yet. */
const cookieRetryMs = 25

const serverToController = utf8('Tor safe cookie authentication server-to-controller hash')
const controllerToServer = utf8('Tor safe cookie authentication controller-to-server hash')

/**
 * Authenticates a fresh control connection. With a cookie file SAFECOOKIE is preferred, where Tor must prove first that
 * it knows the cookie too; the plain cookie is only sent to a Tor that offers nothing better. Waits for the file until
 * it holds 32 bytes, because Tor opens its socket some milliseconds before it writes it.
 *
 * Errors: `tor-control` where Tor refuses or cannot prove itself, the reason of `signal`.
 */
export async function authenticate(
  components: AuthenticationComponents,
  authentication: ControlAuthentication,
  signal: AbortSignal
): Promise<void> {
  const { command } = components
  if (authentication.kind === 'password') {
    return expectOk(await command(`AUTHENTICATE ${quotedString(authentication.password)}`))
  }
  const info = await command('PROTOCOLINFO 1')
  expectOk(info)
  const line = info.lines.find((candidate) => candidate.startsWith('AUTH '))
  const offered = keywordArguments(line ?? '')
  const methods = new Set((offered.get('METHODS') ?? '').split(','))
  if (methods.has('NULL')) return expectOk(await command('AUTHENTICATE'))
  const path = authentication.path ?? pathOf(offered.get('COOKIEFILE'))
  if (path === undefined || !(methods.has('SAFECOOKIE') || methods.has('COOKIE'))) {
    throw new HushlampError('tor-control', 'Tor offers no authentication by a cookie file.')
  }
  const cookie = await readCookie(path, components.clock, signal)
  const proof = methods.has('SAFECOOKIE') ? await challenge(components, cookie) : cookie
  expectOk(await command(`AUTHENTICATE ${hex(proof)}`))
}

/** AUTHCHALLENGE (control-spec §3.24): checks the server's proof, answers with ours. */
async function challenge(
  { command, random }: AuthenticationComponents,
  cookie: Uint8Array
): Promise<Uint8Array> {
  const clientNonce = random.bytes(cookieBytes)
  const reply = await command(`AUTHCHALLENGE SAFECOOKIE ${hex(clientNonce)}`)
  expectOk(reply)
  const answer = keywordArguments(reply.lines[0] ?? '')
  const serverHash = fromHex(answer.get('SERVERHASH') ?? '')
  const serverNonce = fromHex(answer.get('SERVERNONCE') ?? '')
  if (serverHash?.length !== cookieBytes || serverNonce?.length !== cookieBytes) {
    throw new HushlampError('tor-control', 'Tor answered the challenge in an unknown form.')
  }
  const transcript = concat(cookie, clientNonce, serverNonce)
  if (!equalConstantTime(serverHash, hmac(serverToController, transcript))) {
    throw new HushlampError(
      'tor-control',
      'The program on the control port does not know the cookie: it is not the Tor that wrote the file.'
    )
  }
  return hmac(controllerToServer, transcript)
}

async function readCookie(
  path: string,
  clock: Pick<Clock, 'after'>,
  signal: AbortSignal
): Promise<Uint8Array> {
  for (;;) {
    const cookie = await readFile(path).catch((cause: unknown) => {
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
      throw new HushlampError('tor-control', "Tor's cookie file cannot be read.", { cause })
    })
    if (cookie?.length === cookieBytes) return new Uint8Array(cookie)
    await wait(clock, cookieRetryMs, signal)
  }
}

/** File names come as Latin-1 text of their bytes. */
function pathOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : Buffer.from(text, 'latin1').toString('utf8')
}

function expectOk(reply: ControlReply): void {
  if (reply.status === 250) return
  throw new HushlampError(
    'tor-control',
    `Tor refused the authentication with status ${reply.status}.`
  )
}
