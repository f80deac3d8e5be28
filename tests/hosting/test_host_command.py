"""`atelier host`: what it says, and that stop drains and the next host brings everything back."""

from __future__ import annotations

from typer.testing import CliRunner

from kernel_tools.cli import app
from kernel_tools.hosting.hosts import nudge_host


def test_status_and_stop_tell_what_the_host_does(workspace, own_endpoint, census, monkeypatch):
    monkeypatch.setenv("ATELIER_HOME", str(workspace.root))
    said = CliRunner().invoke(app, ["host", "status"])
    assert said.exit_code == 0 and "own" in said.output and "InService" in said.output
    assert "has ended" in CliRunner().invoke(app, ["host", "stop"]).output
    assert "No host runs" in CliRunner().invoke(app, ["host", "status"]).output
    assert "No host runs" in CliRunner().invoke(app, ["host", "stop"]).output
    nudge_host(workspace)
    own_endpoint.wait()
    assert own_endpoint.predict(census.row).shape == (1,)
