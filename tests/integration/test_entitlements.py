"""CheckEntitlement and ListEntitlements: every reason, the numbers, the age of the answer, and what changes it."""

import datetime
import time

import grpc
import pytest

import world
from errors import fails
from rows import Rows
from world import request_id, wait_for

NOBODY = "cus_01J8Z0K3V9QH0000000000000A"


@pytest.fixture()
def rows(org):
    made = Rows(org)
    yield made
    made.close()


def _from_now(**span):
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**span)


def _until(org, reason, *arguments, seconds=2.0, **fields):
    """The first answer with this reason; it must come soon."""
    return wait_for(
        lambda: (a := org.check(*arguments, **fields)) and org.reason(a) == reason and a, seconds, reason)


def _origin(org, answer) -> str:
    return org.pb("entitlement").AnswerOrigin.Name(answer.freshness.origin).removeprefix("ANSWER_ORIGIN_")


# --- who and what ---------------------------------------------------------------------------------------------------


def test_an_unknown_customer_is_an_answer(org):
    org.feature("sso")
    for answer in (org.check("sso", NOBODY), org.check("sso", external="nobody")):
        assert not answer.allowed and org.reason(answer) == "CUSTOMER_NOT_FOUND"
        assert answer.freshness.as_of_time.seconds > 0
        assert not answer.freshness.stale
    assert org.check("sso", external="nobody").query.external_customer_id == "nobody"
    assert org.check("sso", NOBODY).query.customer_id == NOBODY


def test_an_unknown_feature_is_an_answer_and_becomes_known_at_once(org):
    customer = org.customer()
    answer = org.check("sso", customer)
    assert not answer.allowed and org.reason(answer) == "FEATURE_NOT_FOUND"
    assert org.reason(org.check("sso", customer)) == "FEATURE_NOT_FOUND"  # from memory, too
    org.feature("sso")
    _until(org, "NO_ACTIVE_SUBSCRIPTION", "sso", customer, seconds=1)


def test_an_answer_says_what_to_do_when_no_server_can_be_reached(org, rows):
    catalog, entitlement, common = org.pb("catalog"), org.pb("entitlement"), org.pb("common")
    unknown, deny, allow = (
        common.UNREACHABLE_POLICY_UNSPECIFIED, common.UNREACHABLE_POLICY_DENY, common.UNREACHABLE_POLICY_ALLOW)
    customer = org.customer()
    org.feature("open", unreachable_policy=allow)
    org.feature("shut", unreachable_policy=deny)
    org.feature("unsaid")
    org.feature("uncovered", unreachable_policy=allow)
    for key in ("open", "shut", "unsaid"):
        rows.entitle(customer, key)
    _until(org, "GRANTED", "unsaid", customer)

    def policies(*who):
        return [org.check(key, *who).unreachable_policy for key in ("open", "shut", "unsaid", "uncovered", "nothing")]

    assert policies(customer) == policies(customer) == [allow, deny, deny, allow, unknown]
    assert policies(NOBODY) == [allow, deny, deny, allow, unknown]
    listed = org.stub("entitlement").ListEntitlements(
        entitlement.ListEntitlementsRequest(customer_id=customer.customer_id)).answers
    assert [answer.unreachable_policy for answer in listed] == [allow, deny, deny]
    # A change holds for the next answer, from memory too.
    for key, policy in (("open", deny), ("uncovered", deny), ("shut", allow)):
        org.stub("catalog").UpdateFeature(catalog.UpdateFeatureRequest(
            feature=catalog.Feature(feature_key=key, unreachable_policy=policy), request_id=request_id()))
    assert policies(customer) == [deny, allow, deny, deny, unknown]


def test_the_merchants_own_id_is_as_good_as_ours(org, rows):
    customer = org.customer(external_customer_id="user-17")
    org.feature("sso")
    rows.entitle(customer, "sso")
    answer = _until(org, "GRANTED", "sso", external="user-17")
    assert answer.query.customer_id == customer.customer_id
    assert answer.query.feature_key == "sso"
    assert org.check("sso", customer).allowed


