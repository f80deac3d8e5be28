"""The report of a training by boosted trees: one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.debugger.boosting import figures as boosting
from kernel_tools.debugger.figures.classes import confusion, importance
from kernel_tools.debugger.finding import read_findings
from kernel_tools.debugger.records import Mode
from kernel_tools.debugger.report_page import ReportPage
from kernel_tools.debugger.trial import Trial

if TYPE_CHECKING:
    import plotly.graph_objects as go

FILE = "boosting-report.html"
ARTIFACT = f"debugger/{FILE}"
_SECTIONS: tuple[tuple[str, str, Callable[[Trial], go.Figure]], ...] = (
    ("Evaluations", "Every round; dotted: the data that was learned from.", boosting.evaluations),
    ("Confusion", "Which class was taken for which, at the last look.", confusion),
    ("ROC", "How well the scores rank, whatever the threshold.", boosting.receiver_operating),
    ("Residuals", "A pattern here is something that the model has not learned.", boosting.residuals),
    ("Importance", "By what splits on a feature have improved the loss together.", importance),
    ("SHAP", "How far each feature moves the predictions, of a sample of rows.", boosting.shap_average),
    ("Trees", "Depth, and leaves of a tree on average.", boosting.tree_sizes),
)


def report_html(trial: Trial) -> str:
    """Return the page. A section whose data was not captured is left out, and the page says why."""
    page = ReportPage(f"Training report: {trial.run.name if trial.run is not None else trial.folder.name}")
    page.add_facts(_summary(trial))
    page.add_facts(trial.meta("hyperparameters") or {}, folded="Parameters")
    found = [finding for finding in read_findings(trial.folder) if finding.rule != "CreateXgboostReport"]
    if found:
        page.add_findings(found, most_advice=1)
    other = "Residuals" if trial.meta("classes") else "ROC"
    for title, text, draw in _SECTIONS:
        if title != other:
            page.add_figure(title, text, partial(draw, trial))
    return page.to_html()


def keep_report(trial: Trial) -> str:
    """Make the report and keep it with the run, else beside what was captured; returns where it is."""
    content = report_html(trial)
    run = trial.run
    if run is not None and run.status.is_open:
        run.log_text(content, ARTIFACT)
        return f"the run's files: {ARTIFACT}"
    path = trial.folder / FILE
    path.write_text(content, encoding="utf-8")
    return str(path)


def write_report(trial: Trial, path: Path) -> Path:
    """Write the report into a file, also long after the training."""
    path.write_text(report_html(trial), encoding="utf-8")
    return path


def _summary(trial: Trial) -> dict[str, Any]:
    rows: dict[str, Any] = {
        "Library": trial.meta("framework"),
        "Objective": trial.meta("loss_kind"),
        "Rounds": len(trial.tick_values(Mode.TRAIN)),
        "Seconds": f"{_seconds(trial):.3g}",
        "Debugger's share of the time": f"{trial.meta('overhead') or 0:.1%}",
        "Features": len(trial.meta("features") or []),
    }
    for name in trial.tensor_names(collection="metrics"):
        for mode in (Mode.TRAIN, Mode.EVAL):
            steps, values = trial.scalars(name, mode)
            if len(values):
                rows[name] = f"{values[-1]:.6g} (least {values.min():.6g} at round {int(steps[values.argmin()])})"
    return rows


def _seconds(trial: Trial) -> float:
    ticks = trial.tick_values(Mode.TRAIN)
    return float(ticks[:, 3:8].sum()) if len(ticks) else 0.0
