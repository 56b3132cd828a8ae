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
  defaultMaxValues,
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

export { identityBytes, sameIdentity, shortKeyId, shortKeyIdsClash } from './identity/identity.ts'
export type { Identity, PublicIdentity } from './identity/identity.ts'
export {
  armorCertificate,
  checkCertificateAt,
  readCertificate,
  readSecretCertificate
} from './identity/certificate.ts'
export { maxCertificateBytes } from './identity/openpgp-key.ts'
export type { Certificate, SecretCertificate } from './identity/certificate.ts'
export { createCertificate } from './identity/certificate-creation.ts'
export type { CertificateInit, CreatedCertificate } from './identity/certificate-creation.ts'
export { mergeCertificate, revokeCertificate } from './identity/certificate-update.ts'
export type { MergedCertificate } from './identity/certificate-update.ts'
export { clockToleranceSeconds } from './identity/clock-tolerance.ts'
export { safetyNumber } from './identity/safety-number.ts'
export type { SafetyNumber } from './identity/safety-number.ts'
export {
  defaultPassphraseCost,
  maxSecretKeyBytes,
  openSecret,
  sealSecret
} from './identity/sealed-secret.ts'
export type { Argon2Cost } from './crypto/argon2id.ts'
export { displayableText } from './identity/untrusted-text.ts'
export {
  checkInvite,
  createInvite,
  decodeInvite,
  defaultInviteSeconds,
  encodeInvite,
  maxInviteSeconds
} from './identity/invite.ts'
export type { Invite } from './identity/invite.ts'

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
  admits,
  compareRecords,
  maxIssuedAheadSeconds,
  nextIssued,
  openRecord,
  recordBytes,
  sealRecord
} from './presence/record.ts'
export type { InviteReader, PresenceRecord, RecordContext } from './presence/record.ts'
export { deriveInviteKeys } from './presence/invite-keys.ts'
export type { InviteKeys } from './presence/invite-keys.ts'

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
export { answerInvite, initiateInvite, inviteMessage3Bytes } from './link/invite-handshake.ts'
export type {
  AnsweredInvite,
  InitiatedInvite,
  InviteHandshakeContext
} from './link/invite-handshake.ts'
export {
  certificateSteps,
  decodeInvitePayload,
  encodeInvitePayload
} from './link/invite-payload.ts'
export type { AcceptedPayload, InvitePayload, JoinPayload } from './link/invite-payload.ts'
export { decideInviteUse } from './link/invite-use.ts'
export type { InviteAttempt, InviteUse, PairStanding } from './link/invite-use.ts'
export type { InviteEnd } from './link/invite-channel.ts'
export { GuestMachine } from './link/invite-guest.ts'
export type { GuestEffect, GuestEvent, GuestInit } from './link/invite-guest.ts'
export { InviterMachine } from './link/invite-inviter.ts'
export type {
  InviteCandidate,
  InviterEffect,
  InviterEvent,
  InviterInit
} from './link/invite-inviter.ts'
export {
  FrameReceiver,
  FrameSender,
  frameBuckets,
  maxPayloadBytes,
  rekeyAfterFrames
} from './link/frames.ts'
export type { ReceivedFrame } from './link/frames.ts'
export {
  decodePayload,
  encodePayload,
  incarnationBytes,
  isSendableMessage,
  maxMessageBodyBytes
} from './link/payload.ts'
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
export { LinkSelection, maxLinksPerContact } from './link/link-selection.ts'
export type { LinkSelectionEffect, LinkSelectionEvent } from './link/link-selection.ts'
export { DeliveryMachine } from './link/delivery.ts'
export type {
  DeliveryEffect,
  DeliveryEvent,
  DeliveryState,
  OutgoingMessage
} from './link/delivery.ts'
