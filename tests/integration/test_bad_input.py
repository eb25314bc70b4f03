"""Every RPC with no key, with junk, with missing, oversized and malformed fields: a typed error, never INTERNAL."""

import os
import random

import grpc
import pytest

import world
from errors import Failure

ALLOWED = {
    grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.ALREADY_EXISTS, grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.OUT_OF_RANGE, grpc.StatusCode.ABORTED,
    grpc.StatusCode.UNAUTHENTICATED,
}
SEED = int(os.environ.get("BOS_SEED", "1"))


def _unary_methods(org):
    for service in world.SERVICES:
        for descriptor in org.pb(service).DESCRIPTOR.services_by_name.values():
            for method in descriptor.methods:
                if not method.client_streaming:
                    yield f"/{descriptor.full_name}/{method.name}", method


def _call(channel, path, method, data, key=None):
    metadata = [("authorization", f"Bearer {key}")] if key else []
    if method.server_streaming:
        call = channel.unary_stream(path)(data, timeout=10, metadata=metadata)
        try:
            return next(call)
        finally:
            call.cancel()
    return channel.unary_unary(path)(data, timeout=10, metadata=metadata)


def _fails(channel, path, method, data, key):
    """The failure, or None when the call was answered."""
    try:
        _call(channel, path, method, data, key)
    except grpc.RpcError as error:
        return Failure(error)
    return None


def test_without_a_key_nothing_is_answered(org, server):
    with server.channel() as channel:
        for path, method in _unary_methods(org):
            failure = _fails(channel, path, method, b"", None)
            assert failure is not None, path
            assert failure.reason in ("API_KEY_MISSING", "METHOD_NOT_IMPLEMENTED", "FIELD_INVALID",
                                      "INVITATION_NOT_FOUND"), (path, failure)


@pytest.mark.parametrize("key", ["", "x", "bos_sk_test_" + "0" * 49, "bos_sk_live_" + "z" * 49, "a" * 4000])
def test_a_wrong_key_is_unauthenticated(org, server, key):
    with server.channel() as channel:
        failure = _fails(channel, *next(_unary_methods(org)), b"", key or " ")
        assert failure.code == grpc.StatusCode.UNAUTHENTICATED, failure


def test_an_empty_request_is_a_typed_error_or_an_answer(org, server):
    with server.channel() as channel:
        for path, method in _unary_methods(org):
            failure = _fails(channel, path, method, b"", org.key)
            assert failure is None or (failure.code in ALLOWED and failure.reason), (path, failure)


@pytest.mark.parametrize("name,data", [
    ("cut", b"\x0a\x7f"),
    ("bad wire type", b"\x0f\x01"),
    ("field number 0", b"\x02\x00"),
    ("group", b"\x0b\x0c"),
    ("endless varint", b"\x08" + b"\xff" * 12),
    ("deep", b"\x0a\x04\x0a\x02\x0a\x00" * 1),
    ("random", random.Random(SEED).randbytes(300)),
])
def test_bytes_that_are_no_message(org, server, name, data):
    with server.channel() as channel:
        for path, method in _unary_methods(org):
            failure = _fails(channel, path, method, data, org.key)
            assert failure is None or failure.code in ALLOWED, (path, name, failure)


def test_text_with_nul_or_broken_utf8_is_refused(org, server):
    with server.channel() as channel:
        for text in (b"a\x00b", b"\xff\xfe", b"\xed\xa0\x80"):
            data = b"\x0a" + bytes([len(text)]) + text
            failure = _fails(channel, "/billingos.v1.CustomerService/GetCustomer",
                             org.pb("customer").DESCRIPTOR.services_by_name["CustomerService"].methods_by_name["GetCustomer"],
                             data, org.key)
            assert failure.reason in ("FIELD_INVALID", "MESSAGE_MALFORMED"), failure


def test_a_message_that_is_too_large_is_refused_everywhere(org, server):
    with server.channel() as channel:
        for path, method in _unary_methods(org):
            failure = _fails(channel, path, method, b"\x0a" + b"\x80\x80\x80\x01" + b"x" * (2 * 1024 * 1024), org.key)
            assert failure.code in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNIMPLEMENTED), (path, failure)


def _fill(message, text, number, depth=0):
    """Puts the same odd value into every field."""
    for field in message.DESCRIPTOR.fields:
        try:
            if field.is_repeated:
                continue
            if field.message_type is not None:
                if depth < 4 and field.message_type.file.package == "billingos.v1":
                    child = getattr(message, field.name)
                    child.SetInParent()
                    _fill(child, text, number, depth + 1)
            elif field.type == field.TYPE_STRING:
                setattr(message, field.name, text)
            elif field.type in (field.TYPE_INT64, field.TYPE_INT32, field.TYPE_ENUM):
                setattr(message, field.name, number if field.type == field.TYPE_INT64 else max(-2**31, min(2**31 - 1, number)))
        except (TypeError, ValueError):
            pass
    return message


@pytest.mark.parametrize("text,number", [
    ("x" * 5000, 2**63 - 1), ("", -1), ("\u0001\u202e", -2**63), ("'; DROP TABLE customers; --", 2**31 - 1),
    ("%s%n%x", 999), ("cus_00000000000000000000000000", 1),
])
def test_odd_values_in_every_field(org, server, text, number):
    with server.channel() as channel:
        for path, method in _unary_methods(org):
            module = org.pb(method.input_type.file.name.split("/")[-1].removesuffix("_service.proto"))
            request = _fill(getattr(module, method.input_type.name)(), text, number)
            failure = _fails(channel, path, method, request.SerializeToString(), org.key)
            assert failure is None or (failure.code in ALLOWED and failure.reason), (path, failure)


def test_the_server_still_answers_and_has_said_no_secret(org, server):
    assert server.ready()
    log = server.log()
    for secret in (org.key, server.webhook_secret, server.bootstrap_token):
        assert secret not in log
    assert "code=INTERNAL" not in log, [line for line in log.splitlines() if "INTERNAL" in line][:5]
