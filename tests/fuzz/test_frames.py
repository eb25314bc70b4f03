"""20,000 broken connections, messages and webhooks at a server under AddressSanitizer: it stays, answers and loses no memory.

BOS_SEED chooses other ones; each input follows from the seed and its number alone."""

import asyncio
import collections
import contextlib
import os
import pathlib
import random
import time

import grpc
import pytest
from google.protobuf import symbol_database

import bytes_mutation
import http1_mutation
import http2_mutation
import world
from recorder import Recorder

SEED = int(os.environ.get("BOS_SEED", "1"))
CONNECTIONS, MESSAGES, WEBHOOKS = 9000, 6000, 5000
WARM_UP = 500  # of each, before memory is looked at
PARALLEL = 12
SECONDS_MAX = 75  # of each of the three
PATIENCE_S = 1.5  # with a connection that stays open
STILL_OPEN_PERCENT_MAX = 3
GROWTH_MAX = 96 * 1024 * 1024
FILES_GROWTH_MAX = 20

# Freed memory stays with the sanitizer for a while: little of it, or it would look like growth.
SANITIZER = "quarantine_size_mb=8:thread_local_quarantine_size_kb=32:malloc_context_size=8:allocator_release_to_os_interval_ms=500"


class Victim:
    """A server with everything it needs, and what it looked like before."""

    def __init__(self, stubs, cluster):
        self.stubs = stubs
        options = f"{os.environ.get('ASAN_OPTIONS', '')}:{SANITIZER}".strip(":")
        self.server = world.Server(cluster, env={
            "ASAN_OPTIONS": options, "BILLINGOS_LOG_LEVEL": "warn",
            # One peer opens them all, and none is to be turned away unread.
            "BILLINGOS_GRPC_CONNECTIONS_MAX": "10000", "BILLINGOS_GRPC_CONNECTIONS_PER_PEER_MAX": "10000"})
        self.sandbox = world.Sandbox(self.server.webhook_url, self.server.webhook_secret)
        self.server.use(self.sandbox)
        self.server.start()
        self.org = world.Org(self.server, stubs, self.sandbox)
        self.account = self.org.connect_account()
        self.customer = self.org.customer(external_customer_id="victim")

    def memory(self) -> int:
        for line in pathlib.Path(f"/proc/{self.server.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    def files(self) -> int:
        return len(os.listdir(f"/proc/{self.server.pid}/fd"))

    def check(self):
        """It lives, answers on both ports, and has reported nothing."""
        log = self.server.log()
        assert self.server.alive(), log[-6000:]
        for word in ("ERROR: AddressSanitizer", "runtime error:"):
            assert word not in log, log[log.index(word) - 200:][:6000]
        assert self.server.ready()
        pb = self.stubs.pb("customer")
        got = self.org.stub("customer").GetCustomer(pb.GetCustomerRequest(external_customer_id="victim"), timeout=10)
        assert got.customer.customer_id == self.customer.customer_id

    def close(self):
        self.server.close()
        self.sandbox.close()


@pytest.fixture(scope="module")
def victim():
    stubs, cluster = world.Stubs(), world.Cluster()
    try:
        made = Victim(stubs, cluster)
        yield made
        made.close()
    finally:
        cluster.close()
        stubs.close()


@contextlib.contextmanager
def unharmed(victim):
    """The block does the server no harm."""
    victim.check()
    memory, files = victim.memory(), victim.files()
    yield
    victim.check()
    world.wait_for(lambda: victim.files() <= files + FILES_GROWTH_MAX, 20, "connections are closed")
    grown = victim.memory() - memory
    print(f"memory: {memory >> 20} MiB and {grown >> 20} MiB more")
    assert grown < GROWTH_MAX


def rng_of(part: str, number: int) -> random.Random:
    return random.Random(f"{SEED} {part} {number}")


class Assault:
    """Sends the inputs of one part over several connections at once."""

    def __init__(self, victim, part, port, make, wait_s):
        self.victim, self.part, self.port, self.make = victim, part, port, make
        self.wait_s = wait_s  # for an answer, before the sending side is closed
        self.running = set()

    def run(self, count, first=0):
        """Sends so many; counts how the answers began."""
        self.numbers = iter(range(first, first + count))
        self.answers, self.end = collections.Counter(), time.monotonic() + SECONDS_MAX

        async def run():
            await asyncio.gather(*(self._work() for _ in range(PARALLEL)))

        asyncio.run(run())
        sent = sum(self.answers.values())
        assert sent == count, f"only {sent} of {count} in {SECONDS_MAX} s"
        assert self.answers[b"still open"] * 100 <= count * STILL_OPEN_PERCENT_MAX, self.answers
        print(f"{self.part}: {self.answers.most_common(12)}")
        return self.answers

    async def _work(self):
        for number in self.numbers:
            if time.monotonic() > self.end:
                return
            self.running.add(number)
            rng = rng_of(self.part, number)
            try:
                self.answers[await self._send(rng, self.make(rng))] += 1
            except ConnectionRefusedError:
                assert self.victim.server.alive(), (
                    f"it died; one of {sorted(self.running)} of {self.part}, seed {SEED}:\n{self.victim.server.log()[-6000:]}")
            self.running.discard(number)

    async def _send(self, rng, data) -> bytes:
        """How the answer begins."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            async with asyncio.timeout(PATIENCE_S):
                cut = rng.randrange(len(data) + 1) if rng.random() < 0.3 else len(data)
                writer.write(data[:cut])
                await writer.drain()
                await asyncio.sleep(rng.choice((0, 0, 0.002, 0.02)))
                writer.write(data[cut:])
                first = await self._first(reader)
                writer.write_eof()
                first = first or await reader.read(12)
                while await reader.read(65536):
                    pass
                return first
        except TimeoutError:
            return b"still open"
        except OSError:
            return b"reset"
        finally:
            writer.transport.abort()

    async def _first(self, reader) -> bytes:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.wait_s):
                return await reader.read(12)
        return b""


def record_sessions(victim):
    """The frames that a real client sends: unary calls, a stream, a failure, a cancellation."""
    recorder = Recorder(victim.server.grpc_port)
    pb = {name: victim.stubs.pb(name) for name in ("customer", "entitlement", "usage", "insights", "organization")}

    def session(use):
        with grpc.insecure_channel(recorder.address, options=[("grpc.use_local_subchannel_pool", 1)]) as plain:
            use(grpc.intercept_channel(plain, world._WithKey(victim.org.key)))

    def calls(channel):
        victim.stubs.stub("customer", channel).CreateCustomer(pb["customer"].CreateCustomerRequest(
            customer=pb["customer"].Customer(name="Zoë", metadata={"a": "b"}), request_id=world.request_id()))
        query = pb["entitlement"].EntitlementQuery(external_customer_id="victim", feature_key="nothing", quantity=1 << 60)
        stub = victim.stubs.stub("entitlement", channel)
        for _ in range(3):
            stub.CheckEntitlement(pb["entitlement"].CheckEntitlementRequest(query=query))
        with contextlib.suppress(grpc.RpcError):
            victim.stubs.stub("organization", channel).RevokeApiKey(pb["organization"].RevokeApiKeyRequest(api_key_id="x"))

    def usage(channel):
        event = pb["usage"].UsageEvent(event_id="1", external_customer_id="victim", meter_key="nothing", properties={"a": "b"})
        victim.stubs.stub("usage", channel).ReportUsage(pb["usage"].ReportUsageRequest(events=[event] * 50))

    def stream(channel):
        call = victim.stubs.stub("insights", channel).WatchInsights(pb["insights"].WatchInsightsRequest())
        next(call)
        call.cancel()

    for use in (calls, usage, stream):
        session(use)
    recorder.close()
    sessions = [http2_mutation.parse(bytes(one.sent)) for one in recorder.sessions]
    assert len(sessions) == 3 and all({f.kind for f in one} >= {http2_mutation.HEADERS, http2_mutation.DATA} for one in sessions)
    return sessions


@pytest.mark.timeout(150)
def test_broken_connections(victim):
    sessions = record_sessions(victim)
    assault = Assault(victim, "connections", victim.server.grpc_port,
                      lambda rng: http2_mutation.connection(rng, sessions), wait_s=0.01)
    assault.run(WARM_UP, first=CONNECTIONS)
    with unharmed(victim):
        answers = assault.run(CONNECTIONS)
    settings = sum(count for first, count in answers.items() if first[3:4] == b"\x04")
    assert settings > CONNECTIONS // 2  # most were taken for HTTP/2


def fill(rng, message, depth=0):
    """Puts something into some fields."""
    for field in message.DESCRIPTOR.fields:
        if rng.random() < 0.4:
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            with contextlib.suppress(TypeError, ValueError):
                getattr(message, field.name)["k"] = "v"
        elif field.message_type is not None:
            inner = getattr(message, field.name)
            if depth < 4:
                fill(rng, inner.add() if field.is_repeated else inner, depth + 1)
        else:
            value = value_of(rng, field)
            if field.is_repeated:
                getattr(message, field.name).append(value)
            else:
                setattr(message, field.name, value)
    return message


def value_of(rng, field):
    if field.enum_type is not None:
        return rng.choice(field.enum_type.values).number
    if field.cpp_type == field.CPPTYPE_STRING and field.type == field.TYPE_STRING:
        return rng.choice(("", "victim", "EUR", "api_calls", "x" * 300, "Zoë", "cus_00000000000000000000000000", str(rng.random())))
    if field.type == field.TYPE_BYTES:
        return rng.randbytes(5)
    if field.cpp_type == field.CPPTYPE_BOOL:
        return rng.random() < 0.5
    if field.cpp_type in (field.CPPTYPE_DOUBLE, field.CPPTYPE_FLOAT):
        return rng.random()
    bits = 31 if field.cpp_type in (field.CPPTYPE_INT32, field.CPPTYPE_UINT32) else 63
    return rng.choice((0, 1, 5, (1 << bits) - 1, rng.randrange(1 << 20)))


def all_methods(victim):
    symbols = symbol_database.Default()
    for service in world.SERVICES:
        for descriptor in victim.stubs.pb(service).DESCRIPTOR.services_by_name.values():
            for method in descriptor.methods:
                yield f"/{descriptor.full_name}/{method.name}", method, symbols.GetSymbol(method.input_type.full_name)


def message_of(rng, kind) -> bytes:
    made = fill(rng, kind()).SerializeToString()
    choice = rng.random()
    if choice < 0.1:
        return rng.randbytes(rng.choice((1, 10, 1000)))
    if choice < 0.15:
        return b"\x0a" + bytes([rng.choice((0, 2, 127))]) + made
    return made if choice < 0.3 else bytes_mutation.mutate(rng, made)


async def one_message(channel, rng, path, method, data, metadata):
    """The code that the call ends with."""
    try:
        if method.client_streaming:
            call = channel.stream_unary(path)(iter([data]), timeout=10, metadata=metadata)
            await call
        elif method.server_streaming:
            call = channel.unary_stream(path)(data, timeout=10, metadata=metadata)
            await call.read()
            call.cancel()
        else:
            await channel.unary_unary(path)(data, timeout=rng.choice((10, 10, 10, 0.005)), metadata=metadata)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def live_methods(victim):
    """Those that do not say that they are not implemented."""
    methods = list(all_methods(victim))

    async def run():
        async with grpc.aio.insecure_channel(victim.server.address) as channel:
            return [await one_message(channel, random.Random(1), path, method, b"", []) for path, method, _ in methods]

    codes = asyncio.run(run())
    return [one for one, code in zip(methods, codes, strict=True) if code != grpc.StatusCode.UNIMPLEMENTED]


def send_messages(victim, methods, count, first=0):
    """Calls the methods in turn; counts the codes that the calls end with."""
    codes, end = collections.Counter(), time.monotonic() + SECONDS_MAX
    metadata = [("authorization", f"Bearer {victim.org.key}")]
    numbers = iter(range(first, first + count))

    async def work():
        async with grpc.aio.insecure_channel(victim.server.address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
            for number in numbers:
                rng = rng_of("messages", number)
                path, method, kind = methods[number % len(methods)]
                code = await one_message(channel, rng, path, method, message_of(rng, kind), metadata)
                codes[code] += 1
                assert code not in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN), f"message {number}, seed {SEED}: {path}"
                assert time.monotonic() < end, f"only {number} of {count} in {SECONDS_MAX} s"

    async def run():
        await asyncio.gather(*(work() for _ in range(PARALLEL)))

    asyncio.run(run())
    print(f"messages: {({code.name: number for code, number in codes.items()})}")
    return codes


@pytest.mark.timeout(150)
def test_broken_messages(victim):
    everything, live = list(all_methods(victim)), live_methods(victim)
    assert 40 < len(live) <= len(everything)
    send_messages(victim, everything, WARM_UP, first=MESSAGES)
    with unharmed(victim):
        codes = send_messages(victim, everything, 2 * len(everything))
        codes += send_messages(victim, live, MESSAGES - 2 * len(everything), first=2 * len(everything))
    assert sum(codes.values()) == MESSAGES
    assert codes[grpc.StatusCode.INVALID_ARGUMENT] > MESSAGES // 2


@pytest.mark.timeout(150)
def test_broken_webhooks(victim):
    assault = Assault(victim, "webhooks", victim.server.http_port,
                      lambda rng: http1_mutation.request(rng, victim.server.webhook_secret, victim.account), wait_s=0.1)
    assault.run(WARM_UP, first=WEBHOOKS)
    with unharmed(victim):
        answers = assault.run(WEBHOOKS)
    assert answers[b"HTTP/1.1 200"] > WEBHOOKS // 20
    assert answers[b"HTTP/1.1 400"] > WEBHOOKS // 20
    assert not answers[b"HTTP/1.1 500"]
