"""A short campaign: updates under load while processes are killed (`make soak` runs the long one)."""

from __future__ import annotations

from kernel_tools.core.workspace import Workspace
from scripts.hosting_soak import campaign
from tests.hosting.conftest import end_endpoints


def test_no_request_fails_while_versions_change_and_processes_are_killed(tmp_path):
    workspace = Workspace(tmp_path / "workspace")
    try:
        tally = campaign(workspace, updates=5, clients=2, rollbacks=1, kills=3, pause=0.01)
    finally:
        end_endpoints(workspace)
    assert tally.failures == [] and tally.answered > 0
    assert (tally.finished, tally.rolled_back, tally.unfinished) == (4, 1, 0)
    assert tally.killed == {"worker": 1, "host": 1, "client": 1}
