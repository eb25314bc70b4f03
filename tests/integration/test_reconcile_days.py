"""A month of a shop on a bad line, in a minute: webhooks lost, doubled and late, calls that fail before and after
their effect, an outage of webhooks, a server that is killed every other day. One comparison finds and repairs what came of it."""

import os
import random
import threading
import time
import urllib.error

import grpc
import pytest

from test_reconcile import Mirror
from world import request_id, wait_for

STEPS, STEP_SECONDS = 15, 2 * 86400
FAULTS = [
    ("webhook_drop", {"percent": 2}, {}), ("webhook_duplicate", {"percent": 5}, {"count": 1}),
    ("webhook_delay", {"percent": 10}, {"ms": 400}), ("500_before", {"percent": 1, "path_regex": "^/v1/"}, {}),
    ("drop_after_commit", {"percent": 1, "method": "POST", "path_regex": "^/v1/"}, {}),
]


class Month:
    def __init__(self, mirror, seed):
        self.mirror, self.dice = mirror, random.Random(seed)
        self.sold = {}  # ours -> request_id
        self.open = []  # calls without an answer
        self.outage = False

    def faults(self):
        self.mirror.no_faults()
        if self.outage:
            self.mirror.fault("webhook_drop")
        for action, match, fields in FAULTS:
            self.mirror.fault(action, match=match, **fields)

    def quietly(self, call):
        """The payment side's own users meet its failures, too; done or not, the mirror has to follow."""
        try:
            return call()
        except (urllib.error.URLError, ConnectionError, OSError):
            return None

    def call(self, work):
        """A call of the merchant, with one key until it is answered."""
        try:
            work()
        except grpc.RpcError as error:
            code = error.code()
            if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.ABORTED,
                        grpc.StatusCode.CANCELLED):
                self.open.append(work)
            else:
                assert code == grpc.StatusCode.FAILED_PRECONDITION, error

    def finish(self):
        """Whoever got no answer asks again, with the same key."""
        end = time.monotonic() + 60
        while self.open:
            assert time.monotonic() < end, "calls without an end"
            waiting, self.open = self.open, []
            for work in waiting:
                self.call(work)
            time.sleep(0.2 if self.open else 0)

    def create(self):
        shop, customer, key = self.mirror.shop, self.mirror.org.customer(), request_id()

        def work():
            made = shop.stub.CreateSubscription(shop.pb.CreateSubscriptionRequest(
                customer_id=customer.customer_id, plan_key="pro", payment_method_id="pm_card_visa", request_id=key),
                timeout=3).subscription
            assert self.sold.setdefault(made.subscription_id, key) == key
            assert made.customer_id == customer.customer_id

        return work

    def end(self, timing):
        shop, key = self.mirror.shop, request_id()
        wanted = self.dice.choice(list(self.sold))

        return lambda: shop.stub.CancelSubscription(shop.pb.CancelSubscriptionRequest(
            subscription_id=wanted, timing=shop.pb.CancelTiming.Value(f"CANCEL_TIMING_{timing}"), request_id=key),
            timeout=3)

    def outside(self):
        """Somebody uses the dashboard of the payment side."""
        listed = self.quietly(self.mirror.shop.there) or []
        live = [s for s in listed if s["status"] in ("active", "past_due")]
        if not live:
            return
        one, account = self.dice.choice(live), self.mirror.shop.account
        kind = self.dice.randrange(4)
        if kind == 0:
            self.quietly(lambda: self.mirror.change_there(
                one["id"], f"cancel_at_period_end={self.dice.choice(['true', 'false'])}"))
        elif kind == 1:
            self.quietly(lambda: self.mirror.sandbox.api(f"subscriptions/{one['id']}", account, "DELETE"))
        elif kind == 2:
            self.quietly(lambda: self.mirror.sandbox.control(
                f"customers/{account}/{one['customer']}/payment_method",
                {"decline": self.dice.choice([None, "insufficient_funds"])}))
        else:
            self.quietly(lambda: self.mirror.change_there(
                one["id"], f"items[0][id]={one['items']['data'][0]['id']}&items[0][quantity]={self.dice.randrange(1, 9)}"))

    def act(self):
        kind = self.dice.randrange(10)
        if kind < 4 or not self.sold:
            self.call(self.create())
        elif kind < 6:
            self.call(self.end(self.dice.choice(["NOW", "AT_PERIOD_END"])))
        else:
            self.outside()

    def kill_amid(self):
        """The server dies while a call is under way."""
        work = self.create()
        thread = threading.Thread(target=self.call, args=(work,))
        thread.start()
        time.sleep(self.dice.random() * 0.06)
        self.mirror.server.kill9()
        thread.join()
        self.mirror.server.start()
        self.mirror.org.reconnect()

    def step(self, number):
        self.outage = number == STEPS // 2
        self.faults()
        for _ in range(4):
            self.act()
        self.kill_amid()
        self.finish()
        self.quietly(lambda: self.mirror.sandbox.control("clock/advance", {"seconds": STEP_SECONDS}))


def _events_there(mirror):
    found, after = [], ""
    while True:
        page = mirror.sandbox.api(f"events?limit=100{after}", mirror.shop.account)
        found += [e["id"] for e in page["data"]]
        if not page["has_more"]:
            return set(found)
        after = f"&starting_after={found[-1]}"


@pytest.mark.parametrize("seed", [int(os.environ.get("BOS_SEED", "1"))])
def test_a_month_on_a_bad_line(own, stubs, seed):
    server, sandbox = own()
    mirror = Mirror(server, sandbox, stubs)
    month = Month(mirror, seed)
    for number in range(STEPS):
        month.step(number)
        if number % 3 == 2:
            mirror.run()
    mirror.no_faults()
    wait_for(lambda: sandbox.control("state", method="GET")["webhooks_waiting"] == 0, 20, "all have come")
    mirror.door.quiet()

    found = mirror.run("--full")
    assert found["state"] == "DONE" and found["open"] == 0, (found, mirror.report("--open"))
    mirror.exact()
    assert all(d["repaired"] for d in mirror.report())

    there = mirror.shop.there()
    assert sorted(s["metadata"]["billingos_id"] for s in there) == sorted(month.sold), "each is there once"
    assert len({s["customer"] for s in there}) == len(there), "one customer, one subscription"
    firsts = [i["parent"]["subscription_details"]["subscription"] for i in sandbox.api(
        "invoices?limit=100", mirror.shop.account)["data"] if i["billing_reason"] == "subscription_create"]
    assert len(firsts) == len(set(firsts)), "nobody was charged twice"
    cycles = mirror.door.rows("SELECT subscription_id, period_start_at, count(*) FROM invoices WHERE billing_reason ="
                              " 'subscription_cycle' AND status <> 'VOID' GROUP BY 1, 2 HAVING count(*) > 1")
    assert cycles == [], "no period was billed twice"
    assert mirror.door.rows("SELECT count(*) FROM intents WHERE state = 'PENDING'") == [(0,)]
    here = {row[0] for row in mirror.door.rows("SELECT event_id FROM webhook_inbox WHERE account_id = %s",
                                               mirror.shop.account)}
    assert _events_there(mirror) <= here, "no event is lost"
    assert mirror.door.rows("SELECT count(*) > 0 FROM webhook_inbox WHERE listed") == [(True,)], "some had been"
