"""The catalogue: features, meters, plans in versions, prices; and everything that is refused."""

import secrets

import grpc
import pytest

from catalog_api import Api
from errors import fails
from rows import Rows
from world import request_id

INVALID, EXISTS = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.ALREADY_EXISTS
NOT_FOUND, PRECONDITION = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION


@pytest.fixture()
def api(org):
    return Api(org)


@pytest.fixture()
def calls(org, api):
    """A meter and a feature "calls", and features of the other kinds."""
    org.meter("calls")
    org.feature("calls", "METERED", meter_key="calls")
    org.feature("sso")
    org.feature("tier", "CONFIG", permitted_values=["bronze", "silver", "gold"])
    org.feature("credits", "CREDITS")
    return api


# --- features and meters ---------------------------------------------------------------------------


def test_a_feature_keeps_what_it_was_given(api):
    made = api.CreateFeature(feature=api.pb.Feature(
        feature_key="support_tier", name="Support", description="How fast we answer", kind=api.pb.FEATURE_KIND_CONFIG,
        permitted_values=["silver", "gold"], unreachable_policy=api.common.UNREACHABLE_POLICY_ALLOW,
        metadata={"owner": "Ada", "é": "ü"})).feature
    assert made.feature_id.startswith("feat_") and made.etag == "1" and made.state == api.pb.CATALOG_STATE_ACTIVE
    assert made.create_time.seconds > 0 and made.metadata["é"] == "ü"
    assert api.GetFeature(feature_key="support_tier").feature == made
    assert list(api.ListFeatures().features) == [made]


def test_feature_kinds_refuse_what_does_not_go_with_them(calls):
    pb = calls.pb
    feature = {"feature_key": "x", "name": "X"}
    with fails("FIELD_INVALID", INVALID, "feature.meter_key"):
        calls.CreateFeature(feature=pb.Feature(kind=pb.FEATURE_KIND_METERED, **feature))
    with fails("FEATURE_KIND_MISMATCH", INVALID, "feature.meter_key") as failure:
        calls.CreateFeature(feature=pb.Feature(kind=pb.FEATURE_KIND_BOOLEAN, meter_key="calls", **feature))
    assert failure[0].metadata == {"feature_key": "x", "kind": "BOOLEAN", "field": "feature.meter_key"}
    with fails("FEATURE_KIND_MISMATCH"):
        calls.CreateFeature(feature=pb.Feature(kind=pb.FEATURE_KIND_METERED, meter_key="calls",
                                               permitted_values=["a"], **feature))
    with fails("METER_NOT_FOUND", NOT_FOUND):
        calls.CreateFeature(feature=pb.Feature(kind=pb.FEATURE_KIND_METERED, meter_key="nope", **feature))
    with fails("FIELD_INVALID", INVALID, "feature.kind"):
        calls.CreateFeature(feature=pb.Feature(**feature))
    with fails("CURRENCY_UNKNOWN", INVALID):
        calls.CreateFeature(feature=pb.Feature(kind=pb.FEATURE_KIND_CREDITS, credit_currency_code="XXQ", **feature))


def test_every_wrong_field_of_a_feature_is_named(api):
    with fails("FIELD_INVALID", INVALID) as failure:
        api.CreateFeature(feature=api.pb.Feature(
            feature_key="Not A Key", name="", description="x" * 1001, kind=api.pb.FEATURE_KIND_BOOLEAN))
    assert set(failure[0].violations) == {"feature.feature_key", "feature.name", "feature.description"}
    with fails("FIELD_INVALID", INVALID, "feature"):
        api.CreateFeature()
    with fails("FIELD_INVALID", INVALID, "feature.metadata"):
        api.CreateFeature(feature=api.pb.Feature(feature_key="a", name="A", kind=api.pb.FEATURE_KIND_BOOLEAN,
                                                 metadata={"k": "v" * 501}))


def test_a_second_feature_with_the_key_is_refused(org, api):
    org.feature("sso")
    with fails("FEATURE_EXISTS", EXISTS) as failure:
        org.feature("sso")
    assert failure[0].metadata == {"feature_key": "sso"}
    with fails("FEATURE_NOT_FOUND", NOT_FOUND):
        api.GetFeature(feature_key="nope")


