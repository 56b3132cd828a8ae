import { chachaOpen, chachaSeal } from '../crypto/chacha-poly.ts'
import { concat, utf8, wipe } from '../crypto/bytes.ts'
import { hmac, sha256 } from '../crypto/hash.ts'

/**
 * SymmetricState and CipherState of the Noise Protocol Framework, revision 34, §5.1–5.2, for 25519_ChaChaPoly_SHA256.
 */
export class NoiseSymmetricState {
  #chainingKey: Uint8Array
  #hash: Uint8Array
  #key: Uint8Array | undefined
  #counter = 0

  /** InitializeSymmetric(protocolName). */
  constructor(protocolName: string) {
    const name = utf8(protocolName)
    this.#hash = name.length <= 32 ? concat(name, new Uint8Array(32 - name.length)) : sha256(name)
    this.#chainingKey = this.#hash
  }

  /** The handshake hash h. */
  get hash(): Uint8Array {
    return this.#hash
  }

  /** MixHash(data). */
  mixHash(data: Uint8Array): void {
    this.#hash = sha256(this.#hash, data)
  }

  /** MixKey(input_key_material). */
  mixKey(inputKey: Uint8Array): void {
    const [chainingKey, key] = noiseHkdf(this.#chainingKey, inputKey)
    this.#chainingKey = chainingKey
    this.#key = key
    this.#counter = 0
  }

  /** MixKeyAndHash(input_key_material), for pre-shared keys. */
  mixKeyAndHash(inputKey: Uint8Array): void {
    const [chainingKey, hash, key] = noiseHkdf3(this.#chainingKey, inputKey)
    this.#chainingKey = chainingKey
    this.mixHash(hash)
    this.#key = key
    this.#counter = 0
  }

  /** EncryptAndHash(plaintext). */
  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const ciphertext = this.#key
      ? chachaSeal(this.#key, this.#counter++, this.#hash, plaintext)
      : plaintext
    this.mixHash(ciphertext)
    return ciphertext
  }

  /** DecryptAndHash(ciphertext); undefined where the check fails. */
  decryptAndHash(ciphertext: Uint8Array): Uint8Array | undefined {
    const plaintext = this.#key
      ? chachaOpen(this.#key, this.#counter++, this.#hash, ciphertext)
      : ciphertext
    this.mixHash(ciphertext)
    return plaintext
  }

  /** Split(): the key of the initiator's direction, then that of the responder's. The state forgets its own keys. */
  split(): readonly [Uint8Array, Uint8Array] {
    const keys = noiseHkdf(this.#chainingKey, new Uint8Array(0))
    wipe(this.#chainingKey)
    if (this.#key) wipe(this.#key)
    return keys
  }
}

/** HKDF of Noise, §4.3, with two outputs of 32 bytes. */
function noiseHkdf(
  chainingKey: Uint8Array,
  inputKey: Uint8Array
): readonly [Uint8Array, Uint8Array] {
  const temporary = hmac(chainingKey, inputKey)
  const first = hmac(temporary, new Uint8Array([1]))
  return [first, hmac(temporary, first, new Uint8Array([2]))]
}

/** The same with three outputs. */
function noiseHkdf3(
  chainingKey: Uint8Array,
  inputKey: Uint8Array
): readonly [Uint8Array, Uint8Array, Uint8Array] {
  const [first, second] = noiseHkdf(chainingKey, inputKey)
  return [first, second, hmac(hmac(chainingKey, inputKey), second, new Uint8Array([3]))]
}
