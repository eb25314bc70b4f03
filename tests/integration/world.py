"""The real programs that the integration tests talk to: PostgreSQL, billingos-sandbox, billingos."""

import importlib
import json
import os
import pathlib
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid

import grpc

import wire

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BOS_BUILD", ROOT / "build" / "dev"))
POSTGRES = pathlib.Path(os.environ.get("BOS_POSTGRES", "/usr/lib/postgresql/15/bin"))
SERVICES = [
    "organization", "catalog", "customer", "subscription", "entitlement", "usage", "insights", "invoice",
    "retention", "webhook_endpoint",
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, seconds: float = 10.0, what: str = "condition"):
    """The first true value of condition(); fails when there is none in time."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


class Stubs:
    """The generated Python code, made anew for each run."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="billingos-stubs-")
        protos = sorted(str(p.relative_to(ROOT / "api")) for p in (ROOT / "api").rglob("*.proto"))
        subprocess.run(
            [sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT / 'api'}", f"--python_out={self.folder}",
             f"--grpc_python_out={self.folder}", *protos],
            check=True)
        sys.path.insert(0, self.folder)

    def pb(self, service: str):
        return importlib.import_module(f"billingos.v1.{self._file(service)}_pb2")

    def grpc(self, service: str):
        return importlib.import_module(f"billingos.v1.{self._file(service)}_pb2_grpc")

    def stub(self, service: str, channel):
        name = "".join(part.title() for part in service.split("_")) + "ServiceStub"
        return getattr(self.grpc(service), name)(channel)

    @staticmethod
    def _file(service: str) -> str:
        return service if service in ("common", "error_reason") else f"{service}_service"

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Cluster:
    """A private PostgreSQL; each database in it is a copy of one that was migrated once."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="billingos-pg-")
        self.port = free_port()
        self.user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
        os.chmod(self.folder, 0o755)
        self._run("initdb", "-D", f"{self.folder}/data", "-A", "trust", "-U", "billingos", "--no-sync")
        self.start()
        self.template_made = False

    def _run(self, program, *arguments):
        prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        subprocess.run([*prefix, str(POSTGRES / program), *arguments], check=True, stdout=subprocess.DEVNULL,
                       cwd="/")

    def start(self):
        options = (f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off "
                   "-c max_connections=100 -c shared_buffers=128MB")
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-l", f"{self.folder}/log", "-w", "-o", options, "start")

    def stop(self, mode: str = "fast"):
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-m", mode, "stop")

    def url(self, database: str) -> str:
        return f"postgresql://billingos@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str):
        import psycopg

        return psycopg.connect(self.url(database), autocommit=True)

    def database(self) -> str:
        """The name of a new, migrated database."""
        if not self.template_made:
            with self.connect("postgres") as connection:
                connection.execute("CREATE DATABASE migrated")
            result = subprocess.run(
                [str(BUILD / "server" / "billingos"), "migrate", "up"], capture_output=True, text=True,
                env={**os.environ, "BILLINGOS_DATABASE_URL": self.url("migrated")})
            assert result.returncode == 0, result.stderr
            self.template_made = True
        name = f"test_{secrets.token_hex(6)}"
        with self.connect("postgres") as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE migrated")
        return name

    def close(self):
        try:
            self.stop("immediate")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


class Process:
    """One program of ours with its log."""

    def __init__(self, name: str):
        self.name = name
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-"))
        self.log_path = self.folder / "log"
        self.process = None

    def run(self, arguments, env):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(arguments, stdout=log, stderr=log, env={**os.environ, **env})

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    @property
    def pid(self) -> int:
        return self.process.pid

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill9(self):
        if self.alive():
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self, seconds: float = 20) -> int:
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
            raise AssertionError(f"{self.name} did not end on SIGTERM:\n{self.log()[-3000:]}")

    def close(self):
        try:
            if self.alive():
                code = self.stop()
                assert code == 0, f"{self.name} ended with {code}:\n{self.log()[-5000:]}"
            assert "ERROR: AddressSanitizer" not in self.log(), self.log()[-8000:]
            assert "ERROR: LeakSanitizer" not in self.log(), self.log()[-8000:]
            assert "runtime error:" not in self.log(), self.log()[-8000:]
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


class Sandbox(Process):
    """The payment side's simulator."""

    def __init__(self, webhook_url: str, webhook_secret: str):
        super().__init__("billingos-sandbox")
        self.key = "sk_test_" + secrets.token_hex(12)
        port_file = self.folder / "port"
        self.run(
            [str(BUILD / "server" / "billingos-sandbox"), "--listen", "127.0.0.1:0", "--port-file", str(port_file),
             "--webhook-url", wire.through(webhook_url), "--webhook-secret", webhook_secret, "--secret-key", self.key], {})
        self.address = wire.through(
            wait_for(lambda: port_file.exists() and port_file.read_text().strip(), 20, "sandbox starts"))

    @property
    def base(self) -> str:
        return self.address if self.address.startswith("http") else f"http://{self.address}"

    def control(self, path: str, body=None, method: str = "POST"):
        """A call of the control API: control("accounts/acct_1/onboard")."""
        data = None if method in ("GET", "DELETE") else json.dumps(body or {}).encode()
        request = urllib.request.Request(f"{self.base}/_sim/{path}", data=data, method=method,
                                         headers={"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read().decode()
            return json.loads(text) if text.startswith(("{", "[")) else text

    def api(self, path: str, account: str, method: str = "GET", form: str = ""):
        """What the payment side itself says: api("subscriptions?status=all", account)."""
        request = urllib.request.Request(
            f"{self.base}/v1/{path}", method=method, data=form.encode() if method == "POST" else None,
            headers={"authorization": f"Bearer {self.key}", "stripe-account": account})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())


class Server(Process):
    """billingos serve."""

    def __init__(self, cluster: Cluster, database: str = None, env=None):
        super().__init__("billingos")
        self.cluster = cluster
        self.database = database or cluster.database()
        self.grpc_port, self.http_port, self.ops_port = free_port(), free_port(), free_port()
        self.webhook_secret = "whsec_" + secrets.token_hex(16)
        self.bootstrap_token = None
        self.env = {
            "BILLINGOS_DATABASE_URL": cluster.url(self.database),
            "BILLINGOS_GRPC_LISTEN": f"127.0.0.1:{self.grpc_port}",
            "BILLINGOS_HTTP_LISTEN": f"127.0.0.1:{self.http_port}",
            "BILLINGOS_HTTP_OPS_LISTEN": f"127.0.0.1:{self.ops_port}",
            "BILLINGOS_PAYMENTS_WEBHOOK_SECRETS_CONNECT": self.webhook_secret,
            "BILLINGOS_PAYMENTS_WEBHOOK_SECRETS_PLATFORM": self.webhook_secret,
            "BILLINGOS_GRPC_DRAIN_MS_MAX": "5000",
            **(env or {}),
        }

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def ops(self) -> str:
        return f"http://127.0.0.1:{self.ops_port}"

    @property
    def webhook_url(self) -> str:
        return f"{self.http}/webhooks/stripe/connect"

    def billingos(self, *arguments, check: bool = True) -> subprocess.CompletedProcess:
        """A verb of the command line, on this server's settings."""
        result = subprocess.run([str(BUILD / "server" / "billingos"), *arguments], capture_output=True, text=True,
                                env={**os.environ, **self.env}, timeout=60)
        assert not check or result.returncode == 0, result.stderr
        return result

    def use(self, sandbox: Sandbox):
        self.env["BILLINGOS_PAYMENTS_API_BASE"] = sandbox.base
        self.env["BILLINGOS_PAYMENTS_SECRET_KEY_TEST"] = sandbox.key

    def start(self, env=None):
        if self.bootstrap_token is None:
            self.bootstrap_token = self.billingos("bootstrap-token").stdout.strip()
        self.run([str(BUILD / "server" / "billingos"), "serve"], {**self.env, **(env or {})})
        self.wait_ready()

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.ops}/readyz", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def wait_ready(self, seconds: float = 30):
        def look():
            assert self.alive(), f"billingos ended:\n{self.log()[-3000:]}"
            return self.ready()

        wait_for(look, seconds, "server is ready")

    def restart(self, env=None):
        if self.alive():
            self.stop()
        self.start(env)

    def channel(self, **options):
        return grpc.insecure_channel(self.address, options=list(options.items()))

    def metrics(self) -> str:
        with urllib.request.urlopen(f"{self.ops}/metrics", timeout=5) as answer:
            return answer.read().decode()