def test_an_own_id_that_moves_takes_the_answers_along(org, rows):
    pb = org.pb("customer")
    one, two = org.customer(external_customer_id="a"), org.customer(external_customer_id="b")
    org.feature("sso")
    rows.entitle(one, "sso")
    _until(org, "GRANTED", "sso", external="a")
    assert not org.check("sso", external="b").allowed

    def rename(customer, name):
        org.stub("customer").UpdateCustomer(pb.UpdateCustomerRequest(
            customer=pb.Customer(customer_id=customer.customer_id, external_customer_id=name),
            update_mask={"paths": ["external_customer_id"]}, request_id=request_id()))

    rename(one, "c")
    rename(two, "a")
    # The feature was given by hand and is gone with the rebuild; who is meant is what counts.
    assert wait_for(lambda: org.check("sso", external="a").query.customer_id == two.customer_id, 1, "the move")
    assert org.reason(org.check("sso", external="b")) == "CUSTOMER_NOT_FOUND"
    assert org.check("sso", external="c").query.customer_id == one.customer_id


def test_another_organisation_knows_nothing(org, org2, rows):
    customer = org.customer(external_customer_id="shared")
    org.feature("sso")
    org2.feature("sso")
    rows.entitle(customer, "sso")
    _until(org, "GRANTED", "sso", customer)
    for _ in range(2):
        assert org2.reason(org2.check("sso", customer)) == "CUSTOMER_NOT_FOUND"
        assert org2.reason(org2.check("sso", external="shared")) == "CUSTOMER_NOT_FOUND"


# --- reasons --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("access,columns,allowed,reason", [
    ("GRANTED", {}, True, "GRANTED"),
    ("GRACE", {}, True, "GRANTED_GRACE"),
    ("GRACE", {"access_until": 60}, True, "GRANTED_GRACE"),
    ("GRACE", {"access_until": -60}, False, "PAYMENT_OVERDUE"),
    ("GRANTED", {"access_until": -60}, False, "GRANT_EXPIRED"),
    ("NOT_YET_ACTIVE", {"access_until": 60}, False, "NOT_YET_ACTIVE"),
    ("NOT_YET_ACTIVE", {"access_until": -60}, True, "GRANTED"),
    ("PAYMENT_INCOMPLETE", {}, False, "PAYMENT_INCOMPLETE"),
    ("PAYMENT_OVERDUE", {}, False, "PAYMENT_OVERDUE"),
    ("SUBSCRIPTION_PAUSED", {}, False, "SUBSCRIPTION_PAUSED"),
    ("GRANT_EXPIRED", {}, False, "GRANT_EXPIRED"),
    ("REVOKED", {}, False, "REVOKED"),
])
def test_access_decides(org, rows, access, columns, allowed, reason):
    customer = org.customer()
    org.feature("sso")
    if "access_until" in columns:
        columns = {"access_until": _from_now(seconds=columns["access_until"])}

    def given():
        """Again and again: a job takes away what is due, and knows nothing of what was given by hand."""
        rows.entitle(customer, "sso", access, **columns)
        answer = org.check("sso", customer, max_staleness={"seconds": 0})
        return answer if org.reason(answer) == reason else None

    answer = wait_for(given, 3, reason)
    assert answer.allowed == allowed
    assert answer.message
    until = columns.get("access_until")
    if until is not None and until > _from_now(seconds=1):
        assert answer.freshness.valid_until_time.seconds == int(until.timestamp())
    else:
        assert not answer.freshness.HasField("valid_until_time")


def test_a_quantity_of_a_feature_that_has_none(org, rows):
    customer = org.customer()
    org.feature("sso")
    org.feature("plain")
    rows.entitle(customer, "sso")
    _until(org, "GRANTED", "sso", customer)
    for quantity, reason in ((0, "GRANTED"), (1, "GRANTED"), (2, "FEATURE_TYPE_MISMATCH")):
        assert org.reason(org.check("sso", customer, quantity=quantity)) == reason
    assert org.reason(org.check("plain", customer, quantity=2)) == "FEATURE_TYPE_MISMATCH"
    assert org.reason(org.check("plain", customer)) == "FEATURE_NOT_IN_PLAN"


