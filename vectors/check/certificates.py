"""Certificates and safety numbers (§4 of docs/protocol.md): as much of OpenPGP (RFC 9580) as they need."""
import hashlib

import protocol as p
from protocol import Refused, require

POINT = b'\x40'
CURVES = {22: bytes.fromhex('092b06010401da470f01'), 18: bytes.fromhex('0a2b060104019755010501')}
NOTATION = (b'presence@hushlamp', b'x25519-v1')


def safety_number(a, b, label, code_label):
    digests = [p.sha256(p.lp(label, p.identity_bytes(each))) for each in (a, b)]
    lower, higher = sorted(digests)
    groups = [f'{int.from_bytes(half[i:i + 5], "big") % 100000:05}' for half in (lower, higher) for i in range(0, 30, 5)]
    return digests, groups, p.sha256(p.lp(code_label, lower, higher))


# ---- writing ----

def packet(tag, body):
    size = len(body)
    length = bytes([size]) if size < 192 else bytes([(size - 192 >> 8) + 192, size - 192 & 255])
    return bytes([0xc0 | tag]) + length + body


def subpacket(kind, body):
    return bytes([len(body) + 1, kind]) + body


def integer(data):
    data = data.lstrip(b'\0')
    return p.u16(int.from_bytes(data, 'big').bit_length()) + data


def key_body(version, algorithm, created, key):
    head = bytes([version]) + p.u32(created) + bytes([algorithm])
    if version == 6:
        return head + p.u32(32) + key
    return head + CURVES[algorithm] + integer(POINT + key) + (b'\x03\x01\x08\x07' if algorithm == 18 else b'')


def key_input(body):
    return b'\x99' + p.u16(len(body)) + body if body[0] == 4 else b'\x9b' + p.u32(len(body)) + body


def fingerprint(body):
    return hashlib.sha1(key_input(body)).digest() if body[0] == 4 else p.sha256(key_input(body))


def hashed_subpackets(primary, created, flags, notation=None):
    issuer = fingerprint(primary)
    data = subpacket(2, p.u32(created)) + (subpacket(16, issuer[12:]) if primary[0] == 4 else b'')
    data += subpacket(33, primary[:1] + issuer) + subpacket(27, bytes([flags]))
    if notation:
        name, value = notation
        data += subpacket(20, p.u32(0x80000000) + p.u16(len(name)) + p.u16(len(value)) + name + value)
    return data


def digest_of(version, head, salt, signed):
    return hashlib.sha512(salt + signed + head + bytes([version, 0xff]) + p.u32(len(head))).digest()


def signature(version, kind, hashed, signed, seed, salt):
    size = p.u32 if version == 6 else p.u16
    head = bytes([version, kind, 27 if version == 6 else 22, 10]) + size(len(hashed)) + hashed
    digest = digest_of(version, head, salt, signed)
    made = p.ed25519_sign(seed, digest)
    tail = bytes([len(salt)]) + salt + made if version == 6 else integer(made[:32]) + integer(made[32:])
    return {'hashedSubpackets': hashed, 'digest': digest, 'packet': head + size(0) + digest[:2] + tail}


# ---- reading ----

class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        require(self.at + size <= len(self.data), 'truncated')
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), 'big')

    def length(self):
        first = self.number(1)
        return first if first < 192 else (first - 192 << 8) + self.number(1) + 192

    def integer(self, size):
        return self.take((self.number(2) + 7) // 8).rjust(size, b'\0')

    def more(self):
        return self.at < len(self.data)


def packets(data):
    reader = Reader(data)
    while reader.more():
        tag = reader.number(1)
        require(tag & 0xc0 == 0xc0, 'packet')
        yield tag & 63, reader.take(reader.length())


def raw_key(body, modern, legacy):
    """The 32 bytes of a public key of one of two algorithms, or None."""
    reader = Reader(body)
    version, _, algorithm = reader.number(1), reader.number(4), reader.number(1)
    if algorithm == modern:
        return reader.take(reader.number(4) if version == 6 else 32)[:32]
    if algorithm != legacy or reader.take(len(CURVES[legacy])) != CURVES[legacy]:
        return None
    point = reader.integer(33)
    return point[1:] if point[:1] == POINT else None


def notations(hashed):
    reader = Reader(hashed)
    while reader.more():
        body = reader.take(reader.length())
        if body[0] & 127 == 20:
            inner = Reader(body[5:])
            name, value = inner.number(2), inner.number(2)
            yield inner.take(name), inner.take(value)


def verified_notations(body, signed, primary):
    """Notations of a binding signature that verifies, else none."""
    reader = Reader(body)
    version, kind = reader.number(1), reader.number(1)
    reader.take(2)
    width = 4 if version == 6 else 2
    hashed = reader.take(reader.number(width))
    head = body[:reader.at]
    reader.take(reader.number(width))
    reader.take(2)
    salt = reader.take(reader.number(1)) if version == 6 else b''
    made = reader.take(64) if version == 6 else reader.integer(32) + reader.integer(32)
    try:
        p.ed25519_verify(primary, digest_of(version, head, salt, signed), made)
    except Refused:
        return []
    return list(notations(hashed)) if kind == 0x18 else []


def read_certificate(data):
    """The identity in a certificate. Times are not looked at: those of the vectors are long past."""
    (first, primary), *rest = packets(data)
    require(first == 6, 'packet')
    signing = raw_key(primary, 27, 22)
    require(signing and p.little(signing) % 2**255 not in p.SMALL_ORDER_Y, 'primary-key')
    found, subkey = [], None
    for tag, body in rest:
        subkey = body if tag == 14 else subkey
        if tag == 2 and subkey and NOTATION in verified_notations(body, key_input(primary) + key_input(subkey), signing):
            found.append(raw_key(subkey, 25, 18))
    require(len(found) == 1 and found[0], 'presence-subkeys')
    return {'fingerprint': fingerprint(primary), 'signingKey': signing, 'presenceKey': found[0]}
