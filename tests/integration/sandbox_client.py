"""billingos-sandbox as the payment provider's clients see it, and an endpoint for its webhooks."""

import hashlib
import hmac
import http.client
import http.server
import json
import os
import pathlib
import signal
import subprocess
import threading
import time
import urllib.parse

import wire

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BOS_BUILD", ROOT / "build" / "dev"))
BINARY = pathlib.Path(os.environ.get("BILLINGOS_SANDBOX_BIN", BUILD / "server" / "billingos-sandbox"))
VERSION = "2026-10-28.endive"
SECRET = "whsec_sandbox_test"
DAY = 86400


def eventually(condition, seconds: float = 10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.02)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.text = status, headers, body.decode()
        self.json = json.loads(body) if body[:1] == b"{" else None

    @property
    def error(self):
        return self.json["error"]


def pairs(value, prefix=""):
    """Nested values as the form that the provider reads."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from pairs(inner, f"{prefix}[{key}]" if prefix else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from pairs(inner, f"{prefix}[{index}]")
    else:
        yield prefix, {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value


class Receiver:
    """An endpoint that checks signatures with its own code; fails the first so many deliveries."""

    def __init__(self, failures: int = 0):
        self.events, self.invalid, self.failures = [], 0, failures
        self.lock = threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(receiver.take(self.headers["Stripe-Signature"], body))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = wire.through(f"http://127.0.0.1:{self.server.server_port}/hook")
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, header: str, body: bytes) -> int:
        fields = dict(item.split("=", 1) for item in header.split(","))
        signed = fields["t"].encode() + b"." + body
        right = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        with self.lock:
            if self.failures > 0:
                self.failures -= 1
                return 500
            if fields["v1"] != right or abs(time.time() - int(fields["t"])) > 300:
                self.invalid += 1
                return 400
            self.events.append(json.loads(body))
        return 200

    def types(self):
        with self.lock:
            return [event["type"] for event in self.events]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Sim:
    def __init__(self, folder: pathlib.Path, *options: str):
        port_file = folder / "port"
        port_file.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [str(BINARY), "--listen", "127.0.0.1:0", "--port-file", str(port_file), "--log-level", "warn", *options])
        eventually(lambda: port_file.exists() or self.process.poll() is not None)
        assert self.process.poll() is None
        self.host = wire.through(port_file.read_text().strip())

    def raw(self, method, path, body=b"", headers=None):
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            connection.request(method, path, body or None, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def call(self, method, path, params=None, account=None, key=None, headers=None):
        form = urllib.parse.urlencode(list(pairs(params or {})))
        sent = {"Authorization": "Bearer sk_test_x", "Stripe-Version": VERSION}
        if account:
            sent["Stripe-Account"] = account
        if key:
            sent["Idempotency-Key"] = key
        sent.update(headers or {})
        if method == "POST":
            sent["Content-Type"] = "application/x-www-form-urlencoded"
            return self.raw(method, path, form.encode(), sent)
        return self.raw(method, path + ("?" + form if form else ""), b"", sent)

    def ok(self, method, path, params=None, account=None, key=None):
        answer = self.call(method, path, params, account, key)
        assert answer.status == 200, answer.text
        return answer.json

    def control(self, method, path, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        answer = self.raw(method, "/_sim/" + path, data, {"Content-Type": "application/json"})
        assert answer.status == 200, answer.text
        return answer.json

    def merchant(self):
        """An account that may charge."""
        account = self.ok("POST", "/v1/accounts", {
            "country": "US",
            "controller": {"stripe_dashboard": {"type": "express"}, "fees": {"payer": "application"},
                           "losses": {"payments": "application"}, "requirement_collection": "stripe"},
            "capabilities": {"card_payments": {"requested": True}, "transfers": {"requested": True}},
        })["id"]
        self.control("POST", f"accounts/{account}/onboard")
        return Merchant(self, account)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)


class Merchant:
    """The calls on behalf of one account, with a product that has a monthly price."""

    def __init__(self, sim, account):
        self.sim, self.account = sim, account
        self.product = self.ok("POST", "products", {"name": "Pro"})["id"]
        self.price = self.ok("POST", "prices", {
            "product": self.product, "currency": "usd", "unit_amount": 1000, "recurring": {"interval": "month"}})["id"]

    def call(self, method, path, params=None, key=None):
        return self.sim.call(method, "/v1/" + path, params, self.account, key)

    def ok(self, method, path, params=None, key=None):
        return self.sim.ok(method, "/v1/" + path, params, self.account, key)

    def customer(self, card="pm_card_visa", **more):
        params = {**more}
        if card:
            params |= {"payment_method": card, "invoice_settings": {"default_payment_method": card}}
        return self.ok("POST", "customers", params)["id"]

    def subscription(self, customer=None, key=None, **more):
        return self.ok("POST", "subscriptions", {
            "customer": customer or self.customer(), "items": [{"price": self.price}], **more}, key)

    def decline(self, customer, code):
        self.sim.control("POST", f"customers/{self.account}/{customer}/payment_method", {"decline": code})

    def renew(self, subscription):
        return self.sim.control("POST", f"subscriptions/{self.account}/{subscription}/renew", {})

    def state(self):
        return self.sim.control("GET", "state")["accounts"][self.account]
