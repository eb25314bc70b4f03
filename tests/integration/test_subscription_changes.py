"""Changes of running subscriptions: what is charged, what was previewed, what is refused, what a repeat gets."""

import time

import grpc
import pytest

from errors import fails
from test_subscriptions import Shop
from world import request_id, wait_for

DAY = 86400


class Changes(Shop):
    """A shop with three plans, paid by the month and by the year, and a customer of the one in the middle."""

    PLANS = {"small": (900, 9000), "medium": (1900, 19000), "large": (4900, 49000)}

    def __init__(self, org):
        super().__init__(org)
        self.plans = {key: self.plan_with(key, [self.price(minor_units=month),
                                                self.price(interval="YEAR", minor_units=year)])
                      for key, (month, year) in self.PLANS.items()}

    def price_id(self, plan, interval="MONTH"):
        wanted = self.common.BillingInterval.Value(f"BILLING_INTERVAL_{interval}")
        return next(p.price_id for p in self.plans[plan].version.prices if p.interval == wanted)

    def subscribe(self, plan="medium", customer=None, **fields):
        fields.setdefault("interval", self.common.BILLING_INTERVAL_MONTH)
        return self.create(customer or self.org.customer(), plan, **fields).subscription

    def wish(self, timing="NOW", proration="INVOICE_NOW", **fields):
        return self.pb.SubscriptionChange(
            timing=self.pb.ChangeTiming.Value(f"CHANGE_TIMING_{timing}"),
            proration=self.pb.Proration.Value(f"PRORATION_{proration}"), **fields)

    def change(self, subscription, key=None, preview_id="", etag="", timeout=None, **wish):
        return self.stub.ChangeSubscription(self.pb.ChangeSubscriptionRequest(
            subscription_id=subscription.subscription_id, change=None if preview_id else self.wish(**wish),
            preview_id=preview_id, etag=etag, request_id=key or request_id()), timeout=timeout)

    def preview(self, subscription, **wish):
        return self.stub.PreviewSubscriptionChange(self.pb.PreviewSubscriptionChangeRequest(
            subscription_id=subscription.subscription_id, change=self.wish(**wish))).preview

    def their(self, subscription):
        (one,) = [s for s in self.there() if s["metadata"]["billingos_id"] == subscription.subscription_id]
        return one

    def invoices(self, subscription):
        """Of the payment side, newest first."""
        return self.org.sandbox.api(
            f"invoices?limit=100&subscription={self.their(subscription)['id']}", self.account)["data"]

    def pass_time(self, seconds):
        self.org.sandbox.control("clock/advance", {"seconds": seconds})


@pytest.fixture()
def shop(own, stubs):
    """With a simulator of its own, whose clock may be moved."""
    from world import Org
    server, sandbox = own()
    return Changes(Org(server, stubs, sandbox))


def test_an_upgrade_happens_now_and_is_charged(shop):
    shop.org.feature("api")
    shop.plans["best"] = shop.org.plan(
        "best", [shop.catalog.PlanFeature(feature_key="api")], minor_units=9900)
    customer = shop.org.customer()
    made = shop.subscribe(customer=customer)
    assert not shop.org.check("api", customer).allowed
    changed = shop.change(made, plan_key="best", timing="UNSPECIFIED").subscription
    assert (changed.plan_key, changed.plan_version, shop.status(changed)) == ("best", 1, "ACTIVE")
    assert changed.items[0].item_id == made.items[0].item_id
    assert changed.etag != made.etag and shop.get(changed).plan_key == "best"
    assert shop.org.check("api", customer).allowed, "with the answer, not some time later"
    charged, first = shop.invoices(made)
    assert first["total"] == 1900 and charged["billing_reason"] == "subscription_update"
    assert charged["status"] == "paid" and charged["total"] == pytest.approx(8000, abs=2)
    with_invoice = wait_for(lambda: (s := shop.get(made)).latest_invoice_id != made.latest_invoice_id and s, 5,
                            "the invoice is mirrored")
    assert with_invoice.latest_invoice_id


