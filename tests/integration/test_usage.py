"""ReportUsage and GetUsage: each event counts exactly once, whatever is sent again, and whoever dies meanwhile."""

import concurrent.futures
import datetime
import random
import threading
import time

import grpc
import pytest

from errors import fails
from rows import Rows
from world import request_id, wait_for

OUTCOMES = {1: "RECORDED", 2: "DUPLICATE", 3: "RECORDED_LATE"}
NOBODY = "cus_01J8Z0K3V9QH0000000000000A"


@pytest.fixture()
def rows(org):
    made = Rows(org)
    yield made
    made.close()


@pytest.fixture()
def buyer(org):
    """A customer of an organisation with two meters that no feature uses."""
    org.meter("calls")
    org.meter("visits", "COUNT")
    return org.customer(external_customer_id="buyer")


def _event(org, event_id, customer, meter="calls", **fields):
    return org.pb("usage").UsageEvent(event_id=event_id, customer_id=customer.customer_id, meter_key=meter, **fields)


def _send(org, *events):
    pb = org.pb("usage")
    return org.stub("usage").ReportUsage(pb.ReportUsageRequest(events=events)).results


def _word(org, result) -> str:
    """RECORDED, or the reason of the error."""
    if result.WhichOneof("result") == "outcome":
        return OUTCOMES[result.outcome]
    return org.stubs.pb("error_reason").ErrorReason.Name(result.error.reason).removeprefix("ERROR_REASON_")


def _words(org, *events):
    return [_word(org, result) for result in _send(org, *events)]


def _windows(org, customer, meter=""):
    pb = org.pb("usage")
    return org.stub("usage").GetUsage(
        pb.GetUsageRequest(customer_id=customer.customer_id, meter_key=meter)).windows


def _used(org, customer, meter="calls") -> int:
    (window,) = _windows(org, customer, meter)
    return window.used


# --- exactly once ---------------------------------------------------------------------------------------------------


def test_a_repeat_in_one_batch_counts_once(org, buyer):
    assert _words(org, *[_event(org, e, buyer, quantity=5) for e in ("a", "b", "a", "a", "b")]) == [
        "RECORDED", "RECORDED", "DUPLICATE", "DUPLICATE", "DUPLICATE"]
    assert _used(org, buyer) == 10


def test_a_repeat_in_another_call_counts_once(org, buyer):
    events = [_event(org, f"e{i}", buyer, quantity=i) for i in range(10)]
    assert _words(org, *events) == ["RECORDED"] * 10
    for _ in range(3):
        assert _words(org, *reversed(events)) == ["DUPLICATE"] * 10
    assert _used(org, buyer) == 45


def test_the_source_is_part_of_the_key(org, buyer):
    assert _words(org, *[_event(org, "a", buyer, source=s, quantity=1) for s in ("", "x", "y", "x")]) == [
        "RECORDED", "RECORDED", "RECORDED", "DUPLICATE"]
    # Neither can one be split into the other.
    assert _words(org, _event(org, "b", buyer, source="xa"), _event(org, "ab", buyer, source="x")) == ["RECORDED"] * 2
    assert _used(org, buyer) == 5


def test_organisations_do_not_share_keys(org, org2, buyer):
    org2.meter("calls")
    other = org2.customer()
    assert _words(org, _event(org, "a", buyer)) == ["RECORDED"]
    assert _words(org2, _event(org2, "a", other)) == ["RECORDED"]


def test_a_key_with_other_content_is_refused(org, buyer):
    second = org.customer()
    when = {"seconds": int(time.time()) - 60}
    first = _event(org, "a", buyer, source="s", quantity=5, event_time=when, properties={"k": "v"})
    assert _words(org, first) == ["RECORDED"]
    for change in ({"quantity": 6}, {"meter_key": "visits"}, {"customer_id": second.customer_id},
                   {"event_time": {"seconds": when["seconds"] + 1}}, {"properties": {"k": "w"}}):
        other = org.pb("usage").UsageEvent()
        other.CopyFrom(first)
        for name, value in change.items():
            if name == "event_time":
                other.event_time.seconds = value["seconds"]
            elif name == "properties":
                other.properties["k"] = value["k"]
            else:
                setattr(other, name, value)
        (result,) = _send(org, other)
        assert _word(org, result) == "IDEMPOTENCY_KEY_REUSED", change
        assert result.error.code == 3
        assert dict(result.error.metadata) == {"event_id": "a", "source": "s"}
    assert _words(org, first) == ["DUPLICATE"]
    assert _used(org, buyer) == 5


