"""Connections that never become HTTP/2 are in nobody's way."""

import contextlib
import socket
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\0\0\0\4\0\0\0\0\0"
WAITING_MAX = 1024  # of rpc_listener.c


def _answer(server, data: bytes, seconds: float = 5) -> bytes:
    """What comes back first; b"" when the connection is closed."""
    with socket.create_connection(("127.0.0.1", server.grpc_port), seconds) as connection:
        connection.sendall(data)
        return connection.recv(9)


def test_one_slow_peer_locks_nobody_out(server):
    with socket.create_connection(("127.0.0.1", server.grpc_port)) as slow:
        slow.sendall(PREFACE[:10])
        for number in range(WAITING_MAX + 100):
            assert _answer(server, PREFACE + SETTINGS)[3:4] == b"\4", number


def test_half_a_preface_that_ends_is_closed_at_once(server):
    with socket.create_connection(("127.0.0.1", server.grpc_port), 10) as connection:
        connection.sendall(PREFACE[:10])
        started = time.monotonic()
        connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):  # it does not read what it does not want
            assert connection.recv(1) == b""
        assert time.monotonic() - started < 2


def test_another_protocol_is_told_what_this_is(server):
    assert _answer(server, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") == b"HTTP/1.1 "
