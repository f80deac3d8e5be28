"""The loss with what the rules have found on it, and below it when each finding began and ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kernel_tools.core.figures import SERIES_COLORS, new_figure
from kernel_tools.debugger.figures.drawing import mark_step, thin, wrap
from kernel_tools.debugger.finding import Finding, Severity, read_findings
from kernel_tools.debugger.records import Mode
from kernel_tools.debugger.trial import Trial

if TYPE_CHECKING:
    import plotly.graph_objects as go

_BLUE, _, _GREEN = SERIES_COLORS[:3]
SEVERITY_COLORS = {
    Severity.ERROR: "rgb(213, 94, 0)",
    Severity.WARNING: "rgb(230, 159, 0)",
    Severity.HINT: "rgb(86, 180, 233)",
}
"""Okabe and Ito's vermilion, orange and sky. They are no series: written so, the panel keeps them on a dark ground."""
SEVERITY_SYMBOLS = {Severity.ERROR: "x", Severity.WARNING: "triangle-up", Severity.HINT: "circle"}
MOST_RULES = 12
"""Rules that have a row of their own below the loss; the first that fired."""
_LOG_ABOVE = 1000
"""The loss is drawn on a logarithmic axis if its largest value is so many times its smallest."""


def loss(trial: Trial, *, step: int | None = None, is_dark: bool = False) -> go.Figure:
    """Draw the loss of the training and of the validation, with the findings as marks and as a time line below.

    Parameters
    ----------
    trial
        What was captured; the findings are those of the file beside it.
    step
        A step to mark.
    is_dark
        Whether the figure is shown on a dark ground.
    """
    findings = [finding for finding in read_findings(trial.folder).findings if finding.step >= 0]
    figure = new_figure(title="Loss and findings", x_title="", y_title="", is_dark=is_dark)
    rules = list(dict.fromkeys(finding.rule for finding in findings))[:MOST_RULES]
    share = min(0.45, 0.08 + 0.06 * len(rules))
    if rules:
        figure.set_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.04, row_heights=[1 - share, share])
    curves = [
        ("training", trial.losses(Mode.TRAIN), _BLUE, "lines"),
        ("validation", trial.losses(Mode.EVAL), _GREEN, "lines+markers"),
    ]
    for name, (steps, values), color, mode in curves:
        if len(steps):
            _add_loss(figure, name, steps, values, color, mode, is_split=bool(rules))
    _scale(figure, [values for _, (_, values), _, _ in curves])
    for severity in Severity:
        marks = [finding for finding in findings if finding.severity is severity]
        if marks:
            _add_marks(figure, trial, marks, severity)
            _add_stretches(figure, [mark for mark in marks if mark.rule in rules], severity)
    figure.update_yaxes(title_text="loss", **({"row": 1, "col": 1} if rules else {}))
    last = {"row": 2, "col": 1} if rules else {}
    figure.update_xaxes(title_text="step", **last)
    _fit(figure, [steps for _, (steps, _), _, _ in curves], findings)
    if rules:
        figure.update_xaxes(showticklabels=False, ticks="", row=1, col=1)
        figure.update_yaxes(
            type="category", categoryorder="array", categoryarray=rules[::-1], showgrid=False, row=2, col=1
        )
        figure.update_yaxes(range=[-0.6, len(rules) - 0.4], row=2, col=1)
    mark_step(figure, step)
    return figure


def _add_loss(
    figure: go.Figure,
    name: str,
    steps: np.ndarray[Any, Any],
    values: np.ndarray[Any, Any],
    color: str,
    mode: str,
    *,
    is_split: bool,
) -> None:
    import plotly.graph_objects as go

    x, y = thin(steps, values)
    figure.add_trace(
        go.Scatter(
            x=x,
            y=y,
            name=name,
            mode=mode,
            line={"color": color, "width": 1.5},
            marker={"color": color, "size": 5},
            hovertemplate=f"{name}<br>step %{{x:,}}<br>loss %{{y:.4g}}<extra></extra>",
        ),
        **({"row": 1, "col": 1} if is_split else {}),
    )


def _scale(figure: go.Figure, losses: Sequence[np.ndarray[Any, Any]]) -> None:
    finite = np.concatenate([values[np.isfinite(values)] for values in losses])
    if len(finite) and finite.min() > 0 and finite.max() > _LOG_ABOVE * finite.min():
        figure.update_layout(yaxis_type="log")


def _fit(figure: go.Figure, steps: Sequence[np.ndarray[Any, Any]], findings: Sequence[Finding]) -> None:
    """Let the axes begin at the first step and end after the last."""
    ends = [int(known[-1]) for known in steps if len(known)] + [finding.last_step for finding in findings]
    if ends:
        figure.update_xaxes(range=[-0.01 * max(ends), 1.01 * max(ends) + 1])


def _add_marks(figure: go.Figure, trial: Trial, findings: Sequence[Finding], severity: Severity) -> None:
    """Draw the findings on the curve, at the last loss that was a number."""
    import plotly.graph_objects as go

    steps, values = trial.losses(Mode.TRAIN)
    finite = np.isfinite(values)
    steps, values = steps[finite], values[finite]
    if not len(steps):
        return
    places = np.searchsorted(steps, [finding.step for finding in findings], side="right") - 1
    figure.add_trace(
        go.Scatter(
            x=[finding.step for finding in findings],
            y=values[np.maximum(places, 0)],
            name=severity.value,
            mode="markers",
            marker=_marker(severity, 10),
            text=[f"<b>{finding.rule}</b><br>{wrap(finding.message)}" for finding in findings],
            customdata=[finding.id for finding in findings],
            hovertemplate="%{text}<br>step %{x:,}<extra></extra>",
        ),
        **({"row": 1, "col": 1}),
    )


def _add_stretches(figure: go.Figure, findings: Sequence[Finding], severity: Severity) -> None:
    """Draw, of every finding, from when to when it went on."""
    import plotly.graph_objects as go

    x: list[int | None] = []
    y: list[str | None] = []
    text: list[str | None] = []
    for finding in findings:
        label = f"<b>{finding.rule}</b><br>{wrap(finding.message)}"
        x += [finding.step, max(finding.last_step, finding.step), None]
        y += [finding.rule, finding.rule, None]
        text += [label, label, None]
    figure.add_trace(
        go.Scatter(
            x=x,
            y=y,
            mode="lines+markers",
            line={"color": SEVERITY_COLORS[severity], "width": 4},
            marker=_marker(severity, 8),
            text=text,
            hovertemplate="%{text}<br>step %{x:,}<extra></extra>",
            showlegend=False,
        ),
        row=2,
        col=1,
    )


def _marker(severity: Severity, size: int) -> dict[str, Any]:
    return {"color": SEVERITY_COLORS[severity], "symbol": SEVERITY_SYMBOLS[severity], "size": size}
