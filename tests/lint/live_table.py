#!/usr/bin/env python3
"""The table of live methods in api/README.md, made from the method table of the server and the protos.

Without options it is checked; --write makes it anew."""

import argparse
import pathlib
import re
import sys

BEGIN, END = "<!-- live:begin -->\n", "<!-- live:end -->\n"
ROWS = "server/handlers/method_table.c"
README = "api/README.md"


def live_methods(root):
    """(service, method) of each row of the method table: READ(Service, Method, ...) or a path."""
    text = (root / ROWS).read_text(encoding="utf-8")
    rows = re.findall(r"^ *[A-Z]+\(\s*(\w+Service),\s*(\w+),", text, re.MULTILINE)
    return set(rows) | set(re.findall(r'"/billingos\.v1\.(\w+Service)/(\w+)"', text))


def all_methods(root):
    """The methods of each service, in the order of the protos."""
    services = {}
    for path in sorted((root / "api" / "billingos" / "v1").glob("*_service.proto")):
        text = path.read_text(encoding="utf-8")
        for service, body in re.findall(r"^service (\w+) \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
            services[service] = re.findall(r"^ *rpc (\w+)\(", body, re.MULTILINE)
    return services


def table(root):
    live, services = live_methods(root), all_methods(root)
    unknown = live - {(service, method) for service, methods in services.items() for method in methods}
    if unknown:
        raise ValueError(f"{ROWS} has rows that no proto knows: {sorted(unknown)}")
    lines = ["| service | live | not yet |", "| --- | --- | --- |"]
    for service, methods in sorted(services.items()):
        there = [method for method in methods if (service, method) in live]
        missing = [method for method in methods if (service, method) not in live]
        lines.append(f"| {service} | {', '.join(there) or '-'} | {', '.join(missing) or '-'} |")
    return "".join(line + "\n" for line in lines)


def rewritten(root):
    """What api/README.md should say."""
    text = (root / README).read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{README} lacks the markers {BEGIN.strip()} and {END.strip()}")
    return text, before + BEGIN + table(root) + END + after


def main():
    parser = argparse.ArgumentParser(description="Checks the table of live methods in api/README.md.")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2],
                        help="what to check (default: this repository)")
    parser.add_argument("--write", action="store_true", help="write the table anew")
    arguments = parser.parse_args()
    try:
        now, wanted = rewritten(arguments.root)
    except (ValueError, OSError) as error:
        print(error)
        return 1
    if now == wanted:
        return 0
    if arguments.write:
        (arguments.root / README).write_text(wanted, encoding="utf-8")
        return 0
    print(f"{README}: the table of live methods is not that of {ROWS}; python3 tests/lint/live_table.py --write makes it anew")
    return 1


if __name__ == "__main__":
    sys.exit(main())
