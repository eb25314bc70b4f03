"""The server is killed at each step of a call that reaches the payment side: afterwards there is exactly one of it on
each side, and the same request_id gets the same answer."""

import grpc
import pytest

import world
from test_invoices import Books
from test_scheduled_changes import Scheduled
from test_subscription_changes import Changes
from test_subscriptions import Accounts, Shop
from world import request_id, wait_for

SECONDS = 2  # of the call that is cut short; whoever comes next waits until its deadline and some seconds have passed


class Crash:
    """A server that dies at a named point, and what both sides have afterwards."""

    def __init__(self, own, stubs):
        self.server, self.sandbox = own()
        self.org = world.Org(self.server, stubs, self.sandbox)

    def at(self, point: str, call):
        """Runs the call on a server that dies at the point; starts the server again."""
        self.server.restart(env={"BILLINGOS_FAILPOINTS": f"{point}=crash"})
        self.org.reconnect()
        with pytest.raises(grpc.RpcError) as error:
            call()
        assert error.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED), error.value
        wait_for(lambda: not self.server.alive(), 20, f"killed at {point}")
        self.server.restart()
        self.org.reconnect()

    def rows(self, query: str, *values):
        with self.server.cluster.connect(self.server.database) as connection:
            return connection.execute(query, values).fetchall()


@pytest.fixture()
def crash(own, stubs):
    return Crash(own, stubs)


def create(shop, customer, key, timeout=None, **fields):
    fields.setdefault("payment_method_id", "pm_card_visa")
    return shop.stub.CreateSubscription(shop.pb.CreateSubscriptionRequest(
        customer_id=customer.customer_id, plan_key="pro", request_id=key, **fields), timeout=timeout)


@pytest.mark.parametrize("point", ["claimed", "called", "settling", "settled"])
def test_a_subscription_is_made_once(crash, point):
    shop = Shop(crash.org)
    customer, key = crash.org.customer(), request_id()
    crash.at(f"subscription.{point}", lambda: create(shop, customer, key, timeout=SECONDS))

    answer = create(shop, customer, key)
    assert shop.status(answer.subscription) == "ACTIVE"
    assert create(shop, customer, key) == answer
    _one_on_each_side(crash, shop, customer, key, answer.subscription)


@pytest.mark.parametrize("point", ["claimed", "called", "settling"])
def test_what_nobody_asks_for_again_is_settled_too(crash, point):
    shop = Shop(crash.org)
    customer, key = crash.org.customer(), request_id()
    crash.at(f"subscription.{point}", lambda: create(shop, customer, key, timeout=SECONDS))

    wait_for(lambda: [shop.status(s) for s in shop.listed().subscriptions] == ["ACTIVE"], 30, "settled by the server")
    answer = wait_for(lambda: create(shop, customer, key), 30, "answered")
    _one_on_each_side(crash, shop, customer, key, answer.subscription)


def _one_on_each_side(crash, shop, customer, key, made):
    (there,) = shop.there()
    assert there["metadata"]["billingos_id"] == made.subscription_id
    (here,) = shop.listed().subscriptions
    assert here.subscription_id == made.subscription_id
    assert crash.rows("SELECT status, stripe_subscription_id FROM subscriptions") == [("ACTIVE", there["id"])]
    assert crash.rows("SELECT state FROM intents WHERE request_id = %s", key) == [("DONE",)]
    assert len(crash.sandbox.api("customers", shop.account)["data"]) == 1
    wait_for(lambda: crash.org.check("sso", customer).allowed, 5, "access")
    told = crash.rows("SELECT type, count(*) FROM event_log WHERE subscription_id IS NOT NULL"
                      " AND type IN ('SUBSCRIPTION_CREATED', 'SUBSCRIPTION_ACTIVATED') GROUP BY type ORDER BY type")
    assert told == [("SUBSCRIPTION_ACTIVATED", 1), ("SUBSCRIPTION_CREATED", 1)]


@pytest.mark.parametrize("point", ["called", "settling", "settled"])
def test_a_decline_is_told_once(crash, point):
    shop = Shop(crash.org)
    customer, key = crash.org.customer(), request_id()
    card = {"payment_method_id": "pm_card_chargeCustomerFail"}
    crash.at(f"subscription.{point}", lambda: create(shop, customer, key, timeout=SECONDS, **card))

    failures = []
    for _ in range(2):
        with pytest.raises(grpc.RpcError) as error:
            create(shop, customer, key, **card)
        failures.append((error.value.code(), error.value.details()))
    assert failures[0] == failures[1] and failures[0][0] == grpc.StatusCode.FAILED_PRECONDITION
    assert crash.rows("SELECT status, decline_code FROM subscriptions") == [("FAILED", "generic_decline")]
    assert crash.rows("SELECT count(*) FROM event_log WHERE type = 'SUBSCRIPTION_FAILED'") == [(1,)]
    assert shop.there() == []


@pytest.mark.parametrize("point", ["claimed", "called"])
def test_an_end_is_made_once(crash, point):
    shop = Shop(crash.org)
    customer = crash.org.customer()
    made, key = create(shop, customer, request_id()).subscription, request_id()
    crash.at(f"subscription_verb.{point}", lambda: shop.stub.CancelSubscription(shop.pb.CancelSubscriptionRequest(
        subscription_id=made.subscription_id, timing=shop.pb.CANCEL_TIMING_NOW, request_id=key), timeout=SECONDS))

    ended = shop.cancel(made, "NOW", request_id=key)
    assert shop.status(ended) == "CANCELED" and shop.cancel(made, "NOW", request_id=key) == ended
    assert crash.rows("SELECT count(*) FROM event_log WHERE type = 'SUBSCRIPTION_CANCELED'") == [(1,)]
    assert [s["status"] for s in shop.there()] == ["canceled"]


