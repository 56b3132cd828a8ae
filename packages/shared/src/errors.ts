/**
 * Every error code of Hushlamp with what it means and what to do about it. The set is closed: docs/errors.md is checked
 * against this table.
 */
export const errorCodes = {
  // registry: requests that break a rule
  'registry-key-length': 'A registry key has exactly 20 bytes.',
  'registry-value-length':
    'A registry value has at least 1 byte and at most the limit of the network (128 bytes).',
  'registry-ttl-range': 'A TTL lies between 1 and 604800 seconds.',
  'registry-hash-length': 'A value hash or secret hash has exactly 20 bytes.',
  'registry-secret-length': 'A secret has between 1 and 40 bytes.',
  'registry-placemark': 'A placemark is empty or the 40 bytes that the page before ended with.',
  'registry-max-values': 'The number of values asked for lies between 1 and 256.',
  'registry-owner': 'The ownership of a put does not verify: wrong key, signature or expiry.',
  'registry-malformed':
    'The request or the answer is not in the form that the interface documents.',
  'registry-unreachable': 'No registry node answered in time. The operation may be tried again.',
  // identity
  'certificate-malformed': 'This is not an OpenPGP certificate that can be read.',
  'certificate-unsuitable':
    'The certificate lacks an Ed25519 primary key or exactly one valid presence subkey.',
  'certificate-expired': 'The certificate or its presence subkey has expired.',
  'certificate-revoked': 'The certificate or its presence subkey has been revoked.',
  'certificate-too-large':
    'A certificate has at most 64 KiB, 16 names, 16 subkeys and 100 signatures of its own.',
  'certificate-mismatch': 'The certificates belong to different persons.',
  'secret-key-missing': 'The file holds a certificate without its secret keys.',
  'secret-malformed': 'This is not an encrypted secret that can be read.',
  'passphrase-wrong': 'The passphrase is wrong, or the encrypted secret was changed.',
  'passphrase-unsupported':
    'Passphrases need Argon2id, which this Node.js lacks. Use Node.js 24.7 or later.',
  'key-agreement-failed': 'The public key is not usable for key agreement.',
  // invites
  'invite-malformed': 'This is not an invite, or a part of it was lost or changed.',
  'invite-version': 'The invite comes from a newer version of Hushlamp.',
  'invite-expired': 'The invite is no longer open.',
  'invite-expiry': 'An invite stays open for at least 1 second and at most 7 days.',
  // link
  'link-closed': 'The link to the contact is closed.',
  'link-refused': 'The other side did not complete the handshake.',
  'payload-malformed': 'A payload is not of the form that the protocol describes.',
  'message-too-long': 'A message exceeds the limit of one payload.',
  // contacts
  'contact-unknown': 'There is no such contact.',
  'contact-exists': 'This contact, or one with the same alias, exists already.',
  'contact-is-self': 'The certificate is your own.',
  'alias-invalid': 'An alias has 1 to 64 characters: letters, digits, dot, hyphen or underscore.',
  // tor
  'tor-not-found': 'No Tor program was found. Install Tor or set TOR_BINARY to its path.',
  'tor-start-failed': 'Tor ended or could not be reached while starting.',
  'tor-bootstrap-stalled': 'Tor makes no progress in connecting to its network.',
  'tor-control': 'Tor refused or broke off a command on its control port.',
  'tor-lost': 'The connection to Tor is lost.',
  'tor-unreachable': 'The destination cannot be reached through Tor now.',
  'tor-unauthorised': 'The onion service does not accept this client any more.',
  'tor-address': 'This is not a valid address for a connection through Tor.',
  'tor-timeout': 'The connection through Tor was not made in time.',
  // packages for the tools
  'package-download-failed': 'A package of the distribution could not be downloaded or unpacked.',
  // storage and configuration
  'storage-corrupt': 'The data folder holds something that cannot be read.',
  'storage-locked': 'Another process uses this data folder.',
  'storage-failed': 'The disk refused to store data.',
  'storage-newer': 'The data folder was written by a newer version of this program.',
  'storage-exists': 'There is something already where data is to be written.',
  'config-invalid': 'A setting has a wrong form. The message names it.',
  'address-in-use': 'The address to listen on is in use by another program.',
  'clock-off': 'The clock of this computer is off by more than ten minutes.',
  aborted: 'The operation was cancelled.'
} as const

/** The closed set of codes that a {@link HushlampError} carries. */
export type ErrorCode = keyof typeof errorCodes

/**
 * The one error class of Hushlamp. `code` is stable and part of the interface; `message` is for people and says what to
 * do. Messages never hold keys, addresses, names or texts of users.
 */
export class HushlampError extends Error {
  override readonly name: string = 'HushlampError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string = errorCodes[code], options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** Tells whether `error` is a {@link HushlampError}, and if `code` is given, one with that code. */
export function isHushlampError(error: unknown, code?: ErrorCode): error is HushlampError {
  return error instanceof HushlampError && (code === undefined || error.code === code)
}
