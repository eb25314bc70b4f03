"""server/rpc: unary calls, deadlines, failures and bad input, with grpcio."""

import os
import re
import threading
import time

import grpc
import pytest

from rpc_world import (  # noqa: F401: fixtures
    SERVICE,
    details_of,
    eventually,
    failure,
    reason_of,
    server,
    start,
    stubs,
)


# --- unary -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method, on_worker", [
    ("Echo", False), ("EchoBlocking", True), ("EchoFallback", True)])
def test_unary_runs_where_its_row_says(server, method, on_worker):
    text = "Grüße, 世界 🎉"
    request = server.pb.EchoRequest(text=text, data=b"\0\xff", labels={"a": "b"}, numbers=[1, -2])
    answer, call = getattr(server.stub(), method).with_call(request, timeout=5)
    assert (answer.text, answer.data, answer.on_worker) == (text, b"\0\xff", on_worker)
    sent = dict(call.initial_metadata())["x-request-id"]
    assert re.fullmatch(r"req_[0-9A-HJKMNP-TV-Z]{19}", sent)
    assert answer.request_id == sent


def test_the_request_id_of_the_caller_comes_back(server):
    metadata = [("x-request-id", "mine-123"), ("idempotency-key", "once")]
    answer, call = server.stub().Echo.with_call(
        server.pb.EchoRequest(), metadata=metadata, timeout=5)
    assert dict(call.initial_metadata())["x-request-id"] == "mine-123"
    assert (answer.request_id, answer.idempotency_key) == ("mine-123", "once")


@pytest.mark.parametrize("bad", ["two words", "x" * 72])
def test_a_bad_request_id_is_replaced(server, bad):
    answer = server.stub().Echo(
        server.pb.EchoRequest(), metadata=[("x-request-id", bad)], timeout=5)
    assert answer.request_id.startswith("req_")


def test_a_bad_idempotency_key_is_refused(server):
    error = failure(lambda: server.stub().Echo(
        server.pb.EchoRequest(), metadata=[("idempotency-key", "x" * 256)], timeout=5))
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    _, details = details_of(error)
    assert details["BadRequest"].field_violations[0].field == "idempotency-key"


def test_messages_of_many_sizes_pass(server):
    stub = server.stub()
    for size in [0, 1, 100, 4096, 16384, 100_000, 262_000]:
        data = os.urandom(size)
        assert stub.Echo(server.pb.EchoRequest(data=data), timeout=5).data == data


def test_many_calls_at_once(server):
    stub = server.stub()
    futures = [
        stub.EchoBlocking.future(server.pb.EchoRequest(text=str(i)), timeout=10)
        for i in range(90)
    ]
    assert [f.result().text for f in futures] == [str(i) for i in range(90)]


def test_authorization_is_asked_first_and_may_wait(server):
    stub = server.stub()
    error = failure(lambda: stub.Echo(
        server.pb.EchoRequest(), metadata=[("authorization", "Bearer bad")], timeout=5))
    assert error.code() == grpc.StatusCode.UNAUTHENTICATED
    assert reason_of(error) == "API_KEY_INVALID"
    slow = [("authorization", "Bearer slow")]
    answer = stub.Echo(server.pb.EchoRequest(text="a"), metadata=slow, timeout=5)
    assert (answer.text, answer.actor, answer.on_worker) == ("a", "key_slow", True)
    numbers = stub.Count(server.pb.CountRequest(count=2), metadata=slow, timeout=5)
    assert [m.number for m in numbers] == [1, 2]
    chat = stub.Chat(iter([server.pb.EchoRequest(text="a")]), metadata=slow, timeout=5)
    assert [m.actor for m in chat] == ["key_slow", ""]


# --- deadlines and cancellation --------------------------------------------------------------------


def test_the_deadline_of_the_caller_reaches_the_handler(server):
    stub = server.stub()
    assert 0 < stub.Echo(server.pb.EchoRequest(), timeout=2).left_ms <= 2100
    before = server.stats().cancelled
    start_s = time.monotonic()
    error = failure(lambda: stub.Sleep(server.pb.SleepRequest(ms=8000), timeout=0.3))
    assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - start_s < 2
    eventually(lambda: server.stats().cancelled == before + 1, within=2)


def test_calls_without_a_deadline_get_ours(server):
    stub = server.stub()
    assert 9000 < stub.Echo(server.pb.EchoRequest()).left_ms <= 10000
    assert 9000 < stub.Echo(server.pb.EchoRequest(), timeout=3600).left_ms <= 10000


