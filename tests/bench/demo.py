"""The running demo: its addresses and keys, stubs of its API, and the objects that measurements use."""

import functools
import http.client
import importlib
import json
import os
import pathlib
import shlex
import sys
import tempfile
import urllib.parse
import uuid

from programs import ROOT, BenchError

SERVICES = ("organization", "catalog", "customer", "subscription", "entitlement", "usage", "insights")
CALL_S = 10  # No call of the preparation may take longer.


def environment(run_directory):
    """BILLINGOS_*: of the process, else as written by ./dev demo --detach."""
    values = {}
    path = run_directory / "demo.env"
    if path.exists():
        for word in shlex.split(path.read_text(), comments=True):
            name, equals, value = word.partition("=")
            if equals:
                values[name] = value
    values.update((name, value) for name, value in os.environ.items() if name.startswith("BILLINGOS_"))
    return values


def stubs():
    """Generates the Python stubs of api/ into a directory that lasts as long as the process."""
    try:
        import google.protobuf
        import grpc_tools.protoc
    except ImportError as error:
        raise BenchError(f"{error}; install grpcio-tools into this Python") from error
    directory = tempfile.TemporaryDirectory(prefix="billingos-bench-")
    bundled = pathlib.Path(grpc_tools.protoc.__file__).parent / "_proto"
    files = sorted(str(path) for path in (ROOT / "api/billingos").rglob("*.proto"))
    arguments = [f"-I{ROOT / 'api'}", f"-I{bundled}"]
    arguments += [f"--{kind}={directory.name}" for kind in ("python_out", "grpc_python_out")]
    if grpc_tools.protoc.main(["protoc", *arguments, *files]) != 0:
        raise BenchError("the protos of api/ do not compile")
    sys.path.insert(0, directory.name)
    return directory


class Demo:
    """One organisation of a running demo, seen through its secret key."""

    def __init__(self, run_directory):
        self.env = environment(run_directory)
        self.run_directory = run_directory
        self.directory = stubs()
        self.grpc = importlib.import_module("grpc")
        self.key = self.need("BILLINGOS_SECRET_KEY")
        self.address = self.need("BILLINGOS_GRPC")
        self.channel = self.grpc.insecure_channel(self.address)
        for service in SERVICES:
            setattr(self, service, importlib.import_module(f"billingos.v1.{service}_service_pb2"))
        self.common = importlib.import_module("billingos.v1.common_pb2")

    def need(self, name):
        if not self.env.get(name):
            raise BenchError(f"{name} is not set; start ./dev demo --detach, or see {self.run_directory}/demo.env")
        return self.env[name]

    @functools.cached_property
    def server_pid(self):
        path = self.run_directory / "billingos.pid"
        try:
            return int(path.read_text())
        except (OSError, ValueError) as error:
            raise BenchError(f"cannot read the server's process id: {error}") from error

    @property
    def http(self):
        """Host and port of the HTTP listener."""
        parts = urllib.parse.urlsplit(self.need("BILLINGOS_HTTP"))
        return parts.hostname, parts.port

    @property
    def metadata(self):
        return [("authorization", f"Bearer {self.key}")]

    def stub(self, service):
        module = importlib.import_module(f"billingos.v1.{service}_service_pb2_grpc")
        return getattr(module, f"{service.capitalize()}ServiceStub")(self.channel)

    def call(self, service, method, **fields):
        """Calls one method with a new request_id where it takes one."""
        module = getattr(self, service)
        request = getattr(module, f"{method}Request")(**fields)
        if "request_id" in request.DESCRIPTOR.fields_by_name:
            request.request_id = str(uuid.uuid4())
        try:
            return getattr(self.stub(service), method)(request, metadata=self.metadata, timeout=CALL_S)
        except self.grpc.RpcError as error:
            raise BenchError(f"{method}: {error.code().name}: {error.details()}") from error

    def sandbox(self, method, path, **parameters):
        """One call to the payment simulator as the platform, about the organisation's account."""
        parts = urllib.parse.urlsplit(self.need("BILLINGOS_SANDBOX"))
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=CALL_S)
        query = urllib.parse.urlencode(parameters)
        connection.request(
            method,
            f"{path}?{query}" if query else path,
            headers={
                "Authorization": f"Bearer {self.env.get('BILLINGOS_SANDBOX_KEY', 'sk_test_bench')}",
                "Stripe-Account": self.account,
            },
        )
        response = connection.getresponse()
        body = response.read()
        connection.close()
        if response.status != 200:
            raise BenchError(f"the sandbox answered {method} {path} with {response.status}: {body[:200]!r}")
        return json.loads(body)

    @functools.cached_property
    def account(self):
        """The organisation's account at the payment side."""
        answer = self.call("organization", "GetPaymentAccount")
        return answer.payment_account.payment_account_ref

    @functools.cached_property
    def plan(self):
        """Publishes a plan with a boolean and a metered feature; both never run out."""
        mark = uuid.uuid4().hex[:8]
        keys = {name: f"bench_{name}_{mark}" for name in ("meter", "metered", "boolean", "plan")}
        catalog = self.catalog
        self.call("catalog", "CreateMeter", meter=catalog.Meter(
            meter_key=keys["meter"], name="Bench calls", aggregation=catalog.METER_AGGREGATION_SUM))
        self.call("catalog", "CreateFeature", feature=catalog.Feature(
            feature_key=keys["metered"], name="Bench calls", kind=catalog.FEATURE_KIND_METERED,
            meter_key=keys["meter"]))
        self.call("catalog", "CreateFeature", feature=catalog.Feature(
            feature_key=keys["boolean"], name="Bench switch", kind=catalog.FEATURE_KIND_BOOLEAN))
        price = catalog.Price(
            model=catalog.PRICE_MODEL_FLAT, currency_code="EUR", interval=self.common.BILLING_INTERVAL_MONTH,
            unit_price=self.common.Money(minor_units=1000, currency_code="EUR"))
        features = [
            catalog.PlanFeature(feature_key=keys["boolean"]),
            catalog.PlanFeature(
                feature_key=keys["metered"], max=10**15, reset_period=self.common.RESET_PERIOD_MONTH,
                window_anchor=catalog.WINDOW_ANCHOR_CALENDAR),
        ]
        plan = self.call(
            "catalog", "CreatePlan", plan=catalog.Plan(plan_key=keys["plan"], name="Bench"),
            features=features, prices=[price]).plan
        self.call("catalog", "PublishPlan", plan_id=plan.plan_id)
        return keys

    def subscriber(self):
        """Makes a customer in the trial of the plan; returns the subscription."""
        plan_key = self.plan["plan"]
        customer = self.call("customer", "CreateCustomer", customer=self.customer.Customer(
            external_customer_id=f"bench-{uuid.uuid4().hex}", email="bench@example.com", name="Bench")).customer
        return self.call(
            "subscription", "CreateSubscription", customer_id=customer.customer_id, plan_key=plan_key,
            trial_days=30).subscription

    def payment_side_ids(self):
        """From our ids of subscriptions to those of the payment side, by the metadata there."""
        found = {}
        parameters = {"limit": 100}
        while True:
            page = self.sandbox("GET", "/v1/subscriptions", **parameters)
            for subscription in page["data"]:
                found.update((value, subscription["id"]) for value in subscription["metadata"].values())
            if not page["has_more"]:
                return found
            parameters["starting_after"] = page["data"][-1]["id"]
