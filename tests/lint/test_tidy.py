"""Each rule refuses its counter-example, and only what is wrong in it."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import tidy  # noqa: E402

EXAMPLES = pathlib.Path(__file__).parent / "counterexamples"

# What must be found: from a rule to file:line. A file's other lines are right, and must pass.
EXPECTED = {
    "layers": ["server/CMakeLists.txt:2", "server/domain/plan.c:1", "server/sandbox/sim.c:1", "server/store/db.c:1"],
    "libraries": [
        "server/app.c:1", "server/app.c:2", "server/base/hash.c:1", "server/services/plans.c:1", "server/services/plans.c:2", "server/store/json_column.c:1"],
    "generated": ["server/rpc/rpc_status.c:2", "server/services/plans.c:1"],
    "parents": ["server/store/db.c:1"],
    "internals": ["server/services/plans.c:1"],
    "payments": ["server/services/plans.c:1", "server/services/plans.c:2"],
    "domain": ["server/domain/period.c:1", "server/domain/period.c:7", "server/domain/period.c:12"],
    "sizes": ["server/store/db.c:701"],
    "doubles": ["server/services/invoices.c:11", "server/services/invoices.c:13"],
    "locks": ["server/services/plans.c:3"],
    "typedefs": ["server/services/plans.h:3", "server/services/plans.h:5"],
    "comments": ["server/services/plans.c:1", "server/services/plans.c:3"],
    "exceptions": ["server/services/plans.c:1", "server/services/plans.c:2"],
    "sql": ["server/services/plans.c:1", "server/services/plans.c:6"],
    "tenants": ["server/store/plan_store.c:8", "server/store/plan_store.c:11", "server/store/plan_store.c:13"],
    "migrations": ["migrations/0001_plans.sql:3", "migrations/0001_plans.sql:4", "migrations/0003_gap.sql:1", "migrations/prices.sql:1"],
    "words": ["README.md:1"],
    "registries": ["package-lock.json:5"],
    "secrets": ["tests/cards.py:1"],
    "mirror": ["tests/unit/store/plan_store_test.c:1", "tests/unit/store/plan_store_test.c:1"],
    "reasons": ["api/billingos/v1/error_reason.proto:10", "api/billingos/v1/error_reason.proto:13", "server/base/reasons.def:2", "server/base/reasons.def:4"],
    "settings": ["config/default.yaml:4", "config/default.yaml:7", "config/default.yaml:13", "server/settings.def:4"],
    "credentials": ["api/billingos/v1/plan_service.proto:6"],
}


class Rules(unittest.TestCase):
    def test_every_rule_has_a_counter_example(self):
        self.assertEqual(set(tidy.RULES), set(EXPECTED))
        self.assertEqual(set(tidy.RULES), {path.name for path in EXAMPLES.iterdir()})

    def test_every_rule_finds_what_is_wrong_and_nothing_else(self):
        for rule, expected in EXPECTED.items():
            with self.subTest(rule):
                found = [finding for finding in tidy.findings(EXAMPLES / rule) if finding.rule == rule]
                self.assertEqual(sorted(f"{finding.path}:{finding.line}" for finding in found), sorted(expected))

    def test_every_rule_says_what_it_is_for(self):
        for rule in tidy.RULES.values():
            self.assertTrue(rule.__doc__)


if __name__ == "__main__":
    unittest.main()
