"""Subscriptions and the payment account: what is sold, what is refused, what a repeat gets."""

import contextlib
import datetime
import threading
import time

import grpc
import pytest

import world
from errors import fails
from world import request_id, wait_for

DAY = 86400


class Shop:
    """A connected organisation with a plan "pro" that gives the feature "sso"."""

    def __init__(self, org):
        self.org = org
        self.pb = org.pb("subscription")
        self.common = org.pb("common")
        self.catalog = org.pb("catalog")
        self.account = org.connect_account()
        org.feature("sso")
        org.plan("pro", [self.catalog.PlanFeature(feature_key="sso")])

    @property
    def stub(self):
        return self.org.stub("subscription")

    def create(self, customer, plan="pro", **fields):
        fields.setdefault("request_id", request_id())
        fields.setdefault("payment_method_id", "pm_card_visa")
        return self.stub.CreateSubscription(
            self.pb.CreateSubscriptionRequest(customer_id=customer.customer_id, plan_key=plan, **fields))

    def get(self, subscription):
        return self.stub.GetSubscription(
            self.pb.GetSubscriptionRequest(subscription_id=subscription.subscription_id)).subscription

    def cancel(self, subscription, timing="AT_PERIOD_END", **fields):
        fields.setdefault("request_id", request_id())
        return self.stub.CancelSubscription(self.pb.CancelSubscriptionRequest(
            subscription_id=subscription.subscription_id, timing=self.pb.CancelTiming.Value(f"CANCEL_TIMING_{timing}"),
            **fields)).subscription

    def undo(self, subscription, **fields):
        fields.setdefault("request_id", request_id())
        return self.stub.UndoCancelSubscription(self.pb.UndoCancelSubscriptionRequest(
            subscription_id=subscription.subscription_id, **fields)).subscription

    def listed(self, **fields):
        return self.stub.ListSubscriptions(self.pb.ListSubscriptionsRequest(**fields))

    def status(self, subscription) -> str:
        return self.pb.SubscriptionStatus.Name(subscription.status).removeprefix("SUBSCRIPTION_STATUS_")

    def there(self):
        """What the payment side has."""
        return self.org.sandbox.api("subscriptions?status=all&limit=100", self.account)["data"]

    @contextlib.contextmanager
    def answers_lost(self, path: str, method: str = "POST"):
        """The next such call takes effect, and neither its answer nor that of its repeats arrives."""
        match = {"path_regex": path, "method": method, "account": self.account}
        self.org.sandbox.control("faults", {"action": "drop_after_commit", "times": 1, "match": match})
        self.org.sandbox.control("faults", {"action": "drop_before", "times": 20, "match": match})
        yield
        self.org.sandbox.control("faults", method="DELETE")

    def price(self, currency="EUR", interval="MONTH", minor_units=1900, **fields):
        return self.catalog.Price(
            model=self.catalog.PRICE_MODEL_FLAT, currency_code=currency, interval_count=1,
            interval=self.common.BillingInterval.Value(f"BILLING_INTERVAL_{interval}"),
            unit_price=self.common.Money(minor_units=minor_units, currency_code=currency), **fields)

    def plan_with(self, key, prices, trial_days=0):
        made = self.org.stub("catalog").CreatePlan(self.catalog.CreatePlanRequest(
            plan=self.catalog.Plan(plan_key=key, name=key, kind=self.catalog.PLAN_KIND_BASE), prices=prices,
            trial_days=trial_days, request_id=request_id()))
        self.org.stub("catalog").PublishPlan(self.catalog.PublishPlanRequest(
            plan_id=made.plan.plan_id, request_id=request_id()))
        return made


@pytest.fixture()
def shop(org):
    return Shop(org)


