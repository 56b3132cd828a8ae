"""Invites (§7 of docs/protocol.md): links, keys, handshake and payloads, and what is to be refused of them."""
import base64
import re

import payload as payloads
import protocol as p
from protocol import Refused, require

STEPS = (3840, 16128, 65540)


# ---- the protocol ----

def encode_link(inviter, secret, expires):
    content = bytes([len(inviter['fingerprint'])]) + inviter['fingerprint'] + inviter['signingKey'] + inviter[
        'presenceKey'] + secret + p.u32(expires)
    checksum = p.sha256(p.lp('hushlamp/v1/invite-checksum', content))[:4]
    return link_of(content + checksum)


def link_of(data):
    return 'hushlamp:i1/' + base64.urlsafe_b64encode(data).decode().rstrip('=')


def decode_link(text):
    require(len(text) <= 512, 'length')
    form = re.fullmatch(r'hushlamp:(i\d+)/([A-Za-z0-9_-]+)', text.strip(), re.IGNORECASE)
    require(form, 'form')
    require(form[1].lower() == 'i1', 'version')
    try:
        data = base64.urlsafe_b64decode(form[2] + '=' * (-len(form[2]) % 4))
    except ValueError:
        raise Refused('base64') from None
    require(link_of(data)[12:] == form[2], 'base64')
    size = data[0]
    require(size in (20, 32), 'fingerprint-length')
    require(len(data) == 1 + size + 32 + 32 + 32 + 4 + 4, 'size')
    require(p.sha256(p.lp('hushlamp/v1/invite-checksum', data[:-4]))[:4] == data[-4:], 'checksum')
    fields = data[1 + size:]
    require(p.little(fields[:32]) % 2**255 not in p.SMALL_ORDER_Y, 'small-order')
    inviter = {'fingerprint': data[1:1 + size], 'signingKey': fields[:32], 'presenceKey': fields[32:64]}
    return inviter, fields[64:96], int.from_bytes(fields[96:100], 'big')


def invite_root(inviter, secret):
    return p.hkdf(secret, b'hushlamp/v1/invite', p.identity_bytes(inviter))


def invite_record_transcript(inviter, root, keys, metadata, onion_key):
    return p.lp('hushlamp/v1/invite-record', p.identity_bytes(inviter), p.sha256(root), p.u64(keys['epoch']),
                keys['registryKey'], metadata, onion_key)


def invite_prologue(inviter, epoch, onion_key, expires):
    return p.lp('hushlamp/v1/invite-link', p.identity_bytes(inviter), p.u64(epoch), onion_key, p.u32(expires))


def invite_state(inviter, keys, onion_key, expires):
    noise = p.Noise('Noise_XKpsk0_25519_ChaChaPoly_SHA256',
                    invite_prologue(inviter, keys['epoch'], onion_key, expires))
    noise.mix_hash(inviter['presenceKey'])
    noise.mix_psk(keys['handshakePsk'])
    return noise


def guest_message1(inviter, keys, onion_key, expires, secret):
    noise = invite_state(inviter, keys, onion_key, expires)
    public = p.x25519_public(secret)
    noise.mix_ephemeral(public)
    noise.mix_key(p.x25519(secret, inviter['presenceKey']))
    return noise, p.link_mark(keys, public) + public + noise.seal()


def inviter_message2(message1, inviter, keys, onion_key, expires, static, secret):
    require(len(message1) == 64, 'length')
    remote = message1[16:48]
    require(message1[:16] == p.link_mark(keys, remote), 'mark')
    noise = invite_state(inviter, keys, onion_key, expires)
    noise.mix_ephemeral(remote)
    noise.mix_key(p.ephemeral_agreement(static, remote))
    noise.open(message1[48:])
    public = p.x25519_public(secret)
    noise.mix_ephemeral(public)
    noise.mix_key(p.x25519(secret, remote))
    return noise, public + noise.seal()


def guest_message3(noise, message2, secret, static):
    require(len(message2) == 48, 'length')
    noise.mix_ephemeral(message2[:32])
    noise.mix_key(p.ephemeral_agreement(secret, message2[:32]))
    noise.open(message2[32:])
    sealed = noise.seal(p.x25519_public(static))
    noise.mix_key(p.x25519(static, message2[:32]))
    return sealed + noise.seal()


def inviter_finish(noise, message3, secret):
    require(len(message3) == 64, 'length')
    guest_key = noise.open(message3[:48])
    noise.mix_key(p.x25519(secret, guest_key))
    noise.open(message3[48:])
    return guest_key


def padded(certificate):
    data = p.u32(len(certificate)) + certificate
    return data.ljust(next(step for step in STEPS if step >= len(data)), b'\0')


def unpadded(fields):
    data = fields.get('certificate')
    require(isinstance(data, bytes) and len(data) in STEPS, 'certificate')
    end = 4 + int.from_bytes(data[:4], 'big')
    require(end <= len(data) and not any(data[end:]), 'certificate')
    return data[4:end]


def encode_invite_payload(payload):
    fields = {name: value for name, value in payload.items() if name != 'kind'}
    if 'certificate' in fields:
        fields['certificate'] = padded(fields['certificate'])
    return payloads.encode([1, payload['kind'], fields])


def decode_invite_payload(data):
    version, kind, fields = payloads.decode_envelope(data)
    if version != 1 or kind not in ('join', 'accepted', 'bye'):
        return None
    if kind == 'bye':
        return {'kind': kind}
    payload = {'kind': kind, 'certificate': unpadded(fields)}
    if kind == 'accepted' or 'pairSecret' in fields:
        secret = fields.get('pairSecret')
        require(isinstance(secret, bytes) and len(secret) in (0, 32), 'pairSecret')
        payload['pairSecret'] = secret
    if kind == 'accepted' and 'onionKey' in fields:
        require(isinstance(fields['onionKey'], bytes) and len(fields['onionKey']) == 32, 'onionKey')
        payload['onionKey'] = fields['onionKey']
    return payload
