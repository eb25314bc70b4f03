"""The contract cases of tests/contract: read, checked for their form, made ready for one run."""

import json
import pathlib
import re
import uuid

import yaml

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "contract"
CALL = {"method", "key", "metadata", "request", "deadline_ms", "within_ms", "cancel", "ok", "error", "headers", "save"}
CASE = CALL | {"name", "stream"}
STEP = {"receive", "save", "call"}
ERROR = {"code", "reason", "fields", "metadata", "retry", "message"}


def _check(case, allowed, name):
    assert isinstance(case, dict), name
    assert set(case) <= allowed, f"{name}: unknown members {sorted(set(case) - allowed)}"
    assert re.fullmatch(r"\w+Service/\w+", case.get("method", "")), f"{name}: method"
    assert set(case.get("error", {})) <= ERROR, f"{name}: unknown members of error"
    for step in case.get("stream", []):
        assert set(step) <= STEP, f"{name}: unknown members of a step"
        if "call" in step:
            _check(step["call"], CALL, name)
    ends = [member for member in ("ok", "error", "stream") if member in case]
    assert ends, f"{name}: says nothing of what is expected"
    assert "stream" in case or len(ends) == 1, f"{name}: both ok and error"


def read():
    """All cases, in order."""
    cases = []
    for path in sorted(FOLDER.glob("*.yaml")):
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        for case in found:
            _check(case, CASE, f"{path.name}: {case.get('name', 'a case without a name')}")
        cases += found
    names = [case["name"] for case in cases]
    assert len(names) == len(set(names)), "two cases have one name"
    return cases


class _Run:
    """Fills in what is known before the run."""

    def __init__(self):
        self.uuids = {}

    def fill(self, value):
        if isinstance(value, dict):
            return {key: self.fill(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.fill(inner) for inner in value]
        if isinstance(value, str):
            value = re.sub(r"\$\{uuid:(\w+)\}", lambda m: self.uuids.setdefault(m[1], str(uuid.uuid4())), value)
            value = re.sub(r"\$\{repeat:([^:}]+):(\d+)\}", lambda m: m[1] * int(m[2]), value)
        return value


def write(path):
    """Writes the cases of one run as JSON, and returns their names."""
    cases = _Run().fill(read())
    pathlib.Path(path).write_text(json.dumps(cases, ensure_ascii=False), encoding="utf-8")
    return [case["name"] for case in cases]
