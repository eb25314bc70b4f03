"""The contract cases with grpcio. Run by test_clients.py, which starts the server and names it in the environment."""

import json
import os
import pathlib
import re
import sys
import time

import grpc
import pytest
from google.protobuf import json_format, symbol_database
from google.rpc import error_details_pb2
from grpc_status import rpc_status

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "integration"))
import world  # noqa: E402

CASES = json.loads(pathlib.Path(os.environ["BOS_CONTRACT_CASES"]).read_text(encoding="utf-8"))
KEYS = {
    "secret": os.environ["BOS_CONTRACT_SECRET_KEY"],
    "publishable": os.environ["BOS_CONTRACT_PUBLISHABLE_KEY"],
    "wrong": "bos_sk_test_" + "0" * 49,
}
SECONDS = 30


class Client:
    """Calls methods by name, with messages in their JSON form."""

    def __init__(self):
        self.stubs = world.Stubs()
        for service in world.SERVICES:
            self.stubs.pb(service)
        self.symbols = symbol_database.Default()
        self.channel = grpc.insecure_channel(os.environ["BOS_CONTRACT_ADDRESS"])
        self.variables = {}

    def fill(self, value):
        if isinstance(value, dict):
            return {key: self.fill(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.fill(inner) for inner in value]
        return re.sub(r"\$\{(\w+)\}", lambda m: self.variables[m[1]], value) if isinstance(value, str) else value

    def start(self, case):
        """The running call; its result or messages are protobuf messages."""
        service, name = case["method"].split("/")
        method = self.symbols.pool.FindServiceByName(f"billingos.v1.{service}").methods_by_name[name]
        request = json_format.ParseDict(self.fill(case.get("request", {})),
                                        self.symbols.GetSymbol(method.input_type.full_name)())
        answer = self.symbols.GetSymbol(method.output_type.full_name)
        metadata = list(self.fill(case.get("metadata", {})).items())
        key = self.fill(case.get("key", "secret"))
        if key != "none":
            metadata.append(("authorization", f"Bearer {KEYS.get(key, key)}"))
        kind = self.channel.unary_stream if method.server_streaming else self.channel.unary_unary
        call = kind(f"/{method.containing_service.full_name}/{name}", request_serializer=lambda m: m.SerializeToString(),
                    response_deserializer=answer.FromString)
        start = call if method.server_streaming else call.future
        return start(request, timeout=case.get("deadline_ms", SECONDS * 1000) / 1000, metadata=metadata)

    def save(self, wanted, message):
        for name, path in wanted.items():
            value = message
            for part in path.split("."):
                value = value[part]
            self.variables[name] = value

    def close(self):
        self.channel.close()
        self.stubs.close()


@pytest.fixture(scope="module")
def client():
    made = Client()
    yield made
    made.close()


def compare(wanted, got, path="answer"):
    """What is wanted must be a part of what there is."""
    if wanted is None or wanted in ("", False, 0, "0", []):
        assert got in (None, "", False, 0, "0", [], {}), f"{path}: {got!r} instead of nothing"
    elif wanted == "*":
        assert got not in (None, "", False, 0, "0", [], {}), f"{path} is missing"
    elif isinstance(wanted, dict):
        assert isinstance(got, dict), f"{path}: {got!r} is no object"
        for key, inner in wanted.items():
            compare(inner, got.get(key), f"{path}.{key}")
    elif isinstance(wanted, list):
        assert isinstance(got, list) and len(got) == len(wanted), f"{path}: {got!r} has not {len(wanted)} elements"
        for index, inner in enumerate(wanted):
            compare(inner, got[index], f"{path}[{index}]")
    elif isinstance(wanted, str) and wanted.startswith("~"):
        assert isinstance(got, str) and re.search(wanted[1:], got), f"{path}: {got!r} does not match {wanted[1:]!r}"
    else:
        assert str(got) == str(wanted) or (got is True and wanted is True), f"{path}: {got!r} instead of {wanted!r}"


def as_json(message):
    return json_format.MessageToDict(message, always_print_fields_with_no_presence=True)


class Failure:
    """The details of a failed call."""

    def __init__(self, call):
        self.code, self.message = call.code(), call.details()
        self.info = self.violations = self.retry = self.request = None
        status = rpc_status.from_call(call)
        kinds = {"info": error_details_pb2.ErrorInfo, "violations": error_details_pb2.BadRequest,
                 "retry": error_details_pb2.RetryInfo, "request": error_details_pb2.RequestInfo}
        for detail in status.details if status is not None else []:
            for name, kind in kinds.items():
                message = kind()
                if detail.Unpack(message):
                    setattr(self, name, message)

    def text(self):
        return f"{self.code.name}: {self.message}: {self.info} {self.violations}".replace("\n", " ")

    def check(self, wanted, headers):
        assert self.code.name == wanted["code"], self.text()
        assert self.message
        if self.info is not None:
            assert self.info.domain == "billingos.dev"
            assert self.request.request_id == headers["x-request-id"]
        if "reason" in wanted:
            assert self.info is not None and self.info.reason == wanted["reason"], self.text()
        if "metadata" in wanted:
            compare(wanted["metadata"], dict(self.info.metadata), "metadata")
        if "fields" in wanted:
            named = [] if self.violations is None else [v.field for v in self.violations.field_violations]
            assert sorted(named) == sorted(wanted["fields"]), self.text()
        if "retry" in wanted:
            assert (self.retry is not None and self.retry.retry_delay.ToNanoseconds() > 0) == wanted["retry"], self.text()
        if "message" in wanted:
            compare(wanted["message"], self.message, "message")


def headers_of(call):
    return {key: value for key, value in call.initial_metadata() or () if isinstance(value, str)}


def check_failure(client, case, call):
    Failure(call).check(client.fill(case["error"]), headers_of(call))
    compare(client.fill(case.get("headers", {})), headers_of(call), "headers")


def run_unary(client, case):
    """Once, or until it fits."""
    end = time.monotonic() + case.get("within_ms", 0) / 1000
    while True:
        try:
            return run_once(client, case)
        except AssertionError:
            if time.monotonic() > end:
                raise
        time.sleep(0.02)


def run_once(client, case):
    call = client.start(case)
    if case.get("cancel"):
        call.cancel()
        assert call.code().name == case["error"]["code"]
        return
    try:
        answer = as_json(call.result())
    except grpc.RpcError as error:
        assert "error" in case, Failure(call).text()
        check_failure(client, case, error)
        return
    assert "error" not in case, f"did not fail: {answer}"
    compare(client.fill(case["ok"]), answer)
    compare(client.fill(case.get("headers", {})), headers_of(call), "headers")
    client.save(case.get("save", {}), answer)


def next_message(call):
    message = as_json(next(call))
    while "heartbeat" in message:
        message = as_json(next(call))
    return message


def read_to_the_end(call):
    for _ in call:
        pass


def run_stream(client, case):
    call = client.start(case)
    for step in case["stream"]:
        if "call" in step:
            run_unary(client, step["call"])
            continue
        message = next_message(call)
        compare(client.fill(step["receive"]), message, "message")
        client.save(step.get("save", {}), message)
    if case.get("cancel"):
        compare(client.fill(case.get("headers", {})), headers_of(call), "headers")
        call.cancel()
        assert call.code() == grpc.StatusCode.CANCELLED
        return
    with pytest.raises(grpc.RpcError):
        read_to_the_end(call)
    check_failure(client, case, call)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(client, case):
    failure = "it broke off"
    try:
        (run_stream if "stream" in case else run_unary)(client, case)
        failure = ""
    except BaseException as error:
        failure = str(error) or repr(error)
        raise
    finally:
        with open(os.environ["BOS_CONTRACT_RESULTS"], "a", encoding="utf-8") as results:
            results.write(json.dumps({"name": case["name"], "failure": failure}) + "\n")
