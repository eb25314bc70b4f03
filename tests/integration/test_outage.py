"""The database goes away and comes back: what is answered meanwhile, and that nobody has to restart anything."""

import time
import urllib.error
import urllib.request

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

import world
from errors import Failure, fails
from rows import Rows
from test_insights import Watch
from world import request_id, wait_for

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


@pytest.fixture(scope="module")
def lonely():
    """A cluster that these tests alone use, and stop."""
    made = world.Cluster()
    yield made
    made.close()


class Setting:
    """A server with a customer in memory: a feature, and a meter with much left."""

    def __init__(self, cluster, stubs, env=None):
        self.cluster = cluster
        self.server = world.Server(cluster, env=env)
        self.sandbox = world.Sandbox(self.server.webhook_url, self.server.webhook_secret)
        self.server.use(self.sandbox)
        self.server.start()
        self.org = org = world.Org(self.server, stubs, self.sandbox)
        rows = Rows(org)
        org.feature("sso")
        org.meter("calls")
        org.feature("calls", "METERED", meter_key="calls")
        self.customer = org.customer(external_customer_id="known")
        rows.entitle(self.customer, "sso")
        version = rows.entitle(self.customer, "calls", limit_value=10**6, reset_period="MONTH")
        wait_for(lambda: org.check("sso", self.customer).freshness.state_version == version, 2, "the features")
        org.report(("before", self.customer.customer_id, "calls", 7))
        assert org.check("calls", self.customer).balance.used == 7
        assert org.check("unknown_feature", self.customer).reason
        rows.close()

    def lose(self):
        self.cluster.stop("immediate")
        wait_for(lambda: not self.server.ready(), 5, "the server notices")

    def get(self, path):
        try:
            with urllib.request.urlopen(self.server.ops + path, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def close(self):
        self.server.close()
        self.sandbox.close()


@pytest.fixture()
def setting(lonely, stubs):
    made = []

    def make(env=None):
        made.append(Setting(lonely, stubs, env))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture()
def stopped(lonely):
    """Starts the cluster again, whatever happens."""
    yield
    try:
        lonely.connect("postgres").close()
    except Exception:
        lonely.start()


def _health(server) -> str:
    with server.channel() as channel:
        status = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5).status
        return health_pb2.HealthCheckResponse.ServingStatus.Name(status)


def _calls(org, customer):
    """Every kind of call that needs the database."""
    usage, pb = org.pb("usage"), org.pb("customer")
    return {
        "unknown customer": lambda: org.check("sso", external="somebody-else"),
        "create": lambda: org.customer(),
        "get": lambda: org.stub("customer").GetCustomer(pb.GetCustomerRequest(customer_id=customer.customer_id)),
        "feature": lambda: org.feature("another"),
        "report": lambda: org.report(("e", customer.customer_id, "calls", 1)),
        "report of an unknown customer": lambda: org.stub("usage").ReportUsage(usage.ReportUsageRequest(events=[
            usage.UsageEvent(event_id="x", external_customer_id="somebody-else", meter_key="calls")])),
        "usage": lambda: org.stub("usage").GetUsage(usage.GetUsageRequest(customer_id=customer.customer_id)),
        "stream": lambda: Watch(org).next(),
    }


