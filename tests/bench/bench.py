#!/usr/bin/env python3
"""Measures BillingOS against a running demo (./dev demo --detach) and writes bench/.

One function a measurement; each returns its rows and what was seen raw."""

import argparse
import contextlib
import difflib
import json
import math
import os
import pathlib
import re
import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import results
import webhook_client
from demo import Demo
from programs import ROOT, BenchError, Programs, cpu_us, rss_kb
from results import row

CHECK_PATH = "/billingos.v1.EntitlementService/CheckEntitlement"
USAGE_PATH = "/billingos.v1.UsageService/ReportUsage"
WATCH_PATH = "/billingos.v1.InsightsService/WatchInsights"
WEBHOOK_PATH = "/webhooks/stripe/connect"
NUMBER = "@" * 16  # In a body: where bos-load writes the next number.


class Bench:
    """What every measurement needs."""

    def __init__(self, arguments):
        self.run_directory = pathlib.Path(arguments.run)
        self.seconds = 1 if arguments.quick else 5
        self.count = 20 if arguments.quick else 100
        self.programs = Programs(arguments.build)
        self.demo = Demo(self.run_directory)
        self.scratch = pathlib.Path(self.demo.directory.name)

    def body(self, message, name="body"):
        """A file that bos-load sends as the request."""
        path = self.scratch / name
        path.write_bytes(message.SerializeToString())
        return path

    def build(self):
        """Which server was measured."""
        return os.path.relpath(os.readlink(f"/proc/{self.demo.server_pid}/exe"), ROOT)


def quantile(values, fraction):
    """Of a list, as bos-load counts it: the smallest value that so many do not exceed."""
    return sorted(values)[max(1, math.ceil(fraction * len(values))) - 1]


def check_requests(bench):
    """A cache hit on a boolean and on a metered feature, and how large their answers are."""
    demo = bench.demo
    customer_id = demo.subscriber().customer_id
    made = {}
    for kind in ("boolean", "metered"):
        message = demo.entitlement.CheckEntitlementRequest(query=demo.entitlement.EntitlementQuery(
            customer_id=customer_id, feature_key=demo.plan[kind]))
        answer = demo.stub("entitlement").CheckEntitlement(message, metadata=demo.metadata, timeout=5)
        if not answer.answer.allowed:
            raise BenchError(f"the {kind} feature is not allowed: {answer.answer.message}")
        made[kind] = (bench.body(message, kind), answer.ByteSize())
    return made


def check(bench):
    """CheckEntitlement on a cache hit in turn with an echo server that answers with as many bytes: three
    times at 8 connections x 32 in flight, medians; then at 10,000 calls a second, open loop, latency from
    the moment at which the call was due."""
    demo = bench.demo
    requests = check_requests(bench)
    closed = {"connections": 8, "in_flight": 32, "duration": bench.seconds, "warmup": 1}
    opened = {"connections": 8, "rate": 10000, "duration": bench.seconds, "warmup": 1}
    seen = {}
    rows = []
    for kind, (body, size) in requests.items():
        with bench.programs.echo(size) as (echo_address, echo_pid):
            targets = {"echo": (echo_address, echo_pid), "billingos": (demo.address, demo.server_pid)}
            for shape, options in (("closed", closed), ("open", opened)):
                for _ in range(3):
                    for name, (address, pid) in targets.items():
                        run = bench.programs.load(
                            address, CHECK_PATH, demo.key, body_file=body, cpu_of=pid, **options)
                        run["cpu"] = run["cpu_us_per_call"][str(pid)]
                        seen.setdefault(f"{kind} {shape} {name}", []).append(run)
        rows += check_rows(kind, seen)
    return rows, seen


