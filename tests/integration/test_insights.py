"""WatchInsights: what comes, in which order, where it goes on, and how it ends."""

import queue
import threading
import time

import grpc
import pytest

import world
from errors import Failure, fails
from rows import Rows
from world import request_id, wait_for

NOBODY = "cus_01J8Z0K3V9QH0000000000000A"


@pytest.fixture()
def rows(org):
    made = Rows(org)
    yield made
    made.close()


class Watch:
    """One stream. Nothing is read before somebody asks, so that a slow reader can be played."""

    def __init__(self, org, **request):
        pb = org.pb("insights")
        self.types = pb.BillingEventType
        self.call = org.stub("insights").WatchInsights(pb.WatchInsightsRequest(**request))
        self.got = queue.Queue()
        self.reader = None

    def _read(self):
        try:
            for message in self.call:
                self.got.put(message)
            self.got.put(StopIteration())
        except grpc.RpcError as error:
            self.got.put(error)

    def next(self, seconds: float = 3.0):
        """The next message of any kind; the end of the stream is raised."""
        if self.reader is None:
            self.reader = threading.Thread(target=self._read, daemon=True)
            self.reader.start()
        try:
            message = self.got.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"nothing within {seconds} s") from None
        if isinstance(message, Exception):
            raise message
        return message

    def ready(self):
        message = self.next()
        assert message.WhichOneof("message") == "ready", message
        return self

    def event(self, name: str = None, seconds: float = 3.0):
        """The next message must be an event, of this type."""
        message = self.next(seconds)
        assert message.WhichOneof("message") == "event", message
        assert name is None or self.name(message) == name, message
        return message

    def events(self, count: int, seconds: float = 10.0):
        return [self.event(seconds=seconds) for _ in range(count)]

    def nothing(self, seconds: float = 0.4):
        try:
            message = self.next(seconds)
        except AssertionError:
            return
        raise AssertionError(f"this came: {message}")

    def name(self, message) -> str:
        return self.types.Name(message.event.type).removeprefix("BILLING_EVENT_TYPE_")

    def failure(self, seconds: float = 5.0) -> Failure:
        """What the stream ends with."""
        while True:
            try:
                self.next(seconds)
            except grpc.RpcError as error:
                return Failure(error)

    def close(self):
        self.call.cancel()


@pytest.fixture()
def watch(org):
    made = []

    def make(own=org, **request):
        made.append(Watch(own, **request))
        return made[-1]

    yield make
    for one in made:
        one.close()


def _type(org, name):
    return org.pb("insights").BillingEventType.Value(f"BILLING_EVENT_TYPE_{name}")


# --- what comes -----------------------------------------------------------------------------------------------------


def test_what_happens_comes_in_order(org, watch):
    feed = watch().ready()
    made = [org.customer().customer_id for _ in range(10)]
    got = feed.events(10)
    assert [message.event.customer_id for message in got] == made
    assert {feed.name(message) for message in got} == {"CUSTOMER_CREATED"}
    numbers = [message.event.sequence for message in got]
    assert numbers == list(range(numbers[0], numbers[0] + 10))
    assert len({message.event.event_id for message in got}) == 10
    assert all(message.event.event_id.startswith("evt_") for message in got)
    assert all(abs(message.event.create_time.seconds - time.time()) < 5 for message in got)
    assert len({message.resume_token for message in got}) == 10
    assert all(len(message.resume_token) <= 256 for message in got)


def test_an_event_is_there_within_a_second_of_its_commit(org, watch):
    feed = watch().ready()
    for _ in range(5):
        began = time.monotonic()
        org.customer()
        feed.event("CUSTOMER_CREATED")
        assert time.monotonic() - began < 1


def test_internal_signals_are_not_shown_and_leave_their_number(org, watch, rows):
    feed = watch().ready()
    org.feature("sso")  # tells caches
    first = org.customer()
    assert feed.event("CUSTOMER_CREATED").event.customer_id == first.customer_id
    feed.nothing()