@pytest.mark.parametrize("point", ["claimed", "called", "settling", "settled"])
def test_a_change_is_made_once(crash, point):
    shop = Changes(crash.org)
    made, key = shop.subscribe(), request_id()
    crash.at(f"subscription_change.{point}", lambda: shop.change(made, key, plan_key="large", timeout=SECONDS))

    if point == "claimed":  # nobody asks again: the server settles it
        wait_for(lambda: shop.get(made).plan_key == "large", 30, "settled by the server")
    changed = shop.change(made, key, plan_key="large")
    assert changed.subscription.plan_key == "large" and shop.change(made, key, plan_key="large") == changed
    assert len(shop.invoices(made)) == 2
    assert crash.rows("SELECT count(*) FROM event_log WHERE type = 'SUBSCRIPTION_UPDATED'") == [(1,)]
    assert crash.rows("SELECT state FROM intents WHERE request_id = %s", key) == [("DONE",)]


@pytest.mark.parametrize("point", ["subscription_change.claimed", "subscription_schedule.called",
                                   "subscription_schedule.settling"])
def test_a_change_waits_once(crash, point):
    shop = Scheduled(crash.org)
    made, key = shop.subscribe(), request_id()
    crash.at(point, lambda: shop.schedule(made, key=key, plan_key="small", timeout=SECONDS))

    answer = shop.schedule(made, key=key, plan_key="small")
    assert shop.schedule(made, key=key, plan_key="small") == answer
    assert shop.waiting() == [answer.scheduled_change]
    (there,) = crash.sandbox.api("subscription_schedules", shop.account)["data"]
    assert len(there["phases"]) == 2 and there["status"] == "active"


@pytest.mark.parametrize("point", ["claimed", "called"])
def test_a_waiting_change_is_taken_back_once(crash, point):
    shop = Scheduled(crash.org)
    made, key = shop.subscribe(), request_id()
    change = shop.schedule(made, plan_key="small").scheduled_change
    crash.at(f"scheduled_change.{point}", lambda: shop.take_back(made, change, key, timeout=SECONDS))

    kept = shop.take_back(made, change, key)
    assert shop.take_back(made, change, key) == kept and shop.waiting() == []
    assert [s["status"] for s in crash.sandbox.api("subscription_schedules", shop.account)["data"]] == ["released"]


@pytest.mark.parametrize("point", ["claimed", "called", "settling"])
def test_an_account_is_made_once(crash, point):
    accounts, key = Accounts(crash.org), request_id()

    def connect(timeout=None):
        stub = crash.org.stub("organization")
        return stub.ConnectPaymentAccount(accounts.pb.ConnectPaymentAccountRequest(
            country_code="DE", return_url="https://example.com", request_id=key), timeout=timeout)

    crash.at(f"payment_account.{point}", lambda: connect(SECONDS))
    first = connect().payment_account
    assert connect().payment_account == first
    assert crash.rows("SELECT account_id FROM stripe_accounts") == [(first.payment_account_ref,)]
    assert crash.rows("SELECT account_id FROM stripe_account_index") == [(first.payment_account_ref,)]
    made = {r["body"] for r in crash.sandbox.control("requests", method="GET")["requests"]
            if r["method"] == "POST" and r["path"] == "/v1/accounts" and not r["replayed"]}
    assert len(made) == 1


@pytest.mark.parametrize("point", ["claimed", "called", "settling", "settled"])
def test_an_invoice_is_paid_once(crash, point):
    books = Books(crash.org)
    invoice, _ = books.open_invoice(crash.org.customer())
    books.heal(invoice)
    key = request_id()

    def pay(timeout=None):
        return books.invoices.PayInvoice(books.ipb.PayInvoiceRequest(
            invoice_id=invoice.invoice_id, payment_method_id="pm_card_visa", request_id=key), timeout=timeout).invoice

    crash.at(f"invoice_act.{point}", lambda: pay(timeout=SECONDS))
    paid = pay()
    assert books.invoice_status(paid) == "PAID" and pay() == paid
    charges = [c for c in crash.sandbox.api("charges?limit=100", books.account)["data"] if c["paid"]]
    assert len(charges) == 2, "the first invoice and this one"
    assert crash.rows("SELECT state FROM intents WHERE request_id = %s", key) == [("DONE",)]


@pytest.mark.parametrize("point", ["claimed", "called", "settling", "settled"])
def test_money_is_paid_back_once(crash, point):
    books = Books(crash.org)
    invoice = books.invoice_of(books.create(crash.org.customer()).subscription)
    key = request_id()

    def refund(timeout=None):
        return books.invoices.CreateRefund(books.ipb.CreateRefundRequest(
            invoice_id=invoice.invoice_id, request_id=key), timeout=timeout).refund

    crash.at(f"refund.{point}", lambda: refund(timeout=SECONDS))
    made = refund()
    assert made.amount.minor_units == 1900 and refund() == made
    assert [r["metadata"]["billingos_id"] for r in books.refunds_there()] == [made.refund_id]
    assert crash.rows("SELECT status, amount_minor FROM refunds") == [("SUCCEEDED", 1900)]