def test_checks_are_answered_from_memory_until_the_database_is_back(setting, stopped, lonely):
    world_ = setting()
    server, org, customer = world_.server, world_.org, world_.customer
    pid = server.pid
    feed = Watch(org).ready()
    assert world_.get("/readyz")[0] == 200 and _health(server) == "SERVING"
    world_.lose()

    for _ in range(3):
        answer = org.check("sso", customer)
        assert answer.allowed and org.reason(answer) == "GRANTED"
        assert answer.freshness.stale and answer.freshness.origin == org.pb("entitlement").ANSWER_ORIGIN_CACHE
        assert 0 <= time.time() - answer.freshness.as_of_time.seconds < 10
    assert org.check("sso", external="known").allowed
    metered = org.check("calls", customer)
    assert metered.allowed and metered.balance.used == 7 and metered.freshness.stale
    pb = org.pb("entitlement")
    listed = org.stub("entitlement").ListEntitlements(pb.ListEntitlementsRequest(customer_id=customer.customer_id))
    assert [a.query.feature_key for a in listed.answers] == ["calls", "sso"] and listed.freshness.stale

    for name, call in _calls(org, customer).items():
        with fails("DATABASE_UNAVAILABLE", UNAVAILABLE) as failed:
            call()
        assert failed[0].retry_seconds is not None, name

    time.sleep(1.1)
    with fails("STATE_TOO_STALE", UNAVAILABLE) as failed:
        org.check("sso", customer, max_staleness={"seconds": 1})
    assert failed[0].retry_seconds is not None
    assert set(failed[0].metadata) == {"as_of_time", "max_staleness"} and failed[0].metadata["max_staleness"] == "1s"

    assert world_.get("/healthz")[0] == 200  # the process is well: nobody shall restart it
    status, text = world_.get("/readyz")
    assert status == 503 and "database" in text
    wait_for(lambda: _health(server) == "NOT_SERVING", 10, "health")

    lonely.start()
    wait_for(server.ready, 10, "the server recovers")
    fresh = wait_for(lambda: not (a := org.check("sso", customer)).freshness.stale and a, 5, "a fresh answer")
    assert fresh.allowed
    made = org.customer(external_customer_id="somebody-else")
    org.report(("after", customer.customer_id, "calls", 1))
    assert org.check("calls", customer).balance.used == 8
    assert org.reason(org.check("sso", external="somebody-else")) == "NO_ACTIVE_SUBSCRIPTION"
    # The stream that was open all the time has lost nothing and goes on.
    assert feed.event(seconds=5).event.customer_id == made.customer_id
    wait_for(lambda: _health(server) == "SERVING", 10, "health")
    assert server.alive() and server.pid == pid
    feed.close()


def test_a_change_during_the_outage_is_seen_afterwards(setting, stopped, lonely):
    """What memory held when the log was lost is read again: the database may have gone on, or be another one."""
    world_ = setting()
    org, customer = world_.org, world_.customer
    world_.lose()
    assert org.check("sso", customer).freshness.stale
    lonely.start()
    # At once, without an event: as if the change had been committed on a standby that was promoted.
    rows = Rows(org)
    rows.run("UPDATE entitlement_snapshots SET access = 'PAYMENT_OVERDUE' WHERE org_id = %(org_id)s")
    wait_for(world_.server.ready, 10, "the server recovers")
    wait_for(lambda: org.reason(org.check("sso", customer)) == "PAYMENT_OVERDUE", 2, "the change")
    rows.close()


def test_past_the_bound_memory_is_too_old(setting, stopped, lonely):
    world_ = setting({"BILLINGOS_CACHE_STALENESS_MS_MAX": "3000"})
    org, customer = world_.org, world_.customer
    world_.lose()
    assert org.check("sso", customer).freshness.stale

    def refused():
        try:
            org.check("sso", customer)
        except grpc.RpcError as error:
            return Failure(error)
        return None

    failure = wait_for(refused, 8, "the bound")
    # Either is past its bound first: what the key is, or what the customer has.
    assert failure.code == UNAVAILABLE and failure.retry_seconds is not None, failure
    assert failure.reason in ("STATE_TOO_STALE", "DATABASE_UNAVAILABLE"), failure
    lonely.start()
    wait_for(lambda: refused() is None, 10, "checks again")
    assert not org.check("sso", customer).freshness.stale


def test_a_write_that_is_sent_until_it_works_happens_once(setting, stopped, lonely):
    world_ = setting()
    org = world_.org
    pb = org.pb("customer")
    key = request_id()
    world_.lose()

    def create():
        try:
            return org.stub("customer").CreateCustomer(pb.CreateCustomerRequest(
                customer=pb.Customer(external_customer_id="patient"), request_id=key)).customer
        except grpc.RpcError as error:
            assert Failure(error).code == UNAVAILABLE
            return None

    assert create() is None
    lonely.start()
    made = wait_for(create, 10, "the customer")
    assert create().customer_id == made.customer_id
    listed = org.stub("customer").ListCustomers(pb.ListCustomersRequest()).customers
    assert [c.external_customer_id for c in listed if c.external_customer_id == "patient"] == ["patient"]


def test_a_database_that_is_restarted_again_and_again(setting, stopped, lonely):
    world_ = setting()
    org, customer = world_.org, world_.customer
    for round_ in range(3):
        assert org.check("sso", customer).allowed  # memory was emptied when the database came back
        lonely.stop("fast" if round_ % 2 else "immediate")
        assert org.check("sso", customer).allowed
        lonely.start()
        made = wait_for(lambda: _try(org.customer), 10, "a write")
        assert made.customer_id
        wait_for(world_.server.ready, 10, "the server recovers")
    assert world_.server.alive()
    assert "level=error" not in world_.server.log()


def _try(call):
    try:
        return call()
    except grpc.RpcError as error:
        assert error.code() == UNAVAILABLE, error
        return None
