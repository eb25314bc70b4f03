"""Rows of figures, each with the goal it is held against; files in bench/results and bench/README.md."""

import json
import operator

from programs import ROOT, machine

COMPARE = {"<=": operator.le, ">=": operator.ge, "<": operator.lt}
HEAD = """# Speed of BillingOS

Written by `./dev bench`. Server, database, payment simulator and load generator share the machine of the
line above each table. Read ratios rather than figures: the echo server in a ratio ran in turn with billingos.
"""


def row(what, value, unit="", goal=""):
    """A figure; the goal is "<= 1.25" and the like, or empty."""
    met = None
    if goal:
        comparison, limit = goal.split()
        met = COMPARE[comparison](value, float(limit))
    return {"what": what, "value": value, "unit": unit, "goal": goal, "met": met}


def figure(value):
    """Three digits that mean something, thousands apart."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def table(measured):
    """A result as Markdown."""
    here = measured["machine"]
    lines = [
        f"## {measured['name']}",
        "",
        measured["how"],
        "",
        f"{here['cpu']}, {here['cores']} cores, Linux {here['kernel']}, {here['date']}; {measured['build']}",
        "",
        "| what | figure | goal | |",
        "| --- | --- | --- | --- |",
    ]
    for each in measured["rows"]:
        verdict = {None: "", True: "met", False: "**missed**"}[each["met"]]
        value = f"{figure(each['value'])} {each['unit']}".strip()
        lines.append(f"| {each['what']} | {value} | {each['goal']} | {verdict} |")
    return "\n".join(lines)


def result(name, how, build, rows, raw):
    """All that is kept of a measurement."""
    return {
        "name": name,
        "how": " ".join(how.split()),
        "machine": machine(),
        "build": build,
        "rows": rows,
        "raw": raw,
    }


def write(measured):
    """Writes bench/results/NAME.json, and bench/README.md anew from all that is there."""
    directory = ROOT / "bench/results"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{measured['name']}.json").write_text(json.dumps(measured, indent=1) + "\n")
    tables = [table(json.loads(path.read_text())) for path in sorted(directory.glob("*.json"))]
    (ROOT / "bench/README.md").write_text("\n".join([HEAD, "\n\n".join(tables), ""]))