def test_a_repeat_gives_the_first_answer_and_another_body_is_refused(api):
    key = request_id()
    feature = api.pb.Feature(feature_key="sso", name="SSO", kind=api.pb.FEATURE_KIND_BOOLEAN)
    first = api.CreateFeature(feature=feature, request_id=key)
    assert api.CreateFeature(feature=feature, request_id=key) == first
    feature.name = "Other"
    with fails("IDEMPOTENCY_KEY_REUSED", INVALID) as failure:
        api.CreateFeature(feature=feature, request_id=key)
    assert failure[0].metadata["request_id"] == key


def test_updates_change_what_the_mask_names(org, api):
    org.feature("tier", "CONFIG", description="old", permitted_values=["a"])
    pb = api.pb
    changed = api.UpdateFeature(feature=pb.Feature(feature_key="tier", name="New", etag="1")).feature
    assert (changed.name, changed.description, changed.etag) == ("New", "old", "2")
    cleared = api.UpdateFeature(feature=pb.Feature(feature_key="tier"),
                                update_mask={"paths": ["description", "permitted_values"]}).feature
    assert (cleared.name, cleared.description, list(cleared.permitted_values)) == ("New", "", [])
    with fails("ETAG_MISMATCH", grpc.StatusCode.ABORTED) as failure:
        api.UpdateFeature(feature=pb.Feature(feature_key="tier", name="Newer", etag="1"))
    assert failure[0].metadata == {"etag": "1", "current_etag": "3"}
    with fails("UPDATE_MASK_INVALID", INVALID) as failure:
        api.UpdateFeature(feature=pb.Feature(feature_key="tier"), update_mask={"paths": ["kind"]})
    assert failure[0].metadata == {"path": "kind"}
    with fails("FIELD_INVALID", INVALID, "feature.kind"):
        api.UpdateFeature(feature=pb.Feature(feature_key="tier", kind=pb.FEATURE_KIND_BOOLEAN, name="B"))
    unchanged = api.UpdateFeature(feature=pb.Feature(feature_key="tier", name="New")).feature
    assert unchanged == cleared


def test_archiving_twice_is_once_and_what_is_on_sale_stays(org, api):
    org.feature("sso")
    org.feature("old")
    org.plan("free", [api.pb.PlanFeature(feature_key="sso")], minor_units=0)
    with fails("FEATURE_IN_USE", PRECONDITION) as failure:
        api.ArchiveFeature(feature_key="sso")
    assert failure[0].metadata["plan_id"].startswith("plan_")
    archived = api.ArchiveFeature(feature_key="old").feature
    assert archived.state == api.pb.CATALOG_STATE_ARCHIVED
    assert api.ArchiveFeature(feature_key="old").feature == archived
    with fails("FEATURE_ARCHIVED", PRECONDITION):
        api.UpdateFeature(feature=api.pb.Feature(feature_key="old", name="x"))
    with fails("FEATURE_ARCHIVED", PRECONDITION):
        api.plan("other", features=[api.pb.PlanFeature(feature_key="old")])
    names = {f.feature_key for f in api.ListFeatures(state=api.pb.CATALOG_STATE_ARCHIVED).features}
    assert names == {"old"}


def test_a_meter_keeps_what_it_was_given_and_refuses_what_is_not_counted_yet(api):
    pb = api.pb
    made = api.CreateMeter(meter=pb.Meter(
        meter_key="requests", name="Requests", description="d", aggregation=pb.METER_AGGREGATION_COUNT,
        unit_name="request", dimensions=["region"], durability=pb.USAGE_DURABILITY_ASYNC, metadata={"a": "b"})).meter
    assert api.GetMeter(meter_key="requests").meter == made and made.meter_id.startswith("mtr_")
    assert list(api.ListMeters().meters) == [made]
    with fails("METER_EXISTS", EXISTS):
        api.CreateMeter(meter=pb.Meter(meter_key="requests", name="x", aggregation=pb.METER_AGGREGATION_SUM))
    refused = {"filter": "a < 1", "value_property": "bytes", "aggregation": pb.METER_AGGREGATION_MAX}
    for field, value in refused.items():
        meter = pb.Meter(meter_key="m", name="M", aggregation=pb.METER_AGGREGATION_SUM)
        setattr(meter, field, value)
        with fails("FIELD_INVALID", INVALID, f"meter.{field}") as failure:
            api.CreateMeter(meter=meter)
        assert "not supported yet" in failure[0].violations[f"meter.{field}"]
    with fails("FIELD_INVALID", INVALID, "meter.aggregation"):
        api.CreateMeter(meter=pb.Meter(meter_key="m", name="M"))


