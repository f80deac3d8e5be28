"""A quick model: how well the target can be predicted from the table as it is, before anybody has worked on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidDataError
from kernel_tools.wrangler.checks.features import Features, Target, Task, make_features, read_target, take_rows
from kernel_tools.wrangler.engine import Engine

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

MOST_MODEL_CLASSES = 100
"""Classes beyond the most frequent are left out of the model."""

_ROUNDS = 300
_PATIENCE = 10
_SMALL = 100_000
"""Cells of a matrix up to which threads cost more than they bring."""


@dataclass(frozen=True, slots=True)
class QuickModel:
    """What the model did on the fifth of the rows that it has not seen.

    Attributes
    ----------
    target, task
        What it predicted.
    metrics
        ``accuracy``, ``balanced_accuracy``, ``f1`` (of two classes of the less frequent one, else the mean over the
        classes), ``precision``, ``recall``, ``roc_auc``, ``log_loss``; or ``r2``, ``rmse``, ``mae``,
        ``median_absolute_error``.
    baseline
        The same of a model that always predicts the shares of the classes, or the mean.
    importances
        ``(column, share)`` of the gain of all splits, the largest first; they add up to 1.
    classes, confusion
        The classes, and a row a class with how many of it were predicted as each; empty for a regression.
    left_out
        Columns that no model takes, with the reason.
    rows_train, rows_test
        How many rows it learned from, and was tested on.
    n, is_exact
        How many rows were taken, and whether these were all.
    """

    target: str
    task: Task
    metrics: dict[str, float]
    baseline: dict[str, float]
    importances: list[tuple[str, float]]
    classes: list[str]
    confusion: list[list[int]]
    left_out: dict[str, str]
    rows_train: int
    rows_test: int
    n: int
    is_exact: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON types."""
        return asdict(self)


