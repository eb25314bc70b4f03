"""Publishing: what is frozen, what is made at the payment side, and what a crash leaves behind."""

import grpc
import pytest

import world
from catalog_api import Api
from errors import fails
from world import request_id

INVALID, EXISTS = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.ALREADY_EXISTS
NOT_FOUND, PRECONDITION = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION


@pytest.fixture()
def calls(org):
    """The catalogue of an organisation with a meter and a feature "calls"."""
    org.meter("calls")
    org.feature("calls", "METERED", meter_key="calls")
    return Api(org)


def test_a_free_plan_is_published_without_a_payment_account(calls):
    pb = calls.pb
    made = calls.plan(features=[calls.limit()], prices=[calls.price(0)])
    key = request_id()
    published = calls.PublishPlan(plan_id=made.plan.plan_id, request_id=key)
    assert (published.plan.published_version, published.plan.draft_version) == (1, 0)
    assert published.version.state == pb.PLAN_VERSION_STATE_PUBLISHED and published.version.publish_time.seconds > 0
    got = calls.GetPlan(plan_id=made.plan.plan_id)
    assert (got.plan, got.version) == (published.plan, published.version)
    assert calls.PublishPlan(plan_id=made.plan.plan_id, request_id=key) == published
    with fails("IDEMPOTENCY_KEY_REUSED", INVALID):
        calls.PublishPlan(plan_id=made.plan.plan_id, version=1, request_id=key)
    with fails("PLAN_VERSION_NOT_FOUND", NOT_FOUND):
        calls.PublishPlan(plan_id=made.plan.plan_id)
    with fails("PLAN_VERSION_FROZEN", PRECONDITION) as failure:
        calls.PublishPlan(plan_id=made.plan.plan_id, version=1)
    assert failure[0].metadata == {"plan_id": made.plan.plan_id, "version": "1"}


def test_what_is_published_is_frozen(calls):
    pb = calls.pb
    made = calls.plan(features=[calls.limit()], prices=[calls.price(0)])
    plan, price = made.plan.plan_id, made.version.prices[0].price_id
    calls.PublishPlan(plan_id=plan)
    for call in (lambda: calls.SetPlanFeature(plan_id=plan, version=1, feature=calls.limit()),
                 lambda: calls.RemovePlanFeature(plan_id=plan, version=1, feature_key="calls"),
                 lambda: calls.CreatePrice(plan_id=plan, version=1, price=calls.price(interval=1)),
                 lambda: calls.UpdatePlanVersion(version=pb.PlanVersion(plan_id=plan, version=1, note="x")),
                 lambda: calls.DeletePlanVersion(plan_id=plan, version=1),
                 lambda: calls.UpdatePrice(price=pb.Price(price_id=price, quantity_min=2))):
        with fails("PLAN_VERSION_FROZEN", PRECONDITION):
            call()
    renamed = calls.UpdatePrice(price=pb.Price(price_id=price, name="Free", metadata={"a": "b"})).price
    assert renamed.name == "Free"
    assert calls.ArchivePrice(price_id=price).price.state == pb.CATALOG_STATE_ARCHIVED
    with fails("PRICE_ARCHIVED", PRECONDITION):
        calls.UpdatePrice(price=pb.Price(price_id=price, name="x"))


def test_a_new_version_is_a_copy_and_replaces_the_old_one_when_published(calls):
    pb = calls.pb
    made = calls.plan(features=[calls.limit(max=5)], prices=[calls.price(0, price_key="m")], trial_days=7)
    plan = made.plan.plan_id
    with fails("PLAN_DRAFT_EXISTS", EXISTS) as failure:
        calls.CreatePlanVersion(plan_id=plan)
    assert failure[0].metadata["version"] == "1"
    calls.PublishPlan(plan_id=plan)
    draft = calls.CreatePlanVersion(plan_id=plan, note="cheaper").version
    assert (draft.version, draft.state, draft.trial_days, draft.note) == (2, pb.PLAN_VERSION_STATE_DRAFT, 7, "cheaper")
    assert draft.features[0].max == 5 and draft.prices[0].price_key == "m"
    assert draft.prices[0].price_id != made.version.prices[0].price_id
    changed = calls.UpdatePlanVersion(version=pb.PlanVersion(plan_id=plan, version=2, trial_days=3, etag="1")).version
    assert (changed.trial_days, changed.note, changed.etag) == (3, "cheaper", "2")
    with fails("ETAG_MISMATCH"):
        calls.UpdatePlanVersion(version=pb.PlanVersion(plan_id=plan, version=2, trial_days=4, etag="1"))
    calls.SetPlanFeature(plan_id=plan, feature=calls.limit(max=50))
    assert calls.GetPlan(plan_id=plan).version.version == 1, "the draft is not on sale"
    calls.PublishPlan(plan_id=plan, version=2)
    old, new = calls.GetPlan(plan_id=plan, version=1).version, calls.GetPlan(plan_id=plan).version
    assert (old.state, old.features[0].max) == (pb.PLAN_VERSION_STATE_SUPERSEDED, 5)
    assert (new.state, new.version, new.features[0].max) == (pb.PLAN_VERSION_STATE_PUBLISHED, 2, 50)
    copy = calls.CreatePlanVersion(plan_id=plan, from_version=1).version
    assert (copy.version, copy.features[0].max) == (3, 5)
    listed = calls.ListPlanVersions(plan_id=plan, page_size=2)
    rest = calls.ListPlanVersions(plan_id=plan, page_size=2, page_token=listed.next_page_token)
    assert [v.version for v in (*listed.versions, *rest.versions)] == [3, 2, 1]
    calls.DeletePlanVersion(plan_id=plan, version=3)
    with fails("PLAN_VERSION_NOT_FOUND", NOT_FOUND):
        calls.GetPlan(plan_id=plan, version=3)
    assert calls.CreatePlanVersion(plan_id=plan).version.version == 4, "numbers are not given twice"


