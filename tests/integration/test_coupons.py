"""Coupons: made on both sides, changed, ended, redeemed by subscriptions, and everything that is refused."""

import datetime

import grpc
import pytest

from catalog_api import Api
from errors import fails
from test_crash import SECONDS, crash  # noqa: F401 (a fixture)
from test_subscriptions import Shop
from world import request_id, wait_for

INVALID, NOT_FOUND = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND
PRECONDITION, EXISTS = grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ALREADY_EXISTS


class Giver:
    def __init__(self, org):
        self.org, self.shop, self.api = org, Shop(org), Api(org)
        self.pb, self.common = self.api.pb, self.api.common

    def coupon(self, **fields):
        fields.setdefault("name", "Launch")
        if "amount_off" not in fields:
            fields.setdefault("percent_off_basis_points", 2500)
        fields.setdefault("duration", self.pb.COUPON_DURATION_ONCE)
        return self.pb.Coupon(**fields)

    def make(self, **fields):
        return self.api.CreateCoupon(coupon=self.coupon(**fields)).coupon

    def get(self, coupon):
        return self.api.GetCoupon(coupon_id=coupon.coupon_id).coupon

    def there(self):
        return self.org.sandbox.api("coupons", self.shop.account)["data"]

    def invoice(self):
        return self.org.sandbox.api("invoices", self.shop.account)["data"][0]

    def buy(self, coupon, **fields):
        return self.shop.create(self.org.customer(), coupon_id=coupon.coupon_id, **fields).subscription


@pytest.fixture()
def giver(org):
    return Giver(org)


def test_a_coupon_is_the_same_on_both_sides(giver):
    end = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(days=9)
    coupon = giver.coupon(
        coupon_key="LAUNCH", percent_off_basis_points=1250, duration=giver.pb.COUPON_DURATION_REPEATING,
        duration_months=3, redemption_max=7, plan_keys=["pro"], metadata={"campaign": "spring"})
    coupon.redeem_by_time.FromDatetime(end)
    made = giver.api.CreateCoupon(coupon=coupon).coupon
    assert made.coupon_id.startswith("cpn_") and made.coupon_key == "LAUNCH" and made.etag == "1"
    assert made.state == giver.pb.CATALOG_STATE_ACTIVE and list(made.plan_keys) == ["pro"]
    assert giver.get(made) == made and giver.api.GetCoupon(coupon_key="LAUNCH").coupon == made
    (there,) = giver.there()
    assert (there["id"], there["name"], float(there["percent_off"])) == (made.coupon_id, "Launch", 12.5)
    assert (there["duration"], there["duration_in_months"]) == ("repeating", 3)
    assert (there["max_redemptions"], there["redeem_by"]) == (7, int(end.timestamp()))
    yen = giver.make(amount_off=giver.common.Money(minor_units=500, currency_code="JPY"))
    assert yen.coupon_key == yen.coupon_id and yen.amount_off.minor_units == 500
    assert (giver.there()[0]["amount_off"], giver.there()[0]["currency"]) == (500, "jpy")


def test_name_and_metadata_change_and_nothing_else(giver):
    made = giver.make()
    changed = giver.api.UpdateCoupon(coupon=giver.pb.Coupon(
        coupon_id=made.coupon_id, name="Spring", metadata={"a": "b"}, etag=made.etag)).coupon
    assert (changed.name, dict(changed.metadata), changed.etag) == ("Spring", {"a": "b"}, "2")
    assert giver.there()[0]["name"] == "Spring" and giver.get(made) == changed
    with fails("ETAG_MISMATCH"):
        giver.api.UpdateCoupon(coupon=giver.pb.Coupon(coupon_id=made.coupon_id, name="x", etag="1"))
    with fails("UPDATE_MASK_INVALID", INVALID):
        giver.api.UpdateCoupon(coupon=giver.pb.Coupon(coupon_id=made.coupon_id), update_mask={"paths": ["duration"]})


def test_an_archived_one_is_kept_by_those_who_have_it(giver):
    made = giver.make(duration=giver.pb.COUPON_DURATION_FOREVER)
    giver.buy(made)
    ended = giver.api.ArchiveCoupon(coupon_id=made.coupon_id).coupon
    assert ended.state == giver.pb.CATALOG_STATE_ARCHIVED and giver.there() == []
    assert giver.api.ArchiveCoupon(coupon_id=made.coupon_id).coupon.state == ended.state, "twice is once"
    with fails("COUPON_NOT_REDEEMABLE", PRECONDITION) as failure:
        giver.buy(made)
    assert failure[0].metadata == {"coupon_id": made.coupon_id, "cause": "ARCHIVED"}
    assert giver.shop.there()[0]["discounts"]
    assert list(giver.api.ListCoupons(state=giver.pb.CATALOG_STATE_ACTIVE).coupons) == []
    assert [c.coupon_id for c in giver.api.ListCoupons().coupons] == [made.coupon_id]


def test_a_subscription_costs_less(giver):
    giver.buy(giver.make())
    assert giver.invoice()["total"] == 1900 - 475
    giver.buy(giver.make(amount_off=giver.common.Money(minor_units=400, currency_code="EUR")))
    assert giver.invoice()["total"] == 1500


def test_a_hundred_percent_for_ever_needs_no_card(giver, org):
    free = giver.make(percent_off_basis_points=10000, duration=giver.pb.COUPON_DURATION_FOREVER)
    customer = org.customer()
    made = giver.shop.create(customer, coupon_id=free.coupon_id, payment_method_id="").subscription
    assert giver.shop.status(made) == "ACTIVE" and org.check("sso", customer).allowed
    assert giver.invoice()["total"] == 0


