/** A private Tor network with registry nodes and users. @packageDocumentation */
export { resolvePrograms } from './programs.ts'
export type { Programs, ResolveProgramsOptions, SuitePackage } from './programs.ts'
export { NetworkNamespace } from './sandbox/network-namespace.ts'
export type { Command, NamespaceAvailability, NamespaceRight } from './sandbox/network-namespace.ts'
export { PrivateTorNetwork } from './tor-network/private-tor-network.ts'
export type { PrivateTorNetworkOptions } from './tor-network/private-tor-network.ts'