def test_a_block_stands_above_everything_but_what_is_missing(org, rows):
    customer = org.customer()
    org.feature("sso")
    rows.entitle(customer, "sso", "PAYMENT_OVERDUE")
    _until(org, "PAYMENT_OVERDUE", "sso", customer)
    with rows.connection.transaction():
        rows.run("UPDATE customers SET blocked_at = now() WHERE org_id = %(org_id)s")
        rows.head(customer)
    answer = _until(org, "BLOCKED", "sso", customer)
    assert not answer.allowed and not answer.HasField("retry_time")
    assert org.reason(org.check("none", customer)) == "FEATURE_NOT_FOUND"


def test_archiving_and_restoring_a_customer_changes_the_answer(org, rows):
    pb = org.pb("customer")
    customer = org.customer()
    org.feature("sso")
    rows.entitle(customer, "sso")
    _until(org, "GRANTED", "sso", customer)
    org.stub("customer").ArchiveCustomer(
        pb.ArchiveCustomerRequest(customer_id=customer.customer_id, request_id=request_id()))
    archived = _until(org, "CUSTOMER_ARCHIVED", "sso", customer, seconds=1)
    assert not archived.allowed
    org.stub("customer").RestoreCustomer(
        pb.RestoreCustomerRequest(customer_id=customer.customer_id, request_id=request_id()))
    _until(org, "NO_ACTIVE_SUBSCRIPTION", "sso", customer, seconds=1)


def test_who_has_an_archived_feature_keeps_it(org, rows):
    pb = org.pb("catalog")
    holder, other = org.customer(), org.customer()
    org.feature("sso")
    rows.entitle(holder, "sso")
    _until(org, "GRANTED", "sso", holder)
    assert org.reason(org.check("sso", other)) == "NO_ACTIVE_SUBSCRIPTION"
    org.stub("catalog").ArchiveFeature(pb.ArchiveFeatureRequest(feature_key="sso", request_id=request_id()))
    _until(org, "FEATURE_NOT_FOUND", "sso", other, seconds=1)
    assert org.check("sso", holder).allowed
    assert org.check("sso", holder, max_staleness={"seconds": 0}).allowed


# The states of a real subscription, through the rebuild that every change of the mirror causes.
@pytest.fixture()
def subscribed(org, rows):
    org.connect_account()
    org.meter("calls")
    org.feature("calls", "METERED", meter_key="calls")
    org.feature("sso")
    org.feature("seats_each", "METERED", meter_key="calls")
    catalog = org.pb("catalog")
    org.plan("pro", [org.limit("calls", 100), catalog.PlanFeature(feature_key="sso"),
                     org.limit("seats_each", 10, limit_basis=catalog.LIMIT_BASIS_SEAT)])
    customer = org.customer(email="buyer@example.com")
    subscription = org.subscribe(customer, "pro", quantity=3)
    # What webhooks bring from now on is older than what stands there: the row is the test's.
    rows.run("UPDATE subscriptions SET fetch_number = 9000000000000000000 WHERE org_id = %(org_id)s")
    return customer, subscription


def _touch(org, customer):
    """Rebuilds what the customer has."""
    pb = org.pb("customer")
    org.stub("customer").UpdateCustomer(pb.UpdateCustomerRequest(
        customer=pb.Customer(customer_id=customer.customer_id, external_customer_id=f"x-{request_id()}"),
        update_mask={"paths": ["external_customer_id"]}, request_id=request_id()))