def test_redemptions_are_counted_and_limited(giver):
    made = giver.make(redemption_max=1)
    giver.buy(made)
    wait_for(lambda: giver.get(made).redemption_count == 1, 10, "counted")
    assert giver.get(made).etag == made.etag
    with fails("COUPON_NOT_REDEEMABLE") as failure:
        giver.buy(made)
    assert failure[0].metadata["cause"] == "USED_UP"


def test_for_which_orders_it_is(giver):
    giver.shop.plan_with("other", [giver.shop.price()])
    with fails("COUPON_NOT_REDEEMABLE") as failure:
        giver.buy(giver.make(plan_keys=["other"]))
    assert failure[0].metadata["cause"] == "PLAN"
    with fails("COUPON_NOT_REDEEMABLE") as failure:
        giver.buy(giver.make(amount_off=giver.common.Money(minor_units=400, currency_code="USD")))
    assert failure[0].metadata["cause"] == "CURRENCY"
    assert giver.shop.there() == [], "nothing was sold"
    giver.buy(giver.make(plan_keys=["pro", "other"]))


def test_one_that_is_deleted_there_ends_here(giver):
    made = giver.make()
    giver.org.sandbox.api(f"coupons/{made.coupon_id}", giver.shop.account, "DELETE")
    wait_for(lambda: giver.get(made).state == giver.pb.CATALOG_STATE_ARCHIVED, 10, "archived")


@pytest.mark.parametrize("fields, field", [
    ({"name": ""}, "coupon.name"), ({"name": "x" * 41}, "coupon.name"),
    ({"percent_off_basis_points": 0}, "coupon.percent_off_basis_points"),
    ({"percent_off_basis_points": 10001}, "coupon.percent_off_basis_points"),
    ({"duration": 0}, "coupon.duration"), ({"duration": 9}, "coupon.duration"),
    ({"duration": 2}, "coupon.duration_months"), ({"duration": 2, "duration_months": 37}, "coupon.duration_months"),
    ({"duration_months": 3}, "coupon.duration_months"), ({"redemption_max": -1}, "coupon.redemption_max"),
    ({"coupon_key": "x" * 65}, "coupon.coupon_key"), ({"metadata": {"k" * 41: "v"}}, "coupon.metadata"),
    ({"redeem_by_time": {"seconds": 1}}, "coupon.redeem_by_time"),
])
def test_wrong_fields_are_named(org, fields, field):
    giver = Giver.__new__(Giver)
    giver.api = Api(org)
    giver.pb, giver.common = giver.api.pb, giver.api.common
    with fails("FIELD_INVALID", INVALID, field):
        giver.make(**fields)


def test_what_else_is_refused(giver, org2):
    giver.make(coupon_key="TAKEN")
    with fails("COUPON_EXISTS", EXISTS):
        giver.make(coupon_key="TAKEN")
    with fails("PLAN_NOT_FOUND", NOT_FOUND):
        giver.make(plan_keys=["nowhere"])
    with fails("CURRENCY_UNKNOWN", INVALID):
        giver.make(amount_off=giver.common.Money(minor_units=1, currency_code="XXQ"))
    with fails("FIELD_INVALID", INVALID, "coupon.amount_off"):
        giver.make(amount_off=giver.common.Money(minor_units=-1, currency_code="EUR"))
    with fails("FIELD_INVALID", INVALID, "coupon.discount"):
        giver.api.CreateCoupon(coupon=giver.pb.Coupon(name="x", duration=1))
    with fails("COUPON_NOT_FOUND", NOT_FOUND):
        giver.buy(giver.pb.Coupon(coupon_id="cpn_" + "1" * 26))
    assert len(giver.there()) == 1
    foreign = giver.make()
    other = Api(org2)
    for call in (other.GetCoupon, other.ArchiveCoupon):
        with fails("COUPON_NOT_FOUND", NOT_FOUND):
            call(coupon_id=foreign.coupon_id)
    with fails("PAYMENT_ACCOUNT_NOT_CONNECTED", PRECONDITION):
        other.CreateCoupon(coupon=giver.coupon())
    assert list(other.ListCoupons().coupons) == []


def test_a_repeat_gets_the_first_answer(giver):
    key = request_id()
    made = giver.api.CreateCoupon(coupon=giver.coupon(), request_id=key).coupon
    giver.api.UpdateCoupon(coupon=giver.pb.Coupon(coupon_id=made.coupon_id, name="Other"))
    assert giver.api.CreateCoupon(coupon=giver.coupon(), request_id=key).coupon == made
    assert len(giver.there()) == 1


@pytest.mark.parametrize("point", ["claimed", "called", "settling"])
def test_a_crash_makes_one(crash, point):  # noqa: F811
    giver, key = Giver(crash.org), request_id()

    def call(**options):
        return crash.org.stub("catalog").CreateCoupon(giver.pb.CreateCouponRequest(
            coupon=giver.coupon(coupon_key="ONE"), request_id=key), **options).coupon

    crash.at(f"coupon.{point}", lambda: call(timeout=SECONDS))
    made = call()
    assert call() == made
    assert [c["id"] for c in giver.there()] == [made.coupon_id]
    assert crash.rows("SELECT key, stripe_coupon_id FROM coupons") == [("ONE", made.coupon_id)]
    assert crash.rows("SELECT state FROM intents WHERE request_id = %s", key) == [("DONE",)]
