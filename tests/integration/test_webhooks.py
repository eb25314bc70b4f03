"""Webhooks of the payment side: signature, inbox, changed objects, mirror."""

import concurrent.futures
import contextlib
import hashlib
import hmac
import http.client
import json
import random
import secrets
import time
import urllib.parse

import pytest

import world
from test_subscriptions import Shop
from world import request_id, wait_for

CONNECT = "/webhooks/stripe/connect"
PLATFORM = "/webhooks/stripe/platform"


def sign(secret: str, body: bytes, at: float = None, scheme: str = "v1") -> str:
    seconds = int(time.time() if at is None else at)
    mac = hmac.new(secret.encode(), b"%d." % seconds + body, hashlib.sha256).hexdigest()
    return f"t={seconds},{scheme}={mac}"


def event(kind: str, object_type: str, object_id: str, account: str = None, **fields) -> bytes:
    body = {
        "id": f"evt_{secrets.token_hex(12)}", "object": "event", "api_version": "2026-10-28.endive",
        "created": int(time.time()), "livemode": False, "type": kind, "pending_webhooks": 1,
        "data": {"object": {"id": object_id, "object": object_type}}, "request": {"id": None, "idempotency_key": None},
        **fields,
    }
    if account is not None:
        body["account"] = account
    return json.dumps(body).encode()


class Door:
    """The HTTP listener, and what the database keeps of what came through it."""

    def __init__(self, server, cluster):
        self.server, self.cluster = server, cluster

    def post(self, body: bytes, signature="", path: str = CONNECT, **headers) -> int:
        parts = urllib.parse.urlsplit(self.server.http)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
        if signature == "":
            signature = sign(self.server.webhook_secret, body)
        if signature is not None:
            headers["Stripe-Signature"] = signature
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before all was sent
                connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def rows(self, query: str, *values):
        with self.cluster.connect(self.server.database) as connection:
            return connection.execute(query, values).fetchall()

    def state(self, body: bytes) -> str:
        found = self.rows("SELECT state FROM webhook_inbox WHERE event_id = %s", json.loads(body)["id"])
        return found[0][0] if found else "ABSENT"

    def quiet(self):
        """Everything that came has been applied."""
        wait_for(lambda: self.rows("SELECT (SELECT count(*) FROM webhook_inbox WHERE state = 'NEW')"
                                   " + (SELECT count(*) FROM dirty_objects)") == [(0,)], 20, "applied")


@pytest.fixture()
def door(server, cluster):
    return Door(server, cluster)


def test_only_what_is_signed_comes_in(door):
    secret = door.server.webhook_secret
    body = event("customer.updated", "customer", "cus_1", "acct_nobody")
    now = time.time()
    mac = sign(secret, body).split("v1=")[1]
    for wrong in [
        None, "x", "t=1", f"v1={mac}", sign("whsec_other", body), sign("", body), sign(secret, body + b" "),
        sign(secret, body, now - 301), sign(secret, body, now + 120), sign(secret, body, scheme="v0"),
        f"t={int(now)},v1={mac.upper()}", f"t={int(now)}, v1={mac}", "t=,v1=", "t=9" * 500,
    ]:
        assert door.post(body, wrong) == 400, wrong
    assert door.state(body) == "ABSENT"
    assert door.post(body, sign(secret, body, now - 290)) == 200
    assert door.post(body, f"{sign(secret, body)},v1={'0' * 64},v0=deadbeef") == 200
    assert door.state(body) in ("NEW", "PARKED")


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b"null", b'"evt_1"', b"{}", b'{"object":"event"}', b'{"id":"evt_1"}', b"\x00\xff", b"[" * 2000,
    b'{"id":"evt_1","object":"event","type":7}', b'{"id":"evt_1","object":"customer","type":"x"}',
])
def test_a_signed_body_that_is_no_event_is_refused(door, body):
    assert door.post(body) == 400