def test_a_key_with_other_content_in_one_batch_is_refused(org, buyer):
    events = [_event(org, "a", buyer, quantity=q) for q in (1, 2, 1)]
    assert _words(org, *events) == ["RECORDED", "IDEMPOTENCY_KEY_REUSED", "DUPLICATE"]
    assert _used(org, buyer) == 1


def test_either_id_of_the_customer_makes_the_same_event(org, buyer):
    pb = org.pb("usage")
    own = pb.UsageEvent(event_id="a", external_customer_id="buyer", meter_key="calls", quantity=2)
    assert _words(org, _event(org, "a", buyer, quantity=2)) == ["RECORDED"]
    assert _words(org, own) == ["DUPLICATE"]


def test_the_order_of_properties_does_not_make_another_event(org, buyer):
    """Some clients write a map in another order each time, a retry included."""
    plain = _event(org, "a", buyer, quantity=1).SerializeToString()

    def entry(key, value):
        pair = b"\x0a" + bytes([len(key)]) + key + b"\x12" + bytes([len(value)]) + value
        return b"\x42" + bytes([len(pair)]) + pair

    entries = [entry(b"region", b"eu"), entry(b"model", b"large"), entry(b"tier", b"1")]
    call = org.channel.unary_unary("/billingos.v1.UsageService/ReportUsage")
    for number, order in enumerate(([0, 1, 2], [2, 0, 1], [1, 2, 0])):
        event = plain + b"".join(entries[i] for i in order)
        answer = call(b"\x0a" + bytes([len(event)]) + event)
        (result,) = org.pb("usage").ReportUsageResponse.FromString(answer).results
        assert _word(org, result) == ("DUPLICATE" if number else "RECORDED")


# --- sizes ----------------------------------------------------------------------------------------------------------


def test_a_thousand_events_are_one_call(org, buyer):
    events = [_event(org, f"e{i}", buyer, quantity=i, properties={"n": str(i)}) for i in range(1000)]
    assert _words(org, *events) == ["RECORDED"] * 1000
    assert _words(org, *events) == ["DUPLICATE"] * 1000
    (window,) = _windows(org, buyer, "calls")
    assert (window.used, window.event_count) == (499500, 1000)


def test_one_more_is_refused_as_a_whole(org, buyer):
    events = [_event(org, f"e{i}", buyer) for i in range(1001)]
    with fails("LIMIT_EXCEEDED", grpc.StatusCode.INVALID_ARGUMENT) as failed:
        _send(org, *events)
    assert failed[0].metadata == {"field": "events", "count": "1001", "max": "1000"}
    with fails("FIELD_INVALID", grpc.StatusCode.INVALID_ARGUMENT, "events"):
        _send(org)
    assert _used(org, buyer) == 0


def test_everything_at_its_largest_is_taken(org, buyer):
    properties = {f"{i:02}" + "k" * 62: "v" * 256 for i in range(20)}
    events = [_event(org, f"{i:03}" + "e" * 125, buyer, source="s" * 64, quantity=10**15, properties=properties)
              for i in range(100)]
    assert _words(org, *events) == ["RECORDED"] * 100
    assert _used(org, buyer) == 10**17


# --- what is wrong with one spoils nothing else ---------------------------------------------------------------------