def test_the_stream_begins_now(org, watch):
    org.customer()
    feed = watch()
    ready = feed.next()
    assert ready.WhichOneof("message") == "ready" and ready.ready.sequence >= 1
    assert abs(ready.ready.as_of_time.seconds - time.time()) < 5
    feed.nothing()


def test_organisations_do_not_hear_each_other(org, org2, watch):
    one, two = watch().ready(), watch(org2).ready()
    mine, theirs = org.customer(), org2.customer()
    assert one.event().event.customer_id == mine.customer_id
    assert two.event().event.customer_id == theirs.customer_id
    one.nothing()
    two.nothing()


def test_two_streams_of_one_organisation_get_the_same(org, watch):
    feeds = [watch().ready() for _ in range(3)]
    made = [org.customer().customer_id for _ in range(5)]
    for feed in feeds:
        assert [message.event.customer_id for message in feed.events(5)] == made


# --- filters --------------------------------------------------------------------------------------------------------


def test_only_the_types_that_were_asked_for(org, watch):
    feed = watch(types=[_type(org, "CUSTOMER_ARCHIVED"), _type(org, "CUSTOMER_UPDATED")]).ready()
    pb = org.pb("customer")
    customer = org.customer()
    org.stub("customer").ArchiveCustomer(
        pb.ArchiveCustomerRequest(customer_id=customer.customer_id, request_id=request_id()))
    org.stub("customer").RestoreCustomer(
        pb.RestoreCustomerRequest(customer_id=customer.customer_id, request_id=request_id()))
    feed.event("CUSTOMER_ARCHIVED")
    feed.event("CUSTOMER_UPDATED")
    feed.nothing()


def test_only_the_customers_that_were_asked_for(org, watch, rows):
    one, two, three = org.customer(), org.customer(external_customer_id="two"), org.customer()
    feed = watch(customer_ids=[one.customer_id], external_customer_ids=["two"]).ready()
    for customer in (three, two, one, three):
        rows.head(customer)
    assert feed.event("ENTITLEMENTS_CHANGED").event.customer_id == two.customer_id
    assert feed.event("ENTITLEMENTS_CHANGED").event.customer_id == one.customer_id
    feed.nothing()
    assert feed.got.empty()


def test_the_entitlements_event_says_from_which_version_on(org, watch, rows):
    customer = org.customer(external_customer_id="someone")
    feed = watch().ready()
    pb = org.pb("customer")
    org.stub("customer").ArchiveCustomer(
        pb.ArchiveCustomerRequest(customer_id=customer.customer_id, request_id=request_id()))
    event = feed.event("ENTITLEMENTS_CHANGED").event
    version = rows.run("SELECT state_version FROM entitlement_heads WHERE org_id = %(org_id)s")[0][0]
    assert version > 0 and event.entitlements.state_version == version
    assert feed.event("CUSTOMER_ARCHIVED").event.external_customer_id == "someone"


def test_only_what_is_urgent_enough(org, watch, rows):
    pb = org.pb("insights")
    customer = org.customer()
    feed = watch(severity_min=pb.SEVERITY_WARNING).ready()
    none = watch(severity_min=pb.SEVERITY_CRITICAL).ready()
    rows.head(customer)
    rows.tell("USAGE_LIMIT_REACHED", customer, {"feature_key": "calls", "limit": 5, "used": 7})
    event = feed.event("USAGE_LIMIT_REACHED").event
    assert event.severity == pb.SEVERITY_WARNING
    assert event.usage_threshold.balance.overage == 2
    feed.nothing()
    none.nothing(0.1)


