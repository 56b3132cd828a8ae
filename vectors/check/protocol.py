"""A second implementation of docs/protocol.md: formats and derivations, without network, clock or disk.

Needs Python 3.9 and python3-cryptography. A parser raises `Refused` with the reason of the first rule that is broken.
"""
import hashlib
import hmac as hmac_module
import struct
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV, ChaCha20Poly1305


class Refused(Exception):
    """An input that must be refused; the reason is its only argument."""


def require(condition, reason):
    if not condition:
        raise Refused(reason)


# ---- notation and primitives (§2, §3) ----

def u16(number):
    return struct.pack('>H', number)


def u32(number):
    return struct.pack('>I', number)


def u64(number):
    return struct.pack('>Q', number)


def lp(*parts):
    encoded = [part.encode() if isinstance(part, str) else part for part in parts]
    return b''.join(u16(len(part)) + part for part in encoded)


def sha256(data):
    return hashlib.sha256(data).digest()


def hmac(key, data):
    return hmac_module.new(key, data.encode() if isinstance(data, str) else data, hashlib.sha256).digest()


def hkdf(input_key, salt, info):
    return hmac(hmac(salt, input_key), info + b'\x01')


RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)


# Importing a key is what costs most, and the same ones are used again and again.
x25519_private = lru_cache(maxsize=None)(X25519PrivateKey.from_private_bytes)
ed25519_private = lru_cache(maxsize=None)(Ed25519PrivateKey.from_private_bytes)


@lru_cache(maxsize=None)
def x25519_public(secret):
    return x25519_private(secret).public_key().public_bytes(*RAW)


@lru_cache(maxsize=None)
def x25519(secret, peer):
    """The shared secret; refuses keys of a wrong length or of small order."""
    require(len(peer) == 32, 'length')
    try:
        shared = x25519_private(secret).exchange(X25519PublicKey.from_public_bytes(peer))
    except ValueError:  # The library finds the result zero.
        raise Refused('small-order') from None
    require(any(shared), 'small-order')
    return shared


@lru_cache(maxsize=None)
def ed25519_public(seed):
    return ed25519_private(seed).public_key().public_bytes(*RAW)


@lru_cache(maxsize=None)
def ed25519_sign(seed, message):
    return ed25519_private(seed).sign(message)


P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
ORDER_8_Y = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7
SMALL_ORDER_Y = {0, 1, P - 1, P, P + 1, ORDER_8_Y, P - ORDER_8_Y}
ORDER_8_U = 0x57119fd0dd4e22d8868e1c58c45c44045bef839c55b1d0b1248c50a3bc959c5f
ORDER_4_U = 0x00b8495f16056286fdb1329ceb8d09da6ac49ff1fae35616aeb8413b7c7aebe0
SMALL_ORDER_U = {0, 1, P - 1, P, P + 1, ORDER_8_U, ORDER_4_U}


def little(data):
    return int.from_bytes(data, 'little')


def ed25519_verify(public, message, signature):
    require(len(public) == 32, 'key-length')
    require(len(signature) == 64, 'signature-length')
    require(little(public) % 2**255 not in SMALL_ORDER_Y, 'small-order')
    require(little(signature[32:]) < ORDER, 'scalar')
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise Refused('signature') from None


def chacha_nonce(counter):
    return bytes(4) + struct.pack('<Q', counter)


def chacha_seal(key, counter, associated, plaintext):
    return ChaCha20Poly1305(key).encrypt(chacha_nonce(counter), plaintext, associated)


def chacha_open(key, counter, associated, sealed):
    try:
        return ChaCha20Poly1305(key).decrypt(chacha_nonce(counter), sealed, associated)
    except InvalidTag:
        raise Refused('seal') from None


def chacha_rekey(key):
    return chacha_seal(key, 2**64 - 1, b'', bytes(32))[:32]


# ---- identities, pair keys, epochs (§4 to §6) ----

EPOCH_SECONDS = 14400
OVERLAP_SECONDS = 1800


def identity_bytes(person):
    return lp(person['fingerprint'], person['signingKey'], person['presenceKey'])


def epoch_offset(pair_root):
    return int.from_bytes(hmac(pair_root, 'offset')[:8], 'big') % EPOCH_SECONDS


def epoch_input(epoch):
    return lp('epoch', u64(epoch))


def epoch_keys(pair_root, epoch):
    key = hmac(pair_root, epoch_input(epoch))
    owner = ed25519_public(hmac(key, 'owner'))
    return {
        'epoch': epoch,
        'ownerPublicKey': owner,
        'registryKey': owned_registry_key(owner),
        'sivKey': hmac(key, 'siv-mac') + hmac(key, 'siv-enc'),
        'handshakePsk': hmac(key, 'handshake-psk'),
        'handshakeTagKey': hmac(key, 'handshake-tag'),
    }


