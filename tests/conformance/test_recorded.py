"""What went over the wire in the tests of the simulator and of the server is judged by the types of "stripe".

BOS_WIRE_RECORDED names the folder where ./dev test has kept those of the integration tests: all of them are judged.
Without it the tests that talk most to the payment side are run here.
"""

import os
import pathlib
import subprocess
import sys

import pytest

from conftest import HERE, ROOT, show

TALKING = ["test_sandbox.py", "test_subscriptions.py", "test_publishing.py", "test_organizations.py", "test_customers.py"]


def test_the_judge_sees_what_is_wrong():
    done = subprocess.run(["node", "--test", "node/judge.test.mjs"], cwd=HERE, capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, done.stdout[-6000:]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory) -> list[pathlib.Path]:
    if "BOS_WIRE_RECORDED" in os.environ:
        return sorted(pathlib.Path(os.environ["BOS_WIRE_RECORDED"]).glob("*.jsonl"))
    folder = tmp_path_factory.mktemp("wire")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not timed and not slow",
         *(str(ROOT / "tests" / "integration" / name) for name in TALKING)],
        env={**os.environ, "BOS_WIRE": str(folder)}, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout[-6000:]
    return sorted(folder.glob("*.jsonl"))


@pytest.mark.timeout(400)
def test_all_that_was_said_is_valid(recordings, judge):
    report = judge(recordings)
    checked = report["checked"]
    assert checked["answers"] > 500 and checked["events"] > 500 and checked["requests_of_adapter"] > 200, checked
    assert report["violations"] == [], show(report)
