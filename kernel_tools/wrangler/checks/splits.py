"""Checks of the parts of a table, such as train and test: whether they differ, and whether they share rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kernel_tools.wrangler.checks.columns import is_id_like
from kernel_tools.wrangler.checks.features import Features, encode
from kernel_tools.wrangler.checks.finding import Finding, Suggestion
from kernel_tools.wrangler.checks.scope import Scope, SkippedError, number, share_words

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

STABILITY = 0.2
SEPARABLE = 0.6
BINS = 10
FEWEST = 50


def drift_between_splits(scope: Scope) -> Iterator[Finding]:
    """Columns whose values differ between the largest part and another, and a model that tells the parts apart.

    A column's population stability index is the sum over ten bins of equal count, or the categories, of
    ``(p - q) * ln(p / q)``; above 0.2, and what chance makes of parts of these sizes, is drift. The model is XGBoost,
    and the area under its ROC curve on rows that it has not seen is to be below 0.6.
    """
    import numpy as np

    parts, names = _parts(scope)
    features = scope.features
    largest = int(np.bincount(parts).argmax())
    for part, name in enumerate(names):
        if part == largest or (parts == part).sum() < FEWEST:
            continue
        used = (parts == part) | (parts == largest)
        is_part = (parts == part)[used]
        indexes = [_stability(features, place, used, is_part) for place in range(len(features.names))]
        chance = (BINS - 1) * (1 / is_part.sum() + 1 / (~is_part).sum())
        drifted = sorted(
            ((features.names[place], index) for place, index in enumerate(indexes) if index > STABILITY + chance),
            key=lambda pair: -pair[1],
        )
        for column, index in drifted:
            text = f"{column} differs between {names[largest]!r} and {name!r}: its stability index is {number(index)}."
            yield _finding(
                scope, "drift_between_splits", (column,), text, {"psi": index, "parts": [names[largest], name]}
            )
        area, reasons = _separation(features, used, is_part, scope.seed)
        if area > SEPARABLE and not drifted:
            text = (
                f"A model tells rows of {name!r} from {names[largest]!r} with an area under the ROC curve of {area:.3f}"
            )
            evidence = {"roc_auc": area, "parts": [names[largest], name], "columns": reasons}
            yield _finding(scope, "drift_between_splits", (), f"{text}, mostly by {', '.join(reasons)}.", evidence)


def _parts(scope: Scope) -> tuple[Array, list[str]]:
    import numpy as np

    if scope.splits is None:
        raise SkippedError("no column with the parts was given")
    codes, names = encode(scope.sample.data[scope.splits])
    if len(names) < 2 or len(names) > 20:
        raise SkippedError(f"{scope.splits} has not 2 to 20 parts")
    return np.nan_to_num(codes, nan=len(names)).astype(int), names


def _stability(features: Features, place: int, used: Array, is_part: Array) -> float:
    """Return the population stability index of a column; a missing value is a bin of its own."""
    import numpy as np

    values = features.matrix[used, place]
    if features.categories[place] is None:
        known = values[~is_part & ~np.isnan(values)]
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else np.empty(0)
        bins = np.searchsorted(edges, values, side="left")
    else:
        bins = np.minimum(np.nan_to_num(values, nan=-2.0), 30).astype(int) + 2
    bins = np.where(np.isnan(values), 0, bins + 1)
    size = int(bins.max()) + 1
    expected = (np.bincount(bins[~is_part], minlength=size) + 0.5) / ((~is_part).sum() + 0.5 * size)
    actual = (np.bincount(bins[is_part], minlength=size) + 0.5) / (is_part.sum() + 0.5 * size)
    return float(((actual - expected) * np.log(actual / expected)).sum())


def _separation(features: Features, used: Array, is_part: Array, seed: int) -> tuple[float, list[str]]:
    """Return how well a model tells the parts apart, and by which three columns."""
    import numpy as np
    from sklearn.metrics import roc_auc_score

    from kernel_tools.wrangler.checks.features import Target
    from kernel_tools.wrangler.checks.quick_model import fit_booster, predict_probabilities

    matrix, labels = features.matrix[used], is_part.astype(float)
    order = np.random.default_rng(seed).permutation(len(labels))
    test, early, train = np.split(order, [len(order) // 3, len(order) // 3 + len(order) // 10])
    if not features.names or any(len(np.unique(labels[rows])) < 2 for rows in (test, early, train)):
        return 0.5, []
    target = Target("classification", labels, ["no", "yes"], np.ones(len(labels), dtype=bool))
    model = fit_booster(features, matrix, target, train, early, seed=seed)
    area = float(roc_auc_score(labels[test], predict_probabilities(model, features, matrix[test])[:, 1]))
    gains = sorted(model.get_score(importance_type="total_gain").items(), key=lambda pair: -pair[1])[:3]
    return area, [features.names[int(name[1:])] for name, _ in gains]


def _finding(scope: Scope, check: str, columns: tuple[str, ...], message: str, evidence: dict[str, Any]) -> Finding:
    again = Suggestion(
        "split", {"method": "random", "name": f"{scope.splits}_new"}, "Split anew by chance, if time plays no part."
    )
    rows = scope.sample
    return Finding(check, columns, "medium", "Parts differ", message, evidence, rows.is_exact, rows.n, (again,))


def train_test_overlap(scope: Scope) -> Iterator[Finding]:
    """Rows that are the same in two parts, identifiers apart."""
    if scope.splits is None:
        raise SkippedError("no column with the parts was given")
    ids = [found.name for found in scope.profiles.values() if is_id_like(found)]
    columns = [name for name in scope.data.columns if name not in (*ids, scope.splits)]
    if not columns:
        raise SkippedError("there is nothing to compare rows by")
    data = scope.data
    groups = data.group_by(columns).aggregate(__parts__=data[scope.splits].nunique(), __n__=data.count())
    shared = groups.filter(groups["__parts__"] > 1)
    counts = scope.aggregate(shared, groups=shared.count(), rows=shared["__n__"].sum())
    if not counts["groups"]:
        return
    rows = counts["rows"]
    keep = {"columns": columns}
    yield Finding(
        "train_test_overlap",
        (),
        "high" if rows > 0.01 * scope.total else "medium",
        "Parts share rows",
        f"{share_words(rows, scope.total)} are in more than one part of {scope.splits}: a model is tested on what "
        "it has seen.",
        {"rows": rows, "groups": counts["groups"], "share": rows / scope.total},
        True,
        scope.total,
        (Suggestion("drop_duplicates", keep, "Keep the first of each row."),),
    )
