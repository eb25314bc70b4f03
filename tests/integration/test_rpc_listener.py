"""server/rpc: overload, the accept loop, TLS and the end, with grpcio and raw sockets."""

import re
import signal
import ssl
import subprocess
import time

import grpc
import pytest

from rpc_world import (  # noqa: F401: fixtures
    PREFACE,
    PROGRAM,
    closed,
    details_of,
    eventually,
    failure,
    reason_of,
    server,
    start,
    stubs,
)


# --- overload --------------------------------------------------------------------------------------


def test_a_full_lane_answers_at_once(start):
    server = start("--workers", "1", "--queue", "2")
    stub = server.stub()
    sleeps = [stub.Sleep.future(server.pb.SleepRequest(ms=3000))]
    eventually(lambda: server.stats().sleeping == 1)
    sleeps += [stub.Sleep.future(server.pb.SleepRequest(ms=0)) for _ in range(2)]
    time.sleep(0.3)
    start_s = time.monotonic()
    error = failure(lambda: stub.EchoBlocking(server.pb.EchoRequest(), timeout=5))
    assert time.monotonic() - start_s < 0.5
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    _, details = details_of(error)
    assert details["ErrorInfo"].reason == "SERVER_OVERLOADED"
    assert details["ErrorInfo"].metadata["lane"] == "database"
    assert details["RetryInfo"].retry_delay.ToMilliseconds() > 0
    assert stub.Echo(server.pb.EchoRequest(text="a"), timeout=1).text == "a"
    assert all(s.result().slept_ms >= 0 for s in sleeps)
    assert 'billingos_rpc_server_shed_total{lane="database"} 1' in server.stats().metrics


def test_calls_that_are_gone_are_not_run(start):
    server = start("--workers", "1")
    stub = server.stub()
    first = stub.Sleep.future(server.pb.SleepRequest(ms=1500))
    eventually(lambda: server.stats().sleeping == 1)
    futures = [stub.Sleep.future(server.pb.SleepRequest(ms=5000)) for _ in range(10)]
    time.sleep(0.3)
    for future in futures:
        future.cancel()
    first.result()
    start_s = time.monotonic()
    assert stub.EchoBlocking(server.pb.EchoRequest(text="a"), timeout=5).text == "a"
    assert time.monotonic() - start_s < 1
    assert server.stats().cancelled == 0


# --- the listener ----------------------------------------------------------------------------------


def test_running_out_of_descriptors_does_not_kill_the_listener(start):
    server = start(files_max=64)
    peers = []
    for _ in range(120):
        try:
            peers.append(server.connect())
            peers[-1].sendall(PREFACE)
        except OSError:
            pass
    time.sleep(0.5)
    for peer in peers:
        peer.close()
    start_s = time.monotonic()
    server.stub().Echo(server.pb.EchoRequest(), timeout=5, wait_for_ready=True)
    assert time.monotonic() - start_s < 3
    assert re.search(
        r'billingos_listener_accepts_total{listener="grpc",result="(no_descriptor|too_many)"} \d+',
        server.stats().metrics)


def test_the_number_of_connections_is_limited_and_recovers(start):
    server = start("--connections", "5")
    peers = [server.connect() for _ in range(5)]
    for peer in peers:
        peer.sendall(PREFACE)
        assert peer.recv(1)  # the core has it
    assert closed(server.connect())
    for peer in peers:
        peer.close()
    server.stub().Echo(server.pb.EchoRequest(text="a"), timeout=5, wait_for_ready=True)


def test_silent_and_foreign_peers_are_closed(start):
    server = start()
    silent = server.connect()
    half = server.connect()
    half.sendall(PREFACE[:10])
    browser = server.connect()
    browser.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    assert b"speaks gRPC" in browser.recv(4096)
    tls = server.connect()
    tls.sendall(b"\x16\x03\x01\x02\x00")
    assert closed(tls)
    start_s = time.monotonic()
    assert closed(silent)
    assert closed(half)
    assert 3 < time.monotonic() - start_s < 7
    metrics = server.stats().metrics
    assert 'billingos_listener_accepts_total{listener="grpc",result="silent"} 2' in metrics
    assert 'billingos_listener_accepts_total{listener="grpc",result="not_http2"} 2' in metrics


