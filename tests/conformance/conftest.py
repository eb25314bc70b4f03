"""Fixtures: a simulator whose wire is recorded, the judge, and programs that others wrote."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import sandbox_client  # noqa: E402
from recorder import Recorder  # noqa: E402
from others import HERE, KEY, ROOT, SECONDS  # noqa: E402

TALKING = ["test_sandbox.py", "test_subscriptions.py", "test_publishing.py", "test_organizations.py", "test_customers.py"]

# A client like the others: test_sdks.py runs it.
collect_ignore = [] if "SIM_ADDRESS" in os.environ else ["python"]


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


@pytest.fixture(scope="session")
def recordings(tmp_path_factory) -> list[pathlib.Path]:
    """What went over the wire in the integration tests; see test_recorded.py."""
    if "BOS_WIRE_RECORDED" in os.environ:
        return sorted(pathlib.Path(os.environ["BOS_WIRE_RECORDED"]).glob("*.jsonl"))
    folder = tmp_path_factory.mktemp("wire")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not timed and not slow",
         *(str(ROOT / "tests" / "integration" / name) for name in TALKING)],
        env={**os.environ, "BOS_WIRE": str(folder)}, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout[-6000:]
    return sorted(folder.glob("*.jsonl"))
