"""How well each column predicts a target alone: the score of a small model of that column on rows it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidDataError
from kernel_tools.wrangler.checks.features import Target, Task, make_features, read_target, take_rows
from kernel_tools.wrangler.engine import Engine

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_FOLDS = 3
_SMOOTHING = 5.0
_DEPTH = 8
_FEWEST = 10


@dataclass(frozen=True, slots=True)
class Power:
    """How well a column predicts.

    Attributes
    ----------
    column
        The column.
    power
        From 0 (no better than chance, or than the mean) to 1 (always right).
    score, metric
        What it was made from: ``roc_auc`` (of more than two classes the mean, each that has ten rows
        against the rest), power 2 * score - 1; or ``r2``, power is the score. Below chance it is 0.
    n, is_exact
        How many rows were used, and whether these were all that have a target.
    """

    column: str
    power: float
    score: float
    metric: str
    n: int
    is_exact: bool


def predictive_power(
    engine: Engine,
    table: str,
    target: str,
    columns: Sequence[str] | None = None,
    *,
    task: Task | None = None,
    rows: int | None = None,
    seed: int = 0,
) -> list[Power]:
    """Return the predictive power of columns, the largest first.

    Numbers are predicted from by a decision tree (of depth 8, missing values are a value of their own), categories by
    the target's mean or shares in each, drawn to those of all rows as if five more rows had these. The score is the
    mean over three folds, of rows that the model has not seen.

    Parameters
    ----------
    columns
        None takes all but the target. A column of lists, structures or bytes is left out.
    task
        None tells it from the target: text, true and false, and whole numbers of at most 20 different values are
        classes.
    rows
        About how many rows to take by chance; None takes all.

    Raises
    ------
    InvalidArgumentError
        If there is no such column, or nothing to predict.
    InvalidDataError
        If fewer than 10 rows have a target.
    """
    wanted = [name for name in (columns or engine.table(table).columns) if name != target]
    taken = take_rows(engine, table, [*wanted, target], rows=rows, seed=seed)
    aim = read_target(engine, table, taken, target, task)
    features = make_features(engine, table, taken, wanted)
    n = int(aim.is_known.sum())
    if n < 10:
        raise InvalidDataError(f"Only {n} rows have a value of {target!r}; at least 10 are needed.")
    folds = fold_numbers(n, _FOLDS, seed)
    metric = "r2" if aim.task == "regression" else "roc_auc"
    found = []
    for place, name in enumerate(features.names):
        values = features.matrix[aim.is_known, place]
        score = column_score(values, features.categories[place] is not None, aim, folds, seed)
        power = score if metric == "r2" else 2 * score - 1
        found.append(Power(name, min(1.0, max(0.0, power)), score, metric, n, taken.is_exact))
    found += [
        Power(name, 0.0, 0.0 if metric == "r2" else 0.5, metric, n, taken.is_exact)
        for name, reason in features.left_out.items()
        if "different" in reason
    ]
    return sorted(found, key=lambda power: -power.power)


def fold_numbers(n: int, folds: int, seed: int) -> Array:
    """Return the number of the fold (0, 1, ...) of each of `n` rows, by chance and of equal sizes."""
    import numpy as np

    return np.asarray(np.random.default_rng(seed).permutation(n) % folds)


def column_score(values: Array, is_category: bool, target: Target, folds: Array, seed: int) -> float:
    """Return the mean score over the folds of a model of one column."""
    import numpy as np

    known = target.values[target.is_known]
    predict = _predict_from_category if is_category else _predict_from_number
    scores = []
    for fold in range(int(folds.max()) + 1):
        test = folds == fold
        outcomes = _outcomes(known, target)
        predicted = predict(values[~test], outcomes[~test], values[test], target.task, seed)
        scores.append(_score(outcomes[test], predicted, target.task))
    valid = [score for score in scores if score is not None]
    return float(np.mean(valid)) if valid else (0.0 if target.task == "regression" else 0.5)


def _outcomes(known: Array, target: Target) -> Array:
    """Return what is predicted, of shape (rows, outputs): the number, or for each class whether it is that one.

    Of two classes one is enough, of many the 20 most frequent of at least ten rows.
    """
    import numpy as np

    if target.task == "regression":
        return known[:, None]
    if len(target.classes) == 2:
        return np.asarray((known == 1).astype(float)[:, None])
    sizes = np.bincount(known.astype(int), minlength=len(target.classes))
    classes = np.flatnonzero(sizes >= _FEWEST)[:20] if (sizes >= _FEWEST).any() else [0]
    return np.column_stack([known == number for number in classes]).astype(float)


def _predict_from_category(seen: Array, outcomes: Array, new: Array, task: Task, seed: int) -> Array:
    import numpy as np

    codes, new_codes = np.nan_to_num(seen, nan=-1).astype(int) + 1, np.nan_to_num(new, nan=-1).astype(int) + 1
    size = int(max(codes.max(initial=0), new_codes.max(initial=0))) + 1
    counts = np.bincount(codes, minlength=size)
    mean = outcomes.mean(axis=0)
    sums = np.column_stack([np.bincount(codes, weights=column, minlength=size) for column in outcomes.T])
    rates = (sums + _SMOOTHING * mean) / (counts + _SMOOTHING)[:, None]
    return np.asarray(rates[new_codes])


def _predict_from_number(seen: Array, outcomes: Array, new: Array, task: Task, seed: int) -> Array:
    import numpy as np
    from sklearn.tree import DecisionTreeRegressor

    if len(np.unique(seen[~np.isnan(seen)][:1000])) < 2 and not np.isnan(seen).any():
        return np.repeat(outcomes.mean(axis=0)[None, :], len(new), axis=0)
    leaf = max(5, len(seen) // 1000)
    tree = DecisionTreeRegressor(max_depth=_DEPTH, min_samples_leaf=leaf, random_state=seed)
    predicted = np.asarray(tree.fit(seen[:, None], outcomes).predict(new[:, None]))
    return predicted.reshape(len(new), -1)


def _score(actual: Array, predicted: Array, task: Task) -> float | None:
    """Return R squared or the mean area under the ROC curve; None where the fold has one class only."""
    import numpy as np
    from sklearn.metrics import r2_score, roc_auc_score

    if task == "regression":
        return float(r2_score(actual[:, 0], predicted[:, 0])) if len(actual) > 1 else None
    areas = [
        roc_auc_score(column, predicted[:, place])
        for place, column in enumerate(actual.T)
        if 0 < column.sum() < len(column)
    ]
    return float(np.mean(areas)) if areas else None
