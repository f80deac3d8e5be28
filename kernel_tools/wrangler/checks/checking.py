"""Run the checks over a table and gather what they find."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence

from kernel_tools.core.errors import AtelierError, InvalidArgumentError
from kernel_tools.core.progress import Progress, StoppedError
from kernel_tools.wrangler.checks.features import Task
from kernel_tools.wrangler.checks.finding import SEVERITIES, CheckState, Finding, Report
from kernel_tools.wrangler.checks.quick_model import QuickModel, quick_model
from kernel_tools.wrangler.checks.scope import MODEL_ROWS, Scope, SkippedError
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.operators.base import require_column

CHECKS: dict[str, str] = {
    "missing": "columns",
    "disguised_missing": "values",
    "infinite": "columns",
    "mixed_types": "columns",
    "constant": "columns",
    "near_constant": "columns",
    "id_like": "columns",
    "high_cardinality": "columns",
    "wide_table": "columns",
    "duplicate_rows": "rows",
    "duplicate_columns": "pairs",
    "outliers": "values",
    "skew": "values",
    "inconsistent_text": "text",
    "text_patterns": "text",
    "pii_hint": "text",
    "collinearity": "pairs",
    "multicollinearity": "pairs",
    "time_leakage": "leakage",
    "train_test_overlap": "splits",
    "class_imbalance": "target",
    "rare_classes": "target",
    "too_many_classes": "target",
    "frequent_label": "target",
    "target_leakage": "leakage",
    "strong_predictor": "leakage",
    "drift_between_splits": "splits",
    "label_noise": "target",
    "anomalous_rows": "rows",
}
"""The checks and the files they are in, the quick ones first."""


def insights(
    engine: Engine,
    table: str,
    *,
    target: str | None = None,
    task: Task | None = None,
    splits: str | None = None,
    event_time: str | None = None,
    checks: Sequence[str] | None = None,
    rows: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Report:
    """Look for what is wrong with a table.

    Everything is computed on all rows, but for models, which learn from some; a finding says which it is.

    Parameters
    ----------
    engine, table
        Where the table is, and its name.
    target, task
        The column that is to be predicted, if any; the task is told from it unless it is given.
    splits
        The column that says which part (such as train or test) a row belongs to.
    event_time
        The column with the time at which a prediction would be made: other times are not to be later.
    checks
        Names from `CHECKS`; None runs all.
    rows, seed
        About how many rows models learn from, by chance; None takes 20,000.
    progress
        Is told how many checks are done, and may stop them.

    Raises
    ------
    InvalidArgumentError
        If there is no such column or check.
    StoppedError
        If somebody stopped it.
    """
    unknown = [name for name in checks or () if name not in CHECKS]
    if unknown:
        raise InvalidArgumentError(f"There is no check {unknown[0]!r}. There are: {', '.join(CHECKS)}.")
    schema = engine.table(table).schema()
    for name in (target, splits, event_time):
        if name is not None:
            require_column(schema, name)
    scope = Scope(engine, table, target, task, splits, event_time, rows or MODEL_ROWS, seed)
    findings: list[Finding] = []
    states: list[CheckState] = []
    names = list(CHECKS) if checks is None else list(checks)
    for place, name in enumerate(names):
        if progress is not None:
            progress.raise_if_stopped()
            progress.update(done=place, total=len(names), description=title_of(name))
        found, skipped = _run(name, scope)
        findings += found
        states.append(CheckState(name, title_of(name), len(found), skipped))
    model = _quick_model(scope) if checks is None else None
    if progress is not None:
        progress.update(done=len(names), total=len(names))
    findings.sort(key=lambda finding: (SEVERITIES.index(finding.severity), names.index(_check_of(finding))))
    has_power = target is not None and "power" in vars(scope)
    return Report(
        table=table,
        rows=scope.total,
        columns=len(schema),
        findings=tuple(findings),
        checks=tuple(states),
        target=target,
        task=model.task if model else task,
        power=tuple(scope.power) if has_power else (),
        quick_model=model,
        notes=tuple(scope.notes),
    )


def check_function(name: str) -> Callable[[Scope], Iterator[Finding]]:
    """Return the function of a check."""
    module = importlib.import_module(f"kernel_tools.wrangler.checks.{CHECKS[name]}")
    function: Callable[[Scope], Iterator[Finding]] = getattr(module, name)
    return function


def title_of(name: str) -> str:
    """Return what a check is called in a sentence, ``duplicate rows``."""
    return name.replace("_", " ")


def definition_of(name: str) -> str:
    """Return the first sentence of what a check looks for."""
    return (check_function(name).__doc__ or "").split("\n\n")[0].strip()


def _run(name: str, scope: Scope) -> tuple[list[Finding], str]:
    try:
        return list(check_function(name)(scope)), ""
    except SkippedError as error:
        return [], str(error)
    except StoppedError:
        raise
    except AtelierError as error:
        return [], str(error)


def _check_of(finding: Finding) -> str:
    return "mixed_types" if finding.check == "numbers_as_text" else finding.check


def _quick_model(scope: Scope) -> QuickModel | None:
    """Return the quick model; None if there is nothing to predict."""
    if scope.target is None:
        return None
    try:
        return quick_model(
            scope.engine,
            scope.table,
            scope.target,
            columns=scope.inputs,
            task=scope.task,
            rows=scope.rows,
            seed=scope.seed,
        )
    except StoppedError:
        raise
    except AtelierError:
        return None