class _WithKey(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor,
               grpc.StreamUnaryClientInterceptor, grpc.StreamStreamClientInterceptor):
    """Adds the key to each call, and a deadline where there is none."""

    def __init__(self, key: str, seconds: float = 30):
        self.key, self.seconds = key, seconds

    def _details(self, details, timeout=True):
        metadata = [*(details.metadata or []), ("authorization", f"Bearer {self.key}")]
        wanted = details.timeout if details.timeout is not None or not timeout else self.seconds
        return _Details(details.method, wanted, metadata, details.credentials, details.wait_for_ready,
                        details.compression)

    def intercept_unary_unary(self, continuation, details, request):
        return continuation(self._details(details), request)

    def intercept_unary_stream(self, continuation, details, request):
        return continuation(self._details(details, timeout=False), request)

    def intercept_stream_unary(self, continuation, details, requests):
        return continuation(self._details(details), requests)

    def intercept_stream_stream(self, continuation, details, requests):
        return continuation(self._details(details, timeout=False), requests)


class _Details(grpc.ClientCallDetails):
    def __init__(self, method, timeout, metadata, credentials, wait_for_ready, compression):
        self.method, self.timeout, self.metadata = method, timeout, metadata
        self.credentials, self.wait_for_ready, self.compression = credentials, wait_for_ready, compression


