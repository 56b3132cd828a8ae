import { textOf } from '@hushlamp/shared'

import { passwordMatches } from './credentials.ts'
import { saslFailure } from './sasl-exchange.ts'
import type { SaslMechanism } from './sasl-exchange.ts'

/**
 * PLAIN (RFC 4616): `[authorization identity] NUL name NUL password`. Offered without TLS too, because the server only
 * listens on this computer and old clients know nothing else.
 */
export const plain: SaslMechanism = {
  name: 'PLAIN',
  start: ({ resolve }) => ({
    respond: (message) => {
      // RFC 6120 §6.4.2: a client that sent no initial response is asked for it.
      if (message.length === 0) return { kind: 'challenge', data: new Uint8Array() }
      const parts = textOf(message)?.split('\0')
      const [authorization, name, password] = parts ?? []
      if (parts?.length !== 3 || authorization === undefined || !name || !password) {
        return saslFailure('malformed-request')
      }
      const { account, credentials } = resolve(name)
      const matches = passwordMatches(password, credentials)
      if (!matches || account === undefined) return saslFailure('not-authorized')
      if (authorization !== '' && resolve(authorization).account !== account) {
        return saslFailure('invalid-authzid')
      }
      return { kind: 'success', account, data: new Uint8Array() }
    }
  })
}