def epoch_at(now, offset):
    return (now + offset) // EPOCH_SECONDS


def epoch_start(epoch, offset):
    return epoch * EPOCH_SECONDS - offset


def epochs_to_publish(now, offset, lead):
    epoch = epoch_at(now, offset)
    return [epoch, epoch + 1] if now >= epoch_start(epoch + 1, offset) - lead else [epoch]


def epochs_to_look_up(now, offset):
    epoch = epoch_at(now, offset)
    if now < epoch_start(epoch, offset) + OVERLAP_SECONDS:
        return [epoch, epoch - 1]
    if now >= epoch_start(epoch + 1, offset) - OVERLAP_SECONDS:
        return [epoch, epoch + 1]
    return [epoch]


# ---- owned puts (§8) ----

def owned_registry_key(owner):
    return sha256(b'hushlamp/v1/key' + owner)[:20]


def owned_expiry(now, ttl):
    return -(-now // 600) * 600 + ttl


def put_transcript(key, value, expiry):
    return lp('hushlamp/v1/put', key, sha256(value), u32(expiry))


def verify_put(key, value, owner, now):
    require(len(owner['publicKey']) == 32, 'owner-length')
    require(len(owner['signature']) == 64, 'signature-length')
    require(0 <= owner['expiry'] < 2**32, 'expiry-range')
    require(owner['expiry'] > now, 'expired')
    require(owned_registry_key(owner['publicKey']) == key, 'other-key')
    ed25519_verify(owner['publicKey'], put_transcript(key, value, owner['expiry']), owner['signature'])


# ---- presence records (§9) ----

MAX_ISSUED_AHEAD = 1500


def record_metadata(content, version=1):
    return struct.pack('>BBBBIHHI', version, content['flags'], content['device'], content['capabilities'],
                       content['issued'], content['sequence'], content['ttlMinutes'], 0)


def record_transcript(publisher, reader, keys, metadata, onion_key):
    return lp('hushlamp/v1/record', identity_bytes(publisher), identity_bytes(reader), u64(keys['epoch']),
              keys['registryKey'], metadata, onion_key)


def seal_record(keys, metadata, onion_key, signature):
    return AESSIV(keys['sivKey']).encrypt(metadata + onion_key + signature, [keys['registryKey']])


def open_record(value, publisher, reader, keys, now):
    require(len(value) == 128, 'length')
    try:
        plaintext = AESSIV(keys['sivKey']).decrypt(value, [keys['registryKey']])
    except InvalidTag:
        raise Refused('check') from None
    metadata, onion_key, signature = plaintext[:16], plaintext[16:48], plaintext[48:]
    version, flags, device, capabilities, issued, sequence, ttl, reserved = struct.unpack('>BBBBIHHI', metadata)
    require(version == 1, 'version')
    require(reserved == 0, 'reserved')
    require(issued <= now + MAX_ISSUED_AHEAD, 'issued-ahead')
    require(issued + ttl * 60 > now, 'expired')
    ed25519_verify(publisher['signingKey'], record_transcript(publisher, reader, keys, metadata, onion_key), signature)
    return {'issued': issued, 'sequence': sequence, 'ttlMinutes': ttl, 'flags': flags, 'device': device,
            'capabilities': capabilities, 'onionKey': onion_key}


# ---- Noise (§11) ----

class Noise:
    """SymmetricState of Noise, revision 34, §5.2, for 25519_ChaChaPoly_SHA256."""

    def __init__(self, protocol, prologue):
        name = protocol.encode()
        self.h = name.ljust(32, b'\0') if len(name) <= 32 else sha256(name)
        self.ck = self.h
        self.key, self.counter = None, 0
        self.mix_hash(prologue)

    def mix_hash(self, data):
        self.h = sha256(self.h + data)

    def outputs(self, data):
        temporary = hmac(self.ck, data)
        first = hmac(temporary, b'\1')
        second = hmac(temporary, first + b'\2')
        return first, second, hmac(temporary, second + b'\3')

    def mix_key(self, data):
        self.ck, self.key, _ = self.outputs(data)
        self.counter = 0

    def mix_psk(self, psk):
        self.ck, mixed, self.key = self.outputs(psk)
        self.mix_hash(mixed)
        self.counter = 0

    def mix_ephemeral(self, public):
        self.mix_hash(public)
        self.mix_key(public)

    def seal(self, plaintext=b''):
        sealed = chacha_seal(self.key, self.counter, self.h, plaintext)
        self.counter += 1
        self.mix_hash(sealed)
        return sealed

    def open(self, sealed):
        plaintext = chacha_open(self.key, self.counter, self.h, sealed)
        self.counter += 1
        self.mix_hash(sealed)
        return plaintext

    def split(self):
        return self.outputs(b'')[:2]


def ephemeral_agreement(secret, peer):
    try:
        return x25519(secret, peer)
    except Refused:
        raise Refused('ephemeral') from None


def link_prologue(initiator, responder, epoch, onion_key):
    return lp('hushlamp/v1/link', identity_bytes(initiator), identity_bytes(responder), u64(epoch), onion_key)


def link_mark(keys, ephemeral):
    return hmac(keys['handshakeTagKey'], ephemeral)[:16]


def link_state(initiator, responder, keys, onion_key):
    noise = Noise('Noise_KKpsk0_25519_ChaChaPoly_SHA256',
                  link_prologue(initiator, responder, keys['epoch'], onion_key))
    noise.mix_hash(initiator['presenceKey'])
    noise.mix_hash(responder['presenceKey'])
    noise.mix_psk(keys['handshakePsk'])
    return noise


def link_message1(initiator, responder, keys, onion_key, secret):
    noise = link_state(initiator, responder, keys, onion_key)
    public = x25519_public(secret)
    noise.mix_ephemeral(public)
    noise.mix_key(x25519(secret, responder['presenceKey']))
    noise.mix_key(x25519(initiator['presenceSecret'], responder['presenceKey']))
    return noise, link_mark(keys, public) + public + noise.seal()


def link_message2(message1, initiator, responder, keys, onion_key, secret):
    require(len(message1) == 64, 'length')
    mark, remote, sealed = message1[:16], message1[16:48], message1[48:]
    require(hmac_module.compare_digest(mark, link_mark(keys, remote)), 'mark')
    noise = link_state(initiator, responder, keys, onion_key)
    noise.mix_ephemeral(remote)
    noise.mix_key(ephemeral_agreement(responder['presenceSecret'], remote))
    noise.mix_key(x25519(responder['presenceSecret'], initiator['presenceKey']))
    noise.open(sealed)
    public = x25519_public(secret)
    noise.mix_ephemeral(public)
    noise.mix_key(x25519(secret, remote))
    noise.mix_key(x25519(secret, initiator['presenceKey']))
    return noise, public + noise.seal()


def link_finish(noise, message2, secret, static):
    require(len(message2) == 48, 'length')
    remote = message2[:32]
    noise.mix_ephemeral(remote)
    noise.mix_key(ephemeral_agreement(secret, remote))
    noise.mix_key(x25519(static, remote))
    noise.open(message2[32:])
    return noise


# ---- frames (§12) ----

BUCKETS = (256, 1024, 4096, 16384)
MAX_FRAGMENT = 16384 - 16 - 3
MAX_PAYLOAD = 262144
KEEP_ALIVE, LAST, MORE, REKEY = range(4)


def frame_plaintext(kind, length, bucket, content=b''):
    return (bytes([kind]) + u16(length) + content).ljust(bucket - 16, b'\0')


@lru_cache(maxsize=1000)
def seal_frame(key, counter, plaintext):
    header = u16(len(plaintext) + 16)
    return header + chacha_seal(key, counter, header, plaintext)


class FrameReceiver:
    def __init__(self, key):
        self.key, self.counter, self.under_key, self.fragments = key, 0, 0, b''

    def receive(self, stream):
        """Payloads in a stream of whole frames."""
        payloads = []
        while stream:
            length = int.from_bytes(stream[:2], 'big')
            require(length in BUCKETS, 'length')
            plaintext = chacha_open(self.key, self.counter, stream[:2], stream[2:2 + length])
            stream = stream[2 + length:]
            self.counter += 1
            self.under_key += 1
            require(self.under_key <= 65536, 'key-used-too-long')
            size = int.from_bytes(plaintext[1:3], 'big')
            require(size <= len(plaintext) - 3, 'content-length')
            require(plaintext[0] <= REKEY, 'kind')
            if plaintext[0] == REKEY:
                self.key, self.under_key = chacha_rekey(self.key), 0
            require(plaintext[0] != MORE or size == MAX_FRAGMENT, 'fragment')
            if plaintext[0] in (LAST, MORE):
                self.fragments += plaintext[3:3 + size]
                require(len(self.fragments) <= MAX_PAYLOAD, 'payload-length')
            if plaintext[0] == LAST:
                payloads.append(self.fragments)
                self.fragments = b''
        return payloads
