"""Notices of findings reach the studio, however the file was left."""

from __future__ import annotations

from pathlib import Path

import kernel_tools as kt
from kernel_tools.core.workspace import Workspace
from kernel_tools.debugger.actions import Actor
from kernel_tools.debugger.finding import Finding, Severity
from kernel_tools.debugger.notices import FILE, add_notice, read_notices

FINDING = Finding("NaNLoss", Severity.ERROR, 7, "The loss is not a number.")


def test_a_notice_is_read_once_by_its_time(workspace: Workspace) -> None:
    assert read_notices(workspace, 0) == []
    with kt.experiments.start_run("watched", workspace=workspace) as run:
        actor = Actor([kt.debugger.Notify()], run)
        actor.act(FINDING)
        actor.close()
    (notice,) = read_notices(workspace, 0)
    assert (notice.run_id, notice.rule, notice.step, notice.message) == (run.id, "NaNLoss", 7, FINDING.message)
    assert read_notices(workspace, notice.at) == []
    assert actor.taken[0].is_done


def test_torn_foreign_and_too_many_lines_are_left_out(workspace: Workspace, tmp_path: Path) -> None:
    with kt.experiments.start_run("watched", workspace=workspace) as run:
        path = workspace.root / FILE
        path.write_bytes(b'{"version": 9}\nnothing\n' + b"x" * 2_000_000 + b"\n")
        for _ in range(30):
            add_notice(run, FINDING)
        with path.open("ab") as file:
            file.write(b'{"version": 1, "run_id"')
    assert len(read_notices(workspace, 0)) == 20
    assert path.stat().st_size < 200_000


def test_without_a_run_the_action_says_so() -> None:
    actor = Actor([kt.debugger.Notify()], None)
    actor.act(FINDING)
    actor.close()
    assert "no run" in actor.taken[0].result