def test_the_state_of_the_subscription_decides(org, rows, subscribed):
    customer, subscription = subscribed
    answer = _until(org, "GRANTED", "sso", customer)
    assert answer.provenance.subscription_id == subscription.subscription_id
    assert answer.provenance.plan_version == 1
    assert answer.provenance.kind == org.pb("entitlement").PROVENANCE_KIND_PLAN
    assert org.check("seats_each", customer).balance.limit == 30
    org.feature("other")
    assert org.reason(org.check("other", customer)) == "FEATURE_NOT_IN_PLAN"
    for status, past_due, reason, other in (
            ("TRIALING", None, "GRANTED", "FEATURE_NOT_IN_PLAN"),
            ("PAST_DUE", _from_now(days=-1), "GRANTED_GRACE", "FEATURE_NOT_IN_PLAN"),
            ("PAST_DUE", _from_now(days=-4), "PAYMENT_OVERDUE", "PAYMENT_OVERDUE"),
            ("UNPAID", _from_now(days=-1), "PAYMENT_OVERDUE", "PAYMENT_OVERDUE"),
            ("PAUSED", None, "SUBSCRIPTION_PAUSED", "SUBSCRIPTION_PAUSED"),
            ("INCOMPLETE", None, "PAYMENT_INCOMPLETE", "PAYMENT_INCOMPLETE"),
            ("PENDING", None, "PAYMENT_INCOMPLETE", "PAYMENT_INCOMPLETE"),
            ("INCOMPLETE_EXPIRED", None, "NO_ACTIVE_SUBSCRIPTION", "NO_ACTIVE_SUBSCRIPTION"),
            ("CANCELED", None, "NO_ACTIVE_SUBSCRIPTION", "NO_ACTIVE_SUBSCRIPTION"),
            ("ACTIVE", None, "GRANTED", "FEATURE_NOT_IN_PLAN")):
        rows.run("UPDATE subscriptions SET status = %(status)s, past_due_since = %(since)s WHERE org_id = %(org_id)s",
                 status=status, since=past_due)
        _touch(org, customer)
        answer = _until(org, reason, "sso", customer)
        assert org.reason(org.check("other", customer)) == other, status
        if reason == "GRANTED_GRACE":
            end = past_due + datetime.timedelta(days=3)
            assert answer.freshness.valid_until_time.seconds == int(end.timestamp())


def test_grace_that_ends_is_taken_away_by_itself(org, rows, subscribed):
    customer, _ = subscribed
    rows.run("UPDATE subscriptions SET status = 'PAST_DUE', past_due_since = %(since)s WHERE org_id = %(org_id)s",
             since=_from_now(days=-3, seconds=3))
    _touch(org, customer)
    grace = _until(org, "GRANTED_GRACE", "sso", customer)
    version = grace.freshness.state_version
    overdue = _until(org, "PAYMENT_OVERDUE", "sso", customer, seconds=5)
    assert not overdue.allowed
    # The job follows with the rows, so that subscribers hear of it.
    wait_for(lambda: org.check("sso", customer).freshness.state_version > version, 3, "the rebuild")
    assert rows.run("SELECT DISTINCT access FROM entitlement_snapshots WHERE org_id = %(org_id)s") == [
        ("PAYMENT_OVERDUE",)]


# --- numbers --------------------------------------------------------------------------------------------------------


@pytest.fixture()
def metered(org, rows):
    """A customer with 100 calls a day."""
    org.meter("calls")
    org.feature("calls", "METERED", meter_key="calls")
    customer = org.customer()
    rows.entitle(customer, "calls", limit_value=100, reset_period="DAY", overage_policy="DENY")
    _until(org, "GRANTED", "calls", customer)
    return customer


def test_the_balance_follows_the_usage(org, metered):
    day = 86400
    for number, (quantity, used) in enumerate([(0, 0), (30, 30), (69, 99), (1, 100), (15, 115)]):
        org.report((f"e{number}", metered.customer_id, "calls", quantity))
        balance = org.check("calls", metered).balance
        assert (balance.limit, balance.used, balance.reserved) == (100, used, 0)
        assert balance.remaining == max(0, 100 - used)
        assert balance.overage == max(0, used - 100)
        assert balance.period_start_time.seconds % day == 0
        assert balance.reset_time.seconds == balance.period_start_time.seconds + day
        assert not balance.unlimited
    answer = org.check("calls", metered)
    assert org.reason(answer) == "USAGE_LIMIT_REACHED"
    assert answer.retry_time.seconds == answer.balance.reset_time.seconds
    assert answer.freshness.valid_until_time.seconds == answer.balance.reset_time.seconds


