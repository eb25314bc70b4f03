"""Fixtures: a simulator whose wire is recorded, the judge, and programs that others wrote."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "integration"))

import sandbox_client  # noqa: E402
import wire  # noqa: E402
from recorder import Recorder  # noqa: E402

# A client like the others: test_sdks.py runs it.
collect_ignore = [] if "SIM_ADDRESS" in os.environ else ["python"]

KEY = "sk_test_conformance"
SECONDS = 100


@pytest.fixture(scope="session")
def sim(tmp_path_factory):
    made = sandbox_client.Sim(tmp_path_factory.mktemp("sim"), "--secret-key", KEY)
    yield made
    assert made.stop() == 0


@pytest.fixture(scope="session")
def recorder(sim):
    made = Recorder(int(sim.host.rsplit(":", 1)[1]))
    yield made
    made.close()


@pytest.fixture()
def program(recorder):
    """program(command, ...): runs code of others against the simulator; it has to end well."""

    def run(*command, folder=HERE, **more):
        environment = {**os.environ, "SIM_ADDRESS": recorder.address, "STRIPE_API_KEY": KEY, **more}
        done = subprocess.run([str(word) for word in command], cwd=folder, env=environment, capture_output=True,
                              text=True, timeout=SECONDS)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
        return done.stdout

    return run


@pytest.fixture(scope="session")
def judge(tmp_path_factory):
    """judge(files): the report on what they recorded."""

    def run(files):
        done = subprocess.run(["node", HERE / "node" / "judge_recorded.mjs", *files], capture_output=True, text=True,
                              timeout=SECONDS)
        assert done.returncode == 0, done.stderr[-6000:]
        report = json.loads(done.stdout)
        print(report["checked"])
        return report

    return run


def show(report) -> str:
    """The violations as a person wants to read them."""
    lines = [f"{len(report['violations'])} kinds of violations"]
    for one in report["violations"][:40]:
        lines += [f"{one['times']} x {one['what']}", f"    {json.dumps(one['example'])[:1500]}"]
    return "\n".join(lines)


def recorded(recorders, file: pathlib.Path) -> pathlib.Path:
    """Writes down what the recorders have kept."""
    with open(file, "w", encoding="utf-8") as out:
        for one in recorders:
            for session in one.sessions:
                for exchange in wire.exchanges(bytes(session.sent), bytes(session.answered)):
                    out.write(json.dumps(exchange) + "\n")
    return file


def go_program() -> str:
    tools = ROOT / ".tools" / "go" / "bin"
    return os.environ.get("GO") or shutil.which("go", path=f"{tools}:{os.environ['PATH']}")