def request_id() -> str:
    return str(uuid.uuid4())


class Org:
    """One organisation in test mode, with stubs that carry its secret key."""

    def __init__(self, server: Server, stubs: Stubs, sandbox: Sandbox = None):
        self.server, self.stubs, self.sandbox = server, stubs, sandbox
        name = f"Org {secrets.token_hex(4)}"
        made = server.billingos("org", "create", "--name", name, "--owner", "owner@example.com", "--currency", "EUR",
                                "--json")
        self.keys = json.loads(made.stdout)
        self.key = self.keys["test_secret_key"]
        self.organization_id = self.keys["organization_id"]
        self.account = None
        self._channel = None

    @property
    def channel(self):
        if self._channel is None:
            self._channel = self.channel_with(self.key)
        return self._channel

    def channel_with(self, key: str):
        return grpc.intercept_channel(self.server.channel(), _WithKey(key))

    def reconnect(self):
        """After the server was started anew."""
        self._channel = None

    def stub(self, service: str):
        return self.stubs.stub(service, self.channel)

    def pb(self, service: str):
        return self.stubs.pb(service)

    def connect_account(self) -> str:
        """Connects a payment account and goes through its onboarding; the account's id."""
        pb = self.pb("organization")
        organization = self.stub("organization")
        organization.ConnectPaymentAccount(pb.ConnectPaymentAccountRequest(
            country_code="DE", return_url="https://example.com/done", refresh_url="https://example.com/again",
            request_id=request_id()))
        with self.server.cluster.connect(self.server.database) as connection:
            row = connection.execute(
                "SELECT s.account_id FROM stripe_accounts s JOIN organizations o USING (org_id)"
                " WHERE o.live = false AND o.name = %s",
                (organization.GetOrganization(pb.GetOrganizationRequest()).organization.name,)).fetchone()
        self.account = row[0]
        self.sandbox.control(f"accounts/{self.account}/onboard")
        organization.RefreshPaymentAccount(pb.RefreshPaymentAccountRequest())
        wait_for(lambda: organization.GetPaymentAccount(pb.GetPaymentAccountRequest()).payment_account.charges_enabled,
                 10, "charges enabled")
        return self.account

    def customer(self, **fields):
        pb = self.pb("customer")
        fields.setdefault("external_customer_id", f"ext-{secrets.token_hex(6)}")
        return self.stub("customer").CreateCustomer(pb.CreateCustomerRequest(
            customer=pb.Customer(**fields), request_id=request_id())).customer

    def meter(self, key: str, aggregation: str = "SUM"):
        pb = self.pb("catalog")
        return self.stub("catalog").CreateMeter(pb.CreateMeterRequest(
            meter=pb.Meter(meter_key=key, name=key,
                           aggregation=pb.MeterAggregation.Value(f"METER_AGGREGATION_{aggregation}")),
            request_id=request_id())).meter

    def feature(self, key: str, kind: str = "BOOLEAN", **fields):
        pb = self.pb("catalog")
        return self.stub("catalog").CreateFeature(pb.CreateFeatureRequest(
            feature=pb.Feature(feature_key=key, name=key, kind=pb.FeatureKind.Value(f"FEATURE_KIND_{kind}"), **fields),
            request_id=request_id())).feature

    def plan(self, key: str, features=(), minor_units: int = 1900, interval: str = "MONTH", trial_days: int = 0,
             publish: bool = True):
        """A plan with one flat price in EUR; features are messages of PlanFeature."""
        pb, common = self.pb("catalog"), self.pb("common")
        catalog = self.stub("catalog")
        price = pb.Price(model=pb.PRICE_MODEL_FLAT, currency_code="EUR", interval_count=1,
                         interval=common.BillingInterval.Value(f"BILLING_INTERVAL_{interval}"),
                         unit_price=common.Money(minor_units=minor_units, currency_code="EUR"))
        made = catalog.CreatePlan(pb.CreatePlanRequest(
            plan=pb.Plan(plan_key=key, name=key.title(), kind=pb.PLAN_KIND_BASE), features=list(features),
            prices=[price], trial_days=trial_days, request_id=request_id()))
        if publish:
            catalog.PublishPlan(pb.PublishPlanRequest(plan_id=made.plan.plan_id, version=made.version.version,
                                                      request_id=request_id()))
        return made

    def limit(self, key: str, most: int, reset: str = "MONTH", **fields):
        """A PlanFeature for a metered feature."""
        pb, common = self.pb("catalog"), self.pb("common")
        return pb.PlanFeature(feature_key=key, max=most,
                              reset_period=common.ResetPeriod.Value(f"RESET_PERIOD_{reset}"), **fields)

    def check(self, feature_key: str, customer=None, external: str = None, quantity: int = 0, **fields):
        pb = self.pb("entitlement")
        query = pb.EntitlementQuery(feature_key=feature_key, quantity=quantity)
        if external is not None:
            query.external_customer_id = external
        else:
            query.customer_id = customer.customer_id if hasattr(customer, "customer_id") else customer
        return self.stub("entitlement").CheckEntitlement(pb.CheckEntitlementRequest(query=query, **fields)).answer

    def reason(self, answer) -> str:
        return self.pb("entitlement").DecisionReason.Name(answer.reason).removeprefix("DECISION_REASON_")

    def report(self, *events, source: str = "test"):
        """events: (event_id, customer_id, meter_key, quantity)."""
        pb = self.pb("usage")
        return self.stub("usage").ReportUsage(pb.ReportUsageRequest(events=[
            pb.UsageEvent(event_id=e[0], source=source, customer_id=e[1], meter_key=e[2], quantity=e[3])
            for e in events])).results

    def subscribe(self, customer, plan_key: str, **fields):
        pb = self.pb("subscription")
        fields.setdefault("request_id", request_id())
        fields.setdefault("payment_method_id", "pm_card_visa")
        return self.stub("subscription").CreateSubscription(pb.CreateSubscriptionRequest(
            customer_id=customer.customer_id, plan_key=plan_key, **fields)).subscription
