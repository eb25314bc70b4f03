#!/usr/bin/env python3
"""The rules of this repository that no compiler checks: layers, libraries, SQL, locks, sizes, words.

Each rule is a function with a counter-example in tests/lint/counterexamples/<rule>/ that it must refuse."""

import argparse
import pathlib
import sys

import code_rules
import include_rules
import repo_rules
import sql_rules
from source import Tree

RULES = {rule.__name__: rule for part in (include_rules, code_rules, sql_rules, repo_rules) for rule in part.RULES}


def findings(root):
    tree = Tree(root)
    for rule in RULES.values():
        yield from rule(tree)


def main():
    parser = argparse.ArgumentParser(description="Checks the rules of this repository.")
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parents[2], help="what to check (default: all of it)")
    parser.add_argument("--list", action="store_true", help="print the rules")
    arguments = parser.parse_args()
    if arguments.list:
        for name, rule in RULES.items():
            print(f"{name:12} {rule.__doc__}")
        return 0
    found = sorted(findings(arguments.root))
    for finding in found:
        print(finding)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
