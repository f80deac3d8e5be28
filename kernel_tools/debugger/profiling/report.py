"""The profiler's report of a run: where the time went, what to do about it; a page or a notebook, at any time."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.core.workspace import Workspace
from kernel_tools.debugger.evaluation import Evaluator
from kernel_tools.debugger.finding import Finding, Findings, read_findings
from kernel_tools.debugger.opening import open as open_trial
from kernel_tools.debugger.profiling import figures
from kernel_tools.debugger.profiling.steps import breakdown, durations_of
from kernel_tools.debugger.profiling.system import system_of
from kernel_tools.debugger.profiling.trace import has_trace, module_table, operator_table
from kernel_tools.debugger.report_page import ReportPage
from kernel_tools.debugger.rules import RULES, make_rules
from kernel_tools.debugger.trial import Trial

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from kernel_tools.debugger.opening import Watched

NAME = "profile-report"
_MOST_ROWS = 25
_FIGURES: dict[str, tuple[str, str]] = {
    "phases": ("Where the time went", "All steps together; waiting for data is what came before the forward pass."),
    "step_times": ("Each step", "What each step spent its time on."),
    "utilization": ("Use of the machine", "Each core, GPU and the memory over time; a dark row does nothing."),
    "outliers": ("Steps that took longest", "Steps beyond the mean and three standard deviations are marked."),
    "trace": ("Trace", "The steps that torch.profiler has recorded."),
}


def profile_report(
    run: Watched | Trial,
    path: str | os.PathLike[str] | None = None,
    *,
    format: str = "html",
    workspace: Workspace | None = None,
) -> Path:
    """Write the profiler's report of a run, which may be over for long.

    Parameters
    ----------
    run
        A run, a job, a run's id, a folder that was captured into, or a trial.
    path
        The file to write. Default: in the Debugger's folder of the run.
    format
        ``"html"``, one page that needs nothing else, or ``"notebook"``, which draws the same from the run.
    workspace
        Default: the current workspace.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    NotFoundError
        If nothing was captured of the run.
    InvalidArgumentError
        If there is no such format.
    """
    if format not in ("html", "notebook"):
        raise InvalidArgumentError(f"format={format!r}: use 'html' or 'notebook'.")
    trial = run if isinstance(run, Trial) else open_trial(run, workspace=workspace)
    suffix = ".html" if format == "html" else ".ipynb"
    target = trial.folder / f"{NAME}{suffix}" if path is None else Path(path)
    content = report_html(trial) if format == "html" else _notebook(trial)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.write_text(content, encoding="utf-8")
    os.replace(temporary, target)
    return target


def report_html(trial: Trial) -> str:
    """Return the page: summary, findings, figures, and tables of operators and modules if steps were traced."""
    page = ReportPage(f"Profiler report: {trial.run.name if trial.run is not None else trial.folder.name}")
    report = profile_of(trial)
    page.add_facts(summary_of(trial))
    page.add_findings(by_seconds([*report.findings, *_others(trial)]))
    page.add_lines("Overall", (rule.reason for rule in report.rules if rule.reason and rule.rule.startswith("Overall")))
    for name, (title, text) in _FIGURES.items():
        page.add_figure(title, text, partial(_drawn, trial, name))
    if len(trial.tick_values()):
        page.add_table("Phases", "Seconds of all steps; milliseconds of a step.", breakdown(trial))
    if has_trace(trial):
        tables: tuple[tuple[str, Callable[[Trial], pd.DataFrame]], ...] = (
            ("Operators", operator_table),
            ("Modules", module_table),
        )
        for title, table_of in tables:
            page.add_table(title, f"The first {_MOST_ROWS}, those that took longest.", table_of(trial).head(_MOST_ROWS))
    return page.to_html()


def profile_of(trial: Trial) -> Findings:
    """Evaluate the rules of the profiler over a run."""
    names = [name for name, module in RULES.items() if module.startswith("profiling.")]
    evaluator = Evaluator(trial, make_rules(names))
    evaluator.poll()
    evaluator.finish()
    return evaluator.report(is_over=True)


def by_seconds(findings: list[Finding]) -> list[Finding]:
    """Return findings with those first whose advice saves most time."""
    return sorted(findings, key=lambda found: -max((advice.seconds or 0.0 for advice in found.advice), default=0.0))


def summary_of(trial: Trial) -> dict[str, Any]:
    """Return what is said of a run in a few lines."""
    import numpy as np

    values = trial.tick_values("TRAIN")
    seconds = durations_of(values)
    series = system_of(trial)
    facts: dict[str, Any] = {
        "Run": trial.folder if trial.run is None else f"{trial.run.experiment} / {trial.run.name}",
        "Model": trial.meta("model") or trial.meta("framework"),
        "Steps": f"{len(values):,}, of which {len(trial.steps('TRAIN')):,} were sampled",
    }
    if len(seconds):
        facts["Time of steps"] = f"{seconds.sum():.4g} s; median {1000 * np.median(seconds):.4g} ms"
    facts["Debugger"] = f"{100 * (trial.meta('overhead') or 0.0):.2g} % of the time, by its own measure"
    if len(series):
        memory = series.memory_total / 1024**3
        facts["Machine"] = f"{series.cores.shape[1]} cores, {series.gpus.shape[1]} GPUs, {memory:.0f} GiB of memory"
    return facts


def _others(trial: Trial) -> list[Finding]:
    """Return what the other rules have found when the run was watched."""
    return [found for found in read_findings(trial.folder) if not RULES.get(found.rule, "").startswith("profiling.")]


def _drawn(trial: Trial, name: str) -> go.Figure:
    if name in ("phases", "step_times", "outliers") and not len(trial.tick_values()):
        raise NotFoundError("The times of steps are not known.")
    if name == "utilization" and not len(system_of(trial)):
        raise NotFoundError("The machine was not sampled.")
    figure: go.Figure = getattr(figures, name)(trial)
    return figure


def _notebook(trial: Trial) -> str:
    import nbformat

    v4: Any = nbformat.v4
    run = str(trial.folder) if trial.run is None else trial.run.id
    name = trial.folder.name if trial.run is None else trial.run.name
    cells = [
        v4.new_markdown_cell(f"# Profiler report: {name}"),
        v4.new_code_cell(
            "import pandas as pd\n\nimport kernel_tools as kt\nfrom kernel_tools.debugger import figures\n"
            "from kernel_tools.debugger.profiling import report\n\n"
            f'trial = kt.debugger.open({run!r})\npd.Series(report.summary_of(trial), name="")'
        ),
        v4.new_markdown_cell("## Findings"),
        v4.new_code_cell("report.profile_of(trial)"),
    ]
    for figure, (title, text) in _FIGURES.items():
        try:
            _drawn(trial, figure)
        except NotFoundError as error:
            cells.append(v4.new_markdown_cell(f"## {title}\n{error}"))
            continue
        cells += [v4.new_markdown_cell(f"## {title}\n{text}"), v4.new_code_cell(f"figures.{figure}(trial)")]
    if has_trace(trial):
        cells.append(
            v4.new_code_cell(
                "from kernel_tools.debugger.profiling.trace import operator_table\n\noperator_table(trial)"
            )
        )
    notebook = v4.new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    content: str = v4.writes(notebook)
    return content
