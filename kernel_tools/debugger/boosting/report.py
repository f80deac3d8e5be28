"""The report of a training by boosted trees: one HTML page that needs nothing else."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import NotFoundError
from kernel_tools.debugger.boosting import figures as boosting
from kernel_tools.debugger.figures.classes import confusion, importance
from kernel_tools.debugger.finding import read_findings
from kernel_tools.debugger.records import Mode
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
_STYLE = (
    "body{font-family:system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse}td,th{padding:.25rem .75rem .25rem 0;text-align:left;vertical-align:top}"
    "th{font-weight:600}h2{margin-top:2rem}p{max-width:70ch}pre{white-space:pre-wrap;background:#f5f5f5;padding:.5rem}"
)


def report_html(trial: Trial) -> str:
    """Return the page. A section whose data was not captured is left out, and the page says why."""
    parts: list[str] = []
    missing: list[str] = []
    other = "Residuals" if trial.meta("classes") else "ROC"
    for title, text, draw in _SECTIONS:
        if title == other:
            continue
        try:
            figure = draw(trial)
        except NotFoundError as error:
            missing.append(f"{title}: {error}")
            continue
        figure.update_layout(height=420)
        content = figure.to_html(full_html=False, include_plotlyjs=not parts, config={"displayModeBar": False})
        parts.append(f"<section><h2>{title}</h2><p>{html.escape(text)}</p>{content}</section>")
    left_out = "".join(f"<li>{html.escape(line)}</li>" for line in missing)
    name = html.escape(trial.run.name if trial.run is not None else trial.folder.name)
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{name}</title>'
        f"<style>{_STYLE}</style></head>"
        f"<body><h1>Training report: {name}</h1>{_summary(trial)}{_findings(trial)}{''.join(parts)}"
        + (f"<h2>Left out</h2><ul>{left_out}</ul>" if missing else "")
        + "</body></html>"
    )


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


def _summary(trial: Trial) -> str:
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
    return (
        _table(rows) + f"<details><summary>Parameters</summary>{_table(trial.meta('hyperparameters') or {})}</details>"
    )


def _findings(trial: Trial) -> str:
    found = [finding for finding in read_findings(trial.folder).findings if finding.rule != "CreateXgboostReport"]
    if not found:
        return ""
    items = "".join(
        f"<li><b>{html.escape(finding.rule)}</b> ({finding.severity.value}): {html.escape(finding.message)}"
        + "".join(f"<br>{html.escape(advice.title)}. {html.escape(advice.reason)}" for advice in finding.advice[:1])
        + "</li>"
        for finding in found
    )
    return f"<h2>Findings</h2><ul>{items}</ul>"


def _table(rows: dict[str, Any]) -> str:
    body = "".join(
        f"<tr><th scope='row'>{html.escape(str(name))}</th><td>{html.escape(str(value))}</td></tr>"
        for name, value in rows.items()
    )
    return f"<table>{body}</table>"


def _seconds(trial: Trial) -> float:
    ticks = trial.tick_values(Mode.TRAIN)
    return float(ticks[:, 3:8].sum()) if len(ticks) else 0.0
