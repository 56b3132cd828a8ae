import { HushlampError } from '@hushlamp/shared'

/** The error of a call that is not in the form of XML-RPC, or of one that a method does not take. */
export function malformed(message: string): HushlampError {
  return new HushlampError('registry-malformed', message)
}