@pytest.mark.parametrize("request_fields,reason,field", [
    ({"types": [0]}, "FIELD_INVALID", "types"),
    ({"types": [9999]}, "FIELD_INVALID", "types"),
    ({"types": [1] * 101}, "LIMIT_EXCEEDED", None),
    ({"customer_ids": ["cus_x"]}, "FIELD_INVALID", "customer_ids"),
    ({"customer_ids": [""]}, "FIELD_INVALID", "customer_ids"),
    ({"customer_ids": [NOBODY] * 600, "external_customer_ids": ["x"] * 401}, "LIMIT_EXCEEDED", None),
    ({"external_customer_ids": ["nobody"]}, "CUSTOMER_NOT_FOUND", None),
    ({"external_customer_ids": [""]}, "FIELD_INVALID", "external_customer_ids"),
    ({"external_customer_ids": ["x" * 256]}, "FIELD_INVALID", "external_customer_ids"),
    ({"plan_ids": ["plan_x"]}, "FIELD_INVALID", "plan_ids"),
    ({"start_time": {"seconds": 1}}, "FIELD_INVALID", "start_time"),
    ({"include_open_insights": True}, "FIELD_INVALID", "include_open_insights"),
    ({"resume_token": "junk"}, "RESUME_TOKEN_INVALID", None),
    ({"resume_token": "x" * 5000}, "RESUME_TOKEN_INVALID", None),
])
def test_what_cannot_be_watched_is_refused(watch, request_fields, reason, field):
    with fails(reason, field=field):
        watch(**request_fields).next()


def test_a_key_needs_the_scope(org, server, watch):
    pb = org.pb("organization")
    made = org.stub("organization").CreateApiKey(pb.CreateApiKeyRequest(
        api_key={"kind": pb.API_KEY_KIND_RESTRICTED, "mode": 2, "name": "reader", "scopes": ["catalog.read"]},
        request_id=request_id())).issued
    stub = org.stubs.stub("insights", org.channel_with(made.secret))
    with fails("SCOPE_MISSING", grpc.StatusCode.PERMISSION_DENIED) as failed:
        next(stub.WatchInsights(org.pb("insights").WatchInsightsRequest()))
    assert failed[0].metadata["scope"] == "insights.read"


# --- going on -------------------------------------------------------------------------------------------------------


def test_every_message_is_a_place_to_go_on_from(org, watch):
    feed = watch()
    tokens = [feed.next().resume_token]
    made = [org.customer().customer_id for _ in range(6)]
    tokens += [message.resume_token for message in feed.events(6)]
    feed.close()
    for seen, token in enumerate(tokens):
        again = watch(resume_token=token)
        assert [message.event.customer_id for message in again.events(len(made) - seen)] == made[seen:]
        again.ready()
        made.append(org.customer().customer_id)  # what is new comes after what was missed
        assert again.event().event.customer_id == made[-1]
        again.close()


def test_what_the_filter_holds_back_is_passed_over_when_going_on(org, watch, rows):
    one, two = org.customer(), org.customer()
    feed = watch(customer_ids=[one.customer_id])
    token = feed.next().resume_token
    feed.close()
    for customer in [two] * 150 + [one] + [two] * 150:
        rows.head(customer)
    again = watch(customer_ids=[one.customer_id], resume_token=token)
    assert again.event().event.customer_id == one.customer_id
    ready = again.next()
    assert ready.WhichOneof("message") == "ready"
    again.close()
    last = watch(customer_ids=[one.customer_id], resume_token=ready.resume_token).ready()
    last.nothing(0.2)


def test_a_token_of_another_organisation_or_a_forged_one_is_refused(org, org2, watch):
    token = watch().next().resume_token
    with fails("RESUME_TOKEN_INVALID", grpc.StatusCode.INVALID_ARGUMENT):
        watch(org2, resume_token=token).next()
    for at in range(0, len(token) - 1, 7):
        forged = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1:]
        with fails("RESUME_TOKEN_INVALID", grpc.StatusCode.INVALID_ARGUMENT):
            watch(resume_token=forged).next()