def test_an_active_subscription_says_what_it_is(shop, org, sandbox):
    customer = org.customer(email="buyer@example.com", name="Buyer")
    made = shop.create(customer, quantity=3, metadata={"campaign": "spring"}).subscription
    assert shop.status(made) == "ACTIVE"
    assert made.customer_id == customer.customer_id
    assert made.external_customer_id == customer.external_customer_id
    assert made.plan_key == "pro" and made.plan_version == 1 and made.currency_code == "EUR"
    assert [(i.quantity, i.plan_key, i.is_addon) for i in made.items] == [(3, "pro", False)]
    assert made.current_period_start_time.seconds < made.current_period_end_time.seconds
    assert 27 * DAY < made.current_period_end_time.seconds - made.current_period_start_time.seconds < 32 * DAY
    assert dict(made.metadata) == {"campaign": "spring"} and made.etag
    assert not made.HasField("failure") and not made.HasField("cancel_time")

    (there,) = shop.there()
    assert there["metadata"]["billingos_id"] == made.subscription_id
    assert there["billing_mode"]["type"] == "flexible"
    assert there["items"]["data"][0]["quantity"] == 3
    (buyer,) = sandbox.api("customers", shop.account)["data"]
    assert (buyer["email"], buyer["name"]) == ("buyer@example.com", "Buyer")
    assert buyer["metadata"]["billingos_id"] == customer.customer_id

    # The invoice is mirrored without waiting for its webhook.
    with_invoice = wait_for(lambda: (s := shop.get(made)).latest_invoice_id and s, 5, "the invoice is mirrored")
    assert with_invoice.latest_invoice_id.startswith("in_")


def test_a_repeat_gets_the_first_answer(shop, org):
    customer = org.customer()
    key = request_id()
    first = shop.create(customer, request_id=key)
    assert shop.create(customer, request_id=key) == first
    shop.cancel(first.subscription, "NOW")
    assert shop.create(customer, request_id=key) == first, "the first answer, not the state of today"
    with fails("IDEMPOTENCY_KEY_REUSED", grpc.StatusCode.INVALID_ARGUMENT) as failure:
        shop.create(customer, request_id=key, quantity=2)
    assert failure[0].metadata["request_id"] == key and failure[0].metadata["first_use_time"]
    assert len(shop.there()) == 1


def test_the_same_call_at_once_makes_one(shop, org):
    customer = org.customer()
    key, answers = request_id(), []

    def call():
        try:
            answers.append(shop.create(customer, request_id=key).subscription.subscription_id)
        except grpc.RpcError as error:
            answers.append(error.code())

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 1 and answers[0].startswith("sub_"), answers
    assert len(shop.there()) == 1


def test_two_orders_at_once_are_one_subscription(shop, org):
    customer = org.customer()
    made, refused = [], []

    def call():
        try:
            made.append(shop.create(customer).subscription.subscription_id)
        except grpc.RpcError as error:
            refused.append(error.code())

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1 and set(refused) == {grpc.StatusCode.ALREADY_EXISTS}, (made, refused)
    assert len(shop.there()) == 1
    assert len(shop.org.sandbox.api("customers", shop.account)["data"]) == 1


def test_a_declined_card_fails_the_same_way_again(shop, org):
    customer = org.customer()
    key = request_id()
    with fails("PAYMENT_DECLINED", grpc.StatusCode.FAILED_PRECONDITION) as first:
        shop.create(customer, request_id=key, payment_method_id="pm_card_chargeCustomerFail")
    assert first[0].metadata["decline_code"] == "generic_decline"
    assert first[0].metadata["decline_class"] == "GENERIC"
    with fails("PAYMENT_DECLINED") as again:
        shop.create(customer, request_id=key, payment_method_id="pm_card_chargeCustomerFail")
    assert again[0].metadata == first[0].metadata and again[0].message == first[0].message

    failed = shop.stub.GetSubscription(shop.pb.GetSubscriptionRequest(
        subscription_id=first[0].metadata["subscription_id"])).subscription
    assert shop.status(failed) == "FAILED"
    assert failed.failure.decline_code == "generic_decline"
    assert org.pb("error_reason").ErrorReason.Name(failed.failure.reason) == "ERROR_REASON_PAYMENT_DECLINED"
    assert org.reason(org.check("sso", customer)) == "NO_ACTIVE_SUBSCRIPTION"
    assert shop.there() == []

    # Another card is another try.
    assert shop.status(shop.create(customer).subscription) == "ACTIVE"