def test_a_meter_in_use_is_not_archived(org, calls):
    with fails("METER_IN_USE", PRECONDITION) as failure:
        calls.ArchiveMeter(meter_key="calls")
    assert failure[0].metadata == {"meter_key": "calls", "feature_key": "calls"}
    calls.ArchiveFeature(feature_key="calls")
    assert calls.ArchiveMeter(meter_key="calls").meter.state == calls.pb.CATALOG_STATE_ARCHIVED
    with fails("METER_ARCHIVED", PRECONDITION):
        org.feature("again", "METERED", meter_key="calls")
    with fails("METER_ARCHIVED", PRECONDITION):
        calls.UpdateMeter(meter=calls.pb.Meter(meter_key="calls", name="x"))


def test_a_meter_counts_on_while_a_customer_has_an_archived_feature_of_it(org, calls):
    """Else the usage of those who keep the feature would be refused, and their limit never be reached."""
    customer = org.customer()
    rows = Rows(org)
    rows.entitle(customer, "calls", limit_value=5)
    calls.ArchiveFeature(feature_key="calls")
    with fails("METER_IN_USE", PRECONDITION) as failure:
        calls.ArchiveMeter(meter_key="calls")
    assert failure[0].metadata == {"meter_key": "calls", "feature_key": "calls"}
    rows.run("DELETE FROM entitlement_snapshots WHERE org_id = %(org_id)s")
    rows.close()
    assert calls.ArchiveMeter(meter_key="calls").meter.state == calls.pb.CATALOG_STATE_ARCHIVED


def test_pages_follow_each_other_and_forged_tokens_are_refused(org, org2, api):
    keys = [f"f{i}" for i in range(5)]
    for key in reversed(keys):
        org.feature(key)
    seen, token = [], ""
    while True:
        page = api.ListFeatures(page_size=2, page_token=token)
        seen += [f.feature_key for f in page.features]
        token = page.next_page_token
        if not token:
            break
    assert seen == keys
    token = api.ListFeatures(page_size=2).next_page_token
    forged = ("A" if token[0] != "A" else "B") + token[1:]
    for bad in (forged, token[:-2], "x" * 500, "!"):
        with fails("PAGE_TOKEN_INVALID", INVALID):
            api.ListFeatures(page_size=2, page_token=bad)
    with fails("PAGE_TOKEN_INVALID", INVALID):
        api.ListFeatures(page_size=2, page_token=token, kind=api.pb.FEATURE_KIND_BOOLEAN)
    with fails("PAGE_TOKEN_INVALID", INVALID):
        api.ListMeters(page_size=2, page_token=token)
    with fails("PAGE_TOKEN_INVALID", INVALID):
        Api(org2).ListFeatures(page_size=2, page_token=token)
    with fails("FIELD_INVALID", INVALID, "page_size"):
        api.ListFeatures(page_size=-1)


# --- plans -----------------------------------------------------------------------------------------