def test_a_cancelled_call_wakes_its_handler(server):
    before = server.stats().cancelled
    future = server.stub().Sleep.future(server.pb.SleepRequest(ms=8000))
    eventually(lambda: server.stats().sleeping == 1)
    future.cancel()
    eventually(lambda: server.stats().cancelled == before + 1, within=2)


def test_a_lost_connection_wakes_its_handler(server):
    before = server.stats().cancelled
    channel = server.channel()
    future = server.stub(channel).Sleep.future(server.pb.SleepRequest(ms=8000))
    eventually(lambda: server.stats().sleeping == 1)
    channel.close()
    eventually(lambda: server.stats().cancelled == before + 1, within=2)
    assert future.code() == grpc.StatusCode.CANCELLED


def test_a_peer_that_sends_no_message_is_ended(start):
    server = start("--deadline-ms", "1000")
    done = threading.Event()

    def nothing():
        done.wait(10)
        yield from ()

    for method in ["Echo", "Count"]:
        call = server.channel().stream_unary(SERVICE + method)
        start_s = time.monotonic()
        error = failure(lambda: call(nothing()))
        assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert 0.9 < time.monotonic() - start_s < 4
    done.set()


# --- failures --------------------------------------------------------------------------------------


def test_a_failure_carries_all_details(server):
    error = failure(lambda: server.stub().Fail(
        server.pb.FailRequest(how="details"), metadata=[("x-request-id", "r-1")], timeout=5))
    assert error.code() == grpc.StatusCode.NOT_FOUND
    assert error.details() == 'customer "cus_1 é" does not exist'
    status, details = details_of(error)
    assert status.message == error.details()
    assert details["ErrorInfo"].reason == "CUSTOMER_NOT_FOUND"
    assert dict(details["ErrorInfo"].metadata) == {"customer_id": "cus_1"}
    violations = [(v.field, v.description) for v in details["BadRequest"].field_violations]
    assert violations == [("customer_id", "names nobody"), ("customer.email", "is empty")]
    assert details["RetryInfo"].retry_delay.ToMilliseconds() == 1500
    assert details["RequestInfo"].request_id == "r-1"
    assert dict(error.initial_metadata())["x-request-id"] == "r-1"
    assert dict(error.trailing_metadata())["grpc-retry-pushback-ms"] == "1500"


def test_what_is_too_long_for_the_trailers_is_left_out(server):
    error = failure(lambda: server.stub().Fail(server.pb.FailRequest(how="long"), timeout=5))
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert len(error.details()) == 512
    _, details = details_of(error)
    assert details["ErrorInfo"].reason == "FIELD_INVALID"
    assert "BadRequest" not in details


@pytest.mark.parametrize("how", ["internal", "would_block"])
def test_an_internal_failure_tells_nothing_but_its_id(server, how):
    error = failure(lambda: server.stub().Fail(server.pb.FailRequest(how=how), timeout=5))
    assert error.code() == grpc.StatusCode.INTERNAL
    assert "secret" not in str(error.trailing_metadata()) + error.details()
    _, details = details_of(error)
    assert details["ErrorInfo"].metadata["call_id"] == details["RequestInfo"].request_id


def test_a_call_that_wants_too_much_memory_fails(server):
    error = failure(lambda: server.stub().Fail(server.pb.FailRequest(how="costly"), timeout=5))
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert reason_of(error) == "REQUEST_TOO_COSTLY"


@pytest.mark.parametrize("path, reason", [
    (SERVICE + "Missing", "METHOD_NOT_IMPLEMENTED"),
    (SERVICE + "Nothing", "METHOD_UNKNOWN"),
    ("/nobody.Knows/Me", "METHOD_UNKNOWN"),
    ("/x", "METHOD_UNKNOWN"),
])
def test_unknown_methods_say_so(server, path, reason):
    call = server.channel().unary_unary(path)
    error = failure(lambda: call(b"", timeout=5))
    assert error.code() == grpc.StatusCode.UNIMPLEMENTED
    assert reason_of(error) == reason
    assert details_of(error)[1]["ErrorInfo"].metadata["method"] == path


# --- bad input -------------------------------------------------------------------------------------


def nested(levels):
    message = b""
    for _ in range(levels - 1):
        length = len(message)
        varint = b""
        while length >= 0x80:
            varint += bytes([length & 0x7F | 0x80])
            length >>= 7
        message = b"\x1a" + varint + bytes([length]) + message
    return message


