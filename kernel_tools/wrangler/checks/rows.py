"""Checks of rows: those that are there more than once, and those unlike all others."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kernel_tools.wrangler.checks.columns import is_id_like
from kernel_tools.wrangler.checks.features import Features
from kernel_tools.wrangler.checks.finding import Finding, Severity, Suggestion
from kernel_tools.wrangler.checks.scope import Scope, SkippedError, share_words

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

TREES, TREE_ROWS = 100, 256
MOST_ANOMALOUS = 10
ANOMALY_DEVIATIONS, ANOMALY_SCORE = 7.0, 0.65
"""How many robust standard deviations a row's score must lie beyond the median, and how high it must be."""


def duplicate_rows(scope: Scope) -> Iterator[Finding]:
    """Rows equal to another one in all columns, identifiers apart.

    Skipped if the columns can hold so few different rows that equal ones are to be expected: if the product of their
    numbers of values is less than ten times the rows.
    """
    ids = [found.name for found in scope.profiles.values() if is_id_like(found)]
    columns = [name for name in scope.data.columns if name not in ids]
    if not columns:
        raise SkippedError("all columns are identifiers")
    possible = sum(math.log(max(1, scope.profiles[name].distinct)) for name in columns)
    if possible < math.log(10 * max(1, scope.total)):
        raise SkippedError("the columns hold so few different values that equal rows are to be expected")
    groups = scope.data.select(columns).group_by(columns)
    groups = groups.aggregate(__n__=scope.data.select(columns).count())
    again = groups.filter(groups["__n__"] > 1)
    counts = scope.aggregate(again, groups=again.count(), rows=again["__n__"].sum(), most=again["__n__"].max())
    extra = (counts["rows"] or 0) - counts["groups"]
    if not extra:
        return
    share = extra / scope.total
    severity: Severity = "high" if share > 0.1 else "medium" if share > 0.01 else "low"
    apart = f" (apart from {', '.join(ids)})" if ids else ""
    yield Finding(
        "duplicate_rows",
        (),
        severity,
        "Duplicate rows",
        f"{share_words(extra, scope.total)} repeat another row{apart}; the most frequent one is there "
        f"{counts['most']:,} times.",
        {"duplicates": extra, "groups": counts["groups"], "share": share, "most": counts["most"], "ignored": ids},
        True,
        scope.total,
        (Suggestion("drop_duplicates", {"columns": columns if ids else []}, "Keep the first of each."),),
    )


def anomalous_rows(scope: Scope) -> Iterator[Finding]:
    """Rows that an isolation forest tells from the others at once, with the columns that make them so.

    The forest has 100 trees of 256 rows [1]_. A row is named if its score is above 0.65 (of 0 to 1) and seven
    robust standard deviations beyond the median of the scores. Among many categories it sees little.

    References
    ----------
    .. [1] F. T. Liu, K. M. Ting, Z.-H. Zhou: Isolation forest. ICDM 2008.
    """
    import numpy as np
    from sklearn.ensemble import IsolationForest

    features = scope.features
    if scope.sample.n < 100 or not features.names:
        raise SkippedError("there are fewer than 100 rows, or no columns for a model")
    matrix = _comparable(features)
    forest = IsolationForest(n_estimators=TREES, max_samples=min(TREE_ROWS, len(matrix)), random_state=scope.seed)
    forest.fit(matrix)
    scores = -forest.score_samples(matrix)
    middle = float(np.median(scores))
    spread = 1.4826 * float(np.median(np.abs(scores - middle))) or 1e-9
    distances = (scores - middle) / spread
    worst = np.argsort(-distances, kind="stable")[:MOST_ANOMALOUS]
    worst = worst[(distances[worst] > ANOMALY_DEVIATIONS) & (scores[worst] > ANOMALY_SCORE)]
    if not len(worst):
        return
    number = int(((distances > ANOMALY_DEVIATIONS) & (scores > ANOMALY_SCORE)).sum())
    rows = scope.sample.numbers
    reasons = [_reasons(forest, matrix, place, scores[place], features) for place in worst]
    described = ", ".join(
        f"{int(rows[place]):,} ({', '.join(reason)})" for place, reason in zip(worst, reasons, strict=True)
    )
    yield Finding(
        "anomalous_rows",
        (),
        "low",
        "Anomalous rows",
        f"{number:,} of {scope.sample.n:,} rows are unlike the others; look at row {described}.",
        {
            "rows": [int(rows[place]) for place in worst],
            "scores": [float(scores[place]) for place in worst],
            "reasons": reasons,
            "count": number,
        },
        scope.sample.is_exact,
        scope.sample.n,
    )


def _comparable(features: Features) -> Array:
    """Return the matrix for a forest: categories as how rare they are, missing values as the median."""
    import numpy as np

    matrix = features.matrix.copy()
    for place, labels in enumerate(features.categories):
        column = matrix[:, place]
        if labels is not None:
            codes = np.nan_to_num(column, nan=-1).astype(int) + 1
            matrix[:, place] = -np.log(np.bincount(codes)[codes] / len(codes))
        else:
            known = column[~np.isnan(column)]
            column[np.isnan(column)] = np.median(known) if len(known) else 0.0
    return matrix


def _reasons(forest: Any, matrix: Array, place: Any, score: float, features: Features) -> list[str]:
    """Return the (at most three) columns without whose value the row would be most like others."""
    import numpy as np

    changed = np.repeat(matrix[place][None, :], matrix.shape[1], axis=0)
    np.fill_diagonal(changed, np.median(matrix, axis=0))
    gains = score + forest.score_samples(changed)
    best = np.argsort(-gains, kind="stable")[:3]
    return [features.names[column] for column in best if gains[column] > 0]