def check_rows(kind, seen):
    def median(shape, name, of):
        return statistics.median(of(run) for run in seen[f"{kind} {shape} {name}"])

    rows = []
    figures = (
        ("closed", "CPU per call", "us", lambda run: run["cpu"], "<= 1.25"),
        ("closed", "calls per second", "/s", lambda run: run["rate"], ">= 0.8"),
        ("open", "p99 at 10,000/s", "us", lambda run: run["latency_us"]["p99"], "<= 1.5"),
    )
    for shape, what, unit, of, goal in figures:
        ours, echo = median(shape, "billingos", of), median(shape, "echo", of)
        rows.append(row(f"{kind}: {what}, billingos", ours, unit))
        rows.append(row(f"{kind}: {what}, echo", echo, unit))
        rows.append(row(f"{kind}: {what}, billingos / echo", ours / echo, "x", goal))
    return rows


def usage_counted(demo, customer_id):
    """Events that the meter of the plan has counted for the customer."""
    answer = demo.call("usage", "GetUsage", customer_id=customer_id, meter_key=demo.plan["meter"])
    return sum(window.event_count for window in answer.windows)


def usage(bench):
    """ReportUsage in batches of 100 new events of 20 customers, 4 connections x 4 in flight, for 10 s.
    What the meters count afterwards must be what was acknowledged."""
    demo = bench.demo
    customers = [demo.subscriber().customer_id for _ in range(20)]
    events = [
        demo.usage.UsageEvent(
            event_id=NUMBER, source="bench", customer_id=customers[i % len(customers)],
            meter_key=demo.plan["meter"], quantity=1)
        for i in range(100)
    ]
    before = sum(usage_counted(demo, customer) for customer in customers)
    run = bench.programs.load(
        demo.address, USAGE_PATH, demo.key, body_file=bench.body(demo.usage.ReportUsageRequest(events=events)),
        number=NUMBER, number_from=int(time.time() * 1e6), connections=4, in_flight=4,
        duration=2 * bench.seconds, cpu_of=demo.server_pid)
    counted = sum(usage_counted(demo, customer) for customer in customers) - before
    if counted != 100 * run["ok"]:
        raise BenchError(f"{100 * run['ok']} events were acknowledged and {counted} counted")
    per_event = run["cpu_us_per_call"][str(demo.server_pid)] / 100
    return [
        row("durable, deduplicated events per second", 100 * run["rate"], "/s", ">= 20000"),
        row("batch of 100, p50", run["latency_us"]["p50"] / 1000, "ms"),
        row("batch of 100, p99", run["latency_us"]["p99"] / 1000, "ms"),
        row("server CPU per event", per_event, "us"),
    ], {"run": run, "counted": counted}


def webhook_events(bench, count):
    """Signed requests for events about subscriptions that exist, so that what follows is real work."""
    demo = bench.demo
    host, port = demo.http
    secret = demo.need("BILLINGOS_WEBHOOK_SECRET")
    ours = [demo.subscriber().subscription_id for _ in range(10)]
    theirs = demo.payment_side_ids()
    objects = [demo.sandbox("GET", f"/v1/subscriptions/{theirs[each]}") for each in ours]
    mark = int(time.time() * 1e6)
    for i in range(count):
        event = {
            "id": f"evt_bench{mark + i}", "object": "event", "account": demo.account,
            "api_version": "2026-10-28.endive", "created": int(time.time()), "livemode": False,
            "pending_webhooks": 1, "type": "customer.subscription.updated",
            "request": {"id": None, "idempotency_key": None},
            "data": {"object": objects[i % len(objects)]},
        }
        yield webhook_client.request(f"{host}:{port}", WEBHOOK_PATH, secret, json.dumps(event).encode())


def webhook(bench):
    """Signed webhooks at 200/s over 8 connections, answered with 200 after they are stored; latency from
    the moment at which the request was due."""
    host, port = bench.demo.http
    requests = list(webhook_events(bench, 200 * 2 * bench.seconds))
    before = cpu_us(bench.demo.server_pid)
    latencies = webhook_client.post_all(host, port, requests, rate=200)
    used = cpu_us(bench.demo.server_pid) - before
    quantiles = {name: quantile(latencies, at) * 1000 for name, at in (("p50", 0.5), ("p99", 0.99), ("max", 1))}
    return [
        row("webhook acknowledged, p50", quantiles["p50"], "ms"),
        row("webhook acknowledged, p99", quantiles["p99"], "ms", "< 10"),
        row("webhook acknowledged, longest", quantiles["max"], "ms"),
        row("server CPU per webhook, handling included", used / len(requests), "us"),
    ], {"count": len(requests), "bytes": len(requests[0]), "milliseconds": quantiles}


