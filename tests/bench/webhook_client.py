"""An open-loop HTTP/1.1 client for signed webhooks: one thread, a few connections that stay open.

Each request is due at its time whatever the server does, and its latency counts from then, so a stall is
seen by every request that it held up. Good for some hundred requests a second."""

import gc
import hashlib
import hmac
import selectors
import socket
import time

from programs import BenchError

SPIN_S = 0.0005  # A sleep ends late by less than that.


def sign(secret, payload, at_s):
    """The value of Stripe-Signature."""
    mac = hmac.new(secret.encode(), b"%d." % at_s + payload, hashlib.sha256)
    return f"t={at_s},v1={mac.hexdigest()}"


def request(host, path, secret, payload):
    """The bytes of one signed POST."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(payload)}\r\nStripe-Signature: {sign(secret, payload, int(time.time()))}\r\n\r\n"
    )
    return head.encode() + payload


class Connection:
    """One connection with at most one request under way."""

    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = None
        self.answer = b""

    def send(self, data, due):
        self.due = due
        self.answer = b""
        self.socket.sendall(data)

    def receive(self):
        """The status when the answer is whole, else None."""
        part = self.socket.recv(65536)
        if not part:
            raise BenchError("the server closed a webhook connection")
        self.answer += part
        head, separator, body = self.answer.partition(b"\r\n\r\n")
        if not separator:
            return None
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length" and len(body) < int(value):
                return None
        return int(head.split(b" ", 2)[1])


def post_all(host, port, requests, rate, connections=8):
    """Sends the requests at the rate; returns their latencies in seconds, sorted. Each must get 200."""
    idle = [Connection(host, port) for _ in range(connections)]
    selector = selectors.DefaultSelector()
    for connection in idle:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    latencies = []
    started = 0
    gc.disable()  # A collection would look like a slow answer.
    try:
        start = time.perf_counter() + 0.01
        deadline = start + len(requests) / rate + 30
        while len(latencies) < len(requests):
            now = time.perf_counter()
            if now > deadline:
                raise BenchError(f"only {len(latencies)} of {len(requests)} webhooks were answered")
            while idle and started < len(requests) and start + started / rate <= now:
                idle.pop().send(requests[started], start + started / rate)
                started += 1
            wait = 0.1
            if started < len(requests) and idle:
                wait = max(0, start + started / rate - now - SPIN_S)
            for key, _ in selector.select(wait):
                status = key.data.receive()
                if status is None:
                    continue
                latencies.append(time.perf_counter() - key.data.due)
                idle.append(key.data)
                if status != 200:
                    raise BenchError(f"a webhook was answered with {status}")
    finally:
        gc.enable()
        for key in list(selector.get_map().values()):
            key.fileobj.close()
    return sorted(latencies)
