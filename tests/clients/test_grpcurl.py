"""grpcurl without any file of ours: the server lists, describes and explains itself, and is called."""

import json
import os
import re
import shutil
import subprocess
import time

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

import world

OURS = [f"billingos.v1.{name}Service" for name in (
    "Catalog", "Customer", "Entitlement", "Insights", "Invoice", "Organization", "Retention", "Subscription", "Usage",
    "WebhookEndpoint")]
STANDARD = ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"]


@pytest.fixture()
def grpcurl(org):
    program = shutil.which("grpcurl", path=f"{world.ROOT / '.tools'}:{os.environ['PATH']}")
    assert program, "./dev setup builds grpcurl"

    def run(*arguments, options=(), check=True):
        done = subprocess.run([program, "-plaintext", *options, org.server.address, *arguments], capture_output=True,
                              text=True, timeout=60)
        assert not check or done.returncode == 0, done.stderr
        return done

    return run


@pytest.fixture()
def call(grpcurl, org):
    """call("CustomerService/GetCustomer", request): with the key of the organisation."""

    def run(method, request, options=(), check=True):
        return grpcurl(f"billingos.v1.{method}", check=check, options=[
            "-H", f"authorization: Bearer {org.key}", "-d", json.dumps(request), *options])

    return run


def test_all_services_are_listed(grpcurl):
    assert grpcurl("list").stdout.split() == sorted(OURS + STANDARD)


def test_a_service_lists_its_methods(grpcurl):
    listed = grpcurl("list", "billingos.v1.CustomerService").stdout.split()
    assert "billingos.v1.CustomerService.GetCustomer" in listed
    assert len(listed) > 5


@pytest.mark.parametrize("service", OURS + STANDARD)
def test_a_service_describes_itself(grpcurl, stubs, service):
    text = grpcurl("describe", service).stdout
    assert text.startswith(f"{service} is a service:")
    methods = re.findall(r"^  rpc (\w+)", text, re.MULTILINE)
    assert methods
    if service in OURS:
        name = re.sub(r"(?<!^)([A-Z])", r"_\1", service.removeprefix("billingos.v1.").removesuffix("Service")).lower()
        known = stubs.pb(name).DESCRIPTOR.services_by_name[service.split(".")[-1]].methods
        assert methods == sorted(method.name for method in known)


def test_every_method_explains_itself(grpcurl):
    for service in OURS:
        text = grpcurl("describe", service).stdout
        commented = re.findall(r"^  // .*\n  rpc (\w+)", text, re.MULTILINE)
        assert commented == re.findall(r"^  rpc (\w+)", text, re.MULTILINE), service


def test_a_live_method_says_what_it_does_and_how_it_fails(grpcurl):
    text = grpcurl("describe", "billingos.v1.CustomerService.GetCustomer").stdout
    assert "// Returns one customer, by our id or yours." in text
    assert "// Fails with CUSTOMER_NOT_FOUND." in text
    assert "// Scope customers.read." in text
    assert "returns ( .billingos.v1.GetCustomerResponse )" in text


def test_a_message_explains_its_fields(grpcurl):
    text = grpcurl("describe", "billingos.v1.UsageEvent").stdout
    assert "// One thing that was used." in text
    assert "// How much, in the unit of the meter. Absent: one." in text
    assert "optional int64 quantity = 6;" in text
    template = grpcurl("describe", "billingos.v1.UsageEvent", options=["-msg-template"]).stdout
    assert '"meterKey": ""' in template


def test_an_enum_explains_its_values(grpcurl):
    text = grpcurl("describe", "billingos.v1.DecisionReason").stdout
    assert "// Denied: the limit of the window would be passed.\n  DECISION_REASON_USAGE_LIMIT_REACHED = 32;" in text


def test_a_call_is_answered(call):
    done = call("CustomerService/CreateCustomer", {
        "customer": {"externalCustomerId": "kunde-1", "name": "Zoë"}, "requestId": world.request_id()})
    customer = json.loads(done.stdout)["customer"]
    assert customer["name"] == "Zoë" and customer["status"] == "CUSTOMER_STATUS_ACTIVE"
    done = call("CustomerService/GetCustomer", {"externalCustomerId": "kunde-1"})
    assert json.loads(done.stdout)["customer"] == customer


def test_headers_are_shown(call):
    done = call("OrganizationService/GetCaller", {}, options=["-v", "-H", "x-request-id: grpcurl-1"])
    assert "x-request-id: grpcurl-1" in done.stdout


def test_a_failure_shows_its_details(call):
    done = call("CustomerService/GetCustomer", {}, check=False)
    assert done.returncode == 64 + grpc.StatusCode.INVALID_ARGUMENT.value[0]
    said = done.stderr
    assert "Code: InvalidArgument" in said
    for wanted in ("type.googleapis.com/google.rpc.ErrorInfo", '"reason":"FIELD_INVALID"', '"domain":"billingos.dev"',
                   "type.googleapis.com/google.rpc.BadRequest", '"field":"customer"'):
        assert wanted in said.replace('": ', '":'), said


def test_a_call_without_a_key_is_refused(grpcurl):
    done = grpcurl("billingos.v1.OrganizationService/GetOrganization", check=False)
    assert done.returncode == 64 + grpc.StatusCode.UNAUTHENTICATED.value[0]
    assert "API_KEY_MISSING" in done.stderr


def test_a_stream_runs_until_its_time_is_over(call, org):
    started = time.monotonic()
    done = call("InsightsService/WatchInsights", {}, options=["-max-time", "1"], check=False)
    assert 0.9 < time.monotonic() - started < 10
    assert done.returncode == 64 + grpc.StatusCode.DEADLINE_EXCEEDED.value[0], done.stderr
    assert '"ready": {' in done.stdout


def test_a_stream_begins_where_a_token_says(call, org):
    done = call("InsightsService/WatchInsights", {}, options=["-max-time", "1"], check=False)
    token = json.loads(done.stdout)["resumeToken"]
    made = org.customer()
    done = call("InsightsService/WatchInsights", {"resumeToken": token}, options=["-max-time", "1"], check=False)
    assert made.customer_id in done.stdout


def test_health_is_told(grpcurl, server):
    for service in ["", *OURS]:
        done = grpcurl("grpc.health.v1.Health/Check", options=["-d", json.dumps({"service": service})])
        assert json.loads(done.stdout) == {"status": "SERVING"}
    done = grpcurl("grpc.health.v1.Health/Check", options=["-d", '{"service": "nothing"}'], check=False)
    assert done.returncode == 64 + grpc.StatusCode.NOT_FOUND.value[0]
    with server.channel() as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=10)
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        watch.cancel()


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection_answers_in_both_versions(server, version):
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="billingos.v1.CustomerService"),
        reflection_pb2.ServerReflectionRequest(file_by_filename="google/protobuf/timestamp.proto"),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="nothing.at.All"),
    ]
    with server.channel() as channel:
        # Both versions have the same messages.
        ask = channel.stream_stream(f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
                                    reflection_pb2.ServerReflectionRequest.SerializeToString,
                                    reflection_pb2.ServerReflectionResponse.FromString)
        answers = list(ask(iter(requests), timeout=10))
    kinds = [answer.WhichOneof("message_response") for answer in answers]
    assert kinds == ["list_services_response", "file_descriptor_response", "file_descriptor_response", "error_response"]
    assert {service.name for service in answers[0].list_services_response.service} == {*OURS, *STANDARD}
    assert answers[3].error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
