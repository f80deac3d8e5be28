"""Checks of columns that know too much: what predicts the target alone, and what was written after the event."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kernel_tools.wrangler.checks.finding import Finding, Suggestion
from kernel_tools.wrangler.checks.scope import Scope, SkippedError, share_words

LEAKAGE, STRONG = 0.95, 0.8


def target_leakage(scope: Scope) -> Iterator[Finding]:
    """A column that alone predicts the target with a power of at least 0.95; see `predictive_power`."""
    yield from _predictors(scope, LEAKAGE, 2.0)


def strong_predictor(scope: Scope) -> Iterator[Finding]:
    """A column that alone predicts the target with a power of 0.8 to 0.95."""
    yield from _predictors(scope, STRONG, LEAKAGE)


def _predictors(scope: Scope, low: float, high: float) -> Iterator[Finding]:
    for found in scope.power:
        if not low <= found.power < high:
            continue
        is_leak = low == LEAKAGE
        what = "area under the ROC curve" if found.metric == "roc_auc" else "R²"
        yield Finding(
            "target_leakage" if is_leak else "strong_predictor",
            (found.column,),
            "high" if is_leak else "medium",
            "Target leakage" if is_leak else "Strong predictor",
            f"{found.column} alone predicts {scope.target} with an {what} of {found.score:.3f}: "
            + ("it is likely made from it." if is_leak else "is it known at the time of the prediction?"),
            {"power": found.power, "score": found.score, "metric": found.metric},
            found.is_exact,
            found.n,
            (Suggestion("drop", {"columns": [found.column]}, "Leave it out if it is not known before."),),
        )


def time_leakage(scope: Scope) -> Iterator[Finding]:
    """Times after the event at which the prediction would be made."""
    if scope.event_time is None:
        raise SkippedError("no column with the time of the event was given")
    times = [found for found in scope.of_kind("date", "datetime") if found.name != scope.event_time]
    if not times:
        raise SkippedError("there is no other time")
    event = scope.data[scope.event_time]
    values: dict[str, Any] = {}
    for place, found in enumerate(times):
        column = scope.data[found.name]
        is_day = "date" in (found.kind, scope.profiles[scope.event_time].kind)
        later = (
            column.cast("date") > event.cast("date") if is_day else column.cast("timestamp") > event.cast("timestamp")
        )
        values[f"later{place}"] = later.sum()
    counts = scope.aggregate(**values)
    for place, found in enumerate(times):
        later = counts[f"later{place}"] or 0
        if not later:
            continue
        share = later / found.n
        yield Finding(
            "time_leakage",
            (found.name,),
            "high" if share > 0.01 else "medium",
            "Later than the event",
            f"{found.name} is later than {scope.event_time} in {share_words(later, found.n)}: it was not known then.",
            {"later": later, "share": share, "event_time": scope.event_time},
            True,
            found.n,
            (Suggestion("drop", {"columns": [found.name]}, "Leave it out: it tells what came after."),),
        )
