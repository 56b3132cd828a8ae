/** Presence and links to friends through Tor: the Hushlamp SDK. @packageDocumentation */
export const placeholdercl: number = 1
