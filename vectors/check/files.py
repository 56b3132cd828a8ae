"""For each vector file a function that makes the expected document anew from the inputs in it."""
import base64
import json
import unicodedata
from functools import lru_cache

import certificates
import invites
import payload as payloads
import protocol as p
from protocol import Refused, require

SECRET_LABEL = 'hushlamp test vector/'


def secret(label):
    """The published secret of a label."""
    return p.sha256((SECRET_LABEL + label).encode())


def plain(value):
    """JSON of a document with bytes in it: hexadecimal digits."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: plain(entry) for name, entry in value.items()}
    return [plain(entry) for entry in value] if isinstance(value, list) else value


def raw(value):
    """Bytes of every text of a flat document."""
    return {name: bytes.fromhex(entry) if isinstance(entry, str) else entry for name, entry in value.items()}


def only(document, *names):
    return {name: document[name] for name in names}


def or_digest(data):
    return data if len(data) <= 300 else {'bytes': len(data), 'sha256': p.sha256(data)}


def changed(data, change):
    """The data with one thing done to it; exactly one."""
    require(len(change) == (2 if 'at' in change else 1), 'change')
    if 'keep' in change:
        require(0 <= change['keep'] < len(data), 'change')
        return data[:change['keep']]
    if 'append' in change:
        return data + bytes.fromhex(change['append'])
    at = change['at']
    return data[:at] + bytes([data[at] ^ change['xor']]) + data[at + 1:]


def reason_of(function, *arguments):
    """Why an input is refused; that it is accepted is an error."""
    try:
        function(*arguments)
    except Refused as refused:
        return refused.args[0]
    raise ValueError('a bad input was accepted')


def person(context, label):
    keys = {name: entry for name, entry in context[label].items() if name != 'label'}
    return raw(keys)


# ---- constants.json ----

CONSTANTS = {
    'epochSeconds': p.EPOCH_SECONDS, 'recordTtlSeconds': 21600, 'epochOverlapSeconds': p.OVERLAP_SECONDS,
    'earlyPublicationFromSeconds': 4500, 'earlyPublicationUntilSeconds': 1800, 'recordBytes': 128,
    'maxIssuedAheadSeconds': p.MAX_ISSUED_AHEAD, 'keyBytes': 20, 'maxValueBytes': 128, 'minTtlSeconds': 1,
    'maxTtlSeconds': 604800, 'maxValuesPerKey': 64, 'maxOwnedValuesPerKey': 8, 'maxValuesPerGet': 256,
    'placemarkBytes': 40, 'maxCertificateBytes': 65536, 'handshakeMessage1Bytes': 64, 'handshakeMessage2Bytes': 48,
    'handshakeTimeoutMs': 30000, 'frameBuckets': list(p.BUCKETS), 'maxPayloadBytes': p.MAX_PAYLOAD,
    'rekeyAfterFrames': 65536, 'rekeyIntervalMs': 3600000, 'keepAliveFromMs': 60000, 'keepAliveToMs': 90000,
    'silenceTimeoutMs': 180000, 'incarnationBytes': 16,
    'maxMessageBodyBytes': payloads.MAX_BODY,
}


def constants(document, context):
    return CONSTANTS


# ---- pair-keys.json ----

def identity(entry):
    label = entry['label']
    seed, agreement = secret(f'{label}/signing'), secret(f'{label}/agreement')
    public = {'fingerprint': secret(f'{label}/fingerprint')[:20], 'signingKey': p.ed25519_public(seed),
              'presenceKey': p.x25519_public(agreement)}
    return {'label': label, **public, 'signingSeed': seed, 'presenceSecret': agreement, 'id': p.identity_bytes(public)}


def derived_root(root, epochs):
    mac, offset = p.hmac(root, 'offset'), p.epoch_offset(root)
    steps = []
    for epoch in epochs:
        key = p.hmac(root, p.epoch_input(epoch))
        steps.append({'startsAt': p.epoch_start(epoch, offset), 'epochInput': p.epoch_input(epoch), 'epochKey': key,
                      'ownerSeed': p.hmac(key, 'owner'), **p.epoch_keys(root, epoch)})
    return {'pairRoot': root, 'offsetMac': mac, 'offsetSeconds': offset, 'epochs': steps}


def pair_root(publisher, reader, invite_secret, label='hushlamp/v1/pair'):
    shared = p.x25519(publisher['presenceSecret'], reader['presenceKey'])
    info = p.lp(p.identity_bytes(publisher), p.identity_bytes(reader))
    return shared, info, p.hkdf(shared + invite_secret, label.encode(), info)


def pair_case(entry, context, label):
    publisher, reader = person(context, entry['publisher']), person(context, entry['reader'])
    shared, info, root = pair_root(publisher, reader, bytes.fromhex(entry['inviteSecret']), label)
    require(shared == p.x25519(reader['presenceSecret'], publisher['presenceKey']), 'both sides agree')
    return {**only(entry, 'publisher', 'reader', 'inviteSecret'), 'sharedSecret': shared, 'info': info,
            **derived_root(root, [each['epoch'] for each in entry['epochs']])}


def pair_keys(document, context):
    alice, bob = person(context, 'alice'), person(context, 'bob')
    refused = [key.to_bytes(32, 'little') for key in sorted(p.SMALL_ORDER_U)] + [bob['presenceKey'][:31]]
    listed = [bytes.fromhex(entry['presenceKey']) for entry in document['rejected']]
    require(sorted(refused) == sorted(listed), 'every unusable key is listed')
    return plain({
        'label': document['label'],
        'identities': [identity(entry) for entry in document['identities']],
        'cases': [pair_case(entry, context, document['label']) for entry in document['cases']],
        'fromRoot': derived_root(secret('root'), [each['epoch'] for each in document['fromRoot']['epochs']]),
        'rejected': [{'reason': reason_of(p.x25519, alice['presenceSecret'], key), 'presenceKey': key} for key in listed],
    })


# ---- epochs.json ----

def epoch_case(entry):
    offset, epoch, lead = entry['offsetSeconds'], entry['epoch'], entry['leadSeconds']
    require(0 <= offset < p.EPOCH_SECONDS and 1800 <= lead <= 4500, 'range')
    start, end = p.epoch_start(epoch, offset), p.epoch_start(epoch + 1, offset)

    def state(now):
        return {'publish': p.epochs_to_publish(now, offset, lead), 'lookUp': p.epochs_to_look_up(now, offset)}

    candidates = sorted({start, start + p.OVERLAP_SECONDS, end - lead, end - p.OVERLAP_SECONDS})
    changes = [{'from': now, **state(now)} for now in candidates if state(now) != state(now - 1)]
    return {'offsetSeconds': offset, 'epoch': epoch, 'leadSeconds': lead, 'startsAt': start, 'endsAt': end,
            'acceptableFrom': start - p.OVERLAP_SECONDS, 'acceptableUntil': end + p.OVERLAP_SECONDS, 'changes': changes}


def epochs(document, context):
    return {'epochSeconds': p.EPOCH_SECONDS, 'cases': [epoch_case(entry) for entry in document['cases']]}


# ---- record.json ----

def keys_in(document, context, publisher, reader, epoch):
    root = pair_root(person(context, document[publisher]), person(context, document[reader]), b'')[2]
    return p.epoch_keys(root, epoch)


def sealing(publisher, reader, signer, keys, metadata, onion_key):
    transcript = p.record_transcript(publisher, reader, keys, metadata, onion_key)
    signature = p.ed25519_sign(signer['signingSeed'], transcript)
    return {'metadata': metadata, 'signatureInput': transcript, 'signature': signature,
            'plaintext': metadata + onion_key + signature,
            'record': p.seal_record(keys, metadata, onion_key, signature)}


def record(document, context):
    publisher, reader = person(context, document['publisher']), person(context, document['reader'])
    epoch = document['epochKeys']['epoch']
    keys = keys_in(document, context, 'publisher', 'reader', epoch)
    onion_key = secret('bob/onion')
    good = []
    for entry in document['cases']:
        content = only(entry, 'issued', 'sequence', 'ttlMinutes', 'flags', 'device', 'capabilities')
        steps = sealing(publisher, reader, publisher, keys, p.record_metadata(content), onion_key)
        first, end = content['issued'] - 1500, content['issued'] + content['ttlMinutes'] * 60
        for now in (first, end - 1):
            opened = p.open_record(steps['record'], publisher, reader, keys, now)
            require(opened == {**content, 'onionKey': onion_key}, 'opens again')
        require(reason_of(p.open_record, steps['record'], publisher, reader, keys, first - 1) == 'issued-ahead', 'first')
        require(reason_of(p.open_record, steps['record'], publisher, reader, keys, end) == 'expired', 'end')
        good.append({**content, **steps, 'acceptedFrom': first, 'refusedFrom': end})

    def bad(entry):
        base, now, steps = good[0]['record'], good[0]['issued'], {}
        inputs = {name: entry[name] for name in ('change', 'sealedForEpoch', 'signer', 'signedFor') if name in entry}
        if 'change' in entry:
            steps = {'record': changed(base, entry['change'])}
        elif 'now' in entry:
            now = {'issued-ahead': good[0]['acceptedFrom'] - 1, 'expired': good[0]['refusedFrom']}[entry['reason']]
            steps = {'record': base, 'now': now}
        elif 'sealedForEpoch' in entry:
            require(entry['sealedForEpoch'] == epoch + 1, 'the next epoch')
            neighbour = keys_in(document, context, 'publisher', 'reader', epoch + 1)
            metadata = bytes.fromhex(document['cases'][0]['metadata'])
            steps = only(sealing(publisher, reader, publisher, neighbour, metadata, onion_key), 'record')
        else:
            steps = sealing(publisher, person(context, entry['signedFor']), person(context, entry['signer']), keys,
                            bytes.fromhex(entry['metadata']), onion_key)
        return {'reason': reason_of(p.open_record, steps['record'], publisher, reader, keys, now), **inputs, **steps}

    return plain({**only(document, 'publisher', 'reader'), 'label': 'hushlamp/v1/record', 'epochKeys': keys,
                  'associatedData': keys['registryKey'], 'onionKey': onion_key, 'cases': good,
                  'rejected': [bad(entry) for entry in document['rejected']]})


# ---- signatures.json ----

def signatures(document, context):
    seed, message = secret('signature'), b'hushlamp test vector'
    public, signature = p.ed25519_public(seed), p.ed25519_sign(seed, message)
    scalar = (p.little(signature[32:]) + p.ORDER).to_bytes(32, 'little')
    forged = bytes([1]) + bytes(63)  # R the neutral element and S zero: holds for every message under a neutral key.
    bad = [(key.to_bytes(32, 'little'), forged) for key in p.SMALL_ORDER_Y]
    bad += [(public, signature[:32] + scalar), (public[:31], signature), (public, signature[:63])]
    listed = [(bytes.fromhex(entry['publicKey']), bytes.fromhex(entry['signature'])) for entry in document['rejected']]
    require(sorted(bad) == sorted(listed), 'every bad signature is listed')
    return plain({'message': message, 'seed': seed, 'publicKey': public, 'signature': signature,
                  'rejected': [{'reason': reason_of(p.ed25519_verify, key, message, signed), 'publicKey': key,
                                'signature': signed} for key, signed in listed]})


# ---- ownership.json ----

def base64_of(data):
    return base64.b64encode(data).decode()


def owned_put(entry, owner_seed, key, value):
    now, ttl = entry['now'], entry['ttlSeconds']
    require(now % 600 in (0, 1), 'the first or last second of an expiry')
    expiry = p.owned_expiry(now, ttl)
    transcript = p.put_transcript(key, value, expiry)
    owner = {'publicKey': p.ed25519_public(owner_seed), 'expiry': expiry,
             'signature': p.ed25519_sign(owner_seed, transcript)}
    p.verify_put(key, value, owner, expiry - 1)
    body = {'value': base64_of(value), 'ttlSeconds': ttl, 'owner': {
        'publicKey': base64_of(owner['publicKey']), 'expiry': expiry, 'signature': base64_of(owner['signature'])}}
    return {'now': now, 'ttlSeconds': ttl, 'transcript': transcript, 'ownership': owner, 'request': {
        'method': 'POST', 'path': f'/v1/keys/{key.hex()}/values', 'body': json.dumps(body, separators=(',', ':'))}}


def ownership(document, context):
    names = {'publisher': 'bob', 'reader': 'alice'}
    root = pair_root(person(context, 'bob'), person(context, 'alice'), b'')[2]
    epoch = p.epoch_at(1800000000, p.epoch_offset(root))
    seed = p.hmac(p.hmac(root, p.epoch_input(epoch)), 'owner')
    key, value = keys_in(names, context, 'publisher', 'reader', epoch)['registryKey'], secret('value')
    cases = [owned_put(entry, seed, key, value) for entry in document['cases']]
    good = cases[0]['ownership']

    def bad(entry):
        put = {'key': key, 'value': value, 'now': cases[0]['now'], **good}
        inputs = {name: entry[name] for name in ('change', 'extendedBy', 'epoch') if name in entry}
        touched = [name for name in ('key', 'value', 'now', 'publicKey', 'expiry', 'signature') if name in entry]
        require(len(touched) == 1, 'one thing is changed')
        name = touched[0]
        if 'change' in entry:
            put[name] = changed(put[name], entry['change'])
        elif 'extendedBy' in entry:
            put['expiry'] += entry['extendedBy']
        elif 'epoch' in entry:
            require(entry['epoch'] == epoch + 1, 'the next epoch')
            put['key'] = p.epoch_keys(root, entry['epoch'])['registryKey']
        else:
            put[name] = {'now': good['expiry'], 'expiry': 2**32}[name]
        owner = only(put, 'publicKey', 'expiry', 'signature')
        return {'reason': reason_of(p.verify_put, put['key'], put['value'], owner, put['now']), **inputs,
                name: put[name]}

    return plain({'label': 'hushlamp/v1/put', 'keyLabel': 'hushlamp/v1/key', 'registryKey': key, 'value': value,
                  'valueHash': p.sha256(value), 'cases': cases,
                  'rejected': [bad(entry) for entry in document['rejected']]})


# ---- handshake.json ----

def handshake(document, context):
    initiator, responder = person(context, document['initiator']), person(context, document['responder'])
    epoch = document['epochKeys']['epoch']
    keys = keys_in(document, context, 'responder', 'initiator', epoch)
    onion_key, secret_i, secret_r = secret('bob/onion'), secret('alice/ephemeral'), secret('bob/ephemeral')
    public_i, public_r = p.x25519_public(secret_i), p.x25519_public(secret_r)
    begun, message1 = p.link_message1(initiator, responder, keys, onion_key, secret_i)
    answered, message2 = p.link_message2(message1, initiator, responder, keys, onion_key, secret_r)

    def finish(message):
        fresh = p.link_message1(initiator, responder, keys, onion_key, secret_i)[0]
        return p.link_finish(fresh, message, secret_i, initiator['presenceSecret'])

    done = finish(message2)
    require((done.h, done.split()) == (answered.h, answered.split()), 'both sides have the same keys')

    def bad1(entry):
        onion, message, inputs = onion_key, message1, only(entry, *(entry.keys() & {'change', 'ephemeral'}))
        if 'onionKey' in entry:
            onion = changed(onion_key, entry['change'])
            result = {'onionKey': onion}
        elif 'ephemeral' in entry:
            ephemeral = bytes.fromhex(entry['ephemeral'])
            message = p.link_mark(keys, ephemeral) + ephemeral + message1[48:]
            result = {'message1': message}
        else:
            message = changed(message1, entry['change'])
            result = {'message1': message}
        return {'reason': reason_of(p.link_message2, message, initiator, responder, keys, onion, secret_r), **inputs,
                **result}

    def bad2(entry):
        inputs = only(entry, *(entry.keys() & {'change', 'ephemeral'}))
        message = bytes.fromhex(entry['ephemeral']) + message2[32:] if 'ephemeral' in entry else changed(
            message2, entry['change'])
        return {'reason': reason_of(finish, message), **inputs, 'message2': message}

    return plain({
        'label': 'hushlamp/v1/link', 'protocol': 'Noise_KKpsk0_25519_ChaChaPoly_SHA256',
        **only(document, 'initiator', 'responder'), 'epochKeys': keys, 'onionKey': onion_key,
        'prologue': p.link_prologue(initiator, responder, epoch, onion_key),
        'initiatorEphemeralSecret': secret_i, 'initiatorEphemeral': public_i,
        'responderEphemeralSecret': secret_r, 'responderEphemeral': public_r,
        'es': p.x25519(secret_i, responder['presenceKey']),
        'ss': p.x25519(initiator['presenceSecret'], responder['presenceKey']),
        'ee': p.x25519(secret_i, public_r), 'se': p.x25519(initiator['presenceSecret'], public_r),
        'mark': p.link_mark(keys, public_i), 'message1': message1, 'message2': message2, 'handshakeHash': done.h,
        'initiatorSends': done.split()[0], 'responderSends': done.split()[1],
        'rejectedMessage1': [bad1(entry) for entry in document['rejectedMessage1']],
        'rejectedMessage2': [bad2(entry) for entry in document['rejectedMessage2']],
    })


# ---- frames.json ----

@lru_cache(maxsize=100)
def pseudorandom(seed, length):
    blocks = (p.sha256(f'{seed}/{counter}'.encode()) for counter in range(-(-length // 32)))
    return b''.join(blocks)[:length]


def payload_of(entry, seed):
    """A payload that the file shows, or one of the long ones, of which it shows the digest."""
    shown = entry.get('payload', '')
    if isinstance(shown, str) and len(shown) < 200:
        return bytes.fromhex(shown)
    return pseudorandom(seed, shown['bytes'] if isinstance(shown, dict) else len(shown) // 2)


def frames(document, context):
    first = secret('frames')
    keys = [first, p.chacha_rekey(first)]
    state = {'key': 0, 'counter': 0}
    receiver = p.FrameReceiver(first)

    def step(entry):
        content = payload_of(entry, document['longPayloads'])
        made, stream = [], b''
        for at in range(0, max(1, len(content)), p.MAX_FRAGMENT):
            part = content[at:at + p.MAX_FRAGMENT]
            last = at + len(part) == len(content)
            kind = {'keep-alive': p.KEEP_ALIVE, 'rekey': p.REKEY, 'payload': p.LAST if last else p.MORE}[entry['step']]
            bucket = next(size for size in p.BUCKETS if len(part) + 19 <= size)
            plaintext = p.frame_plaintext(kind, len(part), bucket, part)
            frame = p.seal_frame(keys[state['key']], state['counter'], plaintext)
            made.append({**state, 'kind': kind, 'length': len(part), 'bucket': bucket,
                         'nonce': p.chacha_nonce(state['counter']), 'plaintext': or_digest(plaintext),
                         'frame': or_digest(frame)})
            state['counter'] += 1
            stream += frame
        if entry['step'] == 'rekey':
            state['key'] += 1
        is_payload = entry['step'] == 'payload'
        require(receiver.receive(stream) == ([content] if is_payload else []), 'arrives as it was sent')
        return {'step': entry['step'], **({'payload': or_digest(content)} if is_payload else {}), 'frames': made}

    def bad(entry):
        stream = b''.join(p.seal_frame(keys[each['key']], each['counter'],
                                       p.frame_plaintext(each['kind'], each['length'], each['bucket']))
                          for each in entry['frames'])
        if 'change' in entry:
            stream = changed(stream, entry['change'])
        return {'reason': reason_of(p.FrameReceiver(first).receive, stream),
                **({'change': entry['change']} if 'change' in entry else {}),
                'frames': [only(each, 'key', 'counter', 'kind', 'length', 'bucket') for each in entry['frames']],
                'stream': or_digest(stream)}

    return plain({'key': first, 'rekeyed': keys[1], 'longPayloads': document['longPayloads'],
                  'steps': [step(entry) for entry in document['steps']],
                  'rejected': [bad(entry) for entry in document['rejected']]})


# ---- payloads.json, delivery.json ----

def from_json(value):
    """Bytes in place of the hexadecimal digits of incarnations, the only byte strings of payloads."""
    if isinstance(value, dict):
        return {name: bytes.fromhex(entry) if name == 'incarnation' else from_json(entry)
                for name, entry in value.items()}
    return [from_json(entry) for entry in value] if isinstance(value, list) else value


def payload_file(document, context):
    def good(entry):
        payload = from_json(entry['payload'])
        data = payloads.encode_payload(payload)
        require(payloads.decode_payload(data) == payload, 'reads as it was written')
        return {'payload': payload, 'bytes': data}

    def tolerated(entry):
        data = payloads.encode(entry['item'])
        return {'item': entry['item'], 'bytes': data, 'payload': payloads.decode_payload(data)}

    def ignored(entry):
        data = payloads.encode(entry['item'])
        require(payloads.decode_payload(data) is None, 'ignored')
        return {'item': entry['item'], 'bytes': data}

    def bad(entry):
        data = payloads.encode(entry['item'])
        return {'reason': reason_of(payloads.decode_payload, data), 'item': entry['item'], 'bytes': or_digest(data)}

    parts = {'cases': good, 'tolerated': tolerated, 'ignored': ignored, 'rejected': bad}
    return plain({'version': 1, **{name: [make(each) for each in document[name]] for name, make in parts.items()}})


def event_of(entry):
    """An event with the fields that its type has, and no others."""
    event = from_json(entry)
    fields = {'submit': ('id', 'body', 'sentAt'), 'receipt': ('kind', 'incarnation', 'counter'),
              'message': ('kind', 'incarnation', 'counter', 'id', 'body', 'sentAt')}.get(event['type'])
    name = 'message' if event['type'] == 'submit' else 'payload'
    kind = {} if event['type'] == 'submit' else {'kind': event['type']}
    return {'type': event['type'], **({name: {**only(event[name], *fields), **kind}} if fields else {})}


def delivery(document, context):
    ours, waiting = secret('our incarnation')[:16], from_json(document['waiting'])
    machine = payloads.Delivery(ours, document['lastSent'], waiting)
    events, steps, sent = [], [], set()
    for entry in document['steps']:
        repeats = 'repeats' in entry
        event = events[entry['repeats']] if repeats else event_of(entry['event'])
        events.append(event)
        if event['type'] == 'receipt':
            require((event['payload']['incarnation'], event['payload']['counter']) in sent, 'a receipt of what was sent')
        effects = machine.step(event)
        sent |= {(each['payload']['incarnation'], each['payload']['counter']) for each in effects if each['type'] == 'send'}
        shown = {'repeats': entry['repeats'], 'counter': event['payload']['counter']} if repeats else {'event': event}
        steps.append({**shown, 'effects': effects})
    return plain({'incarnation': ours, 'lastSent': document['lastSent'], 'waiting': waiting, 'steps': steps})


# ---- invite.json, invite-handshake.json ----

NOTE = 'Published test secrets. Never use them.'


def invite(document, context):
    onion_key, invite_secret = secret('invite/onion'), secret('invite')

    def case(entry, fingerprint):
        publisher = {**person(context, 'alice'), 'fingerprint': fingerprint}
        inviter = only(publisher, 'fingerprint', 'signingKey', 'presenceKey')
        link = invites.encode_link(inviter, invite_secret, entry['expires'])
        require(invites.decode_link(link) == (inviter, invite_secret, entry['expires']), 'reads as it was written')
        root = invites.invite_root(inviter, invite_secret)
        keys = p.epoch_keys(root, entry['epoch'])
        issued = entry['record']['issued']
        metadata = p.record_metadata({'issued': issued, 'sequence': 0, 'ttlMinutes': 360, 'flags': 0, 'device': 0,
                                      'capabilities': 0})
        transcript = invites.invite_record_transcript(inviter, root, keys, metadata, onion_key)
        signature = p.ed25519_sign(publisher['signingSeed'], transcript)
        return {'inviter': inviter, 'secret': invite_secret, 'expires': entry['expires'], 'link': link,
                'inviteRoot': root, 'inviteRootHash': p.sha256(root), 'offsetSeconds': p.epoch_offset(root), **keys,
                'record': {'issued': issued, 'onionKey': onion_key,
                           'bytes': p.seal_record(keys, metadata, onion_key, signature)}}

    long = secret('alice/fingerprint')
    return plain({'note': NOTE, 'label': 'hushlamp/v1/invite',
                  'cases': [case(entry, fingerprint)
                            for entry, fingerprint in zip(document['cases'], (long[:20], long))]})


def invite_handshake(document, context):
    guest, owner = person(context, document['guest']), person(context, document['inviter'])
    inviter, invite_secret, expires = invites.decode_link(document['link'])
    require(inviter == only(owner, *inviter) and invite_secret == secret('invite'), 'the link names the inviter')
    keys = p.epoch_keys(invites.invite_root(inviter, invite_secret), document['epoch'])
    onion_key, guest_secret = secret('invite/onion'), secret('bob/invite ephemeral')
    inviter_secret = secret('alice/invite ephemeral')
    begun, message1 = invites.guest_message1(inviter, keys, onion_key, expires, guest_secret)
    answered, message2 = invites.inviter_message2(message1, inviter, keys, onion_key, expires,
                                                  owner['presenceSecret'], inviter_secret)
    message3 = invites.guest_message3(begun, message2, guest_secret, guest['presenceSecret'])
    guest_key = invites.inviter_finish(answered, message3, inviter_secret)
    require(guest_key == guest['presenceKey'] and begun.h == answered.h, 'both sides have the same')

    def payload(entry):
        data = invites.encode_invite_payload(raw_payload(entry))
        require(invites.decode_invite_payload(data) == raw_payload(entry), 'reads as it was written')
        return {**raw_payload(entry), 'length': len(data), 'sha256': p.sha256(data)}

    return plain({
        'note': NOTE, 'label': 'hushlamp/v1/invite-link', 'protocol': 'Noise_XKpsk0_25519_ChaChaPoly_SHA256',
        **only(document, 'guest', 'inviter', 'link', 'epoch'), 'onionKey': onion_key,
        'prologue': invites.invite_prologue(inviter, document['epoch'], onion_key, expires),
        'guestPresenceSecret': guest['presenceSecret'], 'inviterPresenceSecret': owner['presenceSecret'],
        'guestEphemeralSecret': guest_secret, 'inviterEphemeralSecret': inviter_secret,
        'message1': message1, 'message2': message2, 'message3': message3, 'handshakeHash': begun.h,
        'guestSends': begun.split()[0], 'inviterSends': begun.split()[1],
        'payloads': [payload(entry) for entry in document['payloads']]})


def raw_payload(entry):
    return {name: value if name == 'kind' else bytes.fromhex(value) for name, value in entry.items()
            if name in ('kind', 'certificate', 'pairSecret', 'onionKey')}


def invite_rejected(document, context):
    inviter = only(person(context, 'alice'), 'fingerprint', 'signingKey', 'presenceKey')
    base = invites.encode_link(inviter, secret('invite'), document['expires'])

    def link(entry):
        if 'content' in entry:
            data = bytes.fromhex(entry['content'])
            link = invites.link_of(data + p.sha256(p.lp('hushlamp/v1/invite-checksum', data))[:4])
            return {'reason': reason_of(invites.decode_link, link), 'content': data, 'link': link}
        at, text = entry['at'], entry['text']
        require(text == '' or base[at:at + len(text)] != text, 'a change')
        link = base[:at] + text + base[at + len(text):] if text else base[:at]
        return {'reason': reason_of(invites.decode_link, link), 'at': at, 'text': text, 'link': link}

    def payload(entry):
        data = payloads.encode(entry['item'])
        return {'reason': reason_of(invites.decode_invite_payload, data), 'item': entry['item'], 'bytes': or_digest(data)}

    return plain({'expires': document['expires'], 'links': [link(entry) for entry in document['links']],
                  'payloads': [payload(entry) for entry in document['payloads']]})


# ---- safety-number.json, certificate.json ----

def safety_number(document, context):
    label, code_label = 'hushlamp/v1/safety-number', 'hushlamp/v1/safety-code'
    cases = []
    for entry in document['cases']:
        digests, groups, code = certificates.safety_number(
            *(person(context, name) for name in entry['between']), label, code_label)
        cases.append({'between': entry['between'], 'digests': digests, 'groups': groups, 'code': code})
    return plain({'label': label, 'codeLabel': code_label, 'cases': cases})


def certificate_parts(owner, document, form, notation):
    require(form in ('v4', 'v6'), 'format')
    version, created, name = int(form[1]), document['created'], document['userId'].encode()
    primary = certificates.key_body(version, 27 if version == 6 else 22, created, owner['signingKey'])
    subkey = certificates.key_body(version, 25 if version == 6 else 18, created, owner['presenceKey'])
    signed = certificates.key_input(primary)
    user = b'\xb4' + p.u32(len(name)) + name if version == 4 else b''

    def made(kind, hashed, signed):
        salt = secret(f'salt/{kind}') if version == 6 else b''
        return certificates.signature(version, kind, hashed, signed, owner['signingSeed'], salt)

    own = made(0x13 if version == 4 else 0x1f, certificates.hashed_subpackets(primary, created, 3), signed + user)
    hashed = certificates.hashed_subpackets(primary, created, 0, (certificates.NOTATION[0], notation.encode()))
    binding = made(0x18, hashed, signed + certificates.key_input(subkey))
    data = b''.join(certificates.packet(tag, body) for tag, body in (
        (6, primary), *([(13, name)] if version == 4 else []), (2, own['packet']), (14, subkey), (2, binding['packet'])))
    return {'format': form, 'primaryKey': primary, 'presenceSubkey': subkey, 'selfSignature': own, 'binding': binding,
            'bytes': data}


def certificate(document, context):
    owner = person(context, document['person'])
    name, value = (each.decode() for each in certificates.NOTATION)

    def good(entry):
        parts = certificate_parts(owner, document, entry['format'], value)
        identity = certificates.read_certificate(parts['bytes'])
        require(all(identity[each] == owner[each] for each in ('signingKey', 'presenceKey')), 'reads as it was written')
        full = identity['fingerprint']
        short = full[16:20] if len(full) == 20 else full[4:8]
        return {**parts, 'fingerprint': full, 'shortKeyId': short.hex().upper(), 'id': p.identity_bytes(identity)}

    cases = [good(entry) for entry in document['cases']]

    def bad(entry):
        if 'change' in entry:
            data, inputs = changed(cases[0]['bytes'], entry['change']), {'change': entry['change']}
        else:
            data, inputs = certificate_parts(owner, document, 'v4', entry['notation'])['bytes'], {
                'notation': entry['notation']}
        return {'reason': reason_of(certificates.read_certificate, data), **inputs, 'bytes': data}

    return plain({**only(document, 'person', 'created', 'userId'), 'notation': {'name': name, 'value': value},
                  'cases': cases, 'rejected': [bad(entry) for entry in document['rejected']]})


# ---- secret-key.json ----

def secret_key(document, context):
    """The key is taken as it is: Python and its library cannot make Argon2id's. That it opens the secret is checked."""
    def case(entry):
        passphrase, given = bytes.fromhex(entry['passphraseUtf8']), only(entry, 'memoryKibibytes', 'passes', 'lanes')
        salt, key, stored = secret('salt')[:16], bytes.fromhex(entry['key']), secret('sealed')
        header = b'hushlock' + bytes([1, given['lanes']]) + p.u16(given['passes']) + p.u32(given['memoryKibibytes']) + salt
        return {'passphraseUtf8': passphrase, 'normalisedUtf8': unicodedata.normalize('NFC', passphrase.decode()).encode(),
                **given, 'salt': salt, 'key': key, 'secret': stored,
                'sealed': header + p.chacha_seal(key, 0, header, stored)}

    return plain({'note': NOTE, 'magic': 'hushlock', 'cases': [case(entry) for entry in document['cases']]})


FILES = {
    'pair-keys.json': pair_keys,
    'constants.json': constants,
    'certificate.json': certificate,
    'safety-number.json': safety_number,
    'secret-key.json': secret_key,
    'epochs.json': epochs,
    'record.json': record,
    'signatures.json': signatures,
    'ownership.json': ownership,
    'handshake.json': handshake,
    'frames.json': frames,
    'payloads.json': payload_file,
    'delivery.json': delivery,
    'invite.json': invite,
    'invite-handshake.json': invite_handshake,
    'invite-rejected.json': invite_rejected,
}
