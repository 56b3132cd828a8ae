/** What tests of several packages share: compliance suites and implementations in memory. @packageDocumentation */
export { MemoryRegistry } from './memory-registry.ts'
export { registrySuite } from './registry-suite.ts'
export type { RegistryFixture, RegistrySetup } from './registry-suite.ts'
export { VirtualClock } from './virtual-clock.ts'