def test_what_is_not_for_this_door(door):
    body = event("customer.updated", "customer", "cus_1", "acct_nobody")
    assert door.post(body, path="/webhooks/stripe/other") == 404
    assert door.post(b"x" * (1024 * 1024 + 1)) == 413
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(door.server.http).netloc, timeout=10)
    connection.request("GET", CONNECT)
    assert connection.getresponse().status == 405
    connection.close()


def test_an_event_at_the_wrong_address_is_kept_and_not_acted_upon(door):
    of_account = event("account.updated", "account", "acct_1", "acct_1")
    of_platform = event("account.updated", "account", "acct_1")
    assert door.post(of_account, path=PLATFORM) == 200
    assert door.post(of_platform, path=CONNECT) == 200
    assert door.state(of_account) == "FAILED" and door.state(of_platform) == "FAILED"
    right = event("balance.available", "balance", "bal_1")
    assert door.post(right, path=PLATFORM) == 200
    wait_for(lambda: door.state(right) == "IGNORED", 5, "handled")


def test_the_same_event_twice_is_stored_once(door):
    body = event("customer.updated", "customer", "cus_1", "acct_nobody")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: door.post(body), range(16))) == {200}
    assert door.rows("SELECT count(*) FROM webhook_inbox WHERE event_id = %s", json.loads(body)["id"]) == [(1,)]


def test_an_event_of_an_unknown_account_waits_for_it(org, door, sandbox):
    """It may come before our own row of the account is there."""
    pb = org.pb("organization")
    stub = org.stub("organization")
    account = stub.ConnectPaymentAccount(pb.ConnectPaymentAccountRequest(
        country_code="DE", return_url="https://example.com", request_id=request_id())).payment_account
    name = account.payment_account_ref
    door.quiet()
    kept = door.rows("DELETE FROM stripe_account_index WHERE account_id = %s RETURNING account_id, live, org_id", name)
    sandbox.control(f"accounts/{name}/onboard")
    wait_for(lambda: door.rows("SELECT count(*) > 0 FROM webhook_inbox WHERE account_id = %s AND state = 'PARKED'",
                               name) == [(True,)], 5, "parked")
    door.rows("INSERT INTO stripe_account_index VALUES (%s, %s, %s) RETURNING 1", *kept[0])
    wait_for(lambda: stub.GetPaymentAccount(pb.GetPaymentAccountRequest()).payment_account.charges_enabled, 10,
             "handled after all")
    assert door.rows("SELECT count(*) FROM webhook_inbox WHERE account_id = %s AND state = 'PARKED'", name) == [(0,)]


def test_the_mode_is_part_of_the_address(org, door):
    account = org.connect_account()
    door.quiet()
    live = event("customer.subscription.updated", "subscription", "sub_1", account, livemode=True)
    assert door.post(live) == 200
    wait_for(lambda: door.state(live) == "PARKED", 5, "nobody's in live mode")


def test_a_burst_about_one_object_costs_few_reads(org, door, sandbox):
    shop = Shop(org)
    shop.create(org.customer(), trial_days=3, payment_method_id="")
    door.quiet()
    (there,) = shop.there()
    before = len(_reads(sandbox, there["id"]))
    bodies = [event("customer.subscription.updated", "subscription", there["id"], shop.account) for _ in range(40)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(door.post, bodies)) == {200}
    door.quiet()
    reads = len(_reads(sandbox, there["id"])) - before
    assert 1 <= reads <= 12, reads


def _reads(sandbox, object_id):
    return [r for r in sandbox.control("requests", method="GET")["requests"]
            if r["method"] == "GET" and object_id in r["path"]]


