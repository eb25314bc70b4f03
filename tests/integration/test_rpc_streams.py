"""server/rpc: streams of all kinds, health and reflection, with grpcio and with grpcurl when there is one
(GRPCURL names it)."""

import os
import shutil
import signal
import subprocess
import threading
import time

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from rpc_world import (  # noqa: F401: fixtures
    details_of,
    eventually,
    failure,
    reason_of,
    server,
    start,
    stubs,
)


# --- streams ---------------------------------------------------------------------------------------


def test_a_server_stream_ends_with_its_source(server):
    stub = server.stub()
    assert [m.number for m in stub.Count(server.pb.CountRequest(count=500), timeout=20)] == list(
        range(1, 501))
    error = failure(lambda: list(stub.Count(server.pb.CountRequest(count=-1), timeout=5)))
    assert details_of(error)[1]["BadRequest"].field_violations[0].field == "count"
    eventually(lambda: server.stats().sources == 0)


def test_a_stream_that_nobody_reads_makes_no_more_messages(server):
    before = server.stats().made
    # Otherwise grpcio measures the connection and takes megabytes ahead.
    stub = server.stub(server.channel(more=[("grpc.http2.bdp_probe", 0)]))
    call = stub.Count(server.pb.CountRequest(padding=10000))
    assert next(call).number == 1
    time.sleep(1)
    made = server.stats().made - before
    time.sleep(0.5)
    made_later = server.stats().made - before
    call.cancel()
    assert made == made_later < 50, "flow control does not hold the source back"
    eventually(lambda: server.stats().sources == 0)


def test_a_stream_that_nobody_reads_is_cut_off(start):
    server = start("--stall-ms", "1000")
    call = server.stub().Count(server.pb.CountRequest(padding=10000))
    next(call)
    eventually(lambda: server.stats().sources == 0, within=6)
    error = failure(lambda: [None for _ in call])
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert 'billingos_stream_dropped_total{reason="STREAM_TOO_SLOW"} 1' in server.stats().metrics


def test_a_source_wakes_its_streams(server):
    stub = server.stub()
    tails = [stub.Tail(server.pb.TailRequest(), timeout=20) for _ in range(20)]
    eventually(lambda: server.stats().sources == 20)
    for _ in range(50):
        assert stub.Publish(server.pb.PublishRequest(), timeout=5).tails == 20
    for tail in tails:
        numbers = [next(tail).number for _ in range(50)]
        assert numbers == list(range(numbers[0], numbers[0] + 50))
        tail.cancel()
    eventually(lambda: server.stats().sources == 0)


def test_headers_of_a_stream_come_before_its_first_message(server):
    call = server.stub().Tail(server.pb.TailRequest(), timeout=5)
    assert dict(call.initial_metadata())["x-request-id"].startswith("req_")
    call.cancel()


def test_a_stream_ends_at_the_deadline_of_its_caller(server):
    error = failure(lambda: list(server.stub().Tail(server.pb.TailRequest(), timeout=0.3)))
    assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    eventually(lambda: server.stats().sources == 0)


def test_a_client_stream_adds_up(server):
    stub = server.stub()
    answer = stub.Sum(
        (server.pb.SumRequest(value=i) for i in range(2000)), timeout=30)
    assert (answer.sum, answer.count) == (sum(range(2000)), 2000)
    assert stub.Sum(iter([]), timeout=5).count == 0


def test_a_client_stream_that_fails_or_breaks_is_aborted(server):
    stub = server.stub()
    before = server.stats().aborted
    values = [server.pb.SumRequest(value=v) for v in (1, -1, 1)]
    error = failure(lambda: stub.Sum(iter(values), timeout=5))
    assert details_of(error)[1]["BadRequest"].field_violations[0].field == "value"
    eventually(lambda: server.stats().aborted == before + 1)

    wait = threading.Event()

    def endless():
        yield server.pb.SumRequest(value=1)
        wait.wait(10)

    future = stub.Sum.future(endless())
    eventually(lambda: server.stats().inflows == 1)
    future.cancel()
    eventually(lambda: server.stats().aborted == before + 2)
    wait.set()


def test_a_client_stream_that_breaks_never_counts_as_complete(server):
    stub = server.stub()
    before = server.stats().aborted
    wait = threading.Event()

    def endless():
        yield server.pb.SumRequest(value=1)
        wait.wait(30)

    for _ in range(60):
        future = stub.Sum.future(endless())
        eventually(lambda: server.stats().inflows == 1)
        future.cancel()
        eventually(lambda: server.stats().inflows == 0)
    wait.set()
    assert server.stats().aborted == before + 60


def test_a_two_way_stream_answers_in_order(server):
    texts = ["a", "quiet", "b"] * 50
    chat = server.stub().Chat((server.pb.EchoRequest(text=t) for t in texts), timeout=20)
    assert [m.text for m in chat] == ["a", "b"] * 50 + ["150 messages"]