def test_a_plan_keeps_what_its_version_gives_and_costs(calls):
    pb, common = calls.pb, calls.common
    made = calls.CreatePlan(
        plan=pb.Plan(plan_key="pro", name="Pro", description="For teams", display_order=3,
                     application_fee_basis_points=250, metadata={"color": "red"}),
        features=[
            calls.limit(limit_basis=pb.LIMIT_BASIS_SEAT, window_anchor=pb.WINDOW_ANCHOR_CALENDAR, trial_max=0,
                        overage_policy=common.OVERAGE_POLICY_BILL, overage_max=50, priority=-3,
                        threshold_percents=[50, 100]),
            pb.PlanFeature(feature_key="sso"),
            pb.PlanFeature(feature_key="tier", config=common.ConfigValue(text="gold"),
                           permitted_values=["silver", "gold"]),
            calls.limit("credits", unlimited=True),
        ],
        prices=[
            calls.price(1900, price_key="monthly", currency_code="EUR", name="Pro, monthly",
                        tax_behavior=pb.TAX_BEHAVIOR_EXCLUSIVE, metadata={"a": "b"}),
            calls.price(None, model=pb.PRICE_MODEL_GRADUATED, meter_key="calls", currency_code="EUR", tiers=[
                pb.PriceTier(up_to=1000, unit_price=common.Money(minor_units=0)),
                pb.PriceTier(unbounded=True, unit_price_decimal="0.25",
                             flat_fee=common.Money(minor_units=100, currency_code="EUR"))]),
        ],
        trial_days=14, trial_needs_payment_method=True)
    plan, version = made.plan, made.version
    assert (plan.published_version, plan.draft_version, plan.kind) == (0, 1, pb.PLAN_KIND_BASE)
    assert plan.application_fee_basis_points == 250 and plan.metadata["color"] == "red"
    assert (version.version, version.state, version.trial_days) == (1, pb.PLAN_VERSION_STATE_DRAFT, 14)
    assert [f.feature_key for f in version.features] == ["calls", "credits", "sso", "tier"]
    counted = version.features[0]
    assert (counted.max, counted.HasField("trial_max"), counted.trial_max, counted.priority) == (100, True, 0, -3)
    assert (counted.limit_basis, counted.window_anchor) == (pb.LIMIT_BASIS_SEAT, pb.WINDOW_ANCHOR_CALENDAR)
    assert list(counted.threshold_percents) == [50, 100] and counted.overage_max == 50
    assert version.features[1].unlimited and not version.features[2].HasField("config")
    assert version.features[3].config.text == "gold"
    flat, tiered = version.prices
    assert (flat.unit_price.minor_units, flat.unit_price.currency_code) == (1900, "EUR")
    assert (flat.interval_count, flat.quantity_min, flat.quantity_max) == (1, 1, 0)
    assert [t.WhichOneof("upper_end") for t in tiered.tiers] == ["up_to", "unbounded"]
    assert tiered.tiers[1].unit_price_decimal == "0.25" and tiered.tiers[1].flat_fee.minor_units == 100
    assert not tiered.HasField("unit_price") and tiered.meter_key == "calls"
    got = calls.GetPlan(plan_key="pro")
    assert (got.plan, got.version) == (plan, version)
    assert calls.GetPlan(plan_id=plan.plan_id, version=1).version == version
    assert calls.GetPrice(price_id=flat.price_id).price == flat


@pytest.mark.parametrize("kind", ["number", "text", "json"])
def test_values_of_configuration_come_back_as_they_were(org, api, kind):
    value = {"number": -5, "text": "größer", "json": '{"a":[1,2],"b":null}'}[kind]
    org.feature("value", "CONFIG")
    plan = api.plan(features=[api.pb.PlanFeature(feature_key="value", config={kind: value})])
    config = plan.version.features[0].config
    assert config.WhichOneof("value") == kind
    got = getattr(config, kind)
    assert got.replace(" ", "") == value if kind == "json" else got == value