class Watch:
    """Reads WatchInsights in a thread and notes when each subscription is first heard of."""

    def __init__(self, demo):
        request = demo.insights.WatchInsightsRequest(
            types=[demo.insights.BILLING_EVENT_TYPE_SUBSCRIPTION_CANCELED])
        self.stream = demo.stub("insights").WatchInsights(request, metadata=demo.metadata)
        self.grpc = demo.grpc
        self.ready = threading.Event()
        self.seen = {}
        threading.Thread(target=self.read, daemon=True).start()
        if not self.ready.wait(10):
            raise BenchError("WatchInsights is not ready after 10 s")

    def read(self):
        with contextlib.suppress(self.grpc.RpcError):
            for message in self.stream:
                if message.HasField("event"):
                    self.seen.setdefault(message.event.subscription_id, time.perf_counter())
                elif message.HasField("ready"):
                    self.ready.set()


def latency_once(demo, watch, subscription, theirs):
    """Cancels at the payment side; seconds until the check denies and until the stream tells."""
    query = demo.entitlement.CheckEntitlementRequest(query=demo.entitlement.EntitlementQuery(
        customer_id=subscription.customer_id, feature_key=demo.plan["boolean"]))
    stub = demo.stub("entitlement")
    start = time.perf_counter()
    demo.sandbox("DELETE", f"/v1/subscriptions/{theirs}")
    denied = None
    while denied is None or subscription.subscription_id not in watch.seen:
        answer = stub.CheckEntitlement(query, metadata=demo.metadata, timeout=5).answer
        if denied is None and not answer.allowed:
            denied = time.perf_counter() - start
        if time.perf_counter() - start > 10:
            raise BenchError(
                f"10 s after the cancellation: check {'denies' if denied else 'still allows'}, stream "
                f"{'told' if subscription.subscription_id in watch.seen else 'silent'}")
        time.sleep(0.001)
    return denied, watch.seen[subscription.subscription_id] - start


def latency(bench):
    """A subscription is cancelled at the payment side: from before that call until CheckEntitlement denies
    and until the event is on the stream. The simulator's own work and delivery are part of it."""
    demo = bench.demo
    subscriptions = [demo.subscriber() for _ in range(bench.count)]
    theirs = demo.payment_side_ids()
    watch = Watch(demo)
    times = []
    for each in subscriptions:
        if each.subscription_id not in theirs:
            raise BenchError(f"the sandbox has no subscription with {each.subscription_id} in its metadata")
        times.append(latency_once(demo, watch, each, theirs[each.subscription_id]))
        time.sleep(0.02)  # So that no two webhooks are handled in one go.
    watch.stream.cancel()
    rows = []
    for what, values in (("answer changed", [t[0] for t in times]), ("event on the stream", [t[1] for t in times])):
        rows.append(row(f"{what}, p50", quantile(values, 0.5) * 1000, "ms"))
        rows.append(row(f"{what}, p99", quantile(values, 0.99) * 1000, "ms", "< 250"))
    return rows, {"seconds": times}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def own_server_config(bench):
    """The demo's configuration with other ports; gives the file, the gRPC address and that of /readyz.
    Addresses of the database and the sandbox, which are URLs, stay."""
    source = pathlib.Path(bench.demo.env.get("BILLINGOS_CONFIG", bench.run_directory / "billingos.yaml"))
    moved = {}

    def move(match):
        return moved.setdefault(match.group(0), f"127.0.0.1:{free_port()}")

    text = re.sub(r"(?<![/@\w.])(127\.0\.0\.1|localhost):\d+", move, source.read_text())
    path = bench.scratch / "billingos.yaml"
    path.write_text(text)
    operations = bench.demo.env["BILLINGOS_OPS"].removeprefix("http://")
    try:
        return path, moved[bench.demo.address], moved[operations]
    except KeyError as error:
        raise BenchError(f"{source} does not hold the address {error}") from error


