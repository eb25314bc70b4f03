"""What went over the wire in the tests of the simulator and of the server is judged by the types of "stripe".

BOS_WIRE_RECORDED names the folder where ./dev test has kept those of the integration tests: all of them are judged.
Without it the tests that talk most to the payment side are run here.
"""

import subprocess

import pytest

from others import HERE, show


def test_the_judge_sees_what_is_wrong():
    done = subprocess.run(["node", "--test", "node/judge.test.mjs"], cwd=HERE, capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, done.stdout[-6000:]


@pytest.mark.timeout(400)
def test_all_that_was_said_is_valid(recordings, judge):
    report = judge(recordings)
    checked = report["checked"]
    assert checked["answers"] > 500 and checked["events"] > 500 and checked["requests_of_adapter"] > 200, checked
    assert report["violations"] == [], show(report)