def test_terms_that_do_not_fit_the_feature_are_refused(calls):
    pb, common = calls.pb, calls.common
    plan = calls.plan().plan.plan_id

    def refused(reason, field, feature):
        with fails(reason, INVALID, field):
            calls.SetPlanFeature(plan_id=plan, feature=feature)

    refused("FEATURE_KIND_MISMATCH", "feature.limit", pb.PlanFeature(feature_key="sso", max=1))
    refused("FEATURE_KIND_MISMATCH", "feature.reset_period",
            pb.PlanFeature(feature_key="sso", reset_period=common.RESET_PERIOD_DAY))
    refused("FEATURE_KIND_MISMATCH", "feature.config",
            calls.limit(config=common.ConfigValue(number=1)))
    refused("FIELD_INVALID", "feature.limit", pb.PlanFeature(feature_key="calls", reset_period=1))
    refused("FIELD_INVALID", "feature.reset_period", pb.PlanFeature(feature_key="calls", max=1))
    refused("FIELD_INVALID", "feature.max", calls.limit(max=-1))
    refused("FIELD_INVALID", "feature.unlimited", calls.limit(unlimited=False))
    refused("FIELD_INVALID", "feature.overage_max", calls.limit(overage_max=5))
    refused("FIELD_INVALID", "feature.threshold_percents[0]", calls.limit(threshold_percents=[0]))
    refused("FIELD_INVALID", "feature.priority", calls.limit(priority=1001))
    refused("FIELD_INVALID", "feature.config", pb.PlanFeature(feature_key="tier"))
    refused("FIELD_INVALID", "feature.config", pb.PlanFeature(feature_key="tier", config={"text": "platinum"}))
    refused("FIELD_INVALID", "feature.config", pb.PlanFeature(feature_key="tier", config={}))
    refused("FIELD_INVALID", "feature.config.json", pb.PlanFeature(feature_key="tier", config={"json": "{"}))
    refused("FIELD_INVALID", "feature.permitted_values[0]",
            pb.PlanFeature(feature_key="tier", config={"text": "gold"}, permitted_values=["x"]))
    refused("FIELD_INVALID", "feature.feature_key", pb.PlanFeature())
    refused("FIELD_INVALID", "feature", None)
    unsupported = {"window_anchor": pb.WINDOW_ANCHOR_ROLLING, "rollover_max": 5, "entity_max": 5,
                   "plan_change_usage": pb.PLAN_CHANGE_USAGE_RESET}
    for field, value in unsupported.items():
        refused("FIELD_INVALID", f"feature.{field}", calls.limit(**{field: value}))
    with fails("FEATURE_NOT_FOUND", NOT_FOUND):
        calls.SetPlanFeature(plan_id=plan, feature=pb.PlanFeature(feature_key="nope"))


def test_json_that_the_database_cannot_hold_is_the_fault_of_the_field(org, api):
    org.feature("value", "CONFIG")
    plan = api.plan().plan.plan_id
    with fails("FIELD_INVALID", INVALID):
        api.SetPlanFeature(plan_id=plan, feature=api.pb.PlanFeature(
            feature_key="value", config={"json": '{"a":"\\u0000"}'}))


def test_features_are_set_replaced_and_removed_in_a_draft(calls):
    plan = calls.plan().plan.plan_id
    version = calls.SetPlanFeature(plan_id=plan, feature=calls.limit(max=10)).version
    assert [f.max for f in version.features] == [10] and version.etag == "2"
    version = calls.SetPlanFeature(plan_id=plan, version=1, feature=calls.limit(max=20)).version
    assert [f.max for f in version.features] == [20]
    version = calls.RemovePlanFeature(plan_id=plan, feature_key="calls").version
    assert not version.features and version.etag == "4"
    assert calls.RemovePlanFeature(plan_id=plan, feature_key="calls").version == version
    with fails("PLAN_VERSION_NOT_FOUND", NOT_FOUND):
        calls.SetPlanFeature(plan_id=plan, version=7, feature=calls.limit())
    with fails("PLAN_NOT_FOUND", NOT_FOUND):
        calls.SetPlanFeature(plan_id="plan_" + "0" * 26, feature=calls.limit())


def test_one_wrong_item_leaves_no_plan_behind(calls):
    with fails("FIELD_INVALID", INVALID, "features[1].limit"):
        calls.plan(features=[calls.pb.PlanFeature(feature_key="sso"),
                             calls.pb.PlanFeature(feature_key="calls", reset_period=1)])
    with fails("FIELD_INVALID", INVALID, "features[1].feature_key"):
        calls.plan(features=[calls.pb.PlanFeature(feature_key="sso"), calls.pb.PlanFeature(feature_key="sso")])
    with fails("FIELD_INVALID", INVALID, "prices[0].unit_price"):
        calls.plan(prices=[calls.price(None)])
    with fails("FIELD_INVALID", INVALID, "trial_days"):
        calls.plan(trial_days=731)
    with fails("FIELD_INVALID", INVALID, "plan.compatible_plan_keys"):
        calls.CreatePlan(plan=calls.pb.Plan(plan_key="x", name="X", compatible_plan_keys=["y"]))
    with fails("FIELD_INVALID", INVALID, "plan.compatible_plan_keys[0]"):
        calls.CreatePlan(plan=calls.pb.Plan(plan_key="x", name="X", kind=calls.pb.PLAN_KIND_ADDON,
                                            compatible_plan_keys=["nope"]))
    with fails("PLAN_NOT_FOUND", NOT_FOUND):
        calls.GetPlan(plan_key="pro")
    with fails("FIELD_INVALID", INVALID, "plan"):
        calls.GetPlan()
    assert not calls.ListPlans().plans