def test_an_unpaid_first_invoice_may_stay_open(shop, org):
    customer = org.customer()
    made = shop.create(
        customer, payment_method_id="pm_card_chargeCustomerFail",
        payment_behavior=shop.pb.PAYMENT_BEHAVIOR_ALLOW_INCOMPLETE).subscription
    assert shop.status(made) == "INCOMPLETE"
    answer = org.check("sso", customer)
    assert not answer.allowed and org.reason(answer) == "PAYMENT_INCOMPLETE"
    seen = wait_for(lambda: (s := shop.get(made)).HasField("failure") and s, 5, "the decline is mirrored")
    assert seen.failure.decline_code == "generic_decline"


def test_a_trial_needs_no_card(shop, org):
    customer = org.customer()
    made = shop.create(customer, trial_days=14, payment_method_id="").subscription
    assert shop.status(made) == "TRIALING"
    assert 13 * DAY < made.trial_end_time.seconds - time.time() < 15 * DAY
    assert org.check("sso", customer).allowed
    (there,) = shop.there()
    assert there["trial_settings"]["end_behavior"]["missing_payment_method"] == "cancel"

    other = org.customer()
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3)
    request = shop.pb.CreateSubscriptionRequest(
        customer_id=other.customer_id, plan_key="pro", request_id=request_id())
    request.trial_end_time.FromDatetime(end.replace(microsecond=0))
    made = shop.stub.CreateSubscription(request).subscription
    assert made.trial_end_time.seconds == int(end.timestamp())


def test_a_plan_gives_its_trial_once(shop, org):
    shop.plan_with("tried", [shop.price()], trial_days=7)
    customer = org.customer()
    made = shop.create(customer, "tried", payment_method_id="").subscription
    assert shop.status(made) == "TRIALING"
    shop.cancel(made, "NOW")
    with fails("TRIAL_ALREADY_USED", grpc.StatusCode.FAILED_PRECONDITION):
        shop.create(customer, "tried")
    assert shop.status(shop.create(customer, "tried", trial_days=0).subscription) == "ACTIVE"


def test_the_price_is_chosen_or_asked_for(shop, org):
    made = shop.plan_with("several", [shop.price(), shop.price(interval="YEAR", minor_units=19000),
                                      shop.price("USD", minor_units=2100)])
    prices = {(p.currency_code, p.interval): p.price_id for p in made.version.prices}
    with fails("PRICE_AMBIGUOUS") as failure:
        shop.create(org.customer(), "several")
    assert set(failure[0].metadata["price_ids"].split(",")) == set(prices.values())

    def bought(**fields):
        return shop.create(org.customer(), "several", **fields).subscription.items[0].price_id

    month, year = shop.common.BILLING_INTERVAL_MONTH, shop.common.BILLING_INTERVAL_YEAR
    assert bought(interval=year) == prices[("EUR", year)]
    assert bought(interval=month) == prices[("EUR", month)], "the currency of the organisation"
    assert bought(currency_code="USD") == prices[("USD", month)]
    assert bought(price_id=prices[("EUR", year)]) == prices[("EUR", year)]
    with fails("PLAN_HAS_NO_PRICE"):
        shop.create(org.customer(), "several", currency_code="JPY")
    other = shop.plan_with("other", [shop.price()])
    with fails("PRICE_NOT_FOUND"):
        shop.create(org.customer(), "several", price_id=other.version.prices[0].price_id)


def test_usage_is_sold_along_with_the_plan(shop, org):
    org.meter("calls")
    shop.plan_with("metered", [shop.price(), shop.catalog.Price(
        model=shop.catalog.PRICE_MODEL_PER_UNIT, currency_code="EUR", interval_count=1,
        interval=shop.common.BILLING_INTERVAL_MONTH, meter_key="calls",
        unit_price=shop.common.Money(minor_units=2, currency_code="EUR"))])
    made = shop.create(org.customer(), "metered", quantity=4).subscription
    assert [(i.quantity, i.meter_key) for i in made.items] == [(4, ""), (0, "calls")]


