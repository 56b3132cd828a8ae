import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  privateEncrypt,
  randomBytes
} from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** The keys of a directory authority, as the files that Tor reads. */
export interface AuthorityKeys {
  /** The relay identity, `keys/secret_id_key`. */
  readonly relayIdentity: string
  /** The key that votes are signed with, `keys/authority_signing_key`. */
  readonly signingKey: string
  /** The certificate by which the authority vouches for that key, `keys/authority_certificate`. */
  readonly certificate: string
}

/** Certificates are valid for so long, and made anew in the last week. */
const validityDays = 365
const renewalDays = 7
const dayMs = 24 * 60 * 60 * 1000

/**
 * The keys of an authority. Those in the folder `directory` are used again, because making a key of 3072 bits takes
 * seconds and the identity of the network stays the same for clients; missing or expiring ones are made.
 */
export async function authorityKeys(directory: string): Promise<AuthorityKeys> {
  const kept = await readKeys(directory)
  if (kept !== undefined) return kept
  const made = await generateAuthorityKeys(new Date())
  const parent = dirname(directory)
  const incoming = join(parent, `incoming-${randomBytes(6).toString('hex')}`)
  await mkdir(incoming, { recursive: true, mode: 0o700 })
  await writeKeys(incoming, made)
  await rm(directory, { recursive: true, force: true })
  try {
    await rename(incoming, directory)
    return made
  } catch {
    // Another process was faster: its keys count.
    await rm(incoming, { recursive: true, force: true })
    return (await readKeys(directory)) ?? made
  }
}

const fileNames = {
  relayIdentity: 'secret_id_key',
  signingKey: 'authority_signing_key',
  certificate: 'authority_certificate'
} as const

/** Writes the keys under the names that Tor expects below its `keys` folder. */
export async function writeKeys(directory: string, keys: AuthorityKeys): Promise<void> {
  for (const part of ['relayIdentity', 'signingKey', 'certificate'] as const) {
    await writeFile(join(directory, fileNames[part]), keys[part], { mode: 0o600 })
  }
}

/** The fingerprint by which a `DirAuthority` line names the relay: SHA-1 of the PKCS #1 form, upper-case hex. */
export function relayFingerprint(keys: AuthorityKeys): string {
  const key = createPrivateKey(keys.relayIdentity)
  return publicDigest(key).toString('hex').toUpperCase()
}

/** The `v3ident` of a `DirAuthority` line. */
export function authorityFingerprint(keys: AuthorityKeys): string {
  return /^fingerprint (\w+)$/m.exec(keys.certificate)?.[1] ?? ''
}

async function readKeys(directory: string): Promise<AuthorityKeys | undefined> {
  const read = async (name: string): Promise<string> =>
    await readFile(join(directory, name), 'utf8')
  try {
    const [relayIdentity, signingKey, certificate] = await Promise.all([
      read(fileNames.relayIdentity),
      read(fileNames.signingKey),
      read(fileNames.certificate)
    ])
    const expires = /^dir-key-expires (\S+) (\S+)$/m.exec(certificate)
    const expiryMs = Date.parse(`${expires?.[1]}T${expires?.[2]}Z`)
    const usable = expiryMs - Date.now() > renewalDays * dayMs
    return usable ? { relayIdentity, signingKey, certificate } : undefined
  } catch {
    return undefined
  }
}

/**
 * Makes the keys and the certificate of an authority (dir-spec, "Creating key certificates"), so that no other tool
 * than Tor itself is needed.
 */
export async function generateAuthorityKeys(now: Date): Promise<AuthorityKeys> {
  const [relay, identity, signing] = await Promise.all([rsaKey(1024), rsaKey(3072), rsaKey(2048)])
  const expires = new Date(now.getTime() + validityDays * dayMs)
  const identityDigest = publicDigest(identity)
  const body = `${[
    'dir-key-certificate-version 3',
    `fingerprint ${identityDigest.toString('hex').toUpperCase()}`,
    `dir-key-published ${directoryTime(now)}`,
    `dir-key-expires ${directoryTime(expires)}`,
    'dir-identity-key',
    publicPem(identity),
    'dir-signing-key',
    publicPem(signing),
    'dir-key-crosscert',
    signature(signing, identityDigest, 'ID SIGNATURE'),
    'dir-key-certification'
  ].join('\n')}\n`
  const digest = createHash('sha1').update(body).digest()
  return {
    relayIdentity: privatePem(relay),
    signingKey: privatePem(signing),
    certificate: `${body}${signature(identity, digest, 'SIGNATURE')}\n`
  }
}

async function rsaKey(bits: number): Promise<KeyObject> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: bits })
  return privateKey
}

/** Tor signs the bare digest in PKCS #1 padding, without naming the hash in it. */
function signature(key: KeyObject, digest: Uint8Array, label: string): string {
  const bytes = privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, digest)
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`].join('\n')
}

/** SHA-1 of the PKCS #1 form of the public key. */
function publicDigest(key: KeyObject): Buffer {
  const der = publicPem(key).replaceAll(/-----[^-]+-----/g, '')
  return createHash('sha1').update(Buffer.from(der, 'base64')).digest()
}

function publicPem(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'pkcs1', format: 'pem' }).toString().trim()
}

function privatePem(key: KeyObject): string {
  return key.export({ type: 'pkcs1', format: 'pem' }).toString()
}

/** `2026-01-31 12:00:00`, in UTC. */
function directoryTime(date: Date): string {
  return date.toISOString().slice(0, 19).replace('T', ' ')
}
