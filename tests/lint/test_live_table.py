"""The table of live methods is found stale, written, and refuses a row that is no method."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).parent / "live_table.py"
PROTO = "service PlanService {\n  rpc GetPlan(GetPlanRequest) returns (GetPlanResponse) {\n  }\n  rpc SetPlan(A) returns (stream B);\n}\n"
ROWS = '    READ(PlanService, GetPlan, get_plan, plan_get,\n         SCOPE),\n    {.path = "/billingos.v1.PlanService/%s"},\n'


class LiveTable(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "api/billingos/v1").mkdir(parents=True)
        (self.root / "server/handlers").mkdir(parents=True)
        (self.root / "api/billingos/v1/plan_service.proto").write_text(PROTO)
        (self.root / "api/README.md").write_text("a\n<!-- live:begin -->\nold\n<!-- live:end -->\nb\n")
        self.rows("GetPlan")

    def rows(self, method):
        (self.root / "server/handlers/method_table.c").write_text(ROWS % method)

    def run_script(self, *options):
        return subprocess.run([sys.executable, str(SCRIPT), "--root", str(self.root), *options], capture_output=True).returncode

    def test_a_stale_table_is_refused_until_it_is_written(self):
        self.assertEqual(self.run_script(), 1)
        self.assertEqual(self.run_script("--write"), 0)
        self.assertEqual(self.run_script(), 0)
        text = (self.root / "api/README.md").read_text()
        self.assertIn("| PlanService | GetPlan | SetPlan |\n<!-- live:end -->\nb\n", text)
        self.rows("SetPlan")
        self.assertEqual(self.run_script(), 1)

    def test_a_row_that_is_no_method_is_refused(self):
        self.rows("NoPlan")
        self.assertEqual(self.run_script("--write"), 1)

    def test_markers_are_needed(self):
        (self.root / "api/README.md").write_text("nothing\n")
        self.assertEqual(self.run_script("--write"), 1)


if __name__ == "__main__":
    unittest.main()
