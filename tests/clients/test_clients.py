"""Clients of several languages run the contract cases of tests/contract against one server.

Each has an organisation of its own and writes down how each case ended."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

import contract
import world

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = world.ROOT / ".tools"
SECONDS = 600


@pytest.fixture()
def organization(org, sandbox):
    """An organisation in test mode whose payment account takes payments, but makes no dashboard links."""
    account = org.connect_account()
    sandbox.control("faults", {
        "action": "rate_limit", "times": 1000, "match": {"path_regex": f"/{account}/login_links$"}})
    return org


def environment(organization, folder):
    """What a client needs to know; and the names of the cases it has to run."""
    names = contract.write(folder / "cases.json")
    return names, {
        **os.environ,
        "PATH": f"{TOOLS}:{os.environ['PATH']}",
        "BOS_CONTRACT_ADDRESS": organization.server.address,
        "BOS_CONTRACT_SECRET_KEY": organization.key,
        "BOS_CONTRACT_PUBLISHABLE_KEY": organization.keys["test_publishable_key"],
        "BOS_CONTRACT_CASES": str(folder / "cases.json"),
        "BOS_CONTRACT_RESULTS": str(folder / "results"),
    }


def run(command, folder, env):
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=SECONDS)


def check(names, folder, done):
    """Every case was run, and none failed."""
    said = done.stdout[-6000:] + done.stderr[-6000:]
    results = folder / "results"
    ended = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    failed = [f"{one['name']}: {one['failure']}" for one in ended if one["failure"]]
    assert not failed, "\n".join(failed)
    assert [one["name"] for one in ended] == names, said
    assert done.returncode == 0, said


@pytest.mark.timeout(SECONDS)
def test_python(organization, tmp_path):
    names, env = environment(organization, tmp_path)
    done = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "python"], HERE, env)
    check(names, tmp_path, done)


@pytest.mark.timeout(SECONDS)
def test_go(organization, tmp_path):
    names, env = environment(organization, tmp_path)
    go = os.environ.get("GO") or shutil.which("go", path=f"{TOOLS / 'go' / 'bin'}:{env['PATH']}")
    made = run([go, "generate", "./..."], HERE / "go", env)
    assert made.returncode == 0, made.stderr
    check(names, tmp_path, run([go, "test", "-count=1", "./..."], HERE / "go", env))


@pytest.mark.timeout(SECONDS)
def test_typescript(organization, tmp_path):
    names, env = environment(organization, tmp_path)
    check(names, tmp_path, run(["npm", "test", "--silent"], HERE / "typescript", env))
