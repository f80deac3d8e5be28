"""Analyses: figures and facts of a table, counted by the engine from all rows.

A kind stands for one class in a file of this folder; a file is imported when its kind is used.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

from pydantic import ValidationError

from kernel_tools.core.errors import ForbiddenError, NotFoundError
from kernel_tools.wrangler.analyses.base import Analysis, AnalysisResult
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.operators import parameter_error

__all__ = ["ANALYSES", "Analysis", "AnalysisResult", "analysis_class", "analysis_schema", "analyze", "make_analysis"]

ANALYSES: dict[str, str] = {
    "histogram": "histogram:Histogram",
    "scatter": "scatter:Scatter",
    "box": "box:Box",
    "heat_map": "heat_map:HeatMap",
    "correlation": "correlation:Correlation",
    "table_summary": "table_summary:TableSummary",
    "quick_model": "prediction:QuickModelAnalysis",
    "target_leakage": "prediction:TargetLeakage",
    "multicollinearity": "multicollinearity:Multicollinearity",
    "decomposition": "time_series:Decomposition",
    "anomalies": "time_series:Anomalies",
    "custom_plotly": "custom_plotly:CustomPlotly",
}
"""Where the class of each kind is, in the order in which the studio offers them."""


@functools.cache
def analysis_class(kind: str) -> type[Analysis]:
    """Return the class of a kind.

    Raises
    ------
    NotFoundError
        If there is none of that name.
    """
    if kind not in ANALYSES:
        raise NotFoundError(f"There is no analysis {kind!r}. There are: {', '.join(ANALYSES)}.")
    module, name = ANALYSES[kind].split(":")
    found: type[Analysis] = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    return found


def make_analysis(kind: str, params: dict[str, Any]) -> Analysis:
    """Return an analysis with its parameters.

    Raises
    ------
    NotFoundError
        If there is no such kind.
    StepError
        If a parameter is missing, unknown or of a wrong type; it names the first.
    """
    found = analysis_class(kind)
    try:
        return found.model_validate(params)
    except ValidationError as error:
        raise parameter_error(found.title, found, error) from error


def analysis_schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a kind's parameters, with hints for the form under ``x-ui``."""
    found = analysis_class(kind)
    schema = found.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"atelier:analysis/{kind}",
        **schema,
        "title": found.title,
    }


def analyze(engine: Engine, table: str, kind: str, *, trusted: bool = False, **params: Any) -> AnalysisResult:
    """Return the figure, the table and the facts of an analysis.

    Parameters
    ----------
    engine, table
        A table of an engine, by its name.
    kind, params
        One of `ANALYSES`, and the fields of its class.
    trusted
        Whether code among the parameters may run.

    Raises
    ------
    NotFoundError
        If there is no such kind.
    StepError
        If a parameter is wrong, or names a column that does not fit; its `field` is the parameter.
    InvalidDataError
        If the values of the table do not allow it.
    ForbiddenError
        If it runs code that is not trusted.
    StoppedError
        If `engine.interrupt` was called.
    """
    analysis = make_analysis(kind, params)
    if analysis.runs_code and not trusted:
        raise ForbiddenError(
            f"{analysis.title} runs code that is not trusted yet. Read it, and trust the recipe first."
        )
    analysis.check(engine.table(table).schema())
    return analysis.compute(engine, table)
