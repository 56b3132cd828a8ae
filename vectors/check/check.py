#!/usr/bin/python3
"""A second implementation of docs/protocol.md, for Python 3.11: check.py [folder of vectors]

A file of vectors names functions, each with cases: what is `given`, a digest of that, and what is
`expected` or why the input is `refused`. The functions are here under the same names. What is given
and expected are their parameters and local variables, in snake case.
"""
import hashlib
import json
import re
import sys
import unicodedata
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from functools import partial
from hmac import digest as hmac_digest
from pathlib import Path
from struct import pack, unpack

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV, ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

VECTORS = Path(__file__).resolve().parents[1]
FOLDER = Path(sys.argv[1]) if len(sys.argv) > 1 else VECTORS
ROWS = re.findall(r'^\| `(\w+)` +\| (\d[\d, ]*) +\|',
                  (VECTORS.parent / 'docs' / 'protocol.md').read_text(), re.MULTILINE)
CONSTANTS = {name: json.loads(f'[{value}]' if ',' in value else value) for name, value in ROWS}
EPOCH, OVERLAP = CONSTANTS['epochSeconds'], CONSTANTS['epochOverlapSeconds']
P, Y8 = 2**255 - 19, 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
SMALL_ORDER = {0, 1, P - 1, P, P + 1, Y8, P - Y8}  # y-coordinates of Ed25519, in every encoding
REASONS = {InvalidTag: 'tag', InvalidSignature: 'signature', ValueError: 'key'}
hmac = partial(hmac_digest, digest='sha256')

def constant(name):
    return {'value': CONSTANTS[name]}

# ---- primitives, identities, pair keys, epochs (§3 to §6) ----
def lp(*parts):
    return b''.join(pack('>H', len(part)) + part for part in parts)

def sha256(data):
    return hashlib.sha256(data).digest()

def hkdf(key, salt, info):
    return hmac(hmac(salt, key), info + b'\1')

def seal(key, counter, associated, plaintext):
    return ChaCha20Poly1305(key).encrypt(pack('<IQ', 0, counter), plaintext, associated)

def public(kind, secret):
    key = kind.from_private_bytes(secret).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)

def agree(secret, public_key):
    """X25519: the library refuses a wrong length, and a result of zero."""
    peer = X25519PublicKey.from_public_bytes(public_key)
    return X25519PrivateKey.from_private_bytes(secret).exchange(peer)

def sign(seed, message):
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(message)
    return {'public_key': public(Ed25519PrivateKey, seed), 'signature': signature}

def verify(public_key, message, signature):
    """Ed25519: the library refuses wrong lengths, and an S that is not below the group order."""
    assert int.from_bytes(public_key, 'little') % 2**255 not in SMALL_ORDER, 'small-order'
    Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)

def identity(label):
    secret = f'hushlamp test vector/{label}/'.encode()
    fingerprint = sha256(secret + b'fingerprint')[:20]
    signing_seed, presence_secret = sha256(secret + b'signing'), sha256(secret + b'agreement')
    signing_key = public(Ed25519PrivateKey, signing_seed)
    presence_key = public(X25519PrivateKey, presence_secret)
    id = lp(fingerprint, signing_key, presence_key)
    return locals()

def safety_number(first_id, second_id):
    digests = [sha256(lp(b'hushlamp/v1/safety-number', each)) for each in (first_id, second_id)]
    parts = [digest[i : i + 5] for digest in sorted(digests) for i in range(0, 30, 5)]
    groups = [f'{int.from_bytes(part) % 100000:05}' for part in parts]
    code = sha256(lp(b'hushlamp/v1/safety-code', *sorted(digests)))
    return locals()

def seal_secret(passphrase, lanes, passes, memory_kibibytes, salt, key, secret):
    normalised = unicodedata.normalize('NFC', passphrase.decode()).encode()
    header = b'hushlock' + pack('>BBHI', 1, lanes, passes, memory_kibibytes) + salt
    sealed = header + seal(key, 0, header, secret)
    return locals()

def pair_root(presence_secret, presence_key, pair_secret, publisher, reader):
    shared_secret, info = agree(presence_secret, presence_key), lp(publisher, reader)
    root = hkdf(shared_secret + pair_secret, b'hushlamp/v1/pair', info)
    return locals()

