"""Webhook requests made wrong: the HTTP around them, the signature, and JSON that is signed rightly."""

import copy
import hashlib
import hmac
import json
import time

import bytes_mutation

TYPES = ("customer.subscription.updated", "customer.subscription.deleted", "invoice.paid", "invoice.payment_failed",
         "account.updated", "customer.updated", "payment_intent.succeeded", "nothing.known")
OBJECTS = {"customer.subscription": "subscription", "invoice": "invoice", "account": "account", "customer": "customer",
           "payment_intent": "payment_intent"}
ODD_VALUES = (None, True, False, 0, -1, 1 << 63, -(1 << 70), 1e308, 0.1, "", "x" * 5000, "\u0000", "\ud800", "🧾", [], {}, [[]], {"": {}})


def event(rng, account: str) -> dict:
    kind = rng.choice(TYPES)
    subject = OBJECTS.get(kind.rpartition(".")[0], "nothing")
    return {
        "id": f"evt_{rng.getrandbits(60):x}", "object": "event", "type": kind, "account": account, "livemode": False,
        "created": int(time.time()), "api_version": "2026-10-28.endive", "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "data": {"object": {"id": f"{subject[:3]}_{rng.getrandbits(60):x}", "object": subject, "customer": f"cus_{rng.getrandbits(40):x}",
                            "status": "active", "metadata": {"a": "b"}}},
    }


def _paths(value, path=()):
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _paths(one, (*path, key))


def odd_value(rng, value):
    """The value with something strange at one place."""
    path = rng.choice([path for path in _paths(value) if path])
    outer = value
    for key in path[:-1]:
        outer = outer[key]
    if rng.random() < 0.3 and isinstance(outer, dict):
        del outer[path[-1]]
    else:
        outer[path[-1]] = copy.deepcopy(rng.choice(ODD_VALUES))
    return value


def body(rng, account: str) -> bytes:
    kind = rng.random()
    made = event(rng, account)
    if kind < 0.15:
        return json.dumps(made).encode()
    if kind < 0.6:
        for _ in range(rng.choice((1, 1, 3))):
            made = odd_value(rng, made)
        return json.dumps(made).encode()
    if kind < 0.9:
        return bytes_mutation.mutate(rng, json.dumps(made).encode())
    deep = rng.choice((10, 1000, 20000))
    return rng.choice((b"[" * deep, b'{"a":' * deep, b'{"id":"' + b"a" * 200000 + b'"}', b"\xff\xfe", b"", b"null", b"1" * 5000,
                       b'{"id":"evt_1","id":"evt_2"}', b"\xef\xbb\xbf{}"))


def signature(rng, secret: str, text: bytes) -> bytes:
    now = int(time.time()) + rng.choice((0, 0, 0, 0, -290, -1000, 1000))
    right = hmac.new(secret.encode(), b"%d." % now + text, hashlib.sha256).hexdigest().encode()
    good = b"t=%d,v1=%s" % (now, right)
    return good if rng.random() < 0.7 else rng.choice((
        b"t=%d,v0=%s" % (now, right), b"t=%d" % now, b"v1=" + right, b"t=,v1=", b"t=99999999999999999999,v1=" + right, b"", b",,,=,=",
        b"t=%d,v1=%s" % (now, right[:-1]), b"t=%d," % now + b"v1=00," * 500 + b"v1=" + right, bytes_mutation.mutate(rng, good), b"x" * 9000))


def request(rng, secret: str, account: str) -> bytes:
    """All bytes of one connection."""
    text = body(rng, account)
    signed = signature(rng, secret, text).replace(b"\r", b"").replace(b"\n", b"")
    path = b"/webhooks/stripe/connect"
    method, length, more = b"POST", str(len(text)).encode(), b""
    kind = rng.random()
    if kind < 0.08:
        path = rng.choice((b"/", b"/webhooks/stripe/", b"/webhooks/stripe/platform", b"/webhooks/stripe/" + b"a" * 3000, b"*", b"//", b"/%00", b"/../../etc/passwd",
                           b"/webhooks/stripe/connect?" + b"a=b&" * 500))
    elif kind < 0.12:
        method = rng.choice((b"GET", b"PUT", b"HEAD", b"OPTIONS", b"CONNECT", b"", b"x" * 500, b"POST\0"))
    elif kind < 0.18:
        length = rng.choice((b"0", b"-1", b"99999999999999999999", b"4294967296", b"1e3", b"", b"0x10", str(len(text) + 10).encode()))
    elif kind < 0.24:
        more = rng.choice((b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"Content-Length: 3\r\n", b"Host: b\r\n", b"X: " + b"y" * 40000 + b"\r\n",
                           b"A: b\r\n" * 300, b" folded\r\n", b"no colon\r\n", b"Connection: close, upgrade\r\nUpgrade: h2c\r\n", b": empty\r\n"))
    made = (method + b" " + path + b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " + length +
            b"\r\nStripe-Signature: " + signed + b"\r\n" + more + b"\r\n" + text)
    if rng.random() < 0.05:
        made *= rng.choice((2, 20))
    return bytes_mutation.mutate(rng, made) if rng.random() < 0.2 else made