@pytest.mark.parametrize("proration", ["INVOICE_NOW", "NEXT_INVOICE", "NONE"])
@pytest.mark.parametrize("wish", [
    {"plan_key": "large"}, {"plan_key": "small"}, {"quantity": 7}, {"quantity": 1},
    {"plan_key": "large", "quantity": 1}, {"interval": 4}, {"plan_key": "small", "interval": 4},
], ids=["up", "down", "more", "fewer", "up-fewer", "year", "down-year"])
def test_what_is_charged_is_what_was_previewed(shop, wish, proration):
    made = shop.subscribe(quantity=3)
    shop.pass_time(11 * DAY + 4711)
    preview = shop.preview(made, proration=proration, **wish)
    assert preview.preview_id.startswith("prv_") and preview.effective_time.seconds
    time.sleep(1.1)  # the change comes later, and charges for the moment of the preview all the same
    before = shop.invoices(made)
    changed = shop.change(made, preview_id=preview.preview_id).subscription
    new = shop.invoices(made)[:-len(before)]

    due, credit = preview.due_now.minor_units, preview.credit.minor_units
    if proration == "INVOICE_NOW" or "interval" in wish:
        (invoice,) = new
        assert (invoice["amount_due"], max(0, -invoice["total"])) == (due, credit) and due + credit > 0
        assert sorted(line["amount"] for line in invoice["lines"]["data"]) == \
            sorted(line.amount.minor_units for line in preview.lines)
        assert sum(line.amount.minor_units for line in preview.lines) == invoice["total"]
    else:
        assert (new, due, credit) == ([], 0, 0)
        assert bool(preview.lines) == (proration == "NEXT_INVOICE")
    quantity = wish.get("quantity", 3)
    prices = shop.PLANS[wish.get("plan_key", "medium")]
    assert preview.recurring_before.minor_units == 3 * 1900
    assert preview.recurring_after.minor_units == prices["interval" in wish] * quantity
    assert changed.items[0].quantity == quantity and changed.plan_key == wish.get("plan_key", "medium")

    # The next regular invoice is as it was foreseen, but for what the balance of the customer pays.
    renewed = shop.org.sandbox.control(f"subscriptions/{shop.account}/{shop.their(made)['id']}/renew", {})
    (newest,) = [i for i in shop.invoices(made) if i["id"] == renewed["latest_invoice"]]
    assert newest["total"] == preview.next_invoice_total.minor_units


def test_credit_comes_from_what_was_really_charged(shop):
    made = shop.subscribe()
    shop.change(made, plan_key="large", proration="NONE")  # 1900 were paid for this month, not 4900
    preview = shop.preview(made, plan_key="small")
    assert min(line.amount.minor_units for line in preview.lines) == pytest.approx(-1900, abs=2)


def test_a_preview_is_good_once_and_for_what_it_saw(shop):
    made, other = shop.subscribe(), shop.subscribe()
    first, second = shop.preview(made, quantity=2), shop.preview(made, quantity=3)
    with fails("PREVIEW_EXPIRED", grpc.StatusCode.FAILED_PRECONDITION):
        shop.change(other, preview_id=first.preview_id)
    with fails("FIELD_INVALID", field="change"):
        shop.stub.ChangeSubscription(shop.pb.ChangeSubscriptionRequest(
            subscription_id=made.subscription_id, preview_id=first.preview_id, change=shop.wish(quantity=9),
            request_id=request_id()))
    shop.change(made, preview_id=first.preview_id)
    with fails("PREVIEW_EXPIRED") as failure:
        shop.change(made, preview_id=second.preview_id)
    assert failure[0].metadata["preview_id"] == second.preview_id
    with fails("PREVIEW_EXPIRED"):
        shop.change(made, preview_id="prv_00000000000000000000000000")
    with shop.org.server.cluster.connect(shop.org.server.database) as connection:
        connection.execute("UPDATE subscription_previews SET expires_at = now() - interval '1 second'")
    late = shop.preview(other, quantity=2)
    with shop.org.server.cluster.connect(shop.org.server.database) as connection:
        connection.execute("UPDATE subscription_previews SET expires_at = now() - interval '1 second'")
    with fails("PREVIEW_EXPIRED"):
        shop.change(other, preview_id=late.preview_id)