def test_a_meter_is_in_use_while_a_subscriber_keeps_an_archived_plan(shop, org):
    org.meter("calls")
    plan = shop.plan_with("metered", [shop.price(), shop.catalog.Price(
        model=shop.catalog.PRICE_MODEL_PER_UNIT, currency_code="EUR", interval_count=1,
        interval=shop.common.BILLING_INTERVAL_MONTH, meter_key="calls",
        unit_price=shop.common.Money(minor_units=2, currency_code="EUR"))])
    made = shop.create(org.customer(), "metered").subscription
    catalog = org.stub("catalog")
    catalog.ArchivePlan(shop.catalog.ArchivePlanRequest(plan_id=plan.plan.plan_id, request_id=request_id()))

    def archive():
        return catalog.ArchiveMeter(shop.catalog.ArchiveMeterRequest(meter_key="calls", request_id=request_id()))

    with fails("METER_IN_USE") as failure:
        archive()
    (metered,) = [item.price_id for item in made.items if item.meter_key == "calls"]
    assert failure[0].metadata == {"meter_key": "calls", "price_id": metered}
    shop.cancel(made, "NOW")
    assert archive().meter.state == shop.catalog.CATALOG_STATE_ARCHIVED


def test_a_customer_by_the_merchants_own_id(shop, org):
    customer = org.customer()
    made = shop.stub.CreateSubscription(shop.pb.CreateSubscriptionRequest(
        external_customer_id=customer.external_customer_id, plan_key="pro", payment_method_id="pm_card_visa",
        request_id=request_id())).subscription
    assert made.customer_id == customer.customer_id