def test_a_draft_that_is_not_whole_is_not_published(calls):
    common = calls.common
    plan = calls.plan(features=[calls.limit(overage_policy=common.OVERAGE_POLICY_BILL)]).plan.plan_id
    with fails("PLAN_HAS_NO_PRICE", PRECONDITION):
        calls.PublishPlan(plan_id=plan)
    calls.CreatePrice(plan_id=plan, price=calls.price(0))
    with fails("FIELD_INVALID", INVALID, "version.features[0].overage_policy"):
        calls.PublishPlan(plan_id=plan)
    calls.SetPlanFeature(plan_id=plan, feature=calls.limit())
    calls.ArchiveFeature(feature_key="calls")
    with fails("FEATURE_ARCHIVED", PRECONDITION):
        calls.PublishPlan(plan_id=plan)
    assert calls.GetPlan(plan_id=plan).version.state == calls.pb.PLAN_VERSION_STATE_DRAFT


def test_a_plan_that_asks_for_money_needs_a_payment_account(calls):
    key = request_id()
    plan = calls.plan(prices=[calls.price(100)]).plan.plan_id
    with fails("PAYMENT_ACCOUNT_NOT_CONNECTED", PRECONDITION) as failure:
        calls.PublishPlan(plan_id=plan, request_id=key)
    assert failure[0].metadata["mode"] == "TEST"
    metered = calls.plan("metered", prices=[calls.price(
        0, model=calls.pb.PRICE_MODEL_PER_UNIT, meter_key="calls")]).plan.plan_id
    with fails("PAYMENT_ACCOUNT_NOT_CONNECTED", PRECONDITION):
        calls.PublishPlan(plan_id=metered)
    calls.SetPlanFeature(plan_id=plan, feature=calls.limit())


def test_publishing_makes_a_product_and_prices_at_the_payment_side(org, calls, sandbox):
    pb, common = calls.pb, calls.common
    account = org.connect_account()
    made = calls.CreatePlan(
        plan=pb.Plan(plan_key="pro", name="Pro", description="For teams"),
        features=[calls.limit(overage_policy=common.OVERAGE_POLICY_BILL)],
        prices=[
            calls.price(1900),
            calls.price(1500, model=pb.PRICE_MODEL_PER_UNIT, interval=common.BILLING_INTERVAL_YEAR),
            calls.price(500, model=pb.PRICE_MODEL_PACKAGE, package_size=10, interval_count=3),
            calls.price(None, model=pb.PRICE_MODEL_GRADUATED, meter_key="calls", tiers=[
                pb.PriceTier(up_to=100, unit_price=common.Money(minor_units=0)),
                pb.PriceTier(unbounded=True, unit_price_decimal="0.5")]),
        ])
    key = request_id()
    published = calls.PublishPlan(plan_id=made.plan.plan_id, request_id=key)
    assert calls.PublishPlan(plan_id=made.plan.plan_id, request_id=key) == published
    products = sandbox.api("products", account)["data"]
    assert [p["name"] for p in products] == ["Pro"]
    prices = {p["metadata"]["billingos_id"]: p for p in sandbox.api("prices?limit=100", account)["data"]}
    flat, seat, package, metered = (prices[p.price_id] for p in made.version.prices)
    assert (flat["unit_amount"], flat["recurring"]["interval"]) == (1900, "month")
    assert (seat["unit_amount"], seat["recurring"]["interval"]) == (1500, "year")
    assert package["transform_quantity"]["divide_by"] == 10 and package["recurring"]["interval_count"] == 3
    assert metered["billing_scheme"] == "tiered" and metered["recurring"]["usage_type"] == "metered"
    assert len(sandbox.api("billing/meters", account)["data"]) == 1

    calls.UpdatePlan(plan=pb.Plan(plan_id=made.plan.plan_id, name="Pro 2"))
    calls.CreatePlanVersion(plan_id=made.plan.plan_id)
    calls.PublishPlan(plan_id=made.plan.plan_id)
    assert [p["name"] for p in sandbox.api("products", account)["data"]] == ["Pro 2"], "one product for a plan"
    assert len(sandbox.api("prices?limit=100", account)["data"]) == 8
    assert len(sandbox.api("billing/meters", account)["data"]) == 1