def test_a_repeat_gets_the_first_answer(shop):
    made, key = shop.subscribe(), request_id()
    first = shop.change(made, key, quantity=4)
    assert shop.change(made, key, quantity=4) == first
    with fails("IDEMPOTENCY_KEY_REUSED"):
        shop.change(made, key, quantity=5)
    shop.change(made, quantity=5)
    assert shop.change(made, key, quantity=4) == first, "the first answer, not the state of today"
    assert len(shop.invoices(made)) == 3
    told = shop.org.server.cluster.connect(shop.org.server.database)
    with told as connection:
        (count,) = connection.execute("SELECT count(*) FROM event_log WHERE type = 'SUBSCRIPTION_UPDATED'").fetchone()
    assert count == 2


def test_an_answer_that_is_lost_is_found_again(shop):
    made, key = shop.subscribe(), request_id()
    with shop.answers_lost("/v1/subscriptions/sub_"):
        with fails("OUTCOME_PENDING", grpc.StatusCode.UNAVAILABLE):
            shop.change(made, key, plan_key="large")
        with fails("SUBSCRIPTION_BUSY", grpc.StatusCode.ABORTED):
            shop.change(made, quantity=2)
    changed = wait_for(lambda: (s := shop.get(made)).plan_key == "large" and s, 30, "settled by the server")
    assert shop.change(made, key, plan_key="large").subscription.plan_key == changed.plan_key
    assert len(shop.invoices(made)) == 2


def test_a_decline_changes_nothing(shop):
    customer, key = shop.org.customer(), request_id()
    made = shop.subscribe(customer=customer)
    their = shop.their(made)
    shop.org.sandbox.control(
        f"customers/{shop.account}/{their['customer']}/payment_method", {"decline": "insufficient_funds"})
    for _ in range(2):
        with fails("PAYMENT_DECLINED", grpc.StatusCode.FAILED_PRECONDITION) as failure:
            shop.change(made, key, plan_key="large")
        assert failure[0].metadata["decline_code"] == "insufficient_funds"
        assert failure[0].metadata["decline_class"] == "FUNDS"
        assert failure[0].metadata["subscription_id"] == made.subscription_id
    assert shop.get(made).plan_key == "medium" and shop.their(made)["items"] == their["items"]
    assert len(shop.invoices(made)) == 1
    assert shop.change(made, plan_key="large", proration="NEXT_INVOICE").subscription.plan_key == "large"


def test_a_trial_changes_without_money(shop):
    made = shop.subscribe(trial_days=14)
    preview = shop.preview(made, plan_key="large")
    assert (preview.due_now.minor_units, preview.credit.minor_units) == (0, 0)
    assert preview.next_invoice_total.minor_units == 4900
    changed = shop.change(made, preview_id=preview.preview_id).subscription
    assert (shop.status(changed), changed.plan_key) == ("TRIALING", "large")
    assert changed.trial_end_time == made.trial_end_time and len(shop.invoices(made)) == 1


def test_usage_goes_along_with_its_plan(shop):
    shop.org.meter("calls")
    metered = shop.catalog.Price(
        model=shop.catalog.PRICE_MODEL_PER_UNIT, currency_code="EUR", interval_count=1,
        interval=shop.common.BILLING_INTERVAL_MONTH, meter_key="calls",
        unit_price=shop.common.Money(minor_units=2, currency_code="EUR"))
    shop.plans["metered"] = shop.plan_with("metered", [shop.price(minor_units=2900), metered])
    made = shop.subscribe()
    changed = shop.change(made, plan_key="metered").subscription
    assert [(i.plan_key, i.meter_key) for i in changed.items] == [("metered", ""), ("metered", "calls")]
    back = shop.change(changed, plan_key="large").subscription
    assert [(i.plan_key, i.meter_key) for i in back.items] == [("large", "")]