def test_a_two_way_stream_may_fail_half_way(server):
    texts = ["a", "fail", "b"]
    chat = server.stub().Chat((server.pb.EchoRequest(text=t) for t in texts), timeout=20)
    assert next(chat).text == "a"
    error = failure(lambda: next(chat))
    assert reason_of(error) == "CUSTOMER_NOT_FOUND"


def test_the_number_of_streams_is_limited(start):
    server = start("--streams", "3")
    stub = server.stub()
    tails = [stub.Tail(server.pb.TailRequest()) for _ in range(3)]
    eventually(lambda: server.stats().sources == 3)
    error = failure(lambda: list(stub.Tail(server.pb.TailRequest(), timeout=5)))
    assert reason_of(error) == "SERVER_OVERLOADED"
    tails.pop().cancel()
    eventually(lambda: server.stats().sources == 2)
    more = stub.Tail(server.pb.TailRequest(), timeout=5)
    assert more.initial_metadata() is not None
    for tail in [*tails, more]:
        tail.cancel()


# --- health and reflection -------------------------------------------------------------------------


def test_health_check(server):
    health = health_pb2_grpc.HealthStub(server.channel())
    serving = health_pb2.HealthCheckResponse.SERVING
    for name in ["", "rpctest.v1.TestService", "grpc.health.v1.Health"]:
        assert health.Check(health_pb2.HealthCheckRequest(service=name), timeout=5).status == serving
    error = failure(lambda: health.Check(
        health_pb2.HealthCheckRequest(service="nobody"), timeout=5))
    assert error.code() == grpc.StatusCode.NOT_FOUND
    assert reason_of(error) == "SERVICE_UNKNOWN"


def test_health_watch_tells_each_change(start):
    server = start()
    response = health_pb2.HealthCheckResponse
    health = health_pb2_grpc.HealthStub(server.channel())
    watch = health.Watch(health_pb2.HealthCheckRequest(service="rpctest.v1.TestService"))
    whole = health.Watch(health_pb2.HealthCheckRequest())
    unknown = health.Watch(health_pb2.HealthCheckRequest(service="nobody"), timeout=3)
    assert next(watch).status == response.SERVING
    assert next(whole).status == response.SERVING
    assert next(unknown).status == response.SERVICE_UNKNOWN
    server.process.send_signal(signal.SIGUSR1)
    assert next(watch).status == response.NOT_SERVING
    server.process.send_signal(signal.SIGUSR1)
    assert next(watch).status == response.SERVING
    error = failure(lambda: next(unknown))
    assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    server.process.send_signal(signal.SIGTERM)
    assert next(watch).status == response.NOT_SERVING
    assert next(whole).status == response.NOT_SERVING
    error = failure(lambda: next(whole))
    assert error.code() == grpc.StatusCode.UNAVAILABLE
    assert reason_of(error) == "SERVER_SHUTTING_DOWN"
    assert server.process.wait(10) == 0


def test_reflection_v1alpha_describes_the_services(server):
    database = ProtoReflectionDescriptorDatabase(server.channel())
    services = set(database.get_services())
    assert services == {
        "rpctest.v1.TestService", "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"}
    pool = DescriptorPool(database)
    service = pool.FindServiceByName("rpctest.v1.TestService")
    method = service.FindMethodByName("Chat")
    assert (method.client_streaming, method.server_streaming) == (True, True)
    assert pool.FindMessageTypeByName("rpctest.v1.EchoRequest").fields_by_name["child"].number == 3
    assert pool.FindFileByName("grpc/health/v1/health.proto").package == "grpc.health.v1"
    for symbol in ["rpctest.v1.EchoRequest.LabelsEntry", "rpctest.v1.EchoRequest.child",
                   "rpctest.v1.TestService.Echo", "google.protobuf.Any",
                   "grpc.health.v1.HealthCheckResponse.SERVING"]:
        assert database.FindFileContainingSymbol(symbol) is not None
    with pytest.raises(KeyError):
        database.FindFileContainingSymbol("rpctest.v1.Nothing")


@pytest.fixture(scope="session")
def grpcurl():
    found = os.environ.get("GRPCURL") or shutil.which("grpcurl")
    if not found:
        pytest.skip("no grpcurl")

    def run(*args):
        return subprocess.run(
            [found, "-plaintext", *args], capture_output=True, text=True, timeout=20)

    return run


def test_grpcurl_lists_describes_and_calls(server, grpcurl):
    assert "rpctest.v1.TestService" in grpcurl(server.address, "list").stdout
    described = grpcurl(server.address, "describe", "rpctest.v1.TestService").stdout
    assert "// Answers on the polling thread." in described
    called = grpcurl(
        "-d", '{"text": "hi", "labels": {"a": "b"}}', server.address, "rpctest.v1.TestService/Echo")
    assert '"text": "hi"' in called.stdout, called.stderr
    failed = grpcurl("-d", '{"how": "details"}', server.address, "rpctest.v1.TestService/Fail")
    assert "CUSTOMER_NOT_FOUND" in failed.stderr
