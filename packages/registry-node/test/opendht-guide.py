"""A session of OpenDHT's users' guide with nothing but Python's own XML-RPC client.

Usage: opendht-guide.py URL. Prints one line of JSON per step; ends with 1 where an answer is not what the guide promises.
"""

import hashlib
import json
import sys
from xmlrpc.client import Binary, Fault, ServerProxy

WEEK = 604800
APPLICATION = "guide"

gateway = ServerProxy(sys.argv[1])


def sha(data):
    return hashlib.sha1(data).digest()


def put(key, value, ttl):
    return gateway.put(Binary(key), Binary(value), ttl, APPLICATION)


def put_removable(key, value, secret, ttl):
    return gateway.put_removable(
        Binary(key), Binary(value), "SHA", Binary(sha(secret)), ttl, APPLICATION
    )


def rm(key, value, secret, ttl):
    return gateway.rm(Binary(key), Binary(sha(value)), "SHA", Binary(secret), ttl, APPLICATION)


def pages(key, maxvals=10):
    placemark = Binary(b"")
    while True:
        values, placemark = gateway.get(Binary(key), maxvals, placemark, APPLICATION)
        yield sorted(value.data.decode() for value in values)
        if placemark.data == b"":
            return


def values(key, maxvals=10):
    return sorted(value for page in pages(key, maxvals) for value in page)


def details(key):
    found, placemark = gateway.get_details(Binary(key), 10, Binary(b""), APPLICATION)
    assert placemark.data == b""
    return {
        value.data.decode(): {"ttl": ttl, "algorithm": algorithm, "hash": secret_hash.data.hex()}
        for value, ttl, algorithm, secret_hash in found
    }


def fault(call, *params):
    try:
        call(*params)
    except Fault as error:
        return [error.faultCode, error.faultString]
    return None


def expect(step, actual, expected):
    print(json.dumps({"step": step, "actual": actual, "ok": actual == expected}))
    if actual != expected:
        print(f"{step}: expected {expected!r}", file=sys.stderr)
        sys.exit(1)


def ttl_between(step, key, value, low, high):
    ttl = details(key)[value]["ttl"]
    expect(step, low <= ttl <= high, True)


colors = sha(b"colors")
secret = b"a secret of blue"

expect("nothing is there", values(colors), [])
expect("put red", put(colors, b"red", 3600), 0)
expect("put blue, removable", put_removable(colors, b"blue", secret, 3600), 0)
expect("both are there", values(colors), ["blue", "red"])
expect("each on a page of its own", sorted(map(len, pages(colors, 1))), [1, 1])
expect("pages hold both", values(colors, 1), ["blue", "red"])
expect("one page for all that an int can ask for", [len(p) for p in pages(colors, 2**31 - 1)], [2])
found = details(colors)
expect("details tell the secret hash", found["blue"]["hash"], sha(secret).hex())
expect("details tell the algorithm", found["blue"]["algorithm"], "SHA")
expect("what has no secret has no hash", [found["red"]["algorithm"], found["red"]["hash"]], ["", ""])
ttl_between("details tell what remains", colors, "red", 3590, 3600)

expect("put red for longer", put(colors, b"red", 7200), 0)
ttl_between("red lives longer", colors, "red", 7190, 7200)
expect("put red for a shorter time", put(colors, b"red", 60), 0)
ttl_between("red lives as long as before", colors, "red", 7180, 7200)
expect("put green for two weeks", put(colors, b"green", 2 * WEEK), 0)
ttl_between("a week is the most", colors, "green", WEEK - 20, WEEK)

expect("a wrong secret is not noticed", rm(colors, b"blue", b"wrong", 7200), 0)
expect("and removes nothing", values(colors), ["blue", "green", "red"])
expect("remove blue", rm(colors, b"blue", secret, 7200), 0)
expect("blue is gone", values(colors), ["green", "red"])
expect("put blue again", put_removable(colors, b"blue", secret, 3600), 0)
expect("the removal holds", values(colors), ["green", "red"])
expect("another secret is another put", put_removable(colors, b"blue", b"other", 3600), 0)
expect("it is there", values(colors), ["blue", "green", "red"])

expect("a short key is a number", put(b"\x07", b"seven", 60), 0)
expect("with zeros in front", values(b"\x00" * 19 + b"\x07"), ["seven"])
expect("any bytes are a value", put(sha(b"bytes"), bytes(range(128)), 60), 0)
read, _ = gateway.get(Binary(sha(b"bytes")), 10, Binary(b""), APPLICATION)
expect("and come back as they were", read[0].data == bytes(range(128)), True)


def error(text):
    return [0, f"java.lang.Exception: {text}"]


expect("a long value", fault(put, colors, b"x" * 129, 60), error("value is longer than 128 bytes"))
expect("a value of 1024 bytes", fault(put, colors, b"x" * 1024, 60), error("value is longer than 128 bytes"))
expect("a long key", fault(put, b"k" * 21, b"red", 60), error("key is longer than 20 bytes"))
expect("no time", fault(put, colors, b"red", 0), error("ttl_sec is less than 1"))
expect("a long secret", fault(rm, colors, b"red", b"s" * 41, 60), error("secret is longer than 40 bytes"))
expect(
    "a long secret hash",
    fault(gateway.put_removable, Binary(colors), Binary(b"red"), "SHA", Binary(b"h" * 21), 60, APPLICATION),
    error("secret_hash is longer than 20 bytes"),
)
expect(
    "another hash",
    fault(gateway.put_removable, Binary(colors), Binary(b"red"), "MD5", Binary(b"h" * 16), 60, APPLICATION)[0],
    0,
)
expect("a placemark that is none", fault(gateway.get, Binary(colors), 1, Binary(b"p"), APPLICATION)[0], 0)
expect("an unknown method", fault(gateway.steal, Binary(colors))[0], 0)
expect("the wrong parameters", fault(gateway.put, colors.hex(), "red", "60")[0], 0)
expect("what has failed changed nothing", values(colors), ["blue", "green", "red"])
expect(
    "the methods",
    sorted(name for name in gateway.system.listMethods() if "." not in name),
    ["get", "get_details", "put", "put_removable", "rm"],
)
expect("a signature", gateway.system.methodSignature("put"), [["int", "base64", "base64", "int", "string"]])
