"""Payloads (§13) and their delivery (§14) of docs/protocol.md: CBOR by hand, and the machine that delivers once."""
import struct

from protocol import require

SAFE = 2**53 - 1
MAX_BODY = 131072
SHOWS = ('away', 'chat', 'dnd', 'xa')


# ---- CBOR (RFC 8949) ----

def head(major, argument):
    for limit, info, form in ((24, None, ''), (2**8, 24, '>B'), (2**16, 25, '>H'), (2**32, 26, '>I'), (2**64, 27, '>Q')):
        if argument < limit:
            first = major << 5 | (argument if info is None else info)
            return bytes([first]) + (struct.pack(form, argument) if form else b'')
    raise ValueError('an argument has at most 64 bits')


def encode(item):
    """Deterministic CBOR; keys of a map by length, then byte order. `{"$bytes", "$length"}` is a byte string that is
    filled up with zeros, `{"$raw"}` stands for encoded bytes, `{"$text", "$times"}` for a repeated text."""
    if item is None or isinstance(item, bool):
        return {None: b'\xf6', False: b'\xf4', True: b'\xf5'}[item]
    if isinstance(item, int):
        return head(0, item) if item >= 0 else head(1, -1 - item)
    if isinstance(item, bytes):
        return head(2, len(item)) + item
    if isinstance(item, str):
        return head(3, len(item.encode())) + item.encode()
    if isinstance(item, list):
        return head(4, len(item)) + b''.join(map(encode, item))
    require(not item.keys() & {'$raw', '$bytes'} or item.keys() in ({'$raw'}, {'$bytes'}, {'$bytes', '$length'}), 'item')
    if item.keys() == {'$text', '$times'}:
        return encode(item['$text'] * item['$times'])
    if '$raw' in item:
        return bytes.fromhex(item['$raw'])
    if '$bytes' in item:
        return encode(bytes.fromhex(item['$bytes']).ljust(item.get('$length', 0), b'\0'))
    entries = sorted(((encode(name), encode(value)) for name, value in item.items()), key=lambda e: (len(e[0]), e[0]))
    return head(5, len(entries)) + b''.join(name + value for name, value in entries)


class Decoder:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, length):
        require(self.at + length <= len(self.data), 'truncated')
        self.at += length
        return self.data[self.at - length:self.at]

    def item(self):
        first = self.take(1)[0]
        major, info = first >> 5, first & 31
        require(info != 31, 'indefinite')
        require(info < 28, 'simple')
        require(major != 6, 'tag')
        if major == 7:
            return self.simple(info)
        width = {24: 1, 25: 2, 26: 4, 27: 8}.get(info, 0)
        argument = int.from_bytes(self.take(width), 'big') if width else info
        minimum = {1: 24, 2: 2**8, 4: 2**16, 8: 2**32}.get(width, 0)
        require(argument >= minimum, 'not-minimal')
        return self.content(major, argument)

    def content(self, major, argument):
        if major < 2:
            return argument if major == 0 else -1 - argument
        if major < 4:
            text = self.take(argument)
            return text if major == 2 else text.decode('utf-8', 'replace')
        if major == 4:
            return [self.item() for _ in range(argument)]
        entries = {}
        for _ in range(argument):
            name = self.item()
            require(isinstance(name, str), 'key-type')
            require(name not in entries, 'duplicate-key')
            entries[name] = self.item()
        return entries

    def simple(self, info):
        if info in (20, 21, 22):
            return {20: False, 21: True, 22: None}[info]
        require(info != 23, 'undefined')
        require(info in (25, 26, 27), 'simple')
        return struct.unpack({25: '>e', 26: '>f', 27: '>d'}[info], self.take({25: 2, 26: 4, 27: 8}[info]))[0]


def decode(data):
    decoder = Decoder(data)
    item = decoder.item()
    require(decoder.at == len(data), 'trailing')
    return item


# ---- payloads ----

def is_number(value):
    """A number that 64-bit floats hold exactly: greater integers are no numbers to this protocol."""
    return isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) <= SAFE)


def count(fields, name):
    value = fields.get(name)
    require(is_number(value) and value == value // 1 and 0 <= value <= SAFE, name)
    return int(value)


def text(fields, name, most):
    value = fields.get(name)
    require(isinstance(value, str) and len(value.encode()) <= most, name)
    return value


def position(fields):
    incarnation = fields.get('incarnation')
    require(isinstance(incarnation, bytes) and len(incarnation) == 16, 'incarnation')
    return {'incarnation': incarnation, 'counter': count(fields, 'counter')}


def decode_envelope(data):
    item = decode(data)
    require(isinstance(item, list) and len(item) >= 2, 'not-an-array')
    version, kind = item[:2]
    require(is_number(version), 'version')
    require(isinstance(kind, str), 'kind')
    return version, kind, item[2] if len(item) > 2 and isinstance(item[2], dict) else {}


def decode_payload(data):
    """A payload of a known kind, or None for one to be ignored."""
    version, kind, fields = decode_envelope(data)
    if version != 1:
        return None
    if kind == 'presence':
        require(isinstance(fields.get('available'), bool), 'available')
        payload = {'kind': kind, 'available': fields['available']}
        if fields.get('show') in SHOWS:
            payload['show'] = fields['show']
        if 'text' in fields:
            payload['text'] = text(fields, 'text', 1024)
        return payload
    if kind == 'message':
        return {'kind': kind, **position(fields), 'id': text(fields, 'id', 256), 'body': text(fields, 'body', MAX_BODY),
                'sentAt': count(fields, 'sentAt')}
    if kind == 'receipt':
        return {'kind': kind, **position(fields)}
    return {'kind': kind} if kind == 'bye' else None


def encode_payload(payload):
    return encode([1, payload['kind'], {name: value for name, value in payload.items() if name != 'kind'}])


# ---- delivery ----

class Delivery:
    def __init__(self, incarnation, last_sent, waiting):
        self.incarnation, self.last_sent, self.waiting = incarnation, last_sent, list(waiting)
        self.received, self.linked = {}, False

    def step(self, event):
        kind = event['type']
        if kind in ('link-up', 'link-down'):
            self.linked = kind == 'link-up'
            return [{'type': 'send', 'payload': each} for each in self.waiting] if self.linked else []
        return {'submit': self.submit, 'message': self.take, 'receipt': self.acknowledge}[kind](event)

    def submit(self, event):
        self.last_sent += 1
        message = {'kind': 'message', 'incarnation': self.incarnation, 'counter': self.last_sent, **event['message']}
        self.waiting.append(message)
        return [{'type': 'store-outgoing', 'message': message},
                *([{'type': 'send', 'payload': message}] if self.linked else [])]

    def take(self, event):
        message = event['payload']
        life, counter = message['incarnation'], message['counter']
        is_new = counter > self.received.get(life, 0)
        if is_new:
            self.received[life] = counter
        receipt = {'kind': 'receipt', 'incarnation': life, 'counter': self.received.get(life, 0)}
        return [*([{'type': 'store-incoming', 'message': message}] if is_new else []),
                {'type': 'send', 'payload': receipt}]

    def acknowledge(self, event):
        receipt = event['payload']
        done = [each for each in self.waiting
                if each['incarnation'] == receipt['incarnation'] and each['counter'] <= receipt['counter']]
        self.waiting = [each for each in self.waiting if each not in done]
        return [*([{'type': 'forget-outgoing', 'messages': done}] if done else []),
                *({'type': 'delivered', 'id': each['id']} for each in done)]