def test_the_quantity_is_compared_with_what_remains(org, metered):
    org.report(("e", metered.customer_id, "calls", 60))
    for quantity, reason, retry in ((0, "GRANTED", False), (40, "GRANTED", False), (41, "USAGE_LIMIT_REACHED", True),
                                    (100, "USAGE_LIMIT_REACHED", True), (101, "USAGE_LIMIT_REACHED", False),
                                    (2**63 - 1, "USAGE_LIMIT_REACHED", False)):
        answer = org.check("calls", metered, quantity=quantity)
        assert org.reason(answer) == reason, quantity
        assert answer.HasField("retry_time") == retry, quantity
    with fails("QUANTITY_NEGATIVE", grpc.StatusCode.INVALID_ARGUMENT) as failed:
        org.check("calls", metered, quantity=-1)
    assert failed[0].metadata["quantity"] == "-1"


@pytest.mark.parametrize("columns,used,quantity,reason", [
    ({"overage_policy": "ALLOW"}, 100, 1, "GRANTED_OVERAGE"),
    ({"overage_policy": "ALLOW"}, 99, 1, "GRANTED"),
    ({"overage_policy": "BILL", "overage_max": 10}, 100, 10, "GRANTED_OVERAGE"),
    ({"overage_policy": "BILL", "overage_max": 10}, 100, 11, "USAGE_LIMIT_REACHED"),
    ({"unlimited": True, "limit_value": 0}, 100, 2**62, "GRANTED"),
])
def test_past_the_limit_the_policy_decides(org, rows, metered, columns, used, quantity, reason):
    version = rows.entitle(metered, "calls", **{"limit_value": 100, "reset_period": "DAY", **columns})
    org.report(("e", metered.customer_id, "calls", used))
    wait_for(lambda: org.check("calls", metered).freshness.state_version == version, 2, "the change")
    answer = org.check("calls", metered, quantity=quantity)
    assert org.reason(answer) == reason
    assert answer.balance.used == used
    assert answer.balance.unlimited == columns.get("unlimited", False)
    assert answer.balance.overage_max == columns.get("overage_max", 0)


def test_a_metered_feature_that_is_not_in_the_plan_has_an_empty_balance(org):
    org.meter("calls")
    org.feature("calls", "METERED", meter_key="calls")
    answer = org.check("calls", org.customer(), quantity=5)
    assert org.reason(answer) == "NO_ACTIVE_SUBSCRIPTION"
    assert answer.HasField("balance") and answer.balance.limit == 0 and answer.balance.remaining == 0


def test_a_configuration_has_its_value(org, rows):
    org.feature("seats", "CONFIG")
    customer = org.customer()
    for value, field, shown in (('{"number": 50}', "number", 50), ('{"text": "gold"}', "text", "gold"),
                                ('{"json": {"a": [1, 2]}}', "json", '{"a":[1,2]}')):
        version = rows.entitle(customer, "seats", config_value=value)
        wait_for(lambda: org.check("seats", customer).freshness.state_version == version, 2, "the change")
        config = org.check("seats", customer).config
        assert config.WhichOneof("value") == field and getattr(config, field) == shown


# --- the age of an answer -------------------------------------------------------------------------------------------


def test_the_first_answer_is_of_the_database_and_the_next_of_memory(org, rows):
    customer = org.customer()
    org.feature("sso")
    assert _origin(org, org.check("sso", customer)) == "DATABASE"
    answer = org.check("sso", customer)
    assert _origin(org, answer) == "CACHE" and not answer.freshness.stale
    assert abs(answer.freshness.as_of_time.seconds - time.time()) < 3
    version = rows.entitle(customer, "sso")
    changed = _until(org, "GRANTED", "sso", customer)
    assert changed.freshness.state_version == version
    assert _origin(org, org.check("sso", customer)) == "CACHE"