def test_a_preface_in_pieces_is_accepted(start):
    server = start()
    peer = server.connect()
    for i in range(len(PREFACE)):
        peer.sendall(PREFACE[i:i + 1])
        time.sleep(0.01)
    peer.sendall(b"\0\0\0\4\0\0\0\0\0")
    assert peer.recv(9)[3] == 4  # SETTINGS


def test_idle_connections_are_ended_and_busy_ones_are_not(start):
    server = start("--idle-ms", "2000")
    idle = server.connect()
    idle.sendall(PREFACE + b"\0\0\0\4\0\0\0\0\0")
    got = b""
    while chunk := idle.recv(4096):
        got += chunk
    assert b"\0\0\x08\x07\0\0\0\0\0\x7f\xff\xff\xff" in got  # GOAWAY first
    stub = server.stub()
    tail = stub.Tail(server.pb.TailRequest())
    assert tail.initial_metadata() is not None
    time.sleep(5)
    stub.Publish(server.pb.PublishRequest(), timeout=5)
    assert next(tail).number == 1
    tail.cancel()


def test_an_idle_client_connects_again_without_an_error(start):
    server = start("--idle-ms", "1000")
    stub = server.stub()
    stub.Echo(server.pb.EchoRequest(), timeout=5)
    time.sleep(4)
    stub.Echo(server.pb.EchoRequest(), timeout=5)
    assert re.search(
        r'billingos_listener_accepts_total{listener="grpc",result="accepted"} [23]\n',
        server.stats().metrics + "\n") is not None


def test_an_old_connection_is_replaced_and_its_calls_finish(start):
    server = start("--age-ms", "2000")
    stub = server.stub()
    tail = stub.Tail(server.pb.TailRequest())
    assert tail.initial_metadata() is not None
    for _ in range(45):  # never a failed call
        stub.Echo(server.pb.EchoRequest(), timeout=5)
        time.sleep(0.1)
    stub.Publish(server.pb.PublishRequest(), timeout=5)
    assert next(tail).number == 1  # on the connection that began it
    tail.cancel()
    accepted = re.search(
        r'billingos_listener_accepts_total{listener="grpc",result="accepted"} (\d+)', server.stats().metrics)
    assert int(accepted[1]) >= 3


def test_a_unix_socket(start, tmp_path):
    path = tmp_path / "rpc.sock"
    server = start("--listen", f"unix:{path}")
    assert server.address == f"unix:{path}"
    assert server.stub().Echo(server.pb.EchoRequest(text="a"), timeout=5).text == "a"
    server.process.kill()
    server.process.wait()
    assert path.exists()
    server = start("--listen", f"unix:{path}")
    assert server.stub().Echo(server.pb.EchoRequest(text="b"), timeout=5).text == "b"
    server.stop()
    assert not path.exists()


@pytest.mark.parametrize("args, text", [
    (["--listen", "0.0.0.0:0"], "reached from outside"),
    (["--listen", "127.0.0.1"], "HOST:PORT"),
    (["--listen", "::1:80"], "HOST:PORT"),
    (["--listen", "127.0.0.1:70000"], "HOST:PORT"),
    (["--listen", "no.such.host.invalid:1"], "cannot find address"),
    (["--tls-cert", "/nowhere"], "belong together"),
    (["--tls-cert", "/nowhere", "--tls-key", "/nowhere"], "could not read file"),
])
def test_a_wrong_configuration_ends_the_start(args, text):
    ran = subprocess.run([str(PROGRAM), *args], capture_output=True, text=True, timeout=20)
    assert ran.returncode == 1
    assert text in ran.stderr


def test_a_port_in_use_ends_the_start(server):
    ran = subprocess.run(
        [str(PROGRAM), "--listen", server.address], capture_output=True, text=True, timeout=20)
    assert ran.returncode == 1
    assert "Address already in use" in ran.stderr


# --- TLS -------------------------------------------------------------------------------------------


def make_certificate(folder, name):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", f"/CN={name}",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.crt"],
        check=True, capture_output=True)
    return (folder / f"{name}.crt").read_bytes()


