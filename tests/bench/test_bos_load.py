"""bos-load is held against servers whose delays, errors and faults are known.

Runs the programs of the build directory named by BOS_BUILD (default build/dev)."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time
from concurrent import futures

import grpc
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ.get("BOS_BUILD", ROOT / "build/dev")) / "tests/bench"


def load(address, *args, exit_code=0):
    command = [PROGRAMS / "bos-load", "--json", "--path", "/bench.Test/Call", *map(str, args), address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == exit_code, done.stderr
    return json.loads(done.stdout) if done.stdout else done.stderr


@pytest.fixture
def echo():
    """Address and process of bos-echo, which sends requests back."""
    process = subprocess.Popen([PROGRAMS / "bos-echo"], stdout=subprocess.PIPE, text=True)
    yield process.stdout.readline().removeprefix("listening on ").strip(), process
    process.send_signal(signal.SIGCONT)
    process.terminate()
    assert process.wait(10) == 0


class GrpcServer(grpc.GenericRpcHandler):
    """A server with one behaviour for every method."""

    def __init__(self, behaviour):
        self.bodies = []
        self.metadata = None
        self.behaviour = behaviour
        self.server = grpc.server(futures.ThreadPoolExecutor(16), handlers=[self])
        self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def service(self, details):
        self.metadata = dict(details.invocation_metadata)

        def unary(request, context):
            self.bodies.append(request)
            return self.behaviour(len(self.bodies), context)

        return grpc.unary_unary_rpc_method_handler(unary)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.stop(0)


class RawServer:
    """Answers the preface with SETTINGS and every connection's first request with the given frames."""

    def __init__(self, frames):
        self.frames = frames
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.sendall(frame(4, 0, 0, b""))
            connection.recv(65536)
            time.sleep(0.1)
            connection.sendall(self.frames)
            threading.Timer(5, connection.close).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def literal(name, value):
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


OK_HEAD = frame(1, 4, 1, b"\x88" + literal(b"content-type", b"application/grpc"))
OK_TRAILER = frame(1, 5, 1, literal(b"grpc-status", b"0"))


def test_the_latency_is_the_delay_of_the_server():
    with GrpcServer(lambda n, _: time.sleep(0.2 if n % 10 == 0 else 0.02) or b"x") as server:
        seen = load(server.address, "--requests", 200, "--in-flight", 2)
    assert seen["ok"] == 200
    assert 20e3 <= seen["latency_us"]["p50"] < 30e3
    assert 200e3 <= seen["latency_us"]["p99"] < 230e3


def test_errors_are_counted_by_their_code():
    def behave(n, context):
        if n % 4 == 0:
            context.abort(grpc.StatusCode.UNAVAILABLE, "no")
        if n % 4 == 1:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "no")
        return b"x"

    with GrpcServer(behave) as server:
        seen = load(server.address, "--requests", 100, exit_code=1)
    assert (seen["requests"], seen["ok"]) == (100, 50)
    assert seen["errors"] == {"UNAVAILABLE": 25, "RESOURCE_EXHAUSTED": 25}


def test_a_deadline_is_sent_and_its_end_is_counted():
    with GrpcServer(lambda *_: time.sleep(0.4) or b"x") as server:
        seen = load(server.address, "--requests", 3, "--timeout-ms", 100, exit_code=1)
    assert seen["errors"] == {"DEADLINE_EXCEEDED": 3}


ANSWERS = [
    (frame(1, 5, 1, b"\x8d"), "HTTP_STATUS"),  # :status 404
    (frame(1, 5, 1, b"\x88"), "NO_STATUS"),
    (OK_HEAD + frame(1, 5, 1, literal(b"grpc-status", b"77")), "UNKNOWN_STATUS"),
    (OK_HEAD + OK_TRAILER, "BAD_BODY"),  # no message
    (OK_HEAD + frame(0, 0, 1, b"\0\0\0\0\x02x") + OK_TRAILER, "BAD_BODY"),
    (OK_HEAD + frame(0, 0, 1, b"\0\0\0\0\x01x" * 2) + OK_TRAILER, "BAD_BODY"),
    (OK_HEAD + frame(3, 0, 1, b"\0\0\0\2"), "RESET"),
    (frame(7, 0, 0, b"\0" * 8), "CONNECTION_LOST"),  # GOAWAY, last stream 0
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", "CONNECTION_LOST"),
    (b"", "UNANSWERED"),
]