def epoch_keys(root, epoch):
    offset_mac = hmac(root, b'offset')
    offset_seconds = int.from_bytes(offset_mac[:8]) % EPOCH
    starts_at = epoch * EPOCH - offset_seconds
    epoch_input = lp(b'epoch', pack('>Q', epoch))
    epoch_key = hmac(root, epoch_input)
    owner_seed = hmac(epoch_key, b'owner')
    owner_public_key = public(Ed25519PrivateKey, owner_seed)
    registry_key = sha256(b'hushlamp/v1/key' + owner_public_key)[:20]
    siv_key = hmac(epoch_key, b'siv-mac') + hmac(epoch_key, b'siv-enc')
    handshake_psk = hmac(epoch_key, b'handshake-psk')
    handshake_tag_key = hmac(epoch_key, b'handshake-tag')
    return locals()

def epoch_course(offset_seconds, epoch, lead_seconds):
    starts_at, ends_at = (each * EPOCH - offset_seconds for each in (epoch, epoch + 1))
    acceptable_from, acceptable_until, changes = starts_at - OVERLAP, ends_at + OVERLAP, []
    first, last, early = starts_at + OVERLAP, ends_at - OVERLAP, ends_at - lead_seconds
    for now in sorted({starts_at, first, last, early}):
        publish = [epoch] + [epoch + 1] * (now >= early)
        look_up = [epoch] + [epoch - 1] * (now < first) + [epoch + 1] * (now >= last)
        changes.append({'from': now, 'publish': publish, 'lookUp': look_up})
    return locals()

# ---- certificates (§4.1, RFC 9580), records and owned puts (§7.3, §8, §9) ----
def read_certificate(certificate):
    """Of the signatures only the one that binds the presence subkey is verified."""
    tags, bodies, rest = b'', [], certificate
    while rest:
        at, size = (2, rest[1]) if rest[1] < 192 else (3, (rest[1] << 8) + rest[2] - 48960)
        assert len(rest) >= at + size, 'truncated'
        tags, bodies, rest = tags + rest[:1], [*bodies, rest[at : at + size]], rest[at + size :]
    assert tags in (b'\xc6\xcd\xc2\xce\xc2', b'\xc6\xc2\xce\xc2'), 'packets'
    primary_key, *user_id, self_signature, presence_subkey, binding = bodies
    is_v4 = primary_key[0] == 4
    form, key_at, at = (('>BH', 0x99), 20, 6) if is_v4 else (('>BI', 0x9B), 10, 8)
    primary, subkey = (pack(*form, len(key)) + key for key in (primary_key, presence_subkey))
    signing_key, presence_key = primary_key[-32:], presence_subkey[key_at:][:32]
    end = at + int.from_bytes(binding[4:at])
    hashed_subpackets, salt = binding[at:end], b'' if is_v4 else binding[-96:-64]
    trailer = binding[:end] + binding[:1] + b'\xff' + pack('>I', end)
    digest = hashlib.sha512(salt + primary + subkey + trailer).digest()
    verify(signing_key, digest, binding[-66:-34] + binding[-32:] if is_v4 else binding[-64:])
    assert b'\x11\0\x09presence@hushlampx25519-v1' in hashed_subpackets, 'notation'
    fingerprint = hashlib.sha1(primary).digest() if is_v4 else sha256(primary)
    short_key_id = (fingerprint[16:] if is_v4 else fingerprint[4:8]).hex().upper()
    id = lp(fingerprint, signing_key, presence_key)
    return locals()

def open_record(label, publisher, reader, signing_key, epoch, registry_key, siv_key, record, now):
    """The reader is SHA-256(inviteRoot) in the record of an invite."""
    assert len(record) == CONSTANTS['recordBytes'], 'length'
    plaintext = AESSIV(siv_key).decrypt(record, [registry_key])
    metadata, onion_key, signature = plaintext[:16], plaintext[16:48], plaintext[48:]
    version, flags, device, capabilities = metadata[:4]
    issued, sequence, ttl_minutes, reserved = unpack('>IHHI', metadata[4:])
    accepted_from = issued - CONSTANTS['maxIssuedAheadSeconds']
    refused_from = issued + ttl_minutes * 60
    assert version == 1, 'version'
    assert reserved == 0, 'reserved'
    assert now >= accepted_from, 'issued-ahead'
    assert now < refused_from, 'expired'
    names = label.encode(), publisher, reader, pack('>Q', epoch)
    signature_input = lp(*names, registry_key, metadata, onion_key)
    verify(signing_key, signature_input, signature)
    return locals()