def test_plans_are_changed_archived_and_listed(calls):
    pb = calls.pb
    first = calls.plan("b").plan
    calls.plan("a")
    with fails("PLAN_EXISTS", EXISTS):
        calls.plan("b")
    changed = calls.UpdatePlan(plan=pb.Plan(plan_key="b", name="Bee", etag="1")).plan
    assert (changed.name, changed.etag) == ("Bee", "2")
    with fails("ETAG_MISMATCH"):
        calls.UpdatePlan(plan=pb.Plan(plan_id=first.plan_id, name="Boo", etag="1"))
    with fails("FIELD_INVALID", INVALID, "plan.kind"):
        calls.UpdatePlan(plan=pb.Plan(plan_key="b", kind=pb.PLAN_KIND_ADDON))
    assert [p.plan.plan_key for p in calls.ListPlans().plans] == ["a", "b"]
    page = calls.ListPlans(page_size=1)
    rest = calls.ListPlans(page_size=1, page_token=page.next_page_token)
    assert [p.plan.plan_key for p in (*page.plans, *rest.plans)] == ["a", "b"] and not rest.next_page_token
    archived = calls.ArchivePlan(plan_id=first.plan_id).plan
    assert archived.state == pb.CATALOG_STATE_ARCHIVED
    assert calls.ArchivePlan(plan_id=first.plan_id).plan == archived
    for call in (lambda: calls.UpdatePlan(plan=pb.Plan(plan_key="b", name="x")),
                 lambda: calls.CreatePrice(plan_id=first.plan_id, price=calls.price()),
                 lambda: calls.PublishPlan(plan_id=first.plan_id)):
        with fails("PLAN_ARCHIVED", PRECONDITION):
            call()
    assert [p.plan.plan_key for p in calls.ListPlans(state=pb.CATALOG_STATE_ACTIVE).plans] == ["a"]
    assert not calls.ListPlans(published_only=True).plans and not calls.ListPlans(kind=pb.PLAN_KIND_ADDON).plans


# --- prices ----------------------------------------------------------------------------------------


def test_prices_that_make_no_sense_are_refused(calls):
    pb, common = calls.pb, calls.common
    plan = calls.plan().plan.plan_id
    money = common.Money

    def refused(reason, field, price):
        with fails(reason, INVALID, field):
            calls.CreatePrice(plan_id=plan, price=price)

    refused("FIELD_INVALID", "price", None)
    refused("FIELD_INVALID", "price.model", pb.Price(interval=1, unit_price=money(minor_units=1)))
    refused("FIELD_INVALID", "price.interval", pb.Price(model=1, unit_price=money(minor_units=1)))
    refused("FIELD_INVALID", "price.interval_count", calls.price(interval_count=37))
    refused("FIELD_INVALID", "price.unit_price.minor_units", calls.price(-1))
    refused("FIELD_INVALID", "price.unit_price_decimal", calls.price(1, unit_price_decimal="0.5"))
    refused("FIELD_INVALID", "price.unit_price_decimal",
            calls.price(None, model=pb.PRICE_MODEL_PER_UNIT, unit_price_decimal="0.1234567890123"))
    refused("FIELD_INVALID", "price.unit_price_decimal", calls.price(None, unit_price_decimal="0.5"))
    refused("FIELD_INVALID", "price.meter_key", calls.price(meter_key="calls"))
    refused("FIELD_INVALID", "price.package_size", calls.price(model=pb.PRICE_MODEL_PACKAGE))
    refused("FIELD_INVALID", "price.package_size", calls.price(package_size=10))
    refused("FIELD_INVALID", "price.quantity_max", calls.price(model=pb.PRICE_MODEL_PER_UNIT, quantity_min=5,
                                                               quantity_max=4))
    refused("FIELD_INVALID", "price.tiers", calls.price(None, model=pb.PRICE_MODEL_VOLUME))
    refused("CURRENCY_UNKNOWN", "price.currency_code", calls.price(currency_code="EURO"))
    refused("CURRENCY_MISMATCH", "price.currency_code",
            calls.price(None, currency_code="EUR", unit_price=money(minor_units=1, currency_code="USD")))
    with fails("METER_NOT_FOUND", NOT_FOUND):
        calls.CreatePrice(plan_id=plan, price=calls.price(model=pb.PRICE_MODEL_PER_UNIT, meter_key="nope"))

    def tiers(*ends):
        return calls.price(None, model=pb.PRICE_MODEL_GRADUATED, tiers=[
            pb.PriceTier(unit_price=money(minor_units=1), **end) for end in ends])

    last = {"unbounded": True}
    refused("PRICE_TIERS_INVALID", "price.tiers[1].up_to", tiers({"up_to": 5}, {"up_to": 5}, last))
    refused("PRICE_TIERS_INVALID", "price.tiers[0].up_to", tiers(last, last))
    refused("PRICE_TIERS_INVALID", "price.tiers[0].up_to", tiers({"up_to": 5}))
    refused("FIELD_INVALID", "price.tiers[0].up_to", tiers({}))
    assert not calls.ListPrices(plan_id=plan).prices