def test_order_and_repetition_do_not_matter(org, door, sandbox):
    """Events come late, twice and in any order: what holds is what the payment side says now."""
    shop = Shop(org)
    customer = org.customer()
    made = shop.create(customer).subscription
    door.quiet()
    (there,) = shop.there()
    shop.cancel(made, "NOW")
    kinds = ["created", "updated", "deleted", "trial_will_end", "paused"]
    bodies = [event(f"customer.subscription.{kind}", "subscription", there["id"], shop.account,
                    created=int(time.time()) - random.randrange(10000)) for kind in kinds] * 3
    random.Random(7).shuffle(bodies)
    for body in bodies:
        assert door.post(body) == 200
    door.quiet()
    assert shop.status(shop.get(made)) == "CANCELED"
    assert org.reason(org.check("sso", customer)) == "NO_ACTIVE_SUBSCRIPTION"


def test_a_renewal_and_a_failed_payment_are_mirrored(org, door, sandbox):
    shop = Shop(org)
    customer = org.customer()
    made = shop.create(customer).subscription
    door.quiet()
    (there,) = shop.there()
    first = shop.get(made).latest_invoice_id
    time.sleep(1.1)  # the payment side counts in seconds
    sandbox.control(f"subscriptions/{shop.account}/{there['id']}/renew")
    renewed = wait_for(lambda: (s := shop.get(made)).current_period_start_time.seconds
                       > made.current_period_start_time.seconds and s.latest_invoice_id != first and s, 10,
                       "the next period and its invoice")
    assert shop.status(renewed) == "ACTIVE"
    assert [row for row in door.rows(
        "SELECT i.status, i.billing_reason FROM invoices i JOIN subscriptions s USING (org_id, subscription_id)"
        " WHERE s.stripe_subscription_id = %s ORDER BY i.created_at", there["id"])] == [
            ("PAID", "subscription_create"), ("PAID", "subscription_cycle")]

    sandbox.control(f"customers/{shop.account}/{there['customer']}/payment_method", {"decline": "insufficient_funds"})
    sandbox.control(f"subscriptions/{shop.account}/{there['id']}/renew")
    late = wait_for(lambda: (s := shop.get(made)) and shop.status(s) == "PAST_DUE" and s.HasField("failure") and s, 10,
                    "past due")
    assert late.failure.decline_code == "insufficient_funds"
    assert late.failure.decline_class == org.pb("common").DECLINE_CLASS_FUNDS
    assert late.past_due_time.seconds < late.grace_end_time.seconds
    assert org.reason(org.check("sso", customer)) == "GRANTED_GRACE"
    attempts = door.rows(
        "SELECT p.state, p.decline_code FROM payment_attempts p JOIN invoices i USING (org_id, invoice_id)"
        " JOIN subscriptions s ON s.org_id = i.org_id AND s.subscription_id = i.subscription_id"
        " WHERE s.stripe_subscription_id = %s ORDER BY p.attempted_at", there["id"])
    assert set(attempts) == {("SUCCEEDED", ""), ("FAILED", "insufficient_funds")}
    since = late.past_due_time
    door.post(event("customer.subscription.updated", "subscription", there["id"], shop.account))
    door.quiet()
    assert shop.get(made).past_due_time == since, "kept from the first moment on"


def test_what_was_made_outside_is_adopted_when_it_is_ours(org, door, sandbox):
    shop = Shop(org)
    customer = org.customer()
    first = shop.create(customer).subscription
    (there,) = shop.there()
    shop.cancel(first, "NOW")
    price = there["items"]["data"][0]["price"]["id"]
    form = urllib.parse.urlencode({
        "customer": there["customer"], "items[0][price]": price, "items[0][quantity]": 2,
        "default_payment_method": there["default_payment_method"]})
    outside = sandbox.api("subscriptions", shop.account, "POST", form)
    seen = wait_for(lambda: [s for s in shop.listed().subscriptions if s.subscription_id != first.subscription_id], 10,
                    "adopted")
    assert len(seen) == 1 and seen[0].plan_key == "pro" and seen[0].items[0].quantity == 2
    assert seen[0].customer_id == customer.customer_id
    wait_for(lambda: org.check("sso", customer).allowed, 5, "access")
    assert outside["metadata"] == {}
    door.quiet()
    assert len(shop.listed().subscriptions) == 2