def owned_put(registry_key, value, ttl_seconds, public_key, expiry, signature, now):
    expiry_of_now = -(-now // 600) * 600 + ttl_seconds
    assert expiry < 2**32, 'expiry-range'
    assert now < expiry, 'expired'
    assert sha256(b'hushlamp/v1/key' + public_key)[:20] == registry_key, 'other-key'
    value_hash = sha256(value)
    transcript = lp(b'hushlamp/v1/put', registry_key, value_hash, pack('>I', expiry))
    verify(public_key, transcript, signature)
    text = [b64encode(each).decode() for each in (value, public_key, signature)]
    owner = {'publicKey': text[1], 'expiry': expiry, 'signature': text[2]}
    request = {'value': text[0], 'ttlSeconds': ttl_seconds, 'owner': owner}
    method, path = 'POST', f'/v1/keys/{registry_key.hex()}/values'
    body = json.dumps(request, separators=(',', ':'))
    return locals()

# ---- handshakes and invites (§7, §11, Noise revision 34) ----
PATTERNS = {'KK': ('si sr', 'e es ss', 'e ee se'), 'XK': ('sr', 'e es', 'e ee', 's se')}

def prologue(label, identities, epoch, onion_key, expires=()):
    parts = label.encode(), *identities, pack('>Q', epoch), onion_key
    return {'prologue': lp(*parts, *(pack('>I', each) for each in expires))}

def noise_hkdf(chaining_key, data):
    key = hmac(chaining_key, data)
    first = hmac(key, b'\1')
    second = hmac(key, first + b'\2')
    return first, second, hmac(key, second + b'\3')

def handshake(protocol, prologue, psks, secrets, payloads, tag_key=b'', received=()):
    """As the reader of each message computes it: `si` and `ei` are the initiator's static and
    ephemeral keys, `sr` and `er` the responder's. Of messages received only the last may be bad."""
    publics = {name: public(X25519PrivateKey, secret) for name, secret in secrets.items()}
    known, *patterns = (each.split() for each in PATTERNS[protocol[6:8]])
    for position, psk in zip(re.findall(r'psk(\d)', protocol), psks):
        patterns[max(0, int(position) - 1)].insert(9 * int(position), psk)
    handshake_hash = chaining_key = sha256(protocol.encode())
    for data in (prologue, *(publics[name] for name in known)):
        handshake_hash = sha256(handshake_hash + data)
    agreements, messages = {}, []
    for writer, tokens, payload, came in zip('iri', patterns, payloads, [*received, *[b''] * 3]):
        message = b''
        for token in [*tokens, 'payload']:
            hashed = material = b''
            if isinstance(token, bytes):
                chaining_key, hashed, key = noise_hkdf(chaining_key, token)
            elif token in ('s', 'payload'):
                plaintext = publics['s' + writer] if token == 's' else payload
                hashed = seal(key, counter, handshake_hash, plaintext)
                message, counter = message + hashed, counter + 1
            elif token == 'e':
                message = hashed = material = came[-48:-16] or publics['e' + writer]
                publics['e' + writer] = message
            else:
                own, peer = (token[1] + 'r', token[0] + 'i')[:: 1 if writer == 'i' else -1]
                material = agreements[token] = agree(secrets[own], publics[peer])
            handshake_hash = sha256(handshake_hash + hashed) if hashed else handshake_hash
            if material:
                (chaining_key, key, _), counter = noise_hkdf(chaining_key, material), 0
        if tag_key and not messages:
            mark = hmac(tag_key, message[:32])[:16]
            message = mark + message
        assert len(came or message) == len(message), 'length'
        assert (came or message)[:-16] == message[:-16], 'mark'
        assert (came or message) == message, 'seal'
        messages.append(message)
    initiator_sends, responder_sends, _ = noise_hkdf(chaining_key, b'')
    return locals()

def read_invite(link):
    form = re.fullmatch('hushlamp:i1/([A-Za-z0-9_-]+)', link)
    assert form, 'form'
    data = urlsafe_b64decode(form[1] + '=' * (-len(form[1]) % 4))
    assert urlsafe_b64encode(data).decode().rstrip('=') == form[1], 'base64'
    assert data[0] in (20, 32) and len(data) == data[0] + 105, 'size'
    assert sha256(lp(b'hushlamp/v1/invite-checksum', data[:-4]))[:4] == data[-4:], 'checksum'
    fields = unpack(f'>x{data[0]}s32s32s32sI4x', data)
    fingerprint, signing_key, presence_key, secret, expires = fields
    assert int.from_bytes(signing_key, 'little') % 2**255 not in SMALL_ORDER, 'small-order'
    invite_root = hkdf(secret, b'hushlamp/v1/invite', lp(fingerprint, signing_key, presence_key))
    invite_root_hash = sha256(invite_root)
    return locals()

# ---- frames, payloads, delivery (§7.5, §12 to §14) ----
def receive(key, stream):
    frames, payloads, part = [], [], b''
    while stream:
        bucket, counter = int.from_bytes(stream[:2]), len(frames)
        nonce = pack('<IQ', 0, counter)
        assert bucket in CONSTANTS['frameBuckets'], 'length'
        plaintext = ChaCha20Poly1305(key).decrypt(nonce, stream[2 : bucket + 2], stream[:2])
        kind, length = unpack('>BH', plaintext[:3])
        assert length <= bucket - 19, 'content-length'
        assert kind < 4, 'kind'
        assert kind != 2 or length == 16365, 'fragment'
        frame = {'key': key, 'counter': counter, 'nonce': nonce, 'bucket': bucket}
        frames.append({**frame, 'kind': kind, 'length': length, 'plaintext': plaintext})
        part += plaintext[3 : length + 3] if kind in (1, 2) else b''
        assert len(part) <= CONSTANTS['maxPayloadBytes'], 'payload-length'
        if kind == 1:
            payloads, part = [*payloads, part], b''
        if kind == 3:
            key = seal(key, 2**64 - 1, b'', bytes(32))[:32]
        stream = stream[bucket + 2 :]
    return locals()

def receive_long(key, length):
    """The same for a payload of zeros that is too long for a file of vectors."""
    whole = b''
    for counter, at in enumerate(range(0, length, 16365)):
        size = min(length - at, 16365)
        bucket = next(each for each in CONSTANTS['frameBuckets'] if size + 19 <= each)
        plaintext = pack('>BH', 1 if at + size == length else 2, size).ljust(bucket - 16, b'\0')
        whole += pack('>H', bucket) + seal(key, counter, pack('>H', bucket), plaintext)
    return {**receive(key, whole), 'stream': whole}

FIELDS = {'presence': 'available text?', 'message': 'incarnation counter id body sentAt',
          'receipt': 'incarnation counter', 'join': 'certificate pairSecret?',
          'accepted': 'certificate pairSecret onionKey?', 'bye': ''}
TYPES = {'available': bool, 'text': str, 'id': str, 'body': str, 'counter': int, 'sentAt': int}
SIZES = {'available': range(2), 'text': range(1025), 'id': range(257), 'body': range(131073),
         'counter': range(2**53), 'sentAt': range(2**53), 'incarnation': (16,), 'onionKey': (32,),
         'certificate': (3840, 16128, 65540), 'pairSecret': (0, 32)}
MEASURE = {bool: int, int: int, str: lambda text: len(text.encode()), bytes: len}

def decode_item(data, at=0):
    """The CBOR item (RFC 8949) at a place, and the place behind it."""
    assert data[at:], 'truncated'
    major, info, at = data[at] >> 5, data[at] & 31, at + 1
    assert major != 6 and (major != 7 or 20 <= info <= 22), 'type'
    if major == 7:
        return (False, True, None)[info - 20], at
    assert info < 28, 'indefinite'
    size = 1 << info - 24 if info > 23 else 0
    argument, at = int.from_bytes(data[at : at + size]) if size else info, at + size
    assert size == 0 or argument >= (24 if size == 1 else 256 ** (size // 2)), 'not-minimal'
    if major < 2:
        return (-1 - argument if major else argument), at
    assert at + argument <= len(data), 'truncated'
    if major < 4:
        text, at = data[at : at + argument], at + argument
        return (text if major == 2 else text.decode('utf-8', 'replace')), at
    items = []
    for _ in range(argument * (major - 3)):
        item, at = decode_item(data, at)
        items.append(item)
    if major == 4:
        return items, at
    names = items[::2]
    assert {*map(type, names)} <= {str} and len(set(names)) == len(names), 'keys'
    return dict(zip(names, items[1::2])), at

def read_payload(payload, kinds):
    item, end = decode_item(payload)
    assert end == len(payload), 'trailing'
    assert isinstance(item, list) and len(item) > 1, 'not-an-array'
    version, kind, fields = [*item, {}][:3]
    assert type(version) is int and abs(version) < 2**53, 'version'
    assert isinstance(kind, str), 'kind'
    fields, certificate = fields if isinstance(fields, dict) else {}, b''
    if fields.get('show') not in ('away', 'chat', 'dnd', 'xa'):
        fields.pop('show', None)
    is_known = version == 1 and kind in kinds
    for rule in FIELDS[kind].split() if is_known else ():
        name = rule.rstrip('?')
        value, form = fields.get(name), TYPES.get(name, bytes)
        is_good = type(value) is form and MEASURE[form](value) in SIZES[name]
        assert is_good or rule != name and name not in fields, name
        if name == 'certificate':
            end = 4 + int.from_bytes(value[:4])
            assert end <= len(value) and not any(value[end:]), name
            certificate = value[4:end]
    return locals()

def deliver(incarnation, last_sent, waiting, events):
    effects, received, is_linked = [], {}, False
    for event in events:
        match event:
            case ['link-up' | 'link-down' as change]:
                is_linked = change == 'link-up'
                made = [['send', message] for message in waiting * is_linked]
            case ['submit', text]:
                last_sent += 1
                message = dict(kind='message', incarnation=incarnation, counter=last_sent, **text)
                waiting = [*waiting, message]
                made = [['store-outgoing', message]] + [['send', message]] * is_linked
            case ['message', {'incarnation': life, 'counter': counter} as message]:
                is_new = counter > received.get(life, 0)
                received[life] = max(counter, received.get(life, 0))
                receipt = {'kind': 'receipt', 'incarnation': life, 'counter': received[life]}
                made = [['store-incoming', message]] * is_new + [['send', receipt]]
            case ['receipt', {'incarnation': life, 'counter': counter}]:
                done = [m for m in waiting if m['incarnation'] == life and m['counter'] <= counter]
                waiting = [message for message in waiting if message not in done]
                made = [['forget-outgoing', done]] * bool(done)
                made += [['delivered', message['id']] for message in done]
        effects.append(made)
    return locals()

# ---- comparing ----
def index():
    files = [path for path in FOLDER.glob('*.json') if path.name != 'index.json']
    return {'lines': {path.name: len(path.read_text().splitlines()) for path in files}}

def parsed(value):
    """Strings of hexadecimal digits are bytes."""
    if isinstance(value, str):
        return bytes.fromhex(value) if re.fullmatch('([0-9a-f]{2})*', value) else value
    if isinstance(value, dict):
        items = {name: parsed(entry) for name, entry in value.items()}
        return items['start'] + items['repeat'] * items['times'] if 'times' in items else items
    return [parsed(entry) for entry in value] if isinstance(value, list) else value

def shown(data):
    return data.hex() if len(data) <= 300 else {'bytes': len(data), 'sha256': sha256(data)}

def snake(name):
    return re.sub('([A-Z])', r'_\1', name).lower()

def judged(function, given=None, **outcome):
    """A case as it should be."""
    text = json.dumps(given, separators=(',', ':'), ensure_ascii=False)
    case = {'given': given, 'digest': sha256(text.encode()).hex()}
    try:
        arguments = {snake(name): parsed(value) for name, value in given.items()}
        made = globals()[snake(function)](**arguments)
        expected = {name: made[snake(name)] for name in outcome['expected']}
        return {**case, 'expected': json.loads(json.dumps(expected, default=shown))}
    except Exception as error:
        return {**case, 'refused': REASONS.get(type(error), str(error))}

files = {path.name: json.loads(path.read_text()) for path in sorted(FOLDER.glob('*.json'))}
cases = [(f'{name} $.{function}[{at}]', function, case) for name, file in files.items()
         for function, found in file.items() for at, case in enumerate(found)]
wrong = [f'{place}: computed {made}' for place, function, case in cases
         if (made := judged(function, **case)) != case]
print(*wrong, f'{len(files)} files, {len(cases)} cases, {len(wrong)} wrong', sep='\n')
sys.exit(len(wrong) > 0)
