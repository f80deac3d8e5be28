"""The profiler's report: a page and a notebook, of any run that was captured, at any time."""

from __future__ import annotations

from pathlib import Path

import papermill
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

import kernel_tools as kt
from kernel_tools.cli import app
from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments import Run
from tests.debugger.profiling.test_profiler_rules import record

run_command = CliRunner()


@pytest.fixture
def run(workspace: Workspace) -> Run:
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with kt.experiments.start_run("digits", name="<b>small</b>") as run:
        kt.debugger.watch(model, optimizer, profile=(5, 6), rules=["NaNLoss"])
        for step in range(30):
            loss = nn.functional.cross_entropy(model(torch.randn(16, 8)), torch.zeros(16).long())
            (loss * (float("nan") if step == 20 else 1)).backward()
            optimizer.step()
    return run


def test_the_page_has_all_sections_and_needs_nothing_else(run: Run) -> None:
    path = kt.debugger.profile_report(run)
    page = path.read_text()
    for word in (
        "Where the time went",
        "Each step",
        "Use of the machine",
        "Operators",
        "Modules",
        "NaNLoss",
        "Overall",
    ):
        assert word in page
    assert "<b>small" not in page and "&lt;b&gt;small" in page
    assert 'src="http' not in page
    assert any(artifact.path == "debugger/trace.json.gz" for artifact in run.artifacts)


def test_the_notebook_runs_and_draws_the_same(run: Run, tmp_path: Path) -> None:
    path = kt.debugger.profile_report(run, tmp_path / "report.ipynb", format="notebook")
    papermill.execute_notebook(path, tmp_path / "done.ipynb", progress_bar=False, kernel_name="python3")
    assert "operator_table" in path.read_text()


def test_what_was_not_captured_is_named(tmp_path: Path) -> None:
    record(tmp_path)
    (tmp_path / "system.bin").unlink()
    page = kt.debugger.profile_report(tmp_path).read_text()
    assert (
        "Left out" in page and "The machine was not sampled." in page and "torch.profiler has recorded no step" in page
    )


def test_a_report_of_nothing_and_an_unknown_format_are_refused(workspace: Workspace, tmp_path: Path) -> None:
    with kt.experiments.start_run("empty") as run:
        pass
    with pytest.raises(NotFoundError, match="Nothing was captured"):
        kt.debugger.profile_report(run)
    record(tmp_path / "c")
    with pytest.raises(InvalidArgumentError, match="'html' or 'notebook'"):
        kt.debugger.profile_report(tmp_path / "c", format="pdf")


def test_the_command_line_says_finds_exports_and_reports(run: Run, tmp_path: Path) -> None:
    said = run_command.invoke(app, ["debugger", "findings", run.id])
    assert said.exit_code == 0 and "NaNLoss" in said.output
    said = run_command.invoke(app, ["debugger", "evaluate", run.id, "--rule", "ExplodingTensor"])
    assert said.exit_code == 0 and "ExplodingTensor" in said.output
    said = run_command.invoke(app, ["debugger", "report", run.id, "--output", str(tmp_path / "page.html")])
    assert said.exit_code == 0 and (tmp_path / "page.html").exists()
    said = run_command.invoke(app, ["debugger", "export", run.id, str(tmp_path / "tensors.parquet")])
    assert said.exit_code == 0 and (tmp_path / "tensors.parquet").exists()
    said = run_command.invoke(app, ["debugger", "evaluate", run.id, "--rule", "Nonsense"])
    assert said.exit_code != 0 and "There is no rule 'Nonsense'" in str(said.exception)
    said = run_command.invoke(app, ["debugger", "findings", "no-such-job"])
    assert said.exit_code != 0 and "no-such-job" in str(said.exception)
