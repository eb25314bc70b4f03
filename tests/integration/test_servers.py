"""Several servers on one database, and the start and end of one."""

import signal
import subprocess
import time

import grpc
import pytest

import world
from errors import fails
from rows import Rows
from world import request_id, wait_for


@pytest.fixture()
def second(cluster, server, sandbox):
    """Another server on the database of the first."""
    made = world.Server(cluster, database=server.database)
    made.use(sandbox)
    made.bootstrap_token = server.bootstrap_token
    made.start()
    yield made
    made.close()


def _stub(org, server, service, key=None):
    return org.stubs.stub(service, grpc.intercept_channel(server.channel(), world._WithKey(key or org.key)))


def _new_key(org, **fields):
    pb, common = org.pb("organization"), org.pb("common")
    return org.stub("organization").CreateApiKey(pb.CreateApiKeyRequest(
        api_key=pb.ApiKey(name="other", kind=pb.API_KEY_KIND_SECRET, mode=common.MODE_TEST, **fields),
        request_id=request_id())).issued


def test_a_key_that_is_revoked_on_one_server_is_refused_by_the_other(org, second):
    pb = org.pb("organization")
    for _ in range(5):
        issued = _new_key(org)
        there = _stub(org, second, "organization", issued.secret)
        there.GetOrganization(pb.GetOrganizationRequest())  # remembered from here on
        org.stub("organization").RevokeApiKey(
            pb.RevokeApiKeyRequest(api_key_id=issued.api_key.api_key_id, request_id=request_id()))
        end = time.monotonic() + 1
        while time.monotonic() < end:
            try:
                there.GetOrganization(pb.GetOrganizationRequest())
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.UNAUTHENTICATED
                break
            time.sleep(0.01)
        with fails("API_KEY_REVOKED", grpc.StatusCode.UNAUTHENTICATED):
            there.GetOrganization(pb.GetOrganizationRequest())


def test_a_change_of_the_catalog_is_seen_by_the_other(org, second):
    pb, usage = org.pb("catalog"), org.pb("usage")
    customer = org.customer()
    there = _stub(org, second, "usage")

    def reason(key):
        (result,) = there.ReportUsage(usage.ReportUsageRequest(events=[usage.UsageEvent(
            event_id=request_id(), customer_id=customer.customer_id, meter_key=key)])).results
        if result.WhichOneof("result") == "outcome":
            return "RECORDED"
        return org.stubs.pb("error_reason").ErrorReason.Name(result.error.reason).removeprefix("ERROR_REASON_")

    assert reason("late") == "METER_NOT_FOUND"  # the keys are in memory there
    org.meter("late")
    wait_for(lambda: reason("late") == "RECORDED", 1, "the meter is known")
    org.stub("catalog").ArchiveMeter(pb.ArchiveMeterRequest(meter_key="late", request_id=request_id()))
    wait_for(lambda: reason("late") == "METER_ARCHIVED", 1, "the meter is archived")


def test_a_stream_ends_with_the_key_that_opened_it(own, stubs):
    """Revoked: at once. Expired: with the next sign of life, thirty seconds later at most."""
    server, sandbox = own()
    org = world.Org(server, stubs, sandbox)
    insights = org.pb("insights")
    issued = _new_key(org, expire_time={"seconds": int(time.time()) + 3})
    call = _stub(org, server, "insights", issued.secret).WatchInsights(insights.WatchInsightsRequest())
    assert next(call).WhichOneof("message") == "ready"
    time.sleep(3.5)
    org.customer()  # something to tell
    with fails("API_KEY_EXPIRED", grpc.StatusCode.UNAUTHENTICATED):
        for message in call:
            assert message.WhichOneof("message") != "event", message


def test_a_first_event_of_a_new_organization_reaches_its_stream(org):
    insights = org.pb("insights")
    call = org.stub("insights").WatchInsights(insights.WatchInsightsRequest())
    assert next(call).ready.sequence == 0
    org.customer()
    message = next(call)
    assert message.event.type == insights.BILLING_EVENT_TYPE_CUSTOMER_CREATED and message.event.sequence == 1
    call.cancel()


def test_what_was_read_before_the_log_was_followed_is_read_again(own, stubs):
    """A call that is answered while the server starts must not leave an old state in memory."""
    server, sandbox = own()
    org = world.Org(server, stubs, sandbox)
    rows = Rows(org)
    org.feature("sso")
    customer = org.customer()
    rows.entitle(customer, "sso")
    wait_for(lambda: org.reason(org.check("sso", customer)) == "GRANTED", 2, "granted")
    server.stop()
    # Between the first answer and the position of the log: the latter's reading is held up by a lock.
    with server.cluster.connect(server.database) as blocker, blocker.transaction():
        blocker.execute("LOCK TABLE event_log IN ACCESS EXCLUSIVE MODE")
        server.run([str(world.BUILD / "server" / "billingos"), "serve"], server.env)
        org.reconnect()
        wait_for(lambda: _answers(org, customer), 5, "calls are answered")
        blocker.execute("UPDATE entitlement_snapshots SET access = 'PAYMENT_OVERDUE'")
        blocker.execute("UPDATE entitlement_heads SET state_version = state_version + 1")
    server.wait_ready()
    assert org.reason(org.check("sso", customer)) == "PAYMENT_OVERDUE"
    rows.close()


def _answers(org, customer):
    try:
        return org.reason(org.check("sso", customer)) == "GRANTED"
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.UNAVAILABLE, error
        return False


@pytest.mark.parametrize("delay", [0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12])
def test_a_server_that_is_ended_while_it_starts_ends(own, delay):
    server, _ = own()
    server.stop()
    for _ in range(3):
        process = subprocess.Popen([str(world.BUILD / "server" / "billingos"), "serve"],
                                   env={**world.os.environ, **server.env}, stderr=subprocess.PIPE, text=True)
        time.sleep(delay)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=15)
        # Before it has taken over the signals it ends by the signal itself.
        assert process.returncode in (0, -signal.SIGTERM), said
        assert "ERROR" not in said and "level=error" not in said, said


def test_a_counter_is_not_answered_from_memory_for_longer_than_the_state(stubs):
    """The database goes away: what a check says of usage is as old as the counter in memory."""
    broken = world.Cluster()
    server = world.Server(
        broken, env={"BILLINGOS_CACHE_STALENESS_MS_MAX": "4000", "BILLINGOS_CACHE_API_KEY_MS_MAX": "1000"})
    sandbox = world.Sandbox(server.webhook_url, server.webhook_secret)
    server.use(sandbox)
    server.start()
    try:
        org = world.Org(server, stubs, sandbox)
        org.meter("calls")
        org.feature("calls", "METERED", meter_key="calls")
        customer = org.customer()
        rows = Rows(org)
        rows.entitle(customer, "calls", limit_value=100, reset_period="MONTH")
        rows.close()
        wait_for(lambda: org.check("calls", customer).allowed, 2, "granted")
        counted = time.time()
        org.check("calls", customer)
        time.sleep(3)
        org.check("nothing", customer)  # reads the key anew, and not the counter
        broken.stop("immediate")
        answer = org.check("calls", customer)
        assert answer.allowed and answer.freshness.stale
        assert answer.freshness.as_of_time.ToMicroseconds() / 1e6 < counted + 0.5
        time.sleep(max(0.0, counted + 4.3 - time.time()))
        with fails("STATE_TOO_STALE", grpc.StatusCode.UNAVAILABLE):
            org.check("calls", customer)
        broken.start()
        server.wait_ready()
    finally:
        server.close()
        sandbox.close()
        broken.close()