def test_what_the_payment_side_refuses_stays_a_draft(org, calls):
    org.connect_account()
    plan = calls.plan(prices=[calls.price(10 ** 15)]).plan.plan_id  # more than the payment side takes
    key = request_id()
    with fails("PAYMENT_SIDE_REJECTED", PRECONDITION):
        calls.PublishPlan(plan_id=plan, request_id=key)
    assert calls.GetPlan(plan_id=plan).version.state == calls.pb.PLAN_VERSION_STATE_DRAFT
    price = calls.ListPrices(plan_id=plan).prices[0].price_id
    calls.UpdatePrice(price=calls.pb.Price(price_id=price, unit_price=calls.common.Money(minor_units=100)))
    assert calls.PublishPlan(plan_id=plan, request_id=key).plan.published_version == 1


@pytest.mark.parametrize("point", ["plan.claimed", "plan.product_made", "plan.called", "plan.settling"])
def test_a_crash_while_publishing_leaves_one_product_and_the_same_answer(own, stubs, point):
    server, sandbox = own()
    org = world.Org(server, stubs, sandbox)
    account = org.connect_account()
    api = Api(org)
    plan = api.plan(prices=[api.price(1900), api.price(100, interval=api.common.BILLING_INTERVAL_YEAR)]).plan.plan_id
    server.restart({"BILLINGOS_FAILPOINTS": f"{point}=crash"})
    org.reconnect()
    key = request_id()
    with pytest.raises(grpc.RpcError):
        Api(org).PublishPlan(plan_id=plan, request_id=key)
    world.wait_for(lambda: not server.alive(), 10, "the crash")
    server.start()
    org.reconnect()
    api = Api(org)
    # The claim is leased to the dead server for a while; a repeat waits for it or goes on with it.
    with server.cluster.connect(server.database) as connection:
        connection.execute("UPDATE intents SET leased_until = now() - interval '1 second' WHERE state = 'PENDING'")
    published = api.PublishPlan(plan_id=plan, request_id=key)
    assert published.plan.published_version == 1
    assert api.PublishPlan(plan_id=plan, request_id=key) == published
    assert len(sandbox.api("products", account)["data"]) == 1
    assert len(sandbox.api("prices", account)["data"]) == 2
    assert api.GetPlan(plan_id=plan).version == published.version


def test_an_outcome_that_is_not_known_is_settled_later(own, stubs):
    server, sandbox = own()
    org = world.Org(server, stubs, sandbox)
    account = org.connect_account()
    api, pb = Api(org), org.pb("catalog")
    made = api.plan(prices=[api.price(1900)])
    plan, price, key = made.plan.plan_id, made.version.prices[0].price_id, request_id()
    sandbox.control("faults", {"action": "500_before", "match": {"path_regex": "^/v1/prices"}, "times": 3})
    with fails("OUTCOME_PENDING", grpc.StatusCode.UNAVAILABLE) as failure:
        api.PublishPlan(plan_id=plan, request_id=key)
    assert failure[0].retry_seconds > 0 and failure[0].metadata["request_id"] == key
    with fails("PLAN_VERSION_FROZEN", PRECONDITION):
        api.UpdatePrice(price=pb.Price(price_id=price, name="x"))
    with fails("REQUEST_IN_PROGRESS", grpc.StatusCode.ABORTED):
        api.PublishPlan(plan_id=plan)
    assert api.GetPlan(plan_id=plan).version.state == pb.PLAN_VERSION_STATE_DRAFT
    published = api.PublishPlan(plan_id=plan, request_id=key)
    assert published.plan.published_version == 1
    assert len(sandbox.api("products", account)["data"]) == len(sandbox.api("prices", account)["data"]) == 1
