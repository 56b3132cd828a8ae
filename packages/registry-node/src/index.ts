/** A volunteer's node of the Hushlamp registry: OpenDHT semantics over a libp2p Kademlia DHT. @packageDocumentation */
export { CapacityOnly } from './admission/admission.ts'
export type { Admission, AdmissionRequest } from './admission/admission.ts'
export { configFrom, defaultDataDirectory } from './config/config.ts'
export type {
  ControlAddress,
  ListenAddress,
  OnionMode,
  RegistryNodeConfig
} from './config/config.ts'
export type { NodeSettings } from './config/settings.ts'
export { lineLogger, silentLogger } from './log.ts'
export type { Logger, LogLevel } from './log.ts'
export { RegistryNode } from './registry-node.ts'
export type { RegistryNodeComponents } from './registry-node.ts'
export { HolderProbe } from './overlay/holder-probe.ts'
export type { HolderProbeComponents, HolderProbeInit } from './overlay/holder-probe.ts'
export type { OverlayTimings } from './overlay/timings.ts'
export { systemClock } from './system-clock.ts'
export { defaultTimings } from './overlay/timings.ts'
export { Overlay } from './overlay/overlay.ts'
export type { OverlayComponents, OverlayInit } from './overlay/overlay.ts'
export type { MakePeerNetwork, PeerNetwork, PeerNetworkEvents } from './overlay/peer-network.ts'
export type { FrameStream } from './overlay/channel.ts'
export type { RowStore } from './store/row-store.ts'
export { RecordStore } from './store/record-store.ts'
export type { RecordStoreComponents, RecordStoreInit } from './store/record-store.ts'
export type { StoreUsage, TtlClass } from './store/usage.ts'