@pytest.mark.parametrize("frames, error", ANSWERS, ids=[error for _, error in ANSWERS])
def test_what_is_no_good_answer_has_a_name(frames, error):
    with RawServer(frames) as server:
        seen = load(server.address, "--requests", 1, "--duration", 1, "--drain", 0, exit_code=1)
    assert seen["errors"] == {error: 1}


def test_an_answer_in_pieces_is_whole():
    pieces = b"".join(frame(0, 0, 1, bytes([byte])) for byte in b"\0\0\0\0\x03abc")
    with RawServer(OK_HEAD + pieces + OK_TRAILER) as server:
        seen = load(server.address, "--requests", 1)
    assert (seen["ok"], seen["response_bytes"], seen["response_messages"]) == (1, 8, 1)


def test_a_stall_is_seen_by_every_call_that_it_held_up(echo):
    address, process = echo
    threading.Timer(1, process.send_signal, [signal.SIGSTOP]).start()
    threading.Timer(2, process.send_signal, [signal.SIGCONT]).start()
    seen = load(address, "--rate", 500, "--duration", 4)
    # A quarter of the calls was due during the stall: the slowest tenth waited 0.6 s or longer.
    assert seen["ok"] == 2000
    assert 550e3 < seen["latency_us"]["p90"] < 700e3
    assert seen["latency_us"]["max"] > 950e3


def test_a_stall_at_the_end_is_seen_too(echo):
    address, process = echo
    threading.Timer(0.5, process.send_signal, [signal.SIGSTOP]).start()
    seen = load(address, "--rate", 200, "--duration", 1, "--drain", 0.5, exit_code=1)
    assert 80 <= seen["errors"]["UNANSWERED"] <= 120
    assert seen["latency_us"]["max"] > 900e3


def test_the_rate_is_kept_and_the_cpu_is_that_of_the_process(echo):
    address, process = echo

    def ticks():
        return sum(map(int, pathlib.Path(f"/proc/{process.pid}/stat").read_text().split()[13:15]))

    before = ticks()
    seen = load(address, "--rate", 2000, "--duration", 3, "--cpu-of", process.pid)
    used_us = (ticks() - before) * 1e6 / os.sysconf("SC_CLK_TCK")
    assert 1980 < seen["rate"] < 2020
    told_us = seen["cpu_us_per_call"][str(process.pid)] * seen["requests"]
    assert abs(told_us - used_us) <= 40e3


def test_bodies_are_used_in_turn_and_numbered(tmp_path):
    (tmp_path / "bodies").write_bytes(b"\x0aid=@@@@@@@" + b"\x00" + b"\x10@@@@@@@@@@@@@@@@")
    with GrpcServer(lambda *_: b"") as server:
        seen = load(server.address, "--bodies-file", tmp_path / "bodies", "--requests", 3)
        assert seen["ok"] == 3
        assert server.bodies == [b"id=@@@@@@@", b"", b"@" * 16]
        server.bodies.clear()
        load(
            server.address, "--bodies-file", tmp_path / "bodies", "--requests", 6,
            "--number", "@@@@@@@@", "--number-from", 99,
            "--header", "Authorization: Bearer abc",
        )
    assert server.bodies == [
        b"id=@@@@@@@", b"", b"0000009900000100", b"id=@@@@@@@", b"", b"0000010100000102",
    ]
    assert server.metadata["authorization"] == "Bearer abc"


def test_a_large_body_and_answer_pass(echo, tmp_path):
    (tmp_path / "body").write_bytes(os.urandom(3 << 20))
    seen = load(echo[0], "--body-file", tmp_path / "body", "--requests", 20, "--in-flight", 4)
    assert (seen["ok"], seen["response_bytes"]) == (20, 20 * ((3 << 20) + 5))


def test_streams_are_held_open():
    with RawServer(OK_HEAD + frame(0, 0, 1, b"\0\0\0\0\x01x" * 2)) as server:
        seen = load(server.address, "--hold", "--connections", 3, "--duration", 0.5)
    assert (seen["held"], seen["response_messages"], seen["errors"]) == (3, 6, {})


@pytest.mark.parametrize(
    "args",
    [["--in-flight", "x"], ["--rate", "-1"], ["--header", "x"], ["--nothing"], ["--number", "short"]],
)
def test_a_wrong_command_line_says_so(args):
    assert "bos-load" in load("127.0.0.1:1", *args, exit_code=2)


def test_a_server_that_is_not_there_says_so():
    assert "cannot connect" in load("127.0.0.1:1", exit_code=3)