def test_state_versions_only_grow(org, rows):
    customer = org.customer()
    org.feature("sso")
    seen = org.check("sso", customer).freshness.state_version
    for _ in range(5):
        version = rows.entitle(customer, "sso")
        assert version > seen
        wait_for(lambda: org.check("sso", customer).freshness.state_version == version, 2, "the change")
        seen = version


def test_max_staleness_zero_asks_the_database(org, rows):
    customer = org.customer()
    org.feature("sso")
    org.check("sso", customer)
    assert _origin(org, org.check("sso", customer)) == "CACHE"
    for _ in range(3):
        assert _origin(org, org.check("sso", customer, max_staleness={"seconds": 0})) == "DATABASE"
    assert _origin(org, org.check("sso", customer, max_staleness={"seconds": 60})) == "CACHE"
    with fails("FIELD_INVALID", field="max_staleness"):
        org.check("sso", customer, max_staleness={"seconds": -1})


def test_a_change_is_seen_with_the_next_check_that_allows_no_age(org, rows):
    customer = org.customer()
    org.feature("sso")
    for access, reason in (("GRANTED", "GRANTED"), ("REVOKED", "REVOKED")) * 5:
        rows.entitle(customer, "sso", access)
        assert org.reason(org.check("sso", customer, max_staleness={"seconds": 0})) == reason


def test_a_second_server_sees_a_change_within_a_second(org, rows, stubs, sandbox, cluster, server):
    second = world.Server(cluster, database=server.database)
    second.use(sandbox)
    second.bootstrap_token = server.bootstrap_token
    second.start()
    try:
        customer = org.customer()
        org.feature("sso")
        there = world._WithKey(org.key)
        channel = grpc.intercept_channel(second.channel(), there)
        pb = org.pb("entitlement")
        stub = stubs.stub("entitlement", channel)

        def check():
            return stub.CheckEntitlement(pb.CheckEntitlementRequest(query=pb.EntitlementQuery(
                customer_id=customer.customer_id, feature_key="sso"))).answer

        for _ in range(2):
            assert org.reason(check()) == "NO_ACTIVE_SUBSCRIPTION"
        for access, reason in (("GRANTED", "GRANTED"), ("PAYMENT_OVERDUE", "PAYMENT_OVERDUE")) * 3:
            rows.entitle(customer, "sso", access)
            wait_for(lambda: org.reason(check()) == reason, 1, f"the second server says {reason}")
            assert _origin(org, check()) == "CACHE"
    finally:
        second.close()


def test_usage_counted_by_a_second_server_is_seen_near_the_limit(org, metered, stubs, sandbox, cluster, server):
    second = world.Server(cluster, database=server.database)
    second.use(sandbox)
    second.bootstrap_token = server.bootstrap_token
    second.start()
    try:
        pb = org.pb("usage")
        stub = stubs.stub("usage", grpc.intercept_channel(second.channel(), world._WithKey(org.key)))
        org.report(("here", metered.customer_id, "calls", 95))
        assert org.check("calls", metered).balance.used == 95
        stub.ReportUsage(pb.ReportUsageRequest(events=[pb.UsageEvent(
            event_id="there", customer_id=metered.customer_id, meter_key="calls", quantity=5)]))
        answer = org.check("calls", metered)  # within the guard band the counter itself is read
        assert org.reason(answer) == "USAGE_LIMIT_REACHED" and answer.balance.used == 100
    finally:
        second.close()


# --- lists ----------------------------------------------------------------------------------------------------------


