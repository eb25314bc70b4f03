"""Makes the demo organisation through the public API, as a merchant would, or finds the one of last time.

Usage: demo_data.py BILLINGOS CONFIG ENV-FILE; the addresses come from the environment (see demo.sh). Writes the keys and names
that the demo prints into ENV-FILE, which is the only place where they are kept.
"""

import glob
import importlib
import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request
import uuid

import grpc

ROOT = pathlib.Path(__file__).resolve().parents[2]
CUSTOMER, FEATURE, METER, PLAN = "demo-customer", "api_calls", "api_calls", "pro"


def stubs(folder):
    os.makedirs(folder, exist_ok=True)
    protos = [os.path.relpath(path, ROOT / "api") for path in sorted(glob.glob(f"{ROOT}/api/billingos/v1/*.proto"))]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT / 'api'}", f"--python_out={folder}",
                    f"--grpc_python_out={folder}", *protos], check=True)
    sys.path.insert(0, folder)


class Api:
    def __init__(self, address, key):
        self.channel = grpc.insecure_channel(address)
        self.metadata = [("authorization", f"Bearer {key}")]

    def pb(self, service):
        return importlib.import_module(f"billingos.v1.{service}_service_pb2" if service != "common" else "billingos.v1.common_pb2")

    def call(self, service, method, request):
        module = importlib.import_module(f"billingos.v1.{service}_service_pb2_grpc")
        stub = getattr(module, f"{service.title()}ServiceStub")(self.channel)
        return getattr(stub, method)(request, metadata=self.metadata, timeout=30)


def read_env(path):
    values = {}
    if os.path.exists(path):
        for line in open(path):
            name, _, value = line.strip().partition("=")
            values[name] = value.strip("'")
    return values


def works(address, key):
    """Whether the key of last time still opens the organisation of last time."""
    if not key:
        return False
    try:
        api = Api(address, key)
        api.call("organization", "GetCaller", api.pb("organization").GetCallerRequest())
        return True
    except grpc.RpcError:
        return False


def connect_account(api):
    pb = api.pb("organization")
    answer = api.call("organization", "ConnectPaymentAccount", pb.ConnectPaymentAccountRequest(
        country_code="DE", return_url="https://example.com/done", refresh_url="https://example.com/again",
        request_id=str(uuid.uuid4())))
    # A merchant would fill in the form behind this link; the simulator takes a click for it.
    with urllib.request.urlopen(f"{os.environ['BILLINGOS_DEMO_SANDBOX']}/_sim/state", timeout=10) as state:
        known = json.load(state)
    for name in known["accounts"].keys() - {known["platform"]}:
        request = urllib.request.Request(
            f"{os.environ['BILLINGOS_DEMO_SANDBOX']}/_sim/accounts/{name}/onboard", data=b"{}", method="POST",
            headers={"content-type": "application/json"})
        urllib.request.urlopen(request, timeout=10).read()
    for _ in range(100):
        account = api.call("organization", "RefreshPaymentAccount", pb.RefreshPaymentAccountRequest()).payment_account
        if account.charges_enabled:
            return answer
        time.sleep(0.1)
    raise SystemExit("the payment account of the demo did not become ready")


def make(api):
    connect_account(api)
    pb, common = api.pb("catalog"), api.pb("common")
    new = lambda: str(uuid.uuid4())
    api.call("catalog", "CreateMeter", pb.CreateMeterRequest(meter=pb.Meter(
        meter_key=METER, name="API calls", aggregation=pb.METER_AGGREGATION_SUM, unit_name="call"), request_id=new()))
    api.call("catalog", "CreateFeature", pb.CreateFeatureRequest(feature=pb.Feature(
        feature_key=FEATURE, name="API calls", kind=pb.FEATURE_KIND_METERED, meter_key=METER), request_id=new()))
    api.call("catalog", "CreateFeature", pb.CreateFeatureRequest(feature=pb.Feature(
        feature_key="sso", name="Single sign-on", kind=pb.FEATURE_KIND_BOOLEAN), request_id=new()))
    plan = api.call("catalog", "CreatePlan", pb.CreatePlanRequest(
        plan=pb.Plan(plan_key=PLAN, name="Pro", kind=pb.PLAN_KIND_BASE),
        features=[pb.PlanFeature(feature_key=FEATURE, max=10000, reset_period=common.RESET_PERIOD_BILLING_PERIOD),
                  pb.PlanFeature(feature_key="sso")],
        prices=[pb.Price(model=pb.PRICE_MODEL_FLAT, currency_code="EUR", interval=common.BILLING_INTERVAL_MONTH,
                         interval_count=1, unit_price=common.Money(minor_units=4900, currency_code="EUR"))],
        request_id=new()))
    api.call("catalog", "PublishPlan", pb.PublishPlanRequest(
        plan_id=plan.plan.plan_id, version=plan.version.version, request_id=new()))
    customers = api.pb("customer")
    api.call("customer", "CreateCustomer", customers.CreateCustomerRequest(customer=customers.Customer(
        external_customer_id=CUSTOMER, name="Ada Example", email="ada@example.com"), request_id=new()))
    subscriptions = api.pb("subscription")
    api.call("subscription", "CreateSubscription", subscriptions.CreateSubscriptionRequest(
        external_customer_id=CUSTOMER, plan_key=PLAN, payment_method_id="pm_card_visa", request_id=new()))


def main():
    program, config, path = sys.argv[1:4]
    address = os.environ["BILLINGOS_DEMO_GRPC"]
    stubs(os.path.join(os.path.dirname(path), "stubs"))
    old = read_env(path)
    if works(address, old.get("BILLINGOS_SECRET_KEY")):
        return
    keys = json.loads(subprocess.run(
        [program, "org", "create", "--config", config, "--name", "Demo", "--owner", "owner@example.com", "--currency", "EUR", "--json"],
        check=True, capture_output=True, text=True).stdout)
    make(Api(address, keys["test_secret_key"]))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        for name, value in {
            "BILLINGOS_SECRET_KEY": keys["test_secret_key"],
            "BILLINGOS_PUBLISHABLE_KEY": keys["test_publishable_key"],
            "BILLINGOS_ORG": keys["organization_id"],
            "BILLINGOS_CUSTOMER": CUSTOMER,
            "BILLINGOS_FEATURE": FEATURE,
            "BILLINGOS_METER": METER,
        }.items():
            out.write(f"{name}={value}\n")


main()