@contextlib.contextmanager
def own_server(bench):
    """A second server on the demo's database; gives process, gRPC address and seconds to ready."""
    binary = os.readlink(f"/proc/{bench.demo.server_pid}/exe")
    config, grpc_address, operations = own_server_config(bench)
    with tempfile.TemporaryFile() as log:
        start = time.perf_counter()
        process = subprocess.Popen([binary, "serve", "--config", config], stdout=log, stderr=log)
        try:
            while True:
                with contextlib.suppress(OSError):
                    with urllib.request.urlopen(f"http://{operations}/readyz", timeout=1):
                        break
                if process.poll() is not None or time.perf_counter() - start > 20:
                    log.seek(0)
                    last = log.read().decode(errors="replace").strip().splitlines()[-1:]
                    raise BenchError(f"{shlex.join([binary, 'serve'])} did not become ready: {last}")
                time.sleep(0.002)
            yield process, grpc_address, time.perf_counter() - start
        finally:
            process.terminate()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()


def footprint(bench):
    """A second server on the demo's database: start to ready (median of 5), resident memory when idle and
    with 1,000 idle WatchInsights streams on 10 connections."""
    starts = []
    for _ in range(5):
        with own_server(bench) as (process, address, seconds):
            starts.append(seconds * 1000)
            if len(starts) < 5:
                continue
            time.sleep(2)
            idle = rss_kb(process.pid)
            request = bench.body(bench.demo.insights.WatchInsightsRequest())
            hold = subprocess.Popen(bench.programs.command(
                address, WATCH_PATH, bench.demo.key, body_file=request, connections=10, in_flight=100,
                duration=6, hold=True), stdout=subprocess.PIPE, text=True)
            time.sleep(4)
            held = rss_kb(process.pid)
            report, _ = hold.communicate()
    streams = json.loads(report)
    if streams["held"] != 1000:
        raise BenchError(f"only {streams['held']} of 1000 streams stayed open: {streams['errors']}")
    return [
        row("start to ready", statistics.median(starts), "ms", "< 300"),
        row("resident memory, idle", idle / 1024, "MB", "< 40"),
        row("resident memory per idle stream", (held - idle) / 1000, "kB", "< 24"),
    ], {"starts_ms": starts, "idle_kb": idle, "held_kb": held, "streams": streams}


MEASUREMENTS = {each.__name__: each for each in (check, usage, webhook, latency, footprint)}


def parse(words):
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.splitlines()[0])
    builds = [ROOT / "build" / preset for preset in ("release", "dev")]
    default = next((path for path in builds if (path / "tests/bench/bos-load").exists()), builds[0])
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(MEASUREMENTS)}; all by default")
    parser.add_argument("--build", default=default, help="build directory of bos-echo and bos-load")
    parser.add_argument("--run", default=ROOT / ".run", help="directory of the demo (default .run)")
    parser.add_argument("--quick", action="store_true", help="short runs, to see that it works; writes nothing")
    arguments = parser.parse_args(words)
    for name in arguments.names:
        if name not in MEASUREMENTS:
            near = difflib.get_close_matches(name, MEASUREMENTS, 1)
            parser.error(f'unknown measurement "{name}"' + (f'; did you mean "{near[0]}"?' if near else ""))
    return arguments


def main(words):
    arguments = parse(words)
    try:
        bench = Bench(arguments)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 3
    failed = 0
    for name in arguments.names or MEASUREMENTS:
        measure = MEASUREMENTS[name]
        try:
            rows, raw = measure(bench)
        except BenchError as error:
            print(f"bench: {name}: {error}", file=sys.stderr)
            failed += 1
            continue
        result = results.result(name, measure.__doc__, bench.build(), rows, raw)
        if not arguments.quick:
            results.write(result)
        print(results.table(result), end="\n\n")
        failed += any(each["met"] is False for each in rows)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
