import {
  earlyPublication,
  epochOverlapSeconds,
  epochSeconds,
  frameBuckets,
  handshakeMessage1Bytes,
  handshakeMessage2Bytes,
  handshakeTimeoutMs,
  incarnationBytes,
  keepAliveMs,
  keyBytes,
  maxCertificateBytes,
  maxIssuedAheadSeconds,
  maxMessageBodyBytes,
  maxOwnedValuesPerKey,
  maxPayloadBytes,
  maxTtlSeconds,
  maxValueBytes,
  maxValuesPerGet,
  maxValuesPerKey,
  minTtlSeconds,
  placemarkBytes,
  recordBytes,
  recordTtlSeconds,
  rekeyAfterFrames,
  rekeyIntervalMs,
  silenceTimeoutMs
} from '@hushlamp/shared'

import { expects } from './cases.ts'
import type { VectorFile } from './cases.ts'

/** `constants.json`: constants that both sides must share, by the names that the specification's table gives them. */
export function constantsFile(): VectorFile {
  const constants = {
    epochSeconds,
    recordTtlSeconds,
    epochOverlapSeconds,
    earlyPublicationFromSeconds: earlyPublication.fromSeconds,
    earlyPublicationUntilSeconds: earlyPublication.untilSeconds,
    recordBytes,
    maxIssuedAheadSeconds,
    keyBytes,
    maxValueBytes,
    minTtlSeconds,
    maxTtlSeconds,
    maxValuesPerKey,
    maxOwnedValuesPerKey,
    maxValuesPerGet,
    placemarkBytes,
    maxCertificateBytes,
    handshakeMessage1Bytes,
    handshakeMessage2Bytes,
    handshakeTimeoutMs,
    frameBuckets,
    maxPayloadBytes,
    rekeyAfterFrames,
    rekeyIntervalMs,
    keepAliveFromMs: keepAliveMs.from,
    keepAliveToMs: keepAliveMs.to,
    silenceTimeoutMs,
    incarnationBytes,
    maxMessageBodyBytes
  }
  return {
    constant: Object.entries(constants).map(([name, value]) => expects({ name }, { value }))
  }
}