def test_tls_and_a_new_certificate_without_a_restart(start, tmp_path):
    old, new = make_certificate(tmp_path, "old"), make_certificate(tmp_path, "new")
    cert, key = tmp_path / "tls.crt", tmp_path / "tls.key"

    def install(certificate, key_of):
        cert.write_bytes((tmp_path / f"{certificate}.crt").read_bytes())
        key.write_bytes((tmp_path / f"{key_of}.key").read_bytes())

    def echo(roots):
        credentials = grpc.ssl_channel_credentials(roots)
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.secure_channel(f"localhost:{server.port}", credentials, options) as channel:
            return server.stub(channel).Echo(server.pb.EchoRequest(text="a"), timeout=5).text

    install("old", "old")
    server = start("--tls-cert", str(cert), "--tls-key", str(key))
    credentials = grpc.ssl_channel_credentials(old)
    kept = grpc.secure_channel(f"localhost:{server.port}", credentials)
    kept_stub = server.stub(kept)
    assert echo(old) == "a"
    assert kept_stub.Echo(server.pb.EchoRequest(text="k"), timeout=5).text == "k"

    install("new", "old")
    server.process.send_signal(signal.SIGHUP)
    assert server.process.stdout.readline().startswith("kept tls_cert_file")
    assert echo(old) == "a"

    install("new", "new")
    server.process.send_signal(signal.SIGHUP)
    assert server.process.stdout.readline().startswith("reloaded")
    assert echo(new) == "a"
    assert failure(lambda: echo(old)).code() == grpc.StatusCode.UNAVAILABLE
    assert kept_stub.Echo(server.pb.EchoRequest(text="k"), timeout=5).text == "k"
    kept.close()

    error = ssl.get_server_certificate(("127.0.0.1", server.port)).encode()
    assert ssl.PEM_cert_to_DER_cert(error.decode()) == ssl.PEM_cert_to_DER_cert(new.decode())


# --- the end ---------------------------------------------------------------------------------------


def test_running_calls_finish_and_new_ones_are_refused(start):
    server = start()
    stub = server.stub()
    sleep = stub.Sleep.future(server.pb.SleepRequest(ms=1500), timeout=10)
    tail = stub.Tail(server.pb.TailRequest())
    eventually(lambda: server.stats().sources == 1 and server.stats().sleeping == 1)
    start_s = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    error = failure(lambda: next(tail))
    assert error.code() == grpc.StatusCode.UNAVAILABLE
    assert reason_of(error) == "SERVER_SHUTTING_DOWN"
    assert "RetryInfo" in details_of(error)[1]
    time.sleep(0.2)
    assert failure(lambda: stub.Echo(server.pb.EchoRequest(), timeout=1)).code() in (
        grpc.StatusCode.UNAVAILABLE,)
    assert sleep.result().slept_ms >= 1500
    assert server.process.wait(10) == 0
    assert time.monotonic() - start_s < 4


def test_calls_that_come_while_draining_are_refused_with_a_reason(start):
    server = start()
    stub = server.stub()
    stub.Echo(server.pb.EchoRequest(), timeout=5)
    codes = []
    server.process.send_signal(signal.SIGTERM)
    for _ in range(200):
        try:
            stub.Echo(server.pb.EchoRequest(), timeout=2)
        except grpc.RpcError as error:
            codes.append(error.code())
        time.sleep(0.002)
    assert set(codes) == {grpc.StatusCode.UNAVAILABLE}
    assert server.process.wait(10) == 0


def test_what_does_not_end_is_cancelled(start):
    server = start("--drain-ms", "700")
    sleep = server.stub().Sleep.future(server.pb.SleepRequest(ms=15000))
    stalled = server.stub().Count(server.pb.CountRequest(padding=10000))
    next(stalled)
    eventually(lambda: server.stats().sleeping == 1)
    start_s = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(10) == 0
    assert time.monotonic() - start_s < 4
    assert sleep.exception().code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


def test_a_peer_that_never_answers_does_not_hold_the_end_up(start):
    server = start("--drain-ms", "5000")
    peer = server.connect()
    peer.sendall(PREFACE + b"\0\0\0\4\0\0\0\0\0")
    assert peer.recv(1)
    start_s = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(10) == 0
    assert time.monotonic() - start_s < 3
    peer.close()
