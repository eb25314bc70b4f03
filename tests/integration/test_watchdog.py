"""A server whose doors do not answer any more ends, and one that only has many callers does not."""

import resource
import socket
import subprocess
import time

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

import world

FAST = {"BILLINGOS_WATCHDOG_INTERVAL_MS": "200"}


@pytest.fixture()
def start(cluster):
    """start(env): a server that looks at itself five times a second."""
    made = []

    def make(env=None):
        made.append(world.Server(cluster, env={**FAST, **(env or {})}))
        made[-1].billingos("migrate", "up")
        made[-1].start()
        return made[-1]

    yield make
    for server in made:
        server.close()


def descriptors(server, more: int):
    """The server may open so many more than it has."""
    have = int(next(line.split()[1] for line in server.metrics().splitlines() if line.startswith("process_open_fds")))
    limit = have + more
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (limit, limit))


def crowd(server, count: int):
    peers = []
    for _ in range(count):
        peers.append(socket.create_connection(("127.0.0.1", server.grpc_port), 5))
    return peers


def failures(server) -> int:
    return sum(int(line.rsplit(" ", 1)[1]) for line in server.metrics().splitlines()
               if line.startswith("billingos_watchdog_probe_failures_total{"))


def health(server):
    with server.channel() as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        return stub.Check(health_pb2.HealthCheckRequest(), timeout=5, wait_for_ready=True).status


def tls(tmp_path):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-keyout", f"{tmp_path}/key", "-out", f"{tmp_path}/cert"],
        check=True, capture_output=True)
    return {"BILLINGOS_GRPC_TLS_CERT_FILE": f"{tmp_path}/cert", "BILLINGOS_GRPC_TLS_KEY_FILE": f"{tmp_path}/key"}


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "unix:@", "TLS"])
def test_a_healthy_server_is_left_alone(start, tmp_path, listen):
    where = {"BILLINGOS_GRPC_LISTEN": listen.replace("@", f"{tmp_path}/grpc"), "BILLINGOS_GRPC_INSECURE": "true"}
    server = start(tls(tmp_path) if listen == "TLS" else where)
    time.sleep(3)
    assert server.alive()
    assert failures(server) == 0
    assert "did not answer" not in server.log()


def test_the_core_s_listener_that_died_of_descriptors_ends_the_process(start, tmp_path):
    server = start(tls(tmp_path))
    descriptors(server, 20)
    peers = crowd(server, 60)
    time.sleep(1)
    for peer in peers:
        peer.close()
    assert server.process.wait(30) == 70
    assert 'listener=grpc' in server.log()
    assert "a listener does not answer any more" in server.log()


def test_our_own_listener_survives_the_same(start):
    server = start()
    descriptors(server, 20)
    peers = crowd(server, 60)
    time.sleep(1)
    for peer in peers:
        peer.close()
    time.sleep(3)
    assert server.alive()
    assert health(server) == health_pb2.HealthCheckResponse.SERVING


def test_nearly_all_descriptors_taken_is_not_serving_until_there_is_room(start):
    server = start()
    with server.channel() as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watch = stub.Watch(health_pb2.HealthCheckRequest(), timeout=30)
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        have = int(next(
            line.split()[1] for line in server.metrics().splitlines() if line.startswith("process_open_fds")))
        limit = have * 4
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (limit, limit))
        peers = crowd(server, limit * 8 // 10 - have + 15)
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
        assert "runs out of descriptors" in server.log()
        for peer in peers:
            peer.close()
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        watch.cancel()
    assert server.alive()


def test_a_full_house_is_not_a_dead_one(start):
    server = start({"BILLINGOS_GRPC_CONNECTIONS_MAX": "5"})
    peers = crowd(server, 5)
    for peer in peers:
        peer.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
        assert peer.recv(9)
    time.sleep(3)
    assert server.alive()
    assert failures(server) == 0
    for peer in peers:
        peer.close()
    world.wait_for(lambda: health(server) == health_pb2.HealthCheckResponse.SERVING, 10, "room again")
