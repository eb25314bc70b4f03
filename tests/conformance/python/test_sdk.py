"""The official Python SDK drives the simulator: a code base of its own, so what one forgives the other may not."""

import http.server
import os
import threading
import time
import urllib.request
import uuid

import pytest
import stripe

BASE = f"http://{os.environ['SIM_ADDRESS']}"
KEY = os.environ["STRIPE_API_KEY"]


def client(account=None, key=KEY, retries=0):
    return stripe.StripeClient(key, stripe_account=account, max_network_retries=retries, base_addresses={"api": BASE})


def control(path, body="{}"):
    request = urllib.request.Request(f"{BASE}/_sim/{path}", body.encode(), {"content-type": "application/json"})
    assert urllib.request.urlopen(request, timeout=20).status == 200


class Receiver:
    """Keeps each delivery's bytes and its signature."""

    def __init__(self):
        self.deliveries = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.deliveries.append((body, self.headers["Stripe-Signature"]))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture(scope="module")
def endpoint():
    receiver = Receiver()
    endpoints = client().v1.webhook_endpoints
    made = endpoints.create({"url": receiver.url, "enabled_events": ["*"], "connect": True})
    receiver.secret = made.secret
    yield receiver
    assert endpoints.delete(made.id).deleted
    receiver.server.shutdown()


@pytest.fixture(scope="module")
def account(endpoint):
    made = client().v1.accounts.create({
        "country": "DE",
        "controller": {"stripe_dashboard": {"type": "express"}, "fees": {"payer": "application"},
                       "losses": {"payments": "application"}, "requirement_collection": "stripe"},
        "capabilities": {"card_payments": {"requested": True}, "transfers": {"requested": True}}})
    control(f"accounts/{made.id}/onboard")
    return made.id


@pytest.fixture(scope="module")
def shop(account):
    return client(account).v1


@pytest.fixture(scope="module")
def price(shop):
    product = shop.products.create({"name": "Pro"})
    return shop.prices.create({
        "product": product.id, "currency": "eur", "unit_amount": 1900, "recurring": {"interval": "month"}}).id


def customer(shop, card):
    made = shop.customers.create({"name": "Zoë", "email": "zoe@example.com"})
    method = shop.payment_methods.attach(card, {"customer": made.id})
    return shop.customers.update(made.id, {"invoice_settings": {"default_payment_method": method.id}}).id


def test_the_versions_are_the_same():
    assert stripe.api_version == "2026-10-28.endive"


def test_a_subscription_from_creation_to_cancellation(shop, price):
    made = shop.subscriptions.create({
        "customer": customer(shop, "pm_card_visa"), "items": [{"price": price}], "expand": ["latest_invoice"]})
    assert (made.status, made.latest_invoice.amount_paid) == ("active", 1900)
    item = made["items"].data[0]
    changed = shop.subscriptions.update(made.id, {
        "items": [{"id": item.id, "quantity": 2}], "proration_behavior": "none", "metadata": {"seats": "2"}})
    assert changed["items"].data[0].quantity == 2 and changed.metadata["seats"] == "2"
    assert shop.subscriptions.update(made.id, {"cancel_at_period_end": True}).cancel_at_period_end
    assert shop.subscriptions.cancel(made.id).status == "canceled"
    assert shop.subscriptions.retrieve(made.id).canceled_at is not None


def test_lists_are_paged_through_both_ways(shop):
    made = [shop.customers.create({"email": "python@example.com"}).id for _ in range(25)]
    asked = {"email": "python@example.com", "limit": 10}
    assert [one.id for one in shop.customers.list(asked).auto_paging_iter()] == made[::-1]
    before = shop.customers.list({**asked, "ending_before": made[0]})
    assert [one.id for one in before.auto_paging_iter()] == made[1:]


def test_the_same_key_gets_the_same_answer(shop):
    key = {"idempotency_key": str(uuid.uuid4())}
    first = shop.customers.create({"name": "Once"}, key)
    again = shop.customers.create({"name": "Once"}, key)
    assert first.id == again.id
    assert again.last_response.headers["idempotent-replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        shop.customers.create({"name": "Twice"}, key)


@pytest.mark.parametrize("action", ["500_before", "drop_after_commit", "409_in_use"])
def test_a_request_is_repeated_and_happens_once(account, shop, action):
    email = f"python-{action.replace('_', '-')}@example.com"
    control("faults", f'{{"action":"{action}","times":1,"match":{{"path_regex":"^/v1/customers$","method":"POST"}}}}')
    made = client(account, retries=2).v1.customers.create({"email": email})
    assert [one.id for one in shop.customers.list({"email": email}).data] == [made.id]


def test_errors_have_classes(account, shop, price):
    with pytest.raises(stripe.CardError) as declined:
        shop.subscriptions.create({
            "customer": customer(shop, "pm_card_chargeCustomerFail"), "items": [{"price": price}],
            "payment_behavior": "error_if_incomplete"})
    assert (declined.value.code, declined.value.http_status) == ("card_declined", 402)
    assert declined.value.error.decline_code
    with pytest.raises(stripe.InvalidRequestError) as missing:
        shop.customers.retrieve("cus_none")
    assert (missing.value.code, missing.value.http_status) == ("resource_missing", 404)
    with pytest.raises(stripe.AuthenticationError):
        client(key="sk_test_wrong").v1.customers.list()
    with pytest.raises(stripe.PermissionError):
        client("acct_none").v1.customers.list()
    control("faults", '{"action":"rate_limit","times":1,"match":{"path_regex":"^/v1/customers$"}}')
    with pytest.raises(stripe.RateLimitError):
        shop.customers.list()


def test_deliveries_have_signatures_that_the_sdk_verifies(endpoint, account, shop):
    made = shop.products.create({"name": "Signed ✓"})
    event = shop.events.list({"type": "product.created", "limit": 1}).data[0]
    assert event.data.object["id"] == made.id
    end = time.monotonic() + 10
    while not (ours := [one for one in endpoint.deliveries if event.id.encode() in one[0]]):
        assert time.monotonic() < end, "not delivered"
        time.sleep(0.02)
    for body, header in endpoint.deliveries:
        assert stripe.Webhook.construct_event(body, header, endpoint.secret).account == account
    body, header = ours[0]
    stale = header.replace("t=1", "t=0", 1)
    for wrong in ((body + b" ", header, endpoint.secret), (body, header, endpoint.secret + "x"),
                  (body, stale, endpoint.secret), (body, header.replace("v1=", "v0="), endpoint.secret)):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(*wrong)
