/**
 * The pure protocol core of Hushlamp: no I/O, no clock, no randomness of its own. Everything here is specified so that
 * another language could implement it; the test vectors under `vectors/` belong to it.
 *
 * @packageDocumentation
 */
export { HushlampError, errorCodes, isHushlampError } from './errors.ts'
export type { ErrorCode } from './errors.ts'
export type { AbortOptions, Clock, Machine, Random, UnixSeconds } from './ports.ts'

export {
  base64,
  compareBytes,
  concat,
  fromBase64,
  fromHex,
  hex,
  lengthPrefixed,
  textOf,
  utf8,
  wipe
} from './crypto/bytes.ts'
export { equalConstantTime, hkdf, hmac, sha1, sha256 } from './crypto/hash.ts'
export { isSmallOrder, signingKeyFromSeed, verifySignature } from './crypto/ed25519.ts'
export { agreementKeyFromSecret } from './crypto/x25519.ts'
export type { AgreementKey } from './crypto/x25519.ts'
export type { SigningKey } from './crypto/ed25519.ts'

export {
  hashBytes,
  keyBytes,
  maxConfigurableValueBytes,
  maxOwnedValuesPerKey,
  maxSecretBytes,
  maxTtlSeconds,
  maxValueBytes,
  maxValuesPerGet,
  maxValuesPerKey,
  minTtlSeconds,
  placemarkBytes
} from './registry/limits.ts'
export { resultCode } from './registry/registry.ts'
export type {
  GetRequest,
  GetResult,
  Ownership,
  PutRequest,
  Registry,
  RemoveRequest,
  ResultCode,
  StoredValue
} from './registry/registry.ts'
export {
  ownedRegistryKey,
  ownerKeyFromSeed,
  proveOwnership,
  verifyOwnership
} from './registry/ownership.ts'
export {
  hasRoom,
  isLive,
  mergeRow,
  mergeRows,
  pageOf,
  rowFromPut,
  rowFromRemove,
  rowPosition
} from './registry/merge.ts'
export type { OwnedRow, PutRow, RegistryRow, RemoveRow } from './registry/merge.ts'
export {
  decodeGet,
  decodeGetResult,
  decodeNodes,
  decodeProblem,
  decodePut,
  decodeRemove,
  decodeResult,
  encodeGet,
  encodeGetResult,
  encodeNodes,
  encodeProblem,
  encodePut,
  encodeRemove,
  encodeResult,
  isNodeAddress,
  problem,
  problemType
} from './registry/rest.ts'
export type { RestAnswer, RestRequest } from './registry/rest.ts'
export { checkGet, checkPut, checkRemove, defaultLimits } from './registry/validation.ts'
export type { RegistryLimits } from './registry/validation.ts'

export { identityBytes, sameIdentity } from './identity/identity.ts'
export type { Identity, PublicIdentity } from './identity/identity.ts'
export {
  armorCertificate,
  maxCertificateBytes,
  readCertificate,
  readSecretCertificate
} from './identity/certificate.ts'
export type { Certificate, SecretCertificate } from './identity/certificate.ts'
export { createCertificate } from './identity/certificate-creation.ts'
export type { CertificateInit, CreatedCertificate } from './identity/certificate-creation.ts'
export { displayableText } from './identity/untrusted-text.ts'

export {
  earlyPublication,
  epochAt,
  epochEnd,
  epochIsAcceptable,
  epochOverlapSeconds,
  epochSeconds,
  epochStart,
  epochsToLookUp,
  epochsToPublish,
  recordTtlSeconds
} from './presence/epoch.ts'
export { derivePairKeys, pairKeysOf } from './presence/pair-keys.ts'
export type { Direction, EpochKeys, PairKeys } from './presence/pair-keys.ts'
export {
  compareRecords,
  maxIssuedAheadSeconds,
  nextIssued,
  openRecord,
  recordBytes,
  sealRecord
} from './presence/record.ts'
export type { PresenceRecord, RecordContext } from './presence/record.ts'

export {
  answerHandshake,
  handshakeMessage1Bytes,
  handshakeMessage2Bytes,
  initiateHandshake,
  recognise
} from './link/handshake.ts'
export type {
  AnsweredHandshake,
  HandshakeContext,
  InitiatedHandshake,
  LinkKeys
} from './link/handshake.ts'
export {
  FrameReceiver,
  FrameSender,
  frameBuckets,
  maxPayloadBytes,
  rekeyAfterFrames
} from './link/frames.ts'
export type { ReceivedFrame } from './link/frames.ts'
export { decodePayload, encodePayload, incarnationBytes } from './link/payload.ts'
export type {
  ByePayload,
  MessagePayload,
  Payload,
  PayloadShow,
  PresencePayload,
  ReceiptPayload,
  UnknownPayload
} from './link/payload.ts'
export {
  LinkMachine,
  handshakeTimeoutMs,
  keepAliveMs,
  rekeyIntervalMs,
  silenceTimeoutMs
} from './link/link-machine.ts'
export type {
  InitiatingInit,
  LinkCandidate,
  LinkEffect,
  LinkEnd,
  LinkEvent,
  RespondingInit
} from './link/link-machine.ts'
export { DeliveryMachine } from './link/delivery.ts'
export type {
  DeliveryEffect,
  DeliveryEvent,
  DeliveryState,
  OutgoingMessage
} from './link/delivery.ts'
