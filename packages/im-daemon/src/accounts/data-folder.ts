import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import {
  HushlampError,
  createCertificate,
  displayableText,
  readSecretCertificate,
  textOf,
  utf8
} from '@hushlamp/shared'
import type { Clock, Random, SecretCertificate } from '@hushlamp/shared'

import { EncryptedLevel } from '../storage/encrypted-level.ts'
import { openKeyFile } from '../storage/key-file.ts'

const identityKey = 'identity/secret'
const accountKey = 'identity/account'
const passwordFile = 'xmpp-password'
const accountForm = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/

/** What a new data folder starts with. */
export interface DataFolderInit {
  /** Local part of the user's own address: `me` gives `me@localhost`. */
  readonly account: string
  /** Name in the certificate, which contacts see. May be empty. */
  readonly name: string
}

/**
 * The folder that holds one user: the identity, contacts and messages (encrypted under the key file), and the password for
 * XMPP clients. Only its owner can read it.
 */
export class DataFolder implements AsyncDisposable {
  readonly path: string
  readonly storage: EncryptedLevel
  readonly identity: SecretCertificate
  readonly account: string
  /** For the user's XMPP clients; made at random. */
  readonly xmppPassword: string

  private constructor(
    path: string,
    storage: EncryptedLevel,
    identity: SecretCertificate,
    account: string,
    xmppPassword: string
  ) {
    this.path = path
    this.storage = storage
    this.identity = identity
    this.account = account
    this.xmppPassword = xmppPassword
  }

  /**
   * Opens a data folder; makes it, with a new identity, if there is none and `init` is given.
   *
   * Errors: `config-invalid` if there is none and none is to be made, `storage-locked`, `storage-corrupt`,
   * `storage-failed`.
   */
  static async open(
    path: string,
    components: { readonly clock: Clock; readonly random: Random },
    init?: DataFolderInit
  ): Promise<DataFolder> {
    await makePrivate(path)
    const storage = await EncryptedLevel.open(
      join(path, 'store'),
      await openKeyFile(join(path, 'key'))
    )
    try {
      const { account, identity } =
        (await readIdentity(storage, components.clock)) ??
        (await makeIdentity(storage, components, requireInit(init)))
      const password = await openPassword(join(path, passwordFile), components.random)
      return new DataFolder(path, storage, identity, account, password)
    } catch (error) {
      await storage.close()
      throw error
    }
  }

  /** Where something else of this user is kept. */
  pathOf(name: string): string {
    return join(this.path, name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.storage.close()
  }
}

async function makePrivate(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    await chmod(path, 0o700)
  } catch (cause) {
    throw new HushlampError(
      'storage-failed',
      'The data folder cannot be made or is not yours. Name another one with --data-dir.',
      { cause }
    )
  }
}

function requireInit(init: DataFolderInit | undefined): DataFolderInit {
  if (!init)
    throw new HushlampError(
      'config-invalid',
      'There is no identity in this data folder yet. Make one with "hushlamp init".'
    )
  if (!accountForm.test(init.account))
    throw new HushlampError(
      'config-invalid',
      'An account name consists of the characters a-z, 0-9, dot, hyphen and underscore.'
    )
  return init
}

interface StoredIdentity {
  readonly account: string
  readonly identity: SecretCertificate
}

async function readIdentity(
  storage: EncryptedLevel,
  clock: Clock
): Promise<StoredIdentity | undefined> {
  const secret = await storage.get(identityKey)
  const account = await storage.get(accountKey)
  if (!secret || !account) return undefined
  return {
    account: textOf(account) ?? '',
    identity: await readSecretCertificate(secret, clock.unixSeconds())
  }
}

async function makeIdentity(
  storage: EncryptedLevel,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  init: DataFolderInit
): Promise<StoredIdentity> {
  const name = displayableText(init.name)
  const created = await createCertificate({ name }, random, clock.unixSeconds())
  await storage.write([
    { type: 'put', key: identityKey, value: created.secretBytes },
    { type: 'put', key: accountKey, value: utf8(init.account) }
  ])
  return { account: init.account, identity: created }
}

/** 20 characters of 32 that are easy to type: 100 bits. */
async function openPassword(path: string, random: Random): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'))
      throw new HushlampError('storage-failed', 'The XMPP password cannot be read.', { cause })
  }
  const letters = 'abcdefghijkmnpqrstuvwxyz23456789'
  const password = Array.from(random.bytes(20), (byte) => letters[byte & 31]).join('')
  await writeFile(path, `${password}\n`, { mode: 0o600 })
  return password
}