@pytest.mark.parametrize("change,reason,code,metadata", [
    ({"event_id": ""}, "FIELD_INVALID", 3, {"event_id"}),
    ({"event_id": "e" * 129}, "FIELD_INVALID", 3, {"event_id"}),
    ({"source": "s" * 65}, "FIELD_INVALID", 3, {"source"}),
    ({"customer_id": None}, "FIELD_INVALID", 3, {"customer"}),
    ({"customer_id": "cus_nobody"}, "FIELD_INVALID", 3, {"customer_id"}),
    ({"customer_id": NOBODY}, "CUSTOMER_NOT_FOUND", 5, {"customer_id"}),
    ({"external_customer_id": "nobody"}, "CUSTOMER_NOT_FOUND", 5, {"external_customer_id"}),
    ({"external_customer_id": ""}, "FIELD_INVALID", 3, {"external_customer_id"}),
    ({"meter_key": ""}, "FIELD_INVALID", 3, {"meter_key"}),
    ({"meter_key": "No Key"}, "FIELD_INVALID", 3, {"meter_key"}),
    ({"meter_key": "nothing"}, "METER_NOT_FOUND", 5, {"meter_key"}),
    ({"quantity": -1}, "QUANTITY_NEGATIVE", 3, {"quantity"}),
    ({"quantity": -2**63}, "QUANTITY_NEGATIVE", 3, {"quantity"}),
    ({"quantity": 10**15 + 1}, "QUANTITY_OVERFLOW", 3, {"quantity"}),
    ({"quantity": 2**63 - 1}, "QUANTITY_OVERFLOW", 3, {"quantity"}),
    ({"event_time": {"seconds": 2**40}}, "FIELD_INVALID", 3, {"event_time"}),
    ({"event_time": {"nanos": -1}}, "FIELD_INVALID", 3, {"event_time"}),
    ({"event_time": {"seconds": 250 * 10**9}}, "EVENT_TIME_IN_FUTURE", 3, {"event_time"}),
    ({"event_time": {"seconds": 0}}, "EVENT_TOO_OLD", 11, {"event_time", "earliest_time"}),
    ({"event_time": {"seconds": -(10**9)}}, "EVENT_TOO_OLD", 11, {"event_time", "earliest_time"}),
    ({"entity_id": "seat-1"}, "FIELD_INVALID", 3, {"entity_id"}),
    ({"properties": {f"k{i}": "v" for i in range(21)}}, "FIELD_INVALID", 3, {"properties"}),
    ({"properties": {"k" * 65: "v"}}, "FIELD_INVALID", 3, {"properties"}),
    ({"properties": {"": "v"}}, "FIELD_INVALID", 3, {"properties"}),
    ({"properties": {"k": "v" * 257}}, "FIELD_INVALID", 3, {"properties"}),
])
def test_a_bad_event_is_told_and_the_others_are_stored(org, buyer, change, reason, code, metadata):
    fields = {"event_id": "bad", "customer_id": buyer.customer_id, "meter_key": "calls", **change}
    if "external_customer_id" in fields or fields["customer_id"] is None:
        del fields["customer_id"]
    bad = org.pb("usage").UsageEvent(**fields)
    results = _send(org, _event(org, "one", buyer), bad, _event(org, "two", buyer), bad)
    assert [_word(org, result) for result in results] == ["RECORDED", reason, "RECORDED", reason]
    for at in (1, 3):
        error = results[at].error
        assert error.code == code and error.message and set(error.metadata) == metadata, error
        assert not error.HasField("retry_delay")
    assert _used(org, buyer) == 2
    # Its id is free again.
    assert _words(org, _event(org, "bad", buyer)) == ["RECORDED"]


def test_an_archived_meter_takes_no_more_and_shows_what_it_has(org, buyer):
    pb = org.pb("catalog")
    assert _words(org, _event(org, "a", buyer, quantity=3), _event(org, "v", buyer, "visits")) == ["RECORDED"] * 2
    org.stub("catalog").ArchiveMeter(pb.ArchiveMeterRequest(meter_key="calls", request_id=request_id()))

    def refused():
        (result,) = _send(org, _event(org, request_id(), buyer))
        return result if _word(org, result) == "METER_ARCHIVED" else None

    error = wait_for(refused, 1, "METER_ARCHIVED").error
    assert error.code == 9 and dict(error.metadata) == {"meter_key": "calls"}
    shown = {window.meter_key: window.used for window in _windows(org, buyer)}
    assert shown["calls"] >= 3 and shown["visits"] == 1 and "" not in shown


