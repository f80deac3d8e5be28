"""Figures of what the Debugger has captured and found, made once for notebooks and the panel.

Every figure in `EVIDENCE` is a function ``f(trial, *, is_dark=False, **arguments)`` that returns a Plotly figure; the
evidence of a finding names one of them with its arguments, and `draw_evidence` draws it.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.debugger.figures.available import available_figures

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from kernel_tools.debugger.trial import Trial

_ROOM = "kernel_tools.debugger"
EVIDENCE: dict[str, str] = {
    "loss": f"{_ROOM}.figures.loss",
    "gradient_flow": f"{_ROOM}.figures.layers",
    "update_ratios": f"{_ROOM}.figures.layers",
    "dead_units": f"{_ROOM}.figures.layers",
    "series": f"{_ROOM}.figures.tensors",
    "distribution": f"{_ROOM}.figures.tensors",
    "compare_tensors": f"{_ROOM}.figures.tensors",
    "confusion": f"{_ROOM}.figures.classes",
    "class_counts": f"{_ROOM}.figures.classes",
    "importance": f"{_ROOM}.figures.classes",
    "utilization": f"{_ROOM}.profiling.figures",
    "step_times": f"{_ROOM}.profiling.figures",
    "phases": f"{_ROOM}.profiling.figures",
    "outliers": f"{_ROOM}.profiling.figures",
    "trace": f"{_ROOM}.profiling.figures",
}
"""The module of every figure, by the figure's name."""


def figure_function(name: str) -> Callable[..., go.Figure]:
    """Return the function that draws a figure; InvalidArgumentError if there is none of this name."""
    if name not in EVIDENCE:
        raise InvalidArgumentError(f"There is no figure {name!r}. There are: {', '.join(EVIDENCE)}.")
    found: Callable[..., go.Figure] = getattr(importlib.import_module(EVIDENCE[name]), name)
    return found


def figure_code(run_id: str, figure: str, arguments: Mapping[str, Any]) -> str:
    """Return the Python that draws a figure of a run in a notebook; `other` is the id of the run to compare with."""
    given = "".join(
        f", {name}=kt.debugger.open({value!r})" if name == "other" else f", {name}={value!r}"
        for name, value in arguments.items()
    )
    return (
        "import kernel_tools as kt\nfrom kernel_tools.debugger import figures\n\n"
        f"trial = kt.debugger.open({run_id!r})\nfigure = figures.{figure}(trial{given})\nfigure\n"
    )


def draw_evidence(trial: Trial, evidence: Mapping[str, Any], *, is_dark: bool = False) -> go.Figure:
    """Draw what shows a finding.

    Parameters
    ----------
    trial
        What was captured.
    evidence
        The figure's name as ``"figure"``, and its arguments.
    is_dark
        Whether it is shown on a dark ground.

    Raises
    ------
    InvalidArgumentError
        If there is no such figure, or it does not know an argument.
    NotFoundError
        If what it shows was not captured.
    """
    arguments = {name: value for name, value in evidence.items() if name != "figure"}
    function = figure_function(str(evidence.get("figure", "")))
    known = list(inspect.signature(function).parameters)[1:]
    unknown = sorted(arguments.keys() - set(known))
    if unknown:
        raise InvalidArgumentError(
            f"The figure {evidence['figure']!r} knows no {', '.join(unknown)}. It knows: {', '.join(known)}."
        )
    try:
        inspect.signature(function).bind(trial, is_dark=is_dark, **arguments)
    except TypeError as error:
        raise InvalidArgumentError(f"The figure {evidence['figure']!r} cannot be drawn: {error}.") from error
    return function(trial, is_dark=is_dark, **arguments)


def __getattr__(name: str) -> Any:
    if name in EVIDENCE:
        return figure_function(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has: {', '.join(EVIDENCE)}")


__all__ = ["EVIDENCE", "available_figures", "draw_evidence", "figure_code", "figure_function"]
