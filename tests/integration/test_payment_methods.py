"""Payment methods: saved, chosen, forgotten; what is refused, what a repeat gets, and cards that end."""

import datetime

import grpc
import pytest

from errors import fails
from test_crash import SECONDS, crash  # noqa: F401 (a fixture)
from test_customers import Api
from test_subscriptions import Shop
from world import request_id, wait_for

NOT_FOUND, PRECONDITION = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION


class Wallet:
    def __init__(self, org):
        self.org, self.shop, self.api = org, Shop(org), Api(org)
        self.customer = org.customer(name="Ada", email="ada@example.com")

    def attach(self, token="pm_card_visa", **fields):
        return self.api.AttachPaymentMethod(
            customer_id=self.customer.customer_id, payment_method_token=token, **fields).payment_method

    def choose(self, method, **fields):
        return self.api.SetDefaultPaymentMethod(
            customer_id=self.customer.customer_id, payment_method_id=method.payment_method_id, **fields).customer

    def detach(self, method, **fields):
        self.api.DetachPaymentMethod(
            customer_id=self.customer.customer_id, payment_method_id=method.payment_method_id, **fields)

    def listed(self):
        return list(self.api.ListPaymentMethods(customer_id=self.customer.customer_id).payment_methods)

    def there(self):
        (customer,) = self.org.sandbox.api("customers", self.shop.account)["data"]
        return customer, self.org.sandbox.api(f"customers/{customer['id']}/payment_methods", self.shop.account)["data"]

    def rows(self, query, *values):
        with self.org.server.cluster.connect(self.org.server.database) as connection:
            return connection.execute(query, values).fetchall()


@pytest.fixture()
def wallet(org):
    return Wallet(org)


def test_a_payment_method_is_saved_and_shown(wallet):
    pb = wallet.api.pb
    made = wallet.attach()
    assert (made.brand, made.last4, made.expire_month, made.expire_year) == ("visa", "4242", 12, 2034)
    assert made.kind == pb.PAYMENT_METHOD_KIND_CARD and not made.is_default and not made.expiring
    assert made.customer_id == wallet.customer.customer_id and made.create_time.seconds > 0
    assert wallet.listed() == [made]
    by_name = wallet.api.ListPaymentMethods(external_customer_id=wallet.customer.external_customer_id)
    assert list(by_name.payment_methods) == [made]
    customer, methods = wallet.there()
    assert customer["name"] == "Ada" and [m["id"] for m in methods] == [made.payment_method_id]


def test_the_default_comes_first(wallet):
    first, second = wallet.attach(), wallet.attach("pm_card_mastercard", make_default=True)
    assert second.is_default and [m.is_default for m in wallet.listed()] == [True, False]
    assert wallet.listed()[0] == second
    chosen = wallet.choose(first)
    assert chosen.default_payment_method_id == first.payment_method_id
    assert [m.payment_method_id for m in wallet.listed()] == [first.payment_method_id, second.payment_method_id]
    assert wallet.there()[0]["invoice_settings"]["default_payment_method"] == first.payment_method_id
    # It is charged to from now on.
    assert wallet.shop.status(wallet.shop.create(wallet.customer, payment_method_id="").subscription) == "ACTIVE"


def test_a_subscription_can_be_charged_to_another_one(wallet):
    subscription = wallet.shop.create(wallet.customer).subscription
    other = wallet.attach("pm_card_amex")
    wallet.choose(other, subscription_ids=[subscription.subscription_id])
    (there,) = wallet.shop.there()
    assert there["default_payment_method"] == other.payment_method_id


def test_one_in_use_stays(wallet):
    method = wallet.attach(make_default=True)
    subscription = wallet.shop.create(wallet.customer, payment_method_id="").subscription
    with fails("PAYMENT_METHOD_IN_USE", PRECONDITION) as failure:
        wallet.detach(method)
    assert failure[0].metadata["subscription_id"] == subscription.subscription_id
    assert len(wallet.there()[1]) == 1
    wallet.shop.cancel(subscription, "NOW")
    wallet.detach(method)
    wallet.detach(method)  # twice is once
    assert wallet.listed() == [] and wallet.there()[1] == []
    here = wallet.api.GetCustomer(customer_id=wallet.customer.customer_id).customer
    assert here.default_payment_method_id == ""


def test_one_that_was_forgotten_there_can_be_forgotten_here(wallet):
    method = wallet.attach()
    match = {"action": "webhook_drop", "times": 5, "match": {"type": "payment_method.detached"}}
    wallet.org.sandbox.control("faults", match)
    wallet.org.sandbox.api(f"payment_methods/{method.payment_method_id}/detach", wallet.shop.account, "POST")
    wallet.org.sandbox.control("faults", method="DELETE")
    wallet.detach(method)
    assert wallet.listed() == []


def test_a_repeat_gets_the_first_answer(wallet):
    key = request_id()
    made = wallet.attach(request_id=key)
    assert wallet.attach(request_id=key) == made and len(wallet.there()[1]) == 1
    with fails("IDEMPOTENCY_KEY_REUSED"):
        wallet.attach("pm_card_amex", request_id=key)
    key = request_id()
    chosen = wallet.choose(made, request_id=key)
    wallet.choose(wallet.attach("pm_card_amex"))
    assert wallet.choose(made, request_id=key) == chosen