def quick_model(
    engine: Engine,
    table: str,
    target: str,
    *,
    columns: Sequence[str] | None = None,
    task: Task | None = None,
    rows: int | None = None,
    seed: int = 0,
) -> QuickModel:
    """Train XGBoost with its default parameters on four fifths of the rows, and test it on the others.

    A tenth of the training rows decides when to stop (after 10 rounds that do not get better, at most 300). Missing
    values and categories are left to XGBoost.

    Parameters
    ----------
    columns
        What to predict from; None takes all but the target.
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
        If fewer than 30 rows have a target, or no column can be used.
    """
    import numpy as np

    wanted = [name for name in (columns or engine.table(table).columns) if name != target]
    taken = take_rows(engine, table, [*wanted, target], rows=rows, seed=seed)
    aim = read_target(engine, table, taken, target, task)
    features = make_features(engine, table, taken, wanted)
    used = aim.is_known if aim.task == "regression" else aim.is_known & (aim.values < MOST_MODEL_CLASSES)
    n = int(used.sum())
    if n < 30 or not features.names:
        what = f"only {n} rows have a value of it" if n < 30 else "no other column can be used"
        raise InvalidDataError(f"{target!r} cannot be predicted: {what}.")
    classes = aim.classes[:MOST_MODEL_CLASSES]
    matrix, values = features.matrix[used], aim.values[used]
    order = np.random.default_rng(seed).permutation(n)
    test, early, train = np.split(order, [n // 5, n // 5 + max(3, n * 4 // 50)])
    aim = Target(aim.task, values, classes, used)
    model = fit_booster(features, matrix, aim, train, early, seed=seed)
    predicted = model.predict(_matrix(features, matrix[test]), iteration_range=(0, model.best_iteration + 1))
    metrics, confusion = _metrics(values[test], np.asarray(predicted, dtype=float), aim)
    baseline, _ = _metrics(values[test], _constant(values[train], len(test), aim), aim)
    gains = model.get_score(importance_type="total_gain")
    shares = [(features.names[int(name[1:])], gain) for name, gain in gains.items()]
    total = sum(gain for _, gain in shares) or 1.0
    return QuickModel(
        target=target,
        task=aim.task,
        metrics=metrics,
        baseline=baseline,
        importances=sorted(((name, gain / total) for name, gain in shares), key=lambda pair: -pair[1]),
        classes=classes if aim.task == "classification" else [],
        confusion=confusion,
        left_out=features.left_out,
        rows_train=len(train) + len(early),
        rows_test=len(test),
        n=taken.n,
        is_exact=taken.is_exact,
    )


def fit_booster(features: Features, matrix: Array, target: Target, train: Array, early: Array, *, seed: int) -> Any:
    """Train on the rows `train` of a matrix until the rows `early` are predicted no better; `target.values` fit it."""
    import xgboost

    parameters: dict[str, Any] = {"seed": seed, "objective": "reg:squarederror", "verbosity": 0}
    if matrix.size < _SMALL:
        parameters["nthread"] = 1
    if target.task == "classification":
        is_binary = len(target.classes) == 2
        parameters["objective"] = "binary:logistic" if is_binary else "multi:softprob"
        parameters["eval_metric"] = "logloss" if is_binary else "mlogloss"
        if not is_binary:
            parameters["num_class"] = len(target.classes)
    return xgboost.train(
        parameters,
        _matrix(features, matrix[train], target.values[train]),
        num_boost_round=_ROUNDS,
        evals=[(_matrix(features, matrix[early], target.values[early]), "early")],
        early_stopping_rounds=_PATIENCE,
        verbose_eval=False,
    )


def predict_probabilities(model: Any, features: Features, matrix: Array) -> Array:
    """Return the probability of each class, of shape (rows, classes)."""
    import numpy as np

    predicted = model.predict(_matrix(features, matrix), iteration_range=(0, model.best_iteration + 1))
    return _as_probabilities(np.asarray(predicted, dtype=float))


def _matrix(features: Features, matrix: Array, values: Array | None = None) -> Any:
    import xgboost

    kinds = ["q" if labels is None else "c" for labels in features.categories]
    return xgboost.DMatrix(matrix, label=values, feature_types=kinds, enable_categorical=True)


def _constant(values: Array, n: int, target: Target) -> Array:
    import numpy as np

    if target.task == "regression":
        return np.full(n, values.mean())
    shares = np.bincount(values.astype(int), minlength=len(target.classes)) / len(values)
    return np.repeat(shares[None, :], n, axis=0)


def _as_probabilities(predicted: Array) -> Array:
    import numpy as np

    return predicted if predicted.ndim == 2 else np.column_stack([1 - predicted, predicted])


def _metrics(actual: Array, predicted: Array, target: Target) -> tuple[dict[str, float], list[list[int]]]:
    import numpy as np
    from sklearn import metrics

    if target.task == "regression":
        return {
            "r2": float(metrics.r2_score(actual, predicted)),
            "rmse": float(metrics.root_mean_squared_error(actual, predicted)),
            "mae": float(metrics.mean_absolute_error(actual, predicted)),
            "median_absolute_error": float(metrics.median_absolute_error(actual, predicted)),
        }, []
    labels = np.arange(len(target.classes))
    shares = _as_probabilities(predicted)
    chosen, actual = shares.argmax(axis=1), actual.astype(int)
    average: dict[str, Any] = {"average": "macro", "labels": np.unique(actual)}
    if len(labels) == 2:
        average = {"average": "binary", "pos_label": 1}
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(actual, chosen, zero_division=0.0, **average)
    confusion = metrics.confusion_matrix(actual, chosen, labels=labels)
    present = np.unique(actual)
    per_class = [
        metrics.roc_auc_score(actual == label, shares[:, label])
        for label in (present[-1:] if len(labels) == 2 else present)
        if len(present) > 1
    ]
    return {
        "accuracy": float((chosen == actual).mean()),
        "balanced_accuracy": float(np.mean([(chosen[actual == label] == label).mean() for label in present])),
        "f1": float(f1),
        "precision": float(precision),
        "recall": float(recall),
        "roc_auc": float(np.mean(per_class)) if per_class else 0.5,
        "log_loss": float(metrics.log_loss(actual, shares, labels=labels)),
    }, [[int(count) for count in row] for row in confusion]
