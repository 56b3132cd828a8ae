/** A private Tor network with registry nodes and users. @packageDocumentation */
export const placeholdertn: number = 1
