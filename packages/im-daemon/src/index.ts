/** The Hushlamp daemon: any XMPP client on this computer is its face. @packageDocumentation */
export const placeholderim: number = 1