def test_a_list_has_every_feature_that_something_covers(org, rows):
    pb = org.pb("entitlement")
    customer = org.customer(external_customer_id="lister")
    org.meter("calls")
    org.feature("b", "METERED", meter_key="calls")
    org.feature("a")
    org.feature("c", "CONFIG")
    org.feature("uncovered")
    rows.entitle(customer, "b", limit_value=10, reset_period="MONTH")
    rows.entitle(customer, "a", "PAYMENT_OVERDUE")
    version = rows.entitle(customer, "c", config_value='{"number": 3}')
    stub = org.stub("entitlement")
    listed = wait_for(
        lambda: (r := stub.ListEntitlements(pb.ListEntitlementsRequest(customer_id=customer.customer_id)))
        and r.freshness.state_version == version and r, 2, "the list")
    assert [a.query.feature_key for a in listed.answers] == ["a", "b", "c"]
    assert [org.reason(a) for a in listed.answers] == ["PAYMENT_OVERDUE", "GRANTED", "GRANTED"]
    assert listed.answers[1].balance.limit == 10 and listed.answers[2].config.number == 3
    assert listed.customer_id == customer.customer_id
    assert all(a.freshness.state_version == version for a in listed.answers)
    by_own = stub.ListEntitlements(pb.ListEntitlementsRequest(external_customer_id="lister", allowed_only=True))
    assert [a.query.feature_key for a in by_own.answers] == ["b", "c"]
    assert all(a.query.customer_id == customer.customer_id for a in by_own.answers)


def test_a_list_of_nobody_fails(org):
    pb = org.pb("entitlement")
    stub = org.stub("entitlement")
    with fails("CUSTOMER_NOT_FOUND", grpc.StatusCode.NOT_FOUND) as failed:
        stub.ListEntitlements(pb.ListEntitlementsRequest(customer_id=NOBODY))
    assert failed[0].metadata == {"customer_id": NOBODY}
    with fails("CUSTOMER_NOT_FOUND") as failed:
        stub.ListEntitlements(pb.ListEntitlementsRequest(external_customer_id="nobody"))
    assert failed[0].metadata == {"external_customer_id": "nobody"}
    with fails("FIELD_INVALID", field="customer"):
        stub.ListEntitlements(pb.ListEntitlementsRequest())


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query,request_fields,field", [
    ({}, {}, "query.customer"),
    ({"customer_id": ""}, {}, "query.customer_id"),
    ({"customer_id": "cus_x"}, {}, "query.customer_id"),
    ({"customer_id": "plan_01J8Z0K3V9QH0000000000000A"}, {}, "query.customer_id"),
    ({"external_customer_id": ""}, {}, "query.external_customer_id"),
    ({"external_customer_id": "x" * 256}, {}, "query.external_customer_id"),
    ({"external_customer_id": "x", "feature_key": ""}, {}, "query.feature_key"),
    ({"external_customer_id": "x", "feature_key": "f" * 65}, {}, "query.feature_key"),
    ({"external_customer_id": "x", "entity_id": "seat"}, {}, "entity_id"),
    ({"external_customer_id": "x", "requested_values": ["a"]}, {}, "query.requested_values"),
    ({"external_customer_id": "x"}, {"at_time": {"seconds": 1}}, "at_time"),
    ({"external_customer_id": "x"}, {"view": 2}, "view"),
    ({"external_customer_id": "x"}, {"max_staleness": {"nanos": -1}}, "max_staleness"),
])
def test_what_cannot_be_answered_is_refused(org, query, request_fields, field):
    pb = org.pb("entitlement")
    query = {"feature_key": "sso", **query}
    with fails("FIELD_INVALID", grpc.StatusCode.INVALID_ARGUMENT, field):
        org.stub("entitlement").CheckEntitlement(
            pb.CheckEntitlementRequest(query=pb.EntitlementQuery(**query), **request_fields))


def test_a_question_is_required(org):
    pb = org.pb("entitlement")
    with fails("FIELD_INVALID", grpc.StatusCode.INVALID_ARGUMENT, "query"):
        org.stub("entitlement").CheckEntitlement(pb.CheckEntitlementRequest())