def test_the_payment_side_is_away_and_comes_back(org, door, sandbox):
    shop = Shop(org)
    made = shop.create(org.customer()).subscription
    door.quiet()
    (there,) = shop.there()
    sandbox.control("faults", {"action": "500_before", "times": 4, "match": {
        "path_regex": f"^/v1/subscriptions/{there['id']}$", "method": "GET"}})
    form = "cancel_at_period_end=true"
    sandbox.api(f"subscriptions/{there['id']}", shop.account, "POST", form)
    wait_for(lambda: shop.get(made).cancel_at_period_end, 20, "read after all")
    sandbox.control("faults", method="DELETE")
    door.quiet()


def test_answers_say_how_far_the_mirror_is(org, door, sandbox):
    """While a change is known and not applied, no answer claims to be of now."""
    shop = Shop(org)
    customer = org.customer()
    shop.create(customer)
    door.quiet()
    (there,) = shop.there()

    def age():
        as_of = org.check("sso", customer).freshness.as_of_time
        return time.time() - as_of.seconds - as_of.nanos / 1e9

    wait_for(lambda: age() < 0.5, 5, "up to date")
    sandbox.control("faults", {"action": "hang", "ms": 4000, "times": 1, "match": {
        "path_regex": f"^/v1/subscriptions/{there['id']}$", "method": "GET"}})
    assert door.post(event("customer.subscription.updated", "subscription", there["id"], shop.account)) == 200
    wait_for(lambda: age() > 1.5, 5, "behind")
    wait_for(lambda: age() < 0.5, 10, "up to date again")
    sandbox.control("faults", method="DELETE")


def test_without_the_database_it_is_sent_again(cluster, stubs):
    """503, never 200, while nothing can be stored; afterwards the repeat is taken."""
    own = world.Cluster()
    server = world.Server(own)
    try:
        server.start()
        door = Door(server, own)
        body = event("customer.updated", "customer", "cus_1", "acct_nobody")
        own.stop("immediate")
        assert door.post(body) == 503
        own.start()
        wait_for(lambda: door.post(body) == 200, 20, "stored")
        assert door.post(body) == 200
        assert door.rows("SELECT count(*) FROM webhook_inbox") == [(1,)]
    finally:
        server.close()
        own.close()


def test_an_acknowledged_event_survives_a_kill(own, stubs):
    """Killed right after the row was stored: the answer may be lost, the event is not."""
    server, sandbox = own()
    org = world.Org(server, stubs, sandbox)
    shop = Shop(org)
    made = shop.create(org.customer()).subscription
    door = Door(server, server.cluster)
    door.quiet()
    (there,) = shop.there()
    for point in ("inbox.stored", "mirror.fetched"):
        server.restart(env={"BILLINGOS_FAILPOINTS": f"{point}=crash"})
        want = point == "inbox.stored"
        sandbox.api(f"subscriptions/{there['id']}", shop.account, "POST",
                    f"cancel_at_period_end={'true' if want else 'false'}")
        wait_for(lambda: not server.alive(), 20, f"killed at {point}")
        server.restart()
        org.reconnect()
        wait_for(lambda: shop.get(made).cancel_at_period_end == want, 90, "applied after all")


def test_the_metrics_tell(door, server):
    body = event("customer.updated", "customer", "cus_1", "acct_nobody")
    door.post(body)
    door.post(body)
    door.post(body, "t=1,v1=00")
    text = server.metrics()
    assert 'billingos_webhook_events_total{type="customer.updated",result="stored"}' in text
    assert 'billingos_webhook_events_total{type="customer.updated",result="duplicate"}' in text
    assert 'billingos_webhook_events_total{type="",result="rejected"}' in text
    assert "billingos_inbox_depth" in text and "billingos_intents_unresolved" in text
