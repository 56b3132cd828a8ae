/**
 * Presence and links to friends through Tor: the Hushlamp SDK.
 *
 * @packageDocumentation
 */
export { Endpoint } from './endpoint.ts'
export type {
  ContactPresence,
  EndpointEvents,
  EndpointInit,
  EndpointState
} from './endpoint-events.ts'
export { ContactBook } from './contacts/contact-book.ts'
export type { Contact, ContactId } from './contacts/contact-book.ts'
export type { ReceivedMessage } from './link/mailbox.ts'
export { registryNodeTarget } from './registry/node-address.ts'
export { RegistryOverTor } from './registry/registry-over-tor.ts'
export type { RegistryOverTorInit } from './registry/registry-over-tor.ts'
export type { OnStage, Stage } from './stage-timing.ts'
export type { Storage, StorageChange } from './storage/storage.ts'
export { systemClock, systemRandom } from './system-ports.ts'

export { defaultCacheDirectory } from './tor/cache-directory.ts'
export { unpackDebianPackages, withUnpackedPackages } from './tor/debian-packages.ts'
export type { UnpackedPackages, UnpackOptions } from './tor/debian-packages.ts'
export type { OnProgress, Progress } from './tor/progress.ts'
export { resolveTorBinary } from './tor/tor-binary.ts'
export type { ResolveTorOptions, TorBinary } from './tor/tor-binary.ts'
export { ControlConnection } from './tor/control-connection.ts'
export type { ControlCommandOptions, ControlOpenOptions } from './tor/control-connection.ts'
export type { ControlAuthentication } from './tor/control-authentication.ts'
export type { ControlEvent, ControlReply } from './tor/control-reply-parser.ts'
export { requestThroughTor } from './tor/http-request.ts'
export type { HttpRequest } from './tor/http-request.ts'
export type { HttpResponse } from './tor/http-response-parser.ts'
export type { LocalAddress } from './tor/local-socket.ts'
export {
  expandedSecretKey,
  onionHost,
  onionPublicKey,
  onionPublicKeyOfSeed
} from './tor/onion-address.ts'
export type { ServiceSocketsInit } from './tor/service-sockets.ts'
export { SocksReplyError } from './tor/socks5-handshake.ts'
export { connectToTor, startTor } from './tor/start-tor.ts'
export type { ExistingTor } from './tor/start-tor.ts'
export { TorClient } from './tor/tor-client.ts'
export type { ReadyOptions, TorClientComponents, TorClientInit } from './tor/tor-client.ts'
export { TorProcess } from './tor/tor-process.ts'
export type { TorProcessComponents, TorProcessInit } from './tor/tor-process.ts'
export type {
  CircuitToken,
  ConnectOptions,
  HostTarget,
  OnionListener,
  OnionService,
  OnionTarget,
  TorProvider,
  TorStatus,
  TorTarget
} from './tor/tor-provider.ts'
