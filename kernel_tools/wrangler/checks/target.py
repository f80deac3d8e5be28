"""Checks of what is to be predicted: how its values are spread, and which labels look wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kernel_tools.wrangler.checks.features import MOST_CLASSES, Target, Task
from kernel_tools.wrangler.checks.finding import Finding, Suggestion
from kernel_tools.wrangler.checks.quick_model import fit_booster, predict_probabilities
from kernel_tools.wrangler.checks.scope import Scope, SkippedError, share_words

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

IMBALANCE = 10.0
RARE_CLASS = 10
MANY_CLASSES = 100
FREQUENT_LABEL = 0.1
LABEL_FOLDS = 5
NOISE_SHARE = 0.03
"""Share of rows with a suspicious label from which on it is said."""
SEPARABLE = 0.91
"""Share of the other rows that the model has to get right: where classes overlap, wrong labels cannot be told."""


def _counts(scope: Scope) -> list[tuple[Any, int]]:
    """Return the values of the target and their rows, the most frequent first, ties by value."""
    target = scope.require_target()
    values = scope.data[target]
    column = (values.cast("float64") if values.type().is_decimal() else values).name("value").as_table()
    column = column.filter(column["value"].notnull())
    groups = column.group_by("value").aggregate(n=column.count())
    return [
        (row["value"], row["n"])
        for row in scope.engine.arrow(groups.order_by([groups["n"].desc(), "value"])).to_pylist()
    ]


def task_of(scope: Scope) -> Task:
    """Return how the target is predicted; see `features.infer_task`."""
    if scope.task is not None:
        return scope.task
    found = scope.profiles[scope.require_target()]
    if found.kind in ("string", "boolean"):
        return "classification"
    is_whole = all(float(top.value) == int(top.value) for top in found.top) if found.kind == "number" else False  # type: ignore[arg-type]  # of numbers
    return "classification" if is_whole and found.distinct <= MOST_CLASSES else "regression"


def _class_counts(scope: Scope) -> list[tuple[Any, int]]:
    if task_of(scope) != "classification":
        raise SkippedError("the target is a number")
    return _counts(scope)


def class_imbalance(scope: Scope) -> Iterator[Finding]:
    """The largest class has more than ten times the rows of the smallest one that is not rare."""
    counts = [(value, n) for value, n in _class_counts(scope) if n >= RARE_CLASS]
    if len(counts) < 2 or counts[0][1] <= IMBALANCE * counts[-1][1]:
        return
    (large, most), (small, fewest) = counts[0], counts[-1]
    target = scope.require_target()
    yield _finding(
        scope,
        "class_imbalance",
        "medium",
        "Imbalanced classes",
        f"{target} is {large!r} in {most:,} rows and {small!r} in {fewest:,}: {most / fewest:.3g} times as many.",
        {"ratio": most / fewest, "largest": [large, most], "smallest": [small, fewest]},
        Suggestion("balance", {"target": target, "method": "over"}, "Repeat rows of the smaller classes in training."),
    )


def rare_classes(scope: Scope) -> Iterator[Finding]:
    """Classes of fewer than ten rows."""
    counts = _class_counts(scope)
    rare = [(value, n) for value, n in counts if n < RARE_CLASS]
    if not rare or len(counts) > MANY_CLASSES:
        return
    target = scope.require_target()
    shown = ", ".join(f"{value!r} ({n})" for value, n in rare[:5])
    merge = {"columns": [target], "min_count": RARE_CLASS, "min_fraction": 0.0}
    yield _finding(
        scope,
        "rare_classes",
        "medium",
        "Rare classes",
        f"{len(rare):,} classes of {target} have fewer than {RARE_CLASS} rows: {shown}.",
        {"classes": [[value, n] for value, n in rare[:20]], "count": len(rare)},
        *([Suggestion("replace_rare", merge, "Make them one class.")] if isinstance(rare[0][0], str) else []),
    )


def too_many_classes(scope: Scope) -> Iterator[Finding]:
    """More than 100 classes."""
    counts = _class_counts(scope)
    if len(counts) > MANY_CLASSES:
        target = scope.require_target()
        merge = {"columns": [target], "min_fraction": 0.0, "max_categories": MANY_CLASSES - 1}
        yield _finding(
            scope,
            "too_many_classes",
            "medium",
            "Many classes",
            f"{target} has {len(counts):,} classes.",
            {"classes": len(counts)},
            *([Suggestion("replace_rare", merge, "Keep the most frequent.")] if isinstance(counts[0][0], str) else []),
        )


def frequent_label(scope: Scope) -> Iterator[Finding]:
    """A number that more than 10 % of the rows have as their target."""
    if task_of(scope) != "regression":
        raise SkippedError("the target is a class")
    target = scope.require_target()
    found = scope.profiles[target]
    if found.top and found.top[0].count > FREQUENT_LABEL * found.count:
        top = found.top[0]
        yield _finding(
            scope,
            "frequent_label",
            "medium",
            "Frequent target",
            f"{target} is {top.value!r} in {share_words(top.count, found.count)}: perhaps a default or a limit.",
            {"value": top.value, "count": top.count, "share": top.count / found.count},
        )


def label_noise(scope: Scope) -> Iterator[Finding]:
    """Rows whose class looks wrong, by confident learning [1]_.

    Each row gets the probabilities of a model that has not seen it (five folds). A class's threshold is the mean
    probability that its own rows give it. A row that gives another class at least its threshold is
    suspicious, the larger the margin the more. They are
    only named if there are at least as many as other rows that the model gets wrong, and these are at most 9 % of the
    others: where classes overlap, a wrong label cannot be told from a rare case.

    References
    ----------
    .. [1] C. Northcutt, L. Jiang, I. Chuang: Confident learning: estimating uncertainty in dataset labels. Journal of
       Artificial Intelligence Research 70 (2021).
    """
    import numpy as np

    if task_of(scope) != "classification":
        raise SkippedError("the target is a number")
    aim, features = scope.aim, scope.features
    sizes = np.bincount(aim.values[aim.is_known].astype(int))
    used = aim.is_known & (np.nan_to_num(aim.values, nan=len(sizes)) < (sizes >= 2 * LABEL_FOLDS).sum())
    labels = aim.values[used]
    classes = [name for name, size in zip(aim.classes, sizes, strict=False) if size >= 2 * LABEL_FOLDS]
    if len(classes) < 2 or len(classes) > MANY_CLASSES or not features.names:
        raise SkippedError("there are no two classes of at least ten rows, or too many")
    target = Target("classification", labels, classes, used)
    matrix = features.matrix[used]
    generator = np.random.default_rng(scope.seed)
    folds = generator.permutation(len(labels)) % LABEL_FOLDS
    probabilities = np.empty((len(labels), len(classes)))
    for fold in range(LABEL_FOLDS):
        others = generator.permutation(np.flatnonzero(folds != fold))
        early, train = np.split(others, [len(others) // 8])
        model = fit_booster(features, matrix, target, train, early, seed=scope.seed)
        probabilities[folds == fold] = predict_probabilities(model, features, matrix[folds == fold])
    wrong = confident_errors(labels.astype(int), probabilities)
    share = len(wrong) / len(labels)
    ordinary = np.delete(probabilities.argmax(axis=1) != labels, wrong)
    ratio = len(wrong) / max(1, int(ordinary.sum()))
    is_separable = len(ordinary) > 0 and float(ordinary.mean()) <= 1 - SEPARABLE
    if share < NOISE_SHARE or ratio < 1 or not is_separable:
        return
    rows = scope.sample.numbers[used][wrong]
    better = [classes[int(place)] for place in probabilities[wrong].argmax(axis=1)]
    yield Finding(
        "label_noise",
        (scope.require_target(),),
        "high" if share > 0.1 else "medium",
        "Suspicious labels",
        f"{share_words(len(wrong), len(labels))} have a {scope.target} that a model of the other columns contradicts.",
        {"count": len(wrong), "share": share, "ratio": ratio, "rows": rows[:20].tolist(), "rather": better[:20]},
        scope.sample.is_exact,
        scope.sample.n,
    )


def confident_errors(labels: Array, probabilities: Array) -> Array:
    """Return the places of the rows whose label is likely wrong, the likeliest first.

    Parameters
    ----------
    labels
        Classes 0, 1, ..., of shape (rows,).
    probabilities
        Out-of-sample, of shape (rows, classes).
    """
    import numpy as np

    number = probabilities.shape[1]
    own = probabilities[np.arange(len(labels)), labels]
    thresholds = np.array([own[labels == label].mean() if (labels == label).any() else 2.0 for label in range(number)])
    passed = np.where(probabilities >= thresholds, probabilities, -1.0)
    counted = np.where(passed.max(axis=1) > 0, passed.argmax(axis=1), labels)
    margins = probabilities.max(axis=1) - own
    wrong = np.flatnonzero((counted != labels) & (margins > 0))
    return np.asarray(wrong[np.argsort(-margins[wrong], kind="stable")])


def _finding(
    scope: Scope, check: str, severity: Any, title: str, message: str, evidence: dict[str, Any], *steps: Suggestion
) -> Finding:
    return Finding(check, (scope.require_target(),), severity, title, message, evidence, True, scope.total, steps)