# --- time -----------------------------------------------------------------------------------------------------------


def test_events_count_in_the_window_of_their_time(org, buyer, rows):
    org.feature("calls", "METERED", meter_key="calls")
    rows.entitle(buyer, "calls", limit_value=100, reset_period="DAY")
    wait_for(lambda: org.check("calls", buyer).allowed, 2, "the feature")
    now = datetime.datetime.now(datetime.timezone.utc)
    if now.hour == 0 and now.minute < 10 or now.hour == 23 and now.minute > 50:
        pytest.skip("too near to midnight")
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)

    def at(**span):
        return {"seconds": int((now + datetime.timedelta(**span)).timestamp())}

    assert _words(org, _event(org, "now", buyer, quantity=1), _event(org, "soon", buyer, quantity=2, event_time=at(minutes=4)),
                  _event(org, "yesterday", buyer, quantity=4, event_time=at(days=-1)),
                  _event(org, "long ago", buyer, quantity=8, event_time=at(days=-34)),
                  _event(org, "future", buyer, quantity=16, event_time=at(minutes=6))) == [
        "RECORDED", "RECORDED", "RECORDED_LATE", "RECORDED_LATE", "EVENT_TIME_IN_FUTURE"]
    (window,) = _windows(org, buyer, "calls")
    assert window.used == 3 and window.event_count == 2 and window.feature_key == "calls"
    assert window.start_time.seconds == int(day.timestamp())
    assert window.last_event_time.seconds == at(minutes=4)["seconds"]
    assert org.check("calls", buyer).balance.used == 3
    counted = dict(rows.run("SELECT window_at, used FROM usage_counters WHERE org_id = %(org_id)s"))
    assert counted[day] == 3 and counted[day - datetime.timedelta(days=1)] == 4 and len(counted) == 3


def test_usage_is_taken_for_35_days(org, buyer):
    now = datetime.datetime.now(datetime.timezone.utc)

    def event(name, **span):
        return _event(org, name, buyer, event_time=now + datetime.timedelta(**span))

    taken, refused = _send(org, event("taken", days=-35, seconds=30), event("old", days=-35, seconds=-1))
    assert _word(org, taken).startswith("RECORDED")
    assert _word(org, refused) == "EVENT_TOO_OLD" and refused.error.code == 11
    earliest = datetime.datetime.fromisoformat(refused.error.metadata["earliest_time"].replace("Z", "+00:00"))
    assert now - datetime.timedelta(days=35, minutes=1) < earliest < now - datetime.timedelta(days=34)


def test_what_no_feature_uses_counts_by_the_month(org, buyer):
    assert _words(org, _event(org, "a", buyer, quantity=7)) == ["RECORDED"]
    (window,) = _windows(org, buyer)
    month = datetime.datetime.now(datetime.timezone.utc).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    assert (window.meter_key, window.feature_key, window.used) == ("calls", "", 7)
    assert window.start_time.seconds == int(month.timestamp()) and not window.HasField("balance")


# --- quantities -----------------------------------------------------------------------------------------------------


def test_a_quantity_that_is_absent_is_one_and_zero_is_zero(org, buyer):
    assert _words(org, _event(org, "a", buyer), _event(org, "b", buyer, quantity=0)) == ["RECORDED"] * 2
    (window,) = _windows(org, buyer, "calls")
    assert (window.used, window.event_count) == (1, 2)


def test_a_counting_meter_counts_events(org, buyer):
    assert _words(org, *[_event(org, f"e{q}", buyer, "visits", quantity=q) for q in (0, 1, 1000)]) == ["RECORDED"] * 3
    (window,) = _windows(org, buyer, "visits")
    assert (window.used, window.event_count) == (3, 3)