def test_a_version_has_one_price_for_each_choice(calls):
    pb = calls.pb
    plan = calls.plan().plan.plan_id
    first = calls.CreatePrice(plan_id=plan, price=calls.price(price_key="m")).price
    assert first.currency_code == "EUR", "that of the organisation"
    with fails("PRICE_EXISTS", EXISTS) as failure:
        calls.CreatePrice(plan_id=plan, price=calls.price())
    assert failure[0].metadata == {"price_id": first.price_id}
    with fails("PRICE_EXISTS", EXISTS):
        calls.CreatePrice(plan_id=plan, price=calls.price(price_key="m", currency_code="USD"))
    year = calls.CreatePrice(plan_id=plan, price=calls.price(interval=calls.common.BILLING_INTERVAL_YEAR)).price
    metered = calls.CreatePrice(plan_id=plan, price=calls.price(
        None, model=pb.PRICE_MODEL_PER_UNIT, meter_key="calls", unit_price_decimal="0.05")).price
    dollars = calls.CreatePrice(plan_id=plan, price=calls.price(currency_code="USD", model=pb.PRICE_MODEL_PER_UNIT,
                                                                quantity_min=2, quantity_max=9)).price
    assert [p.price_id for p in calls.ListPrices(plan_id=plan).prices] == [
        p.price_id for p in (dollars, metered, year, first)]
    assert [p.price_id for p in calls.ListPrices(currency_code="USD").prices] == [dollars.price_id]
    page = calls.ListPrices(plan_id=plan, version=1, page_size=3)
    rest = calls.ListPrices(plan_id=plan, version=1, page_size=3, page_token=page.next_page_token)
    assert [p.price_id for p in rest.prices] == [first.price_id] and not rest.next_page_token
    calls.ArchivePrice(price_id=year.price_id)
    with fails("PRICE_NOT_FOUND", NOT_FOUND):
        calls.GetPrice(price_id=year.price_id)


def test_a_price_of_a_draft_can_change_its_nature(calls):
    pb, common = calls.pb, calls.common
    plan = calls.plan().plan.plan_id
    price = calls.CreatePrice(plan_id=plan, price=calls.price(500)).price
    cheaper = calls.UpdatePrice(price=pb.Price(price_id=price.price_id, unit_price=common.Money(minor_units=400),
                                               etag="1")).price
    assert (cheaper.unit_price.minor_units, cheaper.etag) == (400, "2")
    with fails("ETAG_MISMATCH"):
        calls.UpdatePrice(price=pb.Price(price_id=price.price_id, name="x", etag="1"))
    tiered = calls.UpdatePrice(price=pb.Price(
        price_id=price.price_id, model=pb.PRICE_MODEL_VOLUME,
        tiers=[pb.PriceTier(unbounded=True, unit_price=common.Money(minor_units=5))])).price
    assert not tiered.HasField("unit_price") and len(tiered.tiers) == 1
    with fails("FIELD_INVALID", INVALID, "price.unit_price"):
        calls.UpdatePrice(price=pb.Price(price_id=price.price_id, model=pb.PRICE_MODEL_FLAT))
    decimal = calls.UpdatePrice(price=pb.Price(
        price_id=price.price_id, model=pb.PRICE_MODEL_PER_UNIT, unit_price_decimal="0.05")).price
    assert decimal.unit_price_decimal == "0.05" and not decimal.HasField("unit_price") and not decimal.tiers
    with fails("UPDATE_MASK_INVALID", INVALID):
        calls.UpdatePrice(price=pb.Price(price_id=price.price_id), update_mask={"paths": ["nope"]})


