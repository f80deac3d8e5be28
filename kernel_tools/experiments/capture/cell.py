"""Recording a whole notebook cell in one run: its parameters, its code, what it trains, prints and shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments.capture import output
from kernel_tools.experiments.capture.autolog import autolog_here
from kernel_tools.experiments.capture.cell_parameters import cell_parameters
from kernel_tools.experiments.capture.displayed_figures import DisplayedFigures
from kernel_tools.experiments.capture.guard import guarded
from kernel_tools.experiments.capture.notebook import CELL_CODE
from kernel_tools.experiments.capture.printed_metrics import PrintedLines
from kernel_tools.experiments.capture.settings import AutologSettings, process_settings
from kernel_tools.experiments.run import Run


@contextmanager
def code_of_cell(code: str) -> Iterator[None]:
    """Make this the code that a run started inside the ``with`` block comes from."""
    token = CELL_CODE.set(code)
    try:
        yield
    finally:
        CELL_CODE.reset(token)


@contextmanager
def record_cell(shell: Any, run: Run, code: str, workspace: Workspace) -> Iterator[None]:
    """Record in a run what happens inside the ``with`` block, which executes the code of a cell.

    Trainings are recorded as `autolog` does it. Printed metrics are taken only if nothing has logged metrics to the
    run in any other way; figures only if the run does not have them.
    """
    with guarded("the parameters of a cell"):
        parameters = _parameters(shell, code)
        if parameters:
            run.log_params(parameters)
    figures, lines = DisplayedFigures(), PrintedLines()
    with ExitStack() as stack:
        with guarded("what a cell prints"):
            output.attach(lines)
            stack.callback(output.detach, lines)
        with guarded("what a cell shows"):
            stack.enter_context(figures.watch(shell))
        with guarded("what a cell trains"):
            if process_settings() is None:
                stack.enter_context(autolog_here(AutologSettings(workspace=workspace)))
        try:
            yield
        finally:
            with guarded("displayed figures"):
                figures.log(run)
            with guarded("printed metrics"):
                if run.status.is_open and not run.metrics:
                    lines.log(run)


def _parameters(shell: Any, code: str) -> dict[str, str]:
    try:
        return cell_parameters(shell.transform_cell(code))
    except SyntaxError:
        return {}  # the cell is about to say so itself
