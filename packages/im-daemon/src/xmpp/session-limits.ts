import type { XmlLimits } from './xml/stream-parser.ts'

/** Before login a stanza is small; RFC 6120 §13.12 asks for at least 10,000 bytes. */
export const limitsBeforeLogin: XmlLimits = { maxStanzaLength: 16 * 1024, maxDepth: 16 }

/** Limits for a client that is logged in. */
export const limitsAfterLogin: XmlLimits = { maxStanzaLength: 256 * 1024, maxDepth: 64 }

/** Time from the connection to the bound resource, however slowly the bytes come. */
export const loginTimeoutMs = 30_000
