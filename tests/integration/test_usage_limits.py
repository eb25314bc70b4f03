"""ReportUsage at its ends: the largest counter, the change of the period, a batch of strangers."""

import time

import pytest

from rows import Rows
from world import request_id

MOST = 2**63 - 1


@pytest.fixture()
def rows(org):
    made = Rows(org)
    yield made
    made.close()


def _word(org, result) -> str:
    if result.WhichOneof("result") == "outcome":
        return org.pb("usage").UsageOutcome.Name(result.outcome).removeprefix("USAGE_OUTCOME_")
    return org.stubs.pb("error_reason").ErrorReason.Name(result.error.reason).removeprefix("ERROR_REASON_")


def _used(org, customer) -> int:
    pb = org.pb("usage")
    (window,) = org.stub("usage").GetUsage(
        pb.GetUsageRequest(customer_id=customer.customer_id, meter_key="calls")).windows
    return window.used


def test_a_counter_that_would_overflow_refuses_its_event_and_no_other(org, rows):
    org.meter("calls")
    full, empty = org.customer(), org.customer()
    assert _word(org, org.report(("first", full.customer_id, "calls", 1))[0]) == "RECORDED"
    rows.run("UPDATE usage_counters SET used = %(most)s WHERE org_id = %(org_id)s", most=MOST - 20)

    events = [(f"e{i}", empty.customer_id, "calls", 1) for i in range(40)]
    events[7] = ("large", full.customer_id, "calls", 10**15)
    events[8] = ("large", full.customer_id, "calls", 10**15)
    events[30] = ("larger", full.customer_id, "calls", 10**15)
    events[31] = ("small", full.customer_id, "calls", 20)
    results = org.report(*events)
    words = [_word(org, result) for result in results]
    assert [i for i, word in enumerate(words) if word != "RECORDED"] == [7, 8, 30], words
    for at in (7, 8, 30):
        error = results[at].error
        assert (_word(org, results[at]), error.code) == ("QUANTITY_OVERFLOW", 3), error
        assert error.metadata["quantity"] == str(10**15) and set(error.metadata) == {"quantity", "current"}
        assert int(error.metadata["current"]) in (MOST - 20, MOST)
    assert (_used(org, full), _used(org, empty)) == (MOST, 36)

    # Its key was not taken, and what was stored is known.
    assert _word(org, org.report(("large", full.customer_id, "calls", 0))[0]) == "RECORDED"
    assert {_word(org, result) for result in org.report(*[e for e in events if e[1] == empty.customer_id])} == {
        "DUPLICATE"}
    assert (_used(org, full), _used(org, empty)) == (MOST, 36)


def test_a_repeat_is_found_across_the_change_of_the_period(own, stubs):
    import world

    server, sandbox = own()
    org = world.Org(server, stubs, sandbox)
    org.meter("calls")
    customer = org.customer()
    with server.cluster.connect(server.database) as connection:
        # The server's job moves it on when it starts, and every ten minutes.
        server.stop()
        connection.execute("UPDATE usage_period SET period = period - 1")
        connection.execute("CREATE FUNCTION stay() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
        connection.execute("CREATE TRIGGER stay BEFORE UPDATE ON usage_period FOR EACH ROW EXECUTE FUNCTION stay()")
        server.start()
        org.reconnect()
        events = [(f"e{i}", customer.customer_id, "calls", 2) for i in range(5)]
        assert [_word(org, r) for r in org.report(*events)] == ["RECORDED"] * 5
        before, stored = connection.execute(
            "SELECT (SELECT period FROM usage_period), (SELECT max(period) FROM usage_events)").fetchone()
        assert stored == before
        connection.execute("DROP TRIGGER stay ON usage_period")
        server.restart()
        org.reconnect()
        world.wait_for(
            lambda: connection.execute("SELECT period FROM usage_period").fetchone()[0] == before + 1, 5, "the roll")
        assert [_word(org, r) for r in org.report(*events)] == ["DUPLICATE"] * 5
        assert _word(org, org.report(("e0", customer.customer_id, "calls", 3))[0]) == "IDEMPOTENCY_KEY_REUSED"
        assert _word(org, org.report(("new", customer.customer_id, "calls", 1))[0]) == "RECORDED"
        assert connection.execute("SELECT count(*), max(period) FROM usage_events").fetchone() == (6, before + 1)
    assert _used(org, customer) == 11


def test_a_batch_of_a_thousand_customers_whom_nobody_has_asked_for(org, rows):
    org.meter("calls")
    org.customer()
    rows.run(
        "INSERT INTO customers (org_id, customer_id, external_id, name, email, phone, locale, time_zone,"
        " tax_exemption, metadata) SELECT %(org_id)s, gen_random_uuid(), 'many-' || n, '', '', '', '', '', 'NONE', '{}'"
        " FROM generate_series(1, 1000) AS n")
    pb = org.pb("usage")
    batch = pb.ReportUsageRequest(events=[
        pb.UsageEvent(event_id=request_id(), external_customer_id=f"many-{n + 1}", meter_key="calls", quantity=1)
        for n in range(1000)])
    began = time.monotonic()
    results = org.stub("usage").ReportUsage(batch).results
    took = time.monotonic() - began
    assert {_word(org, result) for result in results} == {"RECORDED"}
    print(f"1000 events of 1000 customers: {took:.3f} s")
    assert took < 3, took
    assert {_word(org, r) for r in org.stub("usage").ReportUsage(batch).results} == {"DUPLICATE"}


def test_a_batch_may_reach_more_limits_than_one_transaction_tells_of(org, rows):
    org.meter("calls")
    for key in ("daily", "monthly"):
        org.feature(key, "METERED", meter_key="calls")
    rows.run(
        "WITH made AS (INSERT INTO customers (org_id, customer_id, external_id, name, email, phone, locale,"
        " time_zone, tax_exemption, metadata) SELECT %(org_id)s, gen_random_uuid(), 'limit-' || n, '', '', '', '', '',"
        " 'NONE', '{}' FROM generate_series(1, 600) AS n RETURNING customer_id)"
        " SELECT count(*) FROM made")
    for key, reset in (("daily", "DAY"), ("monthly", "MONTH")):
        rows.run(
            "INSERT INTO entitlement_snapshots (org_id, customer_id, feature_id, access, limit_value, reset_period,"
            " provenance) SELECT c.org_id, c.customer_id, f.feature_id, 'GRANTED', 1, %(reset)s, 'PLAN'"
            " FROM customers c JOIN features f ON f.org_id = c.org_id AND f.key = %(key)s"
            " WHERE c.org_id = %(org_id)s", key=key, reset=reset)
    pb = org.pb("usage")
    results = org.stub("usage").ReportUsage(pb.ReportUsageRequest(events=[
        pb.UsageEvent(event_id=request_id(), external_customer_id=f"limit-{n + 1}", meter_key="calls", quantity=1)
        for n in range(600)])).results
    assert {_word(org, result) for result in results} == {"RECORDED"}
    assert rows.run("SELECT count(*) FROM event_log WHERE org_id = %(org_id)s"
                    " AND type = 'USAGE_LIMIT_REACHED'") == [(1200,)]