# --- who may see what ------------------------------------------------------------------------------


def test_a_publishable_key_sees_what_is_published_and_changes_nothing(org, calls):
    shown = Api(org, org.keys["test_publishable_key"])
    plan = calls.plan(prices=[calls.price(0)])
    plan_id, price_id = plan.plan.plan_id, plan.version.prices[0].price_id
    with fails("PLAN_NOT_FOUND", NOT_FOUND):
        shown.GetPlan(plan_id=plan_id)
    with fails("PRICE_NOT_FOUND", NOT_FOUND):
        shown.GetPrice(price_id=price_id)
    with fails("PLAN_NOT_FOUND", NOT_FOUND):
        shown.ListPlanVersions(plan_id=plan_id)
    assert not shown.ListPlans().plans and not shown.ListPrices().prices
    calls.PublishPlan(plan_id=plan_id)
    calls.CreatePlanVersion(plan_id=plan_id)
    got = shown.GetPlan(plan_id=plan_id)
    assert (got.version.version, got.plan.draft_version) == (1, 0)
    with fails("PLAN_VERSION_NOT_FOUND", NOT_FOUND):
        shown.GetPlan(plan_id=plan_id, version=2)
    assert [v.version for v in shown.ListPlanVersions(plan_id=plan_id).versions] == [1]
    assert [p.price_id for p in shown.ListPrices().prices] == [price_id]
    with fails("SCOPE_MISSING", grpc.StatusCode.PERMISSION_DENIED):
        shown.ArchivePlan(plan_id=plan_id)


def test_another_organisation_has_the_same_keys_and_none_of_the_objects(org, org2, calls):
    plan = calls.plan(prices=[calls.price(0)])
    other = Api(org2)
    with fails("PLAN_NOT_FOUND", NOT_FOUND):
        other.GetPlan(plan_id=plan.plan.plan_id)
    with fails("PLAN_NOT_FOUND", NOT_FOUND):
        other.CreatePrice(plan_id=plan.plan.plan_id, price=other.price())
    with fails("PRICE_NOT_FOUND", NOT_FOUND):
        other.UpdatePrice(price=other.pb.Price(price_id=plan.version.prices[0].price_id, name="x"))
    with fails("FEATURE_NOT_FOUND", NOT_FOUND):
        other.plan(features=[other.pb.PlanFeature(feature_key="sso")])
    org2.feature("sso")
    assert other.plan(features=[other.pb.PlanFeature(feature_key="sso")]).plan.plan_key == "pro"


def test_changes_are_in_the_audit_log(org, calls):
    pb = org.pb("organization")
    key = request_id()
    plan = calls.plan(prices=[calls.price(0)])
    calls.PublishPlan(plan_id=plan.plan.plan_id, request_id=key)
    entries = org.stub("organization").ListAuditLog(pb.ListAuditLogRequest()).entries
    published = next(e for e in entries if e.action == "CatalogService.PublishPlan")
    assert published.resource_id == plan.plan.plan_id and published.request_id == key
    assert [(c.path, c.old_value, c.new_value) for c in published.changes] == [("published_version", "", "1")]
    assert any(e.action == "CatalogService.CreateFeature" for e in entries)


def test_long_texts_are_counted_in_characters(api):
    name = "é" * 100
    assert api.CreatePlan(plan=api.pb.Plan(plan_key="a" + secrets.token_hex(4), name=name)).plan.name == name
    with fails("FIELD_INVALID", INVALID, "plan.name"):
        api.CreatePlan(plan=api.pb.Plan(plan_key="b", name=name + "é"))