def test_what_does_not_exist_or_fit_is_refused(shop, org, org2):
    customer = org.customer()
    stranger = org2.customer()
    foreign = org2.plan("foreign", publish=False)
    with fails("CUSTOMER_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        shop.create(stranger)
    with fails("PLAN_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        shop.create(customer, "nowhere")
    with fails("PLAN_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        shop.stub.CreateSubscription(shop.pb.CreateSubscriptionRequest(
            customer_id=customer.customer_id, plan_id=foreign.plan.plan_id, request_id=request_id()))
    with fails("PLAN_VERSION_NOT_FOUND"):
        shop.create(customer, plan_version=9)
    org.plan("draft", publish=False)
    with fails("PLAN_NOT_PUBLISHED"):
        shop.create(customer, "draft")
    with fails("PAYMENT_METHOD_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        shop.create(customer, payment_method_id="pm_nobody")
    with fails("PAYMENT_METHOD_MISSING", grpc.StatusCode.FAILED_PRECONDITION):
        shop.create(customer, payment_method_id="")
    with fails("SUBSCRIPTION_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        org2.stub("subscription").GetSubscription(shop.pb.GetSubscriptionRequest(
            subscription_id=shop.create(customer).subscription.subscription_id))
    with fails("SUBSCRIPTION_EXISTS", grpc.StatusCode.ALREADY_EXISTS) as failure:
        shop.create(customer)
    assert failure[0].metadata["subscription_id"].startswith("sub_")
    assert shop.status(shop.create(customer, allow_multiple=True).subscription) == "ACTIVE"


@pytest.mark.parametrize("fields, field", [
    ({"quantity": 1_000_001}, "quantity"), ({"trial_days": 731}, "trial_days"), ({"trial_days": -1}, "trial_days"),
    ({"plan_version": -1}, "plan_version"), ({"price_id": "price_x"}, "price_id"),
    ({"days_until_due": 30}, "days_until_due"), ({"coupon_id": "cpn_1"}, "coupon_id"),
    ({"promotion_code": "SPRING"}, "promotion_code"), ({"payment_method_id": "pm/../1"}, "payment_method_id"),
    ({"interval": 9}, "interval"), ({"payment_behavior": 7}, "payment_behavior"), ({"source": 9}, "source"),
    ({"metadata": {"k" * 41: "v"}}, "metadata"), ({"metadata": {"k": "v" * 501}}, "metadata"),
])
def test_a_wrong_field_is_named(org, fields, field):
    pb = org.pb("subscription")
    fields = {"plan_key": "pro", **fields}
    with fails("FIELD_INVALID", grpc.StatusCode.INVALID_ARGUMENT, field):
        org.stub("subscription").CreateSubscription(
            pb.CreateSubscriptionRequest(customer_id=org.customer().customer_id, **fields))


def test_other_refusals_of_the_request(org):
    pb = org.pb("subscription")
    stub = org.stub("subscription")
    customer = org.customer().customer_id
    with fails("QUANTITY_NEGATIVE", grpc.StatusCode.INVALID_ARGUMENT):
        stub.CreateSubscription(pb.CreateSubscriptionRequest(customer_id=customer, plan_key="pro", quantity=-1))
    with fails("CURRENCY_UNKNOWN", grpc.StatusCode.INVALID_ARGUMENT):
        stub.CreateSubscription(pb.CreateSubscriptionRequest(customer_id=customer, plan_key="pro", currency_code="XXQ"))
    with fails("SOURCE_NOT_SUPPORTED"):
        stub.CreateSubscription(pb.CreateSubscriptionRequest(
            customer_id=customer, plan_key="pro", source=pb.SUBSCRIPTION_SOURCE_BILLINGOS))
    with fails("FIELD_INVALID", field="customer"):
        stub.CreateSubscription(pb.CreateSubscriptionRequest(plan_key="pro"))
    with fails("FIELD_INVALID", field="plan"):
        stub.CreateSubscription(pb.CreateSubscriptionRequest(customer_id=customer))
    with fails("FIELD_INVALID", field="timing"):
        stub.CancelSubscription(pb.CancelSubscriptionRequest(subscription_id="sub_" + "0" * 26))


def test_without_an_account_nothing_is_sold(org):
    catalog = org.pb("catalog")
    org.feature("free_thing")
    org.plan("free", [catalog.PlanFeature(feature_key="free_thing")], minor_units=0)
    customer = org.customer()
    with fails("PAYMENT_ACCOUNT_NOT_CONNECTED", grpc.StatusCode.FAILED_PRECONDITION):
        org.subscribe(customer, "free")
    listed = org.stub("subscription").ListSubscriptions(org.pb("subscription").ListSubscriptionsRequest())
    assert list(listed.subscriptions) == []


def test_a_free_plan_published_before_the_account_is_sold_after_it(org):
    catalog = org.pb("catalog")
    org.feature("free_thing")
    plan = org.plan("free", [catalog.PlanFeature(feature_key="free_thing")], minor_units=0)
    ask = catalog.GetPlanRequest(plan_id=plan.plan.plan_id)
    before = org.stub("catalog").GetPlan(ask)
    account = org.connect_account()
    customer = org.customer()
    made = org.subscribe(customer, "free")
    assert made.plan_version == 1 and org.check("free_thing", customer).allowed
    org.subscribe(org.customer(), "free")
    (product,) = org.sandbox.api("products", account)["data"]
    assert product["name"] == plan.plan.name
    assert len(org.sandbox.api("prices", account)["data"]) == 1
    before.version.subscriber_count = 2
    assert org.stub("catalog").GetPlan(ask) == before, "it was published all the time"


@pytest.mark.parametrize("point", ["plan.claimed", "plan.product_made", "plan.settling"])
def test_a_crash_while_a_free_plan_is_made_there_leaves_one_of_it(own, stubs, point):
    server, sandbox = own()
    org = world.Org(server, stubs, sandbox)
    org.plan("free", minor_units=0)
    account = org.connect_account()
    customer = org.customer()
    server.restart({"BILLINGOS_FAILPOINTS": f"{point}=crash"})
    org.reconnect()
    pb = org.pb("subscription")
    order = pb.CreateSubscriptionRequest(
        customer_id=customer.customer_id, plan_key="free", payment_method_id="pm_card_visa", request_id=request_id())
    with pytest.raises(grpc.RpcError):
        org.stub("subscription").CreateSubscription(order)
    wait_for(lambda: not server.alive(), 10, "the crash")
    server.start()
    org.reconnect()
    with server.cluster.connect(server.database) as connection:
        connection.execute("UPDATE intents SET leased_until = now() - interval '1 second' WHERE state = 'PENDING'")

    def made():
        try:
            return org.stub("subscription").CreateSubscription(order).subscription
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.ABORTED, error  # while the resolver works on the plan
            return None

    assert wait_for(made, 10, "the subscription").plan_version == 1
    for kind in ("products", "prices", "subscriptions"):
        assert len(sandbox.api(kind, account)["data"]) == 1, kind


def test_ending_at_the_end_of_the_period_and_taking_it_back(shop, org):
    customer = org.customer()
    made = shop.create(customer).subscription
    ending = shop.cancel(made, comment="too dear", feedback=shop.pb.CANCEL_FEEDBACK_TOO_EXPENSIVE)
    assert shop.status(ending) == "ACTIVE" and ending.cancel_at_period_end
    assert ending.cancel_time.seconds == made.current_period_end_time.seconds
    assert ending.cancel_feedback == shop.pb.CANCEL_FEEDBACK_TOO_EXPENSIVE
    assert ending.cancel_comment == "too dear"
    assert org.check("sso", customer).allowed
    assert shop.cancel(ending).cancel_at_period_end, "twice is once"

    kept = shop.undo(ending)
    assert not kept.cancel_at_period_end and not kept.HasField("cancel_time")
    assert not shop.undo(kept).cancel_at_period_end
    (there,) = shop.there()
    assert there["cancel_at_period_end"] is False


def test_ending_now(shop, org):
    customer = org.customer()
    made = shop.create(customer).subscription
    key = request_id()
    ended = shop.cancel(made, "NOW", request_id=key)
    assert shop.status(ended) == "CANCELED" and ended.HasField("end_time")
    assert shop.cancel(made, "NOW", request_id=key) == ended
    assert shop.status(shop.cancel(made, "NOW")) == "CANCELED", "cancelling a cancelled one succeeds"
    assert org.reason(org.check("sso", customer)) == "NO_ACTIVE_SUBSCRIPTION"
    with fails("SUBSCRIPTION_STATE_INVALID") as failure:
        shop.undo(ended)
    assert failure[0].metadata["status"] == "CANCELED"
    assert failure[0].metadata["method"] == "UndoCancelSubscription"
    assert shop.status(shop.create(customer).subscription) == "ACTIVE", "and there may be a new one"


def test_an_old_etag_is_refused(shop, org):
    made = shop.create(org.customer()).subscription
    shop.cancel(made)
    with fails("ETAG_MISMATCH", grpc.StatusCode.ABORTED):
        shop.undo(made, etag=made.etag)
    assert not shop.undo(made, etag=shop.get(made).etag).cancel_at_period_end


def test_lists_are_pages_of_what_was_asked_for(shop, org):
    customers = [org.customer() for _ in range(5)]
    made = [shop.create(c, trial_days=1, payment_method_id="").subscription for c in customers]
    shop.cancel(made[0], "NOW")
    newest_first = [s.subscription_id for s in reversed(made)]

    page = shop.listed(page_size=2)
    seen = [s.subscription_id for s in page.subscriptions]
    while page.next_page_token:
        page = shop.listed(page_size=2, page_token=page.next_page_token)
        seen += [s.subscription_id for s in page.subscriptions]
    assert seen == newest_first

    trialing = shop.listed(statuses=[shop.pb.SUBSCRIPTION_STATUS_TRIALING])
    assert [s.subscription_id for s in trialing.subscriptions] == newest_first[:-1]
    of_one = shop.listed(external_customer_id=customers[1].external_customer_id)
    assert [s.subscription_id for s in of_one.subscriptions] == [made[1].subscription_id]
    assert len(shop.listed(plan_id=made[0].plan_id, plan_version=1).subscriptions) == 5
    assert len(shop.listed(plan_id=made[0].plan_id, plan_version=2).subscriptions) == 0
    token = shop.listed(page_size=2).next_page_token
    with fails("PAGE_TOKEN_INVALID"):
        shop.listed(page_size=2, page_token=token, plan_id=made[0].plan_id)
    with fails("CUSTOMER_NOT_FOUND"):
        shop.listed(external_customer_id="nobody")
    with fails("PLAN_NOT_FOUND"):
        shop.listed(plan_id="plan_" + "0" * 26)
    with fails("FIELD_INVALID", field="plan_version"):
        shop.listed(plan_version=1)


def test_an_unknown_outcome_is_settled_under_the_same_request_id(shop, org, sandbox):
    customer = org.customer()
    key = request_id()
    with shop.answers_lost("^/v1/subscriptions$"):
        with fails("OUTCOME_PENDING", grpc.StatusCode.UNAVAILABLE) as failure:
            shop.create(customer, request_id=key)
    assert failure[0].metadata["request_id"] == key
    assert failure[0].metadata["operation_id"].startswith("op_") and failure[0].retry_seconds > 0
    pending = shop.listed().subscriptions
    assert [shop.status(s) for s in pending] in (["PENDING"], ["ACTIVE"])

    made = shop.create(customer, request_id=key).subscription
    assert shop.status(made) == "ACTIVE" and made.subscription_id == pending[0].subscription_id
    assert len(shop.there()) == 1 and len(shop.listed().subscriptions) == 1
    assert org.check("sso", customer).allowed


def test_the_resolver_settles_what_nobody_asks_for_again(shop, org, sandbox):
    customer = org.customer()
    with shop.answers_lost("^/v1/subscriptions$"):
        with fails("OUTCOME_PENDING"):
            shop.create(customer)
    wait_for(lambda: [shop.status(s) for s in shop.listed().subscriptions] == ["ACTIVE"], 15, "resolved")
    wait_for(lambda: org.check("sso", customer).allowed, 5, "access")
    assert len(shop.there()) == 1


def test_a_fault_that_is_repeated_for_ever_is_looked_behind(shop, org, sandbox, cluster, server):
    """The payment side repeats the first answer to a key, even a 500 that came after its effect."""
    customer = org.customer()
    key = request_id()
    sandbox.control("faults", {"action": "500_after_commit", "times": 1,
                               "match": {"path_regex": "^/v1/subscriptions$", "account": shop.account}})
    with fails("OUTCOME_PENDING"):
        shop.create(customer, request_id=key)
    with cluster.connect(server.database) as connection:
        connection.execute(
            "UPDATE intents SET attempts = 5, created_at = now() - interval '1 hour', next_attempt_at = now()"
            " WHERE request_id = %s", (key,))
    assert shop.status(shop.create(customer, request_id=key).subscription) == "ACTIVE"
    assert len(shop.there()) == 1


def test_a_busy_payment_side_uses_no_key_up(shop, org, sandbox):
    customer = org.customer()
    key = request_id()
    sandbox.control("faults", {"action": "rate_limit", "times": 5,
                               "match": {"path_regex": "^/v1/subscriptions$", "account": shop.account}})
    with fails("PAYMENT_SIDE_UNAVAILABLE", grpc.StatusCode.UNAVAILABLE):
        shop.create(customer, request_id=key)
    assert [shop.status(s) for s in shop.listed().subscriptions] == ["FAILED"]
    sandbox.control("faults", method="DELETE")
    assert shop.status(shop.create(customer, request_id=key).subscription) == "ACTIVE"
    assert len(shop.there()) == 1


def test_ending_is_repeated_when_its_outcome_is_not_known(shop, org, sandbox):
    made = shop.create(org.customer()).subscription
    key = request_id()
    with shop.answers_lost("^/v1/subscriptions/"):
        with fails("OUTCOME_PENDING"):
            shop.cancel(made, request_id=key)
        with fails("SUBSCRIPTION_BUSY", grpc.StatusCode.ABORTED):
            shop.cancel(made, "NOW")
    assert shop.cancel(made, request_id=key).cancel_at_period_end
    with shop.answers_lost("^/v1/subscriptions/", "DELETE"):
        assert shop.status(shop.cancel(made, "NOW")) == "CANCELED"


class Accounts:
    def __init__(self, org):
        self.org, self.pb = org, org.pb("organization")
        self.stub = org.stub("organization")

    def connect(self, **fields):
        fields.setdefault("request_id", request_id())
        fields.setdefault("return_url", "https://example.com/done")
        return self.stub.ConnectPaymentAccount(self.pb.ConnectPaymentAccountRequest(country_code="DE", **fields))

    def get(self):
        return self.stub.GetPaymentAccount(self.pb.GetPaymentAccountRequest()).payment_account

    def state(self, account) -> str:
        return self.pb.PaymentAccountState.Name(account.state).removeprefix("PAYMENT_ACCOUNT_STATE_")


@pytest.fixture()
def accounts(org):
    return Accounts(org)


def test_an_account_is_connected_and_onboarded(accounts, org, sandbox):
    with fails("PAYMENT_ACCOUNT_NOT_CONNECTED") as failure:
        accounts.get()
    assert failure[0].metadata == {"mode": "TEST"}
    key = request_id()
    made = accounts.connect(request_id=key)
    assert made.onboarding_url.startswith("http") and made.expire_time.seconds > time.time()
    account = made.payment_account
    assert accounts.state(account) == "ONBOARDING_INCOMPLETE" and account.country_code == "DE"
    assert account.payment_account_ref.startswith("acct_") and not account.charges_enabled
    assert accounts.connect(request_id=key).payment_account == account
    with fails("PAYMENT_ACCOUNT_EXISTS", grpc.StatusCode.ALREADY_EXISTS):
        accounts.connect()

    # The webhook tells, nobody has to ask.
    sandbox.control(f"accounts/{account.payment_account_ref}/onboard")
    wait_for(lambda: accounts.state(accounts.get()) == "ACTIVE", 5, "the account is active")
    link = accounts.stub.CreateDashboardLink(accounts.pb.CreateDashboardLinkRequest(request_id=request_id()))
    assert link.dashboard_url.startswith("http")
    sandbox.control(f"accounts/{account.payment_account_ref}/restrict")
    restricted = wait_for(lambda: (a := accounts.get()).requirements_due and a, 5, "requirements are due")
    assert accounts.state(restricted) in ("RESTRICTED", "ACTION_NEEDED", "PAYOUTS_PAUSED")


def test_two_connect_at_once_and_there_is_one_account(accounts, org, sandbox):
    results = []

    def call():
        try:
            results.append(accounts.connect().payment_account.payment_account_ref)
        except grpc.RpcError as error:
            results.append(error.code())

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = [r for r in results if isinstance(r, str)]
    assert len(made) == 1, results
    assert set(results) - set(made) <= {grpc.StatusCode.ALREADY_EXISTS, grpc.StatusCode.ABORTED}, results
    assert accounts.get().payment_account_ref == made[0]


def test_a_restricted_account_sells_nothing(org, accounts, sandbox):
    account = accounts.connect().payment_account.payment_account_ref
    org.feature("sso")
    org.plan("pro", [org.pb("catalog").PlanFeature(feature_key="sso")])
    with fails("PAYMENT_ACCOUNT_RESTRICTED") as failure:
        org.subscribe(org.customer(), "pro")
    assert failure[0].metadata["state"] == "ONBOARDING_INCOMPLETE"
    sandbox.control(f"accounts/{account}/onboard")
    wait_for(lambda: accounts.get().charges_enabled, 5, "charges")
    org.subscribe(org.customer(), "pro")


def test_disconnecting_and_connecting_again_keeps_the_account(org, accounts, sandbox):
    first = accounts.connect().payment_account.payment_account_ref
    gone = accounts.stub.DisconnectPaymentAccount(
        accounts.pb.DisconnectPaymentAccountRequest(note="moving", request_id=request_id())).payment_account
    assert accounts.state(gone) == "DISCONNECTED" and gone.HasField("disconnect_time")
    with fails("PAYMENT_ACCOUNT_NOT_CONNECTED") as failure:
        accounts.stub.CreateOnboardingLink(accounts.pb.CreateOnboardingLinkRequest(
            return_url="https://example.com", request_id=request_id()))
    assert failure[0].metadata["state"] == "DISCONNECTED"
    assert accounts.connect().payment_account.payment_account_ref == first
    assert accounts.state(accounts.get()) == "ONBOARDING_INCOMPLETE"


def test_a_deauthorized_account_is_disconnected(org, accounts, sandbox):
    account = accounts.connect().payment_account.payment_account_ref
    sandbox.control(f"accounts/{account}/deauthorize")
    wait_for(lambda: accounts.state(accounts.get()) == "DISCONNECTED", 5, "disconnected")


@pytest.mark.parametrize("url", ["", "ftp://example.com", "http://example.com", "https://", "https:///x",
                                 "https://a b", "http://localhost.evil.com/", "x" * 3000])
def test_a_wrong_return_url_is_refused(accounts, url):
    with fails("FIELD_INVALID", grpc.StatusCode.INVALID_ARGUMENT, "return_url"):
        accounts.connect(return_url=url)