def test_a_token_goes_on_with_its_own_filter_only(org, watch):
    one = org.customer(external_customer_id="one")
    two = org.customer(external_customer_id="two")
    types = [_type(org, "CUSTOMER_UPDATED"), _type(org, "CUSTOMER_ARCHIVED")]
    filters = [
        {}, {"types": types}, {"types": types[:1]}, {"severity_min": 2}, {"customer_ids": [one.customer_id]},
        {"customer_ids": [one.customer_id, two.customer_id]}, {"external_customer_ids": ["one"]},
        {"external_customer_ids": ["one", "two"]}]
    tokens = [watch(**chosen).next().resume_token for chosen in filters]
    for made_with, token in zip(filters, tokens):
        for chosen in filters:
            again = watch(resume_token=token, **chosen)
            if chosen is made_with:
                again.ready()
                continue
            with fails("RESUME_TOKEN_INVALID", grpc.StatusCode.INVALID_ARGUMENT):
                again.next()
    # In which order the filter names things does not matter.
    for made_with, token in zip(filters, tokens):
        turned = {name: value[::-1] if isinstance(value, list) else value for name, value in made_with.items()}
        watch(resume_token=token, **turned).ready()


def test_a_token_older_than_the_history_is_expired(org, watch, rows):
    token = watch().next().resume_token
    for _ in range(3):
        org.customer()
    rows.run("DELETE FROM event_log WHERE org_id = %(org_id)s"
             " AND seq < (SELECT max(seq) FROM event_log WHERE org_id = %(org_id)s)")
    with fails("RESUME_TOKEN_EXPIRED", grpc.StatusCode.OUT_OF_RANGE):
        watch(resume_token=token).next()
    rows.run("DELETE FROM event_log WHERE org_id = %(org_id)s")
    with fails("RESUME_TOKEN_EXPIRED"):
        watch(resume_token=token).next()
    watch().ready()  # from now on there is nothing to miss


def test_a_token_of_a_history_that_was_undone_is_expired(org, watch, rows):
    """The database was restored from a backup: what the token stands behind is not what will come."""
    feed = watch().ready()
    for _ in range(5):
        org.customer()
    token = feed.events(5)[-1].resume_token
    with rows.connection.transaction():
        rows.run("DELETE FROM event_log WHERE org_id = %(org_id)s AND seq > 2")
        rows.run("UPDATE event_heads SET seq = 2 WHERE org_id = %(org_id)s")
    with fails("RESUME_TOKEN_EXPIRED", grpc.StatusCode.OUT_OF_RANGE):
        watch(resume_token=token).next()


# --- slow readers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [200, 1000, 7000])
def test_what_nobody_reads_for_a_while_is_not_lost(org, watch, rows, count):
    """More than the server keeps for one subscriber, in one go, while the stream is stopped by its reader."""
    customer = org.customer()
    before = rows.run("SELECT seq FROM event_heads WHERE org_id = %(org_id)s")[0][0]
    feed = watch()
    first = next(feed.call)
    assert first.WhichOneof("message") == "ready"
    # Large ones fill the window of the connection; from then on the server holds back.
    for _ in range(12):
        rows.tell("CUSTOMER_UPDATED", customer, {"external_customer_id": "x" * 20000})
    time.sleep(0.5)
    rows.tell_many(count, "CUSTOMER_UPDATED", customer, {"external_customer_id": "y"})
    time.sleep(0.5)
    got = feed.events(12 + count)
    assert [message.event.sequence for message in got] == list(range(before + 1, before + 13 + count))
    feed.nothing(0.2)


def test_a_reader_that_is_always_behind_gets_everything(org, watch, rows):
    customer = org.customer()
    feed = watch().ready()
    before = rows.run("SELECT seq FROM event_heads WHERE org_id = %(org_id)s")[0][0]
    stop = threading.Event()
    told = [0]

    def tell():
        own = Rows(org)
        while not stop.is_set():
            own.tell_many(70, "CUSTOMER_UPDATED", customer, {"external_customer_id": "x" * 500})
            told[0] += 70
        own.close()

    teller = threading.Thread(target=tell)
    teller.start()
    time.sleep(2)
    stop.set()
    teller.join()
    got = feed.events(told[0])
    assert [message.event.sequence for message in got] == list(range(before + 1, before + 1 + told[0]))


