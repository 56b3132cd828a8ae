/**
 * What tests of this package and of those above it share: a Tor in memory and the suite that every Tor has to pass.
 *
 * @packageDocumentation
 */
export { FakeTor } from './fake-tor.ts'
export type { FakeTorComponents, FakeTorInit } from './fake-tor.ts'
export { FakeTorNetwork } from './fake-tor-network.ts'
export type { FakeAcceptor, FakeAttempt, FakeFailure } from './fake-tor-network.ts'
export { MemoryStorage } from './memory-storage.ts'
export { memoryStreams } from './memory-stream.ts'
export { torProviderSuite } from './tor-provider-suite.ts'
export type { TorProviderFixture, TorProviderSuiteOptions } from './tor-provider-suite.ts'
