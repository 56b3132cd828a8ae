/** An address of XMPP (RFC 7622): `local@domain/resource`. */
export interface Jid {
  /** Lower-case; absent for the address of a server. */
  readonly local?: string
  readonly domain: string
  readonly resource?: string
}

const maxPartBytes = 1023
const textEncoder = new TextEncoder()

/**
 * Reads an address. Local parts follow the narrow rule of this server (ASCII letters, digits, `.`, `-`, `_`; case does
 * not count), because it mints all of them itself. Undefined where the text is not such an address.
 */
export function parseJid(text: string): Jid | undefined {
  const slash = text.indexOf('/')
  const bare = slash < 0 ? text : text.slice(0, slash)
  const at = bare.indexOf('@')
  const local = at < 0 ? undefined : bare.slice(0, at).toLowerCase()
  const domain = bare.slice(at + 1).toLowerCase()
  if (local !== undefined && !/^[a-z0-9._-]{1,255}$/.test(local)) return undefined
  if (!/^([a-z0-9._-]{1,255}|\[[0-9a-f:.]{2,45}\])$/.test(domain)) return undefined
  const resource = slash < 0 ? undefined : prepareResource(text.slice(slash + 1))
  if (slash >= 0 && resource === undefined) return undefined
  return {
    ...(local === undefined ? {} : { local }),
    domain,
    ...(resource === undefined ? {} : { resource })
  }
}

/**
 * A resource as it may stand in an address: OpaqueString of RFC 8265 §4.2 (no control characters, other spaces become
 * plain ones, NFC), 1 to 1023 bytes. Undefined where the text allows none.
 */
export function prepareResource(text: string): string | undefined {
  const prepared = text.replace(/\p{Zs}/gu, ' ').normalize('NFC')
  if (prepared === '' || /[\p{Cc}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/u.test(prepared)) return undefined
  return textEncoder.encode(prepared).length <= maxPartBytes ? prepared : undefined
}

/** `local@domain`, or the domain alone. */
export function bareJid(jid: Jid): string {
  return jid.local === undefined ? jid.domain : `${jid.local}@${jid.domain}`
}

/** The whole address as text. */
export function jidText(jid: Jid): string {
  return jid.resource === undefined ? bareJid(jid) : `${bareJid(jid)}/${jid.resource}`
}