def test_what_cannot_be_is_refused(shop, org2):
    made = shop.subscribe()
    there = shop.their(made)
    shop.org.plan("draft", publish=False)
    shop.plans["dollar"] = shop.plan_with("dollar", [shop.price("USD")])
    shop.plans["bounded"] = shop.plan_with("bounded", [shop.price(quantity_min=2, quantity_max=5)])
    for reason, code, wish in [
        ("SUBSCRIPTION_UNCHANGED", grpc.StatusCode.FAILED_PRECONDITION, {}),
        ("SUBSCRIPTION_UNCHANGED", None, {"plan_key": "medium", "quantity": 1}),
        ("PLAN_NOT_FOUND", grpc.StatusCode.NOT_FOUND, {"plan_key": "nowhere"}),
        ("PLAN_NOT_FOUND", None, {"plan_id": org2.plan("foreign", publish=False).plan.plan_id}),
        ("PLAN_NOT_PUBLISHED", grpc.StatusCode.FAILED_PRECONDITION, {"plan_key": "draft"}),
        ("PLAN_VERSION_NOT_FOUND", grpc.StatusCode.NOT_FOUND, {"plan_version": 9}),
        ("PRICE_NOT_FOUND", grpc.StatusCode.NOT_FOUND, {"price_id": shop.price_id("large")}),
        ("PLAN_HAS_NO_PRICE", None, {"plan_key": "dollar"}),
        ("PLAN_HAS_NO_PRICE", None, {"interval": shop.common.BILLING_INTERVAL_WEEK}),
        ("CURRENCY_MISMATCH", grpc.StatusCode.INVALID_ARGUMENT,
         {"plan_key": "dollar", "price_id": shop.plans["dollar"].version.prices[0].price_id}),
        ("QUANTITY_NEGATIVE", grpc.StatusCode.INVALID_ARGUMENT, {"quantity": -1}),
        ("FIELD_INVALID", None, {"quantity": 0}), ("FIELD_INVALID", None, {"quantity": 1_000_001}),
        ("FIELD_INVALID", None, {"plan_key": "bounded"}), ("FIELD_INVALID", None, {"plan_key": "bounded", "quantity": 6}),
        ("FIELD_INVALID", None, {"coupon_id": "cpn_1"}), ("FIELD_INVALID", None, {"interval": 9}),
    ]:
        for call in (shop.change, shop.preview):
            with fails(reason, code):
                call(made, **wish)
    with fails("ETAG_MISMATCH"):
        shop.change(made, etag="999", quantity=2)
    with fails("SUBSCRIPTION_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        org2.stub("subscription").ChangeSubscription(shop.pb.ChangeSubscriptionRequest(
            subscription_id=made.subscription_id, change=shop.wish(quantity=2), request_id=request_id()))
    assert shop.their(made) == there and shop.get(made).etag == made.etag

    shop.org.stub("catalog").ArchivePlan(shop.catalog.ArchivePlanRequest(
        plan_id=shop.plans["large"].plan.plan_id, request_id=request_id()))
    with fails("PLAN_ARCHIVED", grpc.StatusCode.FAILED_PRECONDITION):
        shop.change(made, plan_key="large")
    shop.org.stub("catalog").ArchivePlan(shop.catalog.ArchivePlanRequest(
        plan_id=shop.plans["medium"].plan.plan_id, request_id=request_id()))
    assert shop.change(made, quantity=2).subscription.items[0].quantity == 2, "who has it may keep it"

    with shop.org.server.cluster.connect(shop.org.server.database) as connection:
        connection.execute("UPDATE subscriptions SET source = 'billingos'")
    with fails("SOURCE_NOT_SUPPORTED", grpc.StatusCode.FAILED_PRECONDITION) as failure:
        shop.change(made, quantity=3)
    assert failure[0].metadata == {"subscription_id": made.subscription_id, "source": "BILLINGOS"}
    with shop.org.server.cluster.connect(shop.org.server.database) as connection:
        connection.execute("UPDATE subscriptions SET source = 'stripe'")
    shop.cancel(made, "NOW")
    with fails("SUBSCRIPTION_STATE_INVALID", grpc.StatusCode.FAILED_PRECONDITION) as failure:
        shop.change(made, quantity=3)
    assert failure[0].metadata["status"] == "CANCELED" and failure[0].metadata["method"] == "ChangeSubscription"