def test_a_bank_that_says_no(wallet):
    key = request_id()
    for _ in range(2):
        with fails("PAYMENT_DECLINED", PRECONDITION) as failure:
            wallet.attach("pm_card_chargeDeclinedInsufficientFunds", request_id=key)
        assert failure[0].metadata["decline_code"] == "insufficient_funds"
        assert failure[0].metadata["decline_class"]
    assert wallet.listed() == []


def test_what_is_refused(wallet, org2):
    method = wallet.attach()
    other = wallet.org.customer()
    with fails("PAYMENT_METHOD_NOT_FOUND", NOT_FOUND):
        wallet.api.SetDefaultPaymentMethod(customer_id=other.customer_id, payment_method_id=method.payment_method_id)
    with fails("PAYMENT_METHOD_NOT_FOUND", NOT_FOUND):
        wallet.api.DetachPaymentMethod(customer_id=other.customer_id, payment_method_id=method.payment_method_id)
    with fails("PAYMENT_METHOD_NOT_FOUND", NOT_FOUND):
        wallet.api.DetachPaymentMethod(customer_id=wallet.customer.customer_id, payment_method_id="pm_nobody")
    with fails("PAYMENT_SIDE_REJECTED", PRECONDITION):
        wallet.attach("pm_nobody")
    stranger = wallet.shop.create(other).subscription
    with fails("SUBSCRIPTION_NOT_FOUND", NOT_FOUND):
        wallet.choose(method, subscription_ids=[stranger.subscription_id])
    for wrong in ["", "pm/../x", "x" * 256]:
        with fails("FIELD_INVALID", field="payment_method_token"):
            wallet.attach(wrong)
    with fails("FIELD_INVALID", field="customer"):
        wallet.api.ListPaymentMethods()
    with fails("LIMIT_EXCEEDED"):
        wallet.choose(method, subscription_ids=["sub_" + "0" * 26] * 101)
    unconnected = Api(org2)
    with fails("PAYMENT_ACCOUNT_NOT_CONNECTED", PRECONDITION):
        unconnected.AttachPaymentMethod(customer_id=org2.customer().customer_id, payment_method_token="pm_card_visa")
    wallet.api.ArchiveCustomer(customer_id=wallet.api.make().customer_id)
    archived = wallet.api.make()
    wallet.api.ArchiveCustomer(customer_id=archived.customer_id)
    with fails("CUSTOMER_ARCHIVED", PRECONDITION):
        wallet.api.AttachPaymentMethod(customer_id=archived.customer_id, payment_method_token="pm_card_visa")


@pytest.mark.parametrize("point", ["claimed", "called", "settled"])
def test_a_crash_saves_one(crash, point):  # noqa: F811
    wallet, key = Wallet(crash.org), request_id()

    def call(**options):
        return crash.org.stub("customer").AttachPaymentMethod(wallet.api.pb.AttachPaymentMethodRequest(
            customer_id=wallet.customer.customer_id, payment_method_token="pm_card_visa", make_default=True,
            request_id=key), **options).payment_method

    crash.at(f"payment_method.{point}", lambda: call(timeout=SECONDS))
    made = call()
    assert made.is_default and call() == made
    customer, methods = wallet.there()
    assert [m["id"] for m in methods] == [made.payment_method_id]
    assert customer["invoice_settings"]["default_payment_method"] == made.payment_method_id
    assert crash.rows("SELECT count(*) FROM event_log WHERE type = 'PAYMENT_METHOD_ATTACHED'") == [(1,)]
    assert crash.rows("SELECT state FROM intents WHERE request_id = %s", key) == [("DONE",)]


def test_a_card_that_ends_is_told_once_a_month(crash):  # noqa: F811
    wallet = Wallet(crash.org)
    ending, later = wallet.attach(), wallet.attach("pm_card_amex")
    today = datetime.datetime.now(datetime.timezone.utc)
    month = today.year * 12 + today.month - 1

    def ends(method, in_months):
        year, index = divmod(month + in_months, 12)
        wallet.rows("UPDATE payment_methods SET expiry_year = %s, expiry_month = %s"
                    " WHERE stripe_payment_method_id = %s RETURNING 1", year, index + 1, method.payment_method_id)

    def told():
        return crash.rows("SELECT payload ->> 'payment_method_id' FROM event_log"
                          " WHERE type = 'PAYMENT_METHOD_EXPIRING'")

    wait_for(lambda: crash.rows("SELECT (SELECT count(*) FROM webhook_inbox WHERE state = 'NEW')"
                                " + (SELECT count(*) FROM dirty_objects)") == [(0,)], 20, "the mirror is quiet")
    ends(ending, 1)
    ends(later, 2)
    for _ in range(2):
        crash.server.restart()
        crash.org.reconnect()
        wait_for(lambda: told() == [(ending.payment_method_id,)], 10, "told")
    wallet.api = Api(crash.org)
    assert {m.payment_method_id: m.expiring for m in wallet.listed()} == {
        ending.payment_method_id: True, later.payment_method_id: False}
    wallet.rows("UPDATE payment_methods SET expiry_told = 200001 RETURNING 1")
    crash.server.restart()
    wait_for(lambda: len(told()) == 2, 10, "told again in another month")
