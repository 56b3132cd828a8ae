import { isHushlampError } from '@hushlamp/shared'

import type { XmlRpcFault } from './value.ts'

/** What a call ended with that may be tried again: the number of OpenDHT's result code of that meaning. */
const tryAgain = 2

/**
 * An error as a client of OpenDHT expects it: code 0 and the name of a Java exception in front of the sentence. A get has
 * no result code in which it could say "try again": there the fault has code 2. What is not a HushlampError tells nothing.
 */
export function faultOf(error: unknown): XmlRpcFault {
  if (!isHushlampError(error)) return { code: 0, text: 'java.lang.Exception: internal error' }
  const code = error.code === 'registry-unreachable' ? tryAgain : 0
  return { code, text: `java.lang.Exception: ${error.message}` }
}
