"""What the tests of server/rpc share: the test server, and how failures are read.

The server is tests/integration/rpc_testserver.c; BOS_BUILD names the build folder (build/dev by default).
"""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
BUILD = pathlib.Path(os.environ.get("BOS_BUILD", ROOT / "build" / "dev"))
PROGRAM = BUILD / "tests" / "rpc_testserver"
SERVICE = "/rpctest.v1.TestService/"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@pytest.fixture(scope="session")
def stubs(tmp_path_factory):
    out = tmp_path_factory.mktemp("stubs")
    protos = HERE / "proto"
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", f"-I{protos}", f"--python_out={out}",
         f"--grpc_python_out={out}", "rpctest/v1/rpctest.proto"],
        check=True,
    )
    sys.path.insert(0, str(out))
    from rpctest.v1 import rpctest_pb2, rpctest_pb2_grpc

    return rpctest_pb2, rpctest_pb2_grpc


class Server:
    """One run of the test server."""

    def __init__(self, stubs, *args, files_max=None):
        self.pb, self.grpc = stubs
        self.channels = []
        self.process = subprocess.Popen(
            # Not preexec_fn: gRPC's fork handlers must not run in the child.
            [*(["prlimit", f"--nofile={files_max}"] if files_max else []), str(PROGRAM), *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Of gRPC, which is not instrumented, the thread sanitizer knows nothing.
            env={"TSAN_OPTIONS": "ignore_noninstrumented_modules=1", **os.environ},
        )
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), self.process.stderr.read()
        self.address = line.split()[2]

    @property
    def port(self):
        return int(self.address.rsplit(":", 1)[1])

    def channel(self, more=(), **options):
        channel = grpc.insecure_channel(
            self.address, options=[("grpc.use_local_subchannel_pool", 1), *more], **options
        )
        self.channels.append(channel)
        return channel

    def stub(self, channel=None):
        return self.grpc.TestServiceStub(channel or self.channel())

    def stats(self):
        return self.stub().Stats(self.pb.StatsRequest(), timeout=5)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def stop(self, within=15):
        """Ends it, which must work, and returns what it wrote to standard error."""
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=within)
        for channel in self.channels:
            channel.close()
        assert self.process.returncode == 0, errors
        assert "ERROR: " not in errors and "WARNING: ThreadSanitizer" not in errors, errors
        return errors


@pytest.fixture(scope="module")
def server(stubs):
    running = Server(stubs)
    yield running
    running.stop()


@pytest.fixture
def start(stubs):
    running = []

    def start_one(*args, **options):
        running.append(Server(stubs, *args, **options))
        return running[-1]

    yield start_one
    for one in running:
        if one.process.poll() is None:
            one.stop()


def details_of(error):
    """The google.rpc.Status of a failure, its details by name."""
    status = rpc_status.from_call(error)
    assert status is not None, "no grpc-status-details-bin"
    assert status.code == error.code().value[0]
    found = {}
    for detail in status.details:
        name = detail.type_url.rsplit(".", 1)[1]
        message = getattr(error_details_pb2, name)()
        assert detail.Unpack(message)
        assert name not in found
        found[name] = message
    assert found["ErrorInfo"].domain == "billingos.dev"
    return status, found


def failure(call):
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return raised.value


def reason_of(error):
    return details_of(error)[1]["ErrorInfo"].reason


def eventually(check, within=5):
    until = time.monotonic() + within
    while not check():
        assert time.monotonic() < until, "did not happen"
        time.sleep(0.02)


def closed(peer):
    """The other side ends the connection, with or without a reset."""
    try:
        return peer.recv(1) == b""
    except ConnectionResetError:
        return True