def test_past_the_limit_usage_is_recorded_all_the_same(org, buyer, rows):
    org.feature("calls", "METERED", meter_key="calls")
    rows.entitle(buyer, "calls", limit_value=10, reset_period="MONTH")
    wait_for(lambda: org.check("calls", buyer).allowed, 2, "the feature")
    assert _words(org, *[_event(org, f"e{i}", buyer, quantity=6) for i in range(5)]) == ["RECORDED"] * 5
    (window,) = _windows(org, buyer, "calls")
    assert (window.used, window.balance.limit, window.balance.overage, window.balance.remaining) == (30, 10, 20, 0)


def test_two_features_of_one_meter_have_windows_of_their_own(org, buyer, rows):
    """Of the same length, from different anchors; and each is told of its own limit alone."""
    for key in ("by_day", "by_month", "from_anchor"):
        org.feature(key, "METERED", meter_key="calls")
    anchor = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=40, hours=3)
    rows.entitle(buyer, "by_day", limit_value=5, reset_period="DAY")
    rows.entitle(buyer, "by_month", limit_value=100, reset_period="MONTH")
    version = rows.entitle(buyer, "from_anchor", limit_value=3, reset_period="MONTH", anchor_at=anchor)
    wait_for(lambda: org.check("by_day", buyer).freshness.state_version == version, 2, "the features")
    # Counted in the month of its anchor alone: the other windows have not begun then, or are over.
    month = datetime.datetime.now(datetime.timezone.utc).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    windows = {window.feature_key: window for window in _windows(org, buyer, "calls")}
    assert windows["from_anchor"].start_time.seconds != windows["by_month"].start_time.seconds == int(month.timestamp())
    _send(org, _event(org, "a", buyer, quantity=4))
    assert {w.feature_key: w.used for w in _windows(org, buyer, "calls")} == {
        "by_day": 4, "by_month": 4, "from_anchor": 4}
    assert org.reason(org.check("from_anchor", buyer)) == "USAGE_LIMIT_REACHED"
    assert org.check("by_day", buyer).allowed and org.check("by_month", buyer).allowed
    told = rows.run("SELECT payload ->> 'feature_key' FROM event_log WHERE org_id = %(org_id)s"
                    " AND type = 'USAGE_LIMIT_REACHED'")
    assert told == [("from_anchor",)]
    _send(org, _event(org, "b", buyer, quantity=1))
    told = rows.run("SELECT payload ->> 'feature_key' FROM event_log WHERE org_id = %(org_id)s"
                    " AND type = 'USAGE_LIMIT_REACHED' ORDER BY seq")
    assert told == [("from_anchor",), ("by_day",)]


# --- GetUsage -------------------------------------------------------------------------------------------------------


def test_usage_is_read_by_either_id(org, buyer):
    pb = org.pb("usage")
    stub = org.stub("usage")
    _send(org, _event(org, "a", buyer, quantity=2))
    own = stub.GetUsage(pb.GetUsageRequest(external_customer_id="buyer", meter_key="calls"))
    assert own.customer_id == buyer.customer_id and own.windows[0].used == 2
    empty = stub.GetUsage(pb.GetUsageRequest(external_customer_id="buyer", meter_key="visits"))
    assert (empty.windows[0].used, empty.windows[0].event_count) == (0, 0)


def test_windows_are_in_the_order_of_the_meters(org, buyer, rows):
    for feature, meter in (("z", "calls"), ("a", "visits"), ("b", "calls")):
        org.feature(feature, "METERED", meter_key=meter)
        version = rows.entitle(buyer, feature, limit_value=5, reset_period="DAY")
    wait_for(lambda: org.check("b", buyer).freshness.state_version == version, 2, "the features")
    org.meter("attic")
    _send(org, _event(org, "a", buyer, "attic"))
    assert [(w.meter_key, w.feature_key) for w in _windows(org, buyer)] == [
        ("attic", ""), ("calls", "b"), ("calls", "z"), ("visits", "a")]


