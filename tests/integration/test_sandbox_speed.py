"""How many requests billingos-sandbox answers on one core, and what 100,000 customers take of the memory."""

import os
import pathlib
import socket

import pytest

from sandbox_client import Sim

CUSTOMERS = 100_000
PER_SECOND = 5_000
MEMORY_KB = 500_000

pytestmark = pytest.mark.timed


@pytest.fixture(scope="module")
def sim(tmp_path_factory):
    made = Sim(tmp_path_factory.mktemp("sim"))
    yield made
    assert made.stop() == 0


def cpu_seconds(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_kb(pid: int) -> int:
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def send(sim, account, count, make) -> float:
    """Sends make(0), make(1), ... one after the other; requests a second of the simulator's processor time."""
    host, port = sim.host.split(":")
    before = cpu_seconds(sim.process.pid)
    fields = (f"Host: x\r\nAuthorization: Bearer sk_test_x\r\nStripe-Account: {account}\r\n"
              "Content-Type: application/x-www-form-urlencoded\r\n")
    with socket.create_connection((host, int(port))) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(count):
            line, body = make(number)
            connection.sendall(f"{line} HTTP/1.1\r\n{fields}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 "), answer
            head, _, rest = answer.partition(b"\r\n\r\n")
            missing = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]) - len(rest)
            while missing > 0:
                missing -= len(connection.recv(missing))
    return count / (cpu_seconds(sim.process.pid) - before)


@pytest.mark.timeout(300)
def test_one_core_answers_thousands_a_second_and_customers_are_small(sim):
    account = sim.merchant().account
    created = send(sim, account, CUSTOMERS, lambda number: (
        "POST /v1/customers", f"name=Customer+{number}&email=c{number}@example.com&metadata[n]={number}"))
    listed = send(sim, account, 10_000, lambda _: ("GET /v1/customers?limit=1", ""))
    memory = memory_kb(sim.process.pid)
    print(f"{created:.0f} creations/s, {listed:.0f} lists/s, {memory} kB with {CUSTOMERS} customers")
    assert min(created, listed) >= PER_SECOND
    assert memory < MEMORY_KB
