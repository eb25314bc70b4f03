"""The official SDKs drive the simulator, and what it said to them is judged by their types."""

import sys

import pytest

from others import HERE, go_program, recorded, show


def test_node(program):
    program("node", "--test", "node/sdk.test.mjs")


def test_python(program):
    program(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "python")


@pytest.mark.timeout(600)
def test_go(program):
    program(go_program(), "test", "-count=1", "./...", folder=HERE / "go")


def test_all_that_was_said_is_valid(recorder, judge, tmp_path):
    report = judge([recorded([recorder], tmp_path / "sdks.jsonl")])
    assert report["checked"]["answers"] > 100
    assert report["violations"] == [], show(report)
