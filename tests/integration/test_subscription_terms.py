"""When subscriptions begin and what their end gives back."""

import time

import grpc
import pytest

from errors import fails
from test_crash import SECONDS, Crash
from test_subscription_verbs import Verbs
from world import request_id


class Terms(Verbs):
    def cancel_now(self, made, refund="NONE", **fields):
        return self.cancel(made, "NOW", refund=self.pb.CancelRefund.Value(f"CANCEL_REFUND_{refund}"), **fields)

    def balance(self):
        return self.org.sandbox.api(f"customers/{self.one_there()['customer']}", self.account)["balance"]


@pytest.fixture()
def shop(org):
    return Terms(org)


def test_the_unused_time_is_credited_at_the_end(shop, org):
    customer = org.customer()
    made = shop.create(customer).subscription
    key = request_id()
    ended = shop.cancel_now(made, "CREDIT", request_id=key)
    assert shop.status(ended) == "CANCELED" and ended.HasField("end_time")
    assert -1900 <= shop.balance() < -1890
    assert shop.cancel_now(made, "CREDIT", request_id=key) == ended
    assert shop.status(shop.cancel_now(made, "CREDIT")) == "CANCELED"
    assert -1900 <= shop.balance(), "credited once"
    assert org.reason(org.check("sso", customer)) == "NO_ACTIVE_SUBSCRIPTION"


def test_nothing_is_given_back_unless_asked_for(shop, org):
    made = shop.create(org.customer()).subscription
    shop.cancel_now(made, invoice_usage=True)
    assert shop.balance() == 0


@pytest.mark.parametrize("timing, refund, usage, field", [
    ("AT_PERIOD_END", "CREDIT", False, "refund"), ("AT_PERIOD_END", "NONE", True, "invoice_usage"),
    ("NOW", "PRORATED", False, "refund"), ("NOW", "FULL", False, "refund"),
])
def test_what_an_end_does_not_give(shop, org, timing, refund, usage, field):
    made = shop.create(org.customer()).subscription
    with fails("FIELD_INVALID", grpc.StatusCode.INVALID_ARGUMENT, field):
        shop.cancel(made, timing, refund=shop.pb.CancelRefund.Value(f"CANCEL_REFUND_{refund}"), invoice_usage=usage)
    assert shop.status(shop.get(made)) == "ACTIVE"


def test_periods_begin_at_the_anchor(shop, org):
    customer, anchor, key = org.customer(), shop.ahead(10), request_id()
    made = shop.create(customer, billing_anchor_time=anchor, request_id=key).subscription
    assert shop.status(made) == "ACTIVE"
    assert made.current_period_end_time.seconds == int(anchor.timestamp())
    assert shop.create(customer, billing_anchor_time=anchor, request_id=key).subscription == made
    (first,) = shop.invoices()
    assert 590 < first["amount_paid"] < 680, "ten days of a month"


def test_a_customer_who_moves_here_has_paid_elsewhere(shop, org):
    began, anchor = shop.ahead(-100), shop.ahead(10)
    made = shop.create(org.customer(), backdate_time=began, billing_anchor_time=anchor).subscription
    assert made.start_time.seconds == int(began.timestamp()) == shop.one_there()["start_date"]
    assert abs(made.create_time.seconds - time.time()) < 60
    assert made.current_period_end_time.seconds == int(anchor.timestamp())
    assert [i["amount_due"] for i in shop.invoices()] == [0]
    assert shop.get(made).start_time == made.start_time


def test_a_start_in_the_past_alone_begins_a_period_now(shop, org):
    made = shop.create(org.customer(), backdate_time=shop.ahead(-5)).subscription
    assert abs(made.current_period_start_time.seconds - time.time()) < 60
    assert [i["amount_paid"] for i in shop.invoices()] == [1900]


@pytest.mark.parametrize("days, fields, field", [
    (40, {}, "billing_anchor_time"), (-1, {}, "billing_anchor_time"), (5, {"trial_days": 3}, "billing_anchor_time"),
])
def test_an_anchor_that_does_not_fit(shop, org, days, fields, field):
    with fails("FIELD_INVALID", grpc.StatusCode.INVALID_ARGUMENT, field):
        shop.create(org.customer(), billing_anchor_time=shop.ahead(days), **fields)
    assert shop.there() == []


def test_a_start_that_does_not_fit(shop, org):
    for days in (1, -3700):
        with fails("FIELD_INVALID", grpc.StatusCode.INVALID_ARGUMENT, "backdate_time"):
            shop.create(org.customer(), backdate_time=shop.ahead(days))
    assert shop.there() == []


@pytest.mark.parametrize("point", ["claimed", "called", "settling", "settled"])
def test_a_credit_is_given_once(own, stubs, point):
    crash = Crash(own, stubs)
    shop = Terms(crash.org)
    made, key = shop.create(crash.org.customer()).subscription, request_id()
    request = shop.pb.CancelSubscriptionRequest(
        subscription_id=made.subscription_id, timing=shop.pb.CANCEL_TIMING_NOW, refund=shop.pb.CANCEL_REFUND_CREDIT,
        request_id=key)
    crash.at(f"subscription_verb.{point}", lambda: shop.stub.CancelSubscription(request, timeout=SECONDS))
    ended = shop.cancel_now(made, "CREDIT", request_id=key)
    assert shop.status(ended) == "CANCELED" and shop.cancel_now(made, "CREDIT", request_id=key) == ended
    assert -1900 <= shop.balance() < -1890 and len(shop.invoices()) == 2