@pytest.mark.parametrize("name, message, code, reason", [
    ("bad UTF-8", b"\x0a\x02\xc3\x28", "INVALID_ARGUMENT", "MESSAGE_MALFORMED"),
    ("a NUL", b"\x0a\x03a\0b", "INVALID_ARGUMENT", "MESSAGE_MALFORMED"),
    ("a surrogate", b"\x0a\x03\xed\xa0\x80", "INVALID_ARGUMENT", "MESSAGE_MALFORMED"),
    ("9 levels", nested(9), "INVALID_ARGUMENT", "MESSAGE_MALFORMED"),
    ("10,000 levels", nested(10000), "INVALID_ARGUMENT", "MESSAGE_MALFORMED"),
    ("a group", b"\x0b\x0c", "INVALID_ARGUMENT", "MESSAGE_MALFORMED"),
    ("field 0", b"\x02\x00", "INVALID_ARGUMENT", "MESSAGE_MALFORMED"),
    ("cut off", b"\x0a\x05abc", "INVALID_ARGUMENT", "MESSAGE_MALFORMED"),
    ("another wire type", b"\x08\x01", "INVALID_ARGUMENT", "MESSAGE_MALFORMED"),
    ("too many fields", b"\x78\x01" * 10001, "RESOURCE_EXHAUSTED", "REQUEST_TOO_COSTLY"),
])
def test_malformed_messages_are_refused(server, name, message, code, reason):
    for method in ["Echo", "EchoBlocking"]:
        error = failure(lambda: server.channel().unary_unary(SERVICE + method)(message, timeout=5))
        assert error.code() == grpc.StatusCode[code], name
        assert reason_of(error) == reason
    error = failure(lambda: list(server.channel().stream_stream(SERVICE + "Chat")(
        iter([message]), timeout=5)))
    assert reason_of(error) == reason


def test_the_deepest_and_the_widest_that_are_allowed_pass(server):
    call = server.channel().unary_unary(SERVICE + "Echo")
    call(nested(8), timeout=5)
    call(b"\x78\x01" * 10000, timeout=5)


def test_bad_text_names_its_field(server):
    message = b"\x1a\x04\x0a\x02\xc3\x28"  # child.text
    error = failure(lambda: server.channel().unary_unary(SERVICE + "Echo")(message, timeout=5))
    assert details_of(error)[1]["BadRequest"].field_violations[0].field == "child.text"


def test_oversized_messages_are_refused(server):
    stub = server.stub()
    error = failure(lambda: stub.Echo(server.pb.EchoRequest(data=bytes(256 * 1024)), timeout=5))
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert reason_of(error) == "MESSAGE_TOO_LARGE"
    assert details_of(error)[1]["ErrorInfo"].metadata["max_bytes"] == str(256 * 1024)
    error = failure(lambda: stub.Echo(server.pb.EchoRequest(data=bytes(8 << 20)), timeout=5))
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert stub.Echo(server.pb.EchoRequest(text="still"), timeout=5).text == "still"


def test_oversized_metadata_is_refused(server):
    error = failure(lambda: server.stub().Echo(
        server.pb.EchoRequest(), metadata=[("x-big", "x" * 40000)], timeout=5))
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    server.stub().Echo(server.pb.EchoRequest(), timeout=5)


def test_compression_is_refused(server):
    stub = server.stub(server.channel(compression=grpc.Compression.Gzip))
    error = failure(lambda: stub.Echo(server.pb.EchoRequest(text="x" * 2000), timeout=5))
    assert error.code() == grpc.StatusCode.UNIMPLEMENTED


def test_a_unary_call_without_a_message_is_refused(server):
    call = server.channel().stream_unary(SERVICE + "Echo")
    error = failure(lambda: call(iter([]), timeout=5))
    assert reason_of(error) == "MESSAGE_MALFORMED"


# --- metrics ---------------------------------------------------------------------------------------


def test_calls_are_counted(start):
    server = start()
    stub = server.stub()
    for _ in range(3):
        stub.Echo(server.pb.EchoRequest(), timeout=5)
    failure(lambda: stub.Fail(server.pb.FailRequest(how="details"), timeout=5))
    tail = stub.Tail(server.pb.TailRequest())
    eventually(lambda: server.stats().sources == 1)
    metrics = server.stats().metrics
    labels = 'service="rpctest.v1.TestService",method="%s",code="%s",protocol="grpc"'
    assert f'billingos_rpc_server_handled_total{{{labels % ("Echo", "OK")}}} 3' in metrics
    assert f'billingos_rpc_server_handled_total{{{labels % ("Fail", "NOT_FOUND")}}} 1' in metrics
    assert 'billingos_streams_open{service="rpctest.v1.TestService"} 1' in metrics
    assert "billingos_rpc_server_duration_seconds_bucket" in metrics
    assert "billingos_rpc_server_inflight 2" in metrics  # the stream and this call
    assert 'billingos_listener_accepts_total{listener="grpc",result="accepted"}' in metrics
    tail.cancel()
