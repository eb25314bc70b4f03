"""What the tests with programs of others have in common."""

import json
import os
import pathlib
import shutil

import wire

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TOOLS = ROOT / ".tools"
KEY = "sk_test_conformance"
SECONDS = 100


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
    return os.environ.get("GO") or shutil.which("go", path=f"{TOOLS / 'go' / 'bin'}:{os.environ['PATH']}")