def test_a_flood_of_one_organisation_does_not_hold_up_another(org, org2, watch):
    first, second = sorted([(Rows(one), one) for one in (org, org2)], key=lambda one: one[0].org_id)
    (flood, flooded), (_, quiet) = first, second
    customer = flooded.customer()
    feed = watch(quiet).ready()
    flood.tell_many(120000, "CUSTOMER_UPDATED", customer, {"external_customer_id": "x" * 300})
    began = time.monotonic()
    other = quiet.customer()
    assert feed.event().event.customer_id == other.customer_id
    assert time.monotonic() - began < 3
    for rows, _ in (first, second):
        rows.close()


# --- life and end ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_quiet_stream_has_a_heartbeat(org, watch):
    feed = watch().ready()
    first = org.customer()
    token = feed.event().resume_token
    message = feed.next(35)
    assert message.WhichOneof("message") == "heartbeat", message
    assert abs(message.heartbeat.as_of_time.seconds - time.time()) < 5
    assert message.resume_token == token  # nothing has happened meanwhile
    feed.close()
    again = watch(resume_token=message.resume_token).ready()
    assert org.customer().customer_id == again.event().event.customer_id != first.customer_id


def test_a_server_that_ends_says_so(own, stubs):
    server, sandbox = own()
    org = world.Org(server, stubs, sandbox)
    feeds = [Watch(org).ready() for _ in range(3)]
    customer = org.customer()
    token = feeds[0].event().resume_token
    feeds[1].event()
    feeds[2].event()
    began = time.monotonic()
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    for feed in feeds:
        failure = feed.failure(10)
        assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVER_SHUTTING_DOWN"), failure
        assert failure.retry_seconds is not None
    stopping.join()
    assert time.monotonic() - began < 10
    server.start()
    org.reconnect()
    made = org.customer()
    again = Watch(org, resume_token=token)
    assert again.event().event.customer_id == made.customer_id != customer.customer_id
    again.close()


def test_there_are_only_so_many_streams(own, stubs):
    server, sandbox = own({"BILLINGOS_FEED_SUBSCRIBERS_MAX": "2"})
    org = world.Org(server, stubs, sandbox)
    feeds = [Watch(org).ready() for _ in range(2)]
    with fails("STREAM_LIMIT_REACHED", grpc.StatusCode.RESOURCE_EXHAUSTED) as failed:
        Watch(org).next()
    assert failed[0].retry_seconds is not None
    feeds[0].close()

    def opened():
        try:
            return Watch(org).ready()
        except grpc.RpcError:
            return None

    feeds.append(wait_for(opened, 5, "a stream after another one has ended"))
    for feed in feeds:
        feed.close()


def test_an_event_of_another_version_is_passed_over(org, watch, rows):
    customer = org.customer()
    feed = watch().ready()
    rows.tell("SOMETHING_NEW", customer)
    rows.tell("CUSTOMER_UPDATED", customer, {"external_customer_id": "x"})
    assert feed.event("CUSTOMER_UPDATED").event.customer_id == customer.customer_id


def test_an_event_names_the_request_id_of_the_call_that_caused_it(org, stubs):
    insights, customers = stubs.pb("insights"), stubs.pb("customer")
    call = org.stub("insights").WatchInsights(insights.WatchInsightsRequest())
    assert next(call).WhichOneof("message") == "ready"
    org.stub("customer").CreateCustomer(customers.CreateCustomerRequest(
        customer=customers.Customer(external_customer_id="named"), request_id="order-4711"))
    assert next(call).event.request_id == "order-4711"
    call.cancel()
