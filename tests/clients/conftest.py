"""Fixtures: those of tests/integration, since clients talk to the same programs."""

import importlib.util
import os
import pathlib
import sys

INTEGRATION = pathlib.Path(__file__).resolve().parents[1] / "integration"
sys.path.insert(0, str(INTEGRATION))

_spec = importlib.util.spec_from_file_location("integration_fixtures", INTEGRATION / "conftest.py")
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)

stubs, cluster, shared = _fixtures.stubs, _fixtures.cluster, _fixtures.shared
server, sandbox, org = _fixtures.server, _fixtures.sandbox, _fixtures.org

# The Python client is a client like the others: test_clients.py runs it.
collect_ignore = [] if "BOS_CONTRACT_CASES" in os.environ else ["python"]