@pytest.mark.parametrize("fields,reason,code", [
    ({"customer_id": NOBODY}, "CUSTOMER_NOT_FOUND", grpc.StatusCode.NOT_FOUND),
    ({"external_customer_id": "nobody"}, "CUSTOMER_NOT_FOUND", grpc.StatusCode.NOT_FOUND),
    ({"external_customer_id": "buyer", "meter_key": "nothing"}, "METER_NOT_FOUND", grpc.StatusCode.NOT_FOUND),
    ({"external_customer_id": "buyer", "meter_key": "No Key"}, "FIELD_INVALID", grpc.StatusCode.INVALID_ARGUMENT),
    ({"external_customer_id": "buyer", "at_time": {"seconds": 1}}, "FIELD_INVALID", grpc.StatusCode.INVALID_ARGUMENT),
    ({"external_customer_id": "buyer", "entity_id": "x"}, "FIELD_INVALID", grpc.StatusCode.INVALID_ARGUMENT),
    ({}, "FIELD_INVALID", grpc.StatusCode.INVALID_ARGUMENT),
])
def test_usage_of_what_is_not_there(org, buyer, fields, reason, code):
    pb = org.pb("usage")
    with fails(reason, code):
        org.stub("usage").GetUsage(pb.GetUsageRequest(**fields))


# --- many at once, and death ----------------------------------------------------------------------------------------


def test_overlapping_batches_of_many_threads_count_exactly(org, buyer):
    second = org.customer()
    events = [_event(org, f"e{i}", (buyer, second)[i % 2], ("calls", "visits")[i // 2 % 2], quantity=1 + i % 7)
              for i in range(8000)]
    spread = random.Random(1)
    batches = [events[at:at + 100] for at in range(0, len(events), 100)]
    for batch in batches:
        batch += spread.sample(events, 43)  # 30 % of what is sent is sent by somebody else, too
        spread.shuffle(batch)
    spread.shuffle(batches)

    def run(own):
        return [word for batch in own for word in _words(org, *batch)]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        words = [word for part in pool.map(run, [batches[i::8] for i in range(8)]) for word in part]
    assert sorted(set(words)) == ["DUPLICATE", "RECORDED"]
    assert words.count("RECORDED") == len(events)
    for customer in (buyer, second):
        own = [e for e in events if e.customer_id == customer.customer_id]
        calls = sum(e.quantity for e in own if e.meter_key == "calls")
        visits = sum(1 for e in own if e.meter_key == "visits")
        assert (_used(org, customer, "calls"), _used(org, customer, "visits")) == (calls, visits)


def test_nothing_is_lost_or_counted_twice_when_the_server_is_killed(own, stubs):
    import world

    server, sandbox = own()
    org = world.Org(server, stubs, sandbox)
    org.meter("calls")
    buyer = org.customer()
    stop, sent, retries, failures = threading.Event(), [], [], []

    def report(name):
        number = 0
        while not stop.is_set():
            batch = [_event(org, f"{name}-{number}-{i}", buyer, quantity=1 + i % 3) for i in range(50)]
            while True:
                try:
                    words = _words(org, *batch)
                    break
                except grpc.RpcError as error:
                    if error.code() != grpc.StatusCode.UNAVAILABLE:
                        failures.append(error)
                        return
                    retries.append(name)
                    time.sleep(0.05)
            if set(words) - {"RECORDED", "DUPLICATE"}:
                failures.append(words)
            sent.append(sum(event.quantity for event in batch))
            number += 1

    threads = [threading.Thread(target=report, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for _ in range(4):
        time.sleep(0.7)
        server.kill9()
        server.start()
    time.sleep(0.3)
    stop.set()
    for thread in threads:
        thread.join(60)
    assert not failures, failures[:1]
    assert retries, "nobody was interrupted"
    (window,) = _windows(org, buyer, "calls")
    assert window.used == sum(sent)
    assert window.event_count == 50 * len(sent)
