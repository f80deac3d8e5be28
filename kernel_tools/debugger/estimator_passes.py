"""How each kind of scikit-learn's estimators lets one see its passes, without a change of what it learns."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from kernel_tools.debugger.estimator_state import sample_of, training_loss
from kernel_tools.debugger.records import Mode

See = Callable[[Any], bool]
"""Is told the estimator after each pass; returns whether it should stop."""


def follow(estimator: Any, X: Any, y: Any, options: dict[str, Any], see: See) -> bool:
    """Let an estimator learn, and show every pass; returns whether any could be shown."""
    if "monitor" in inspect.signature(estimator.fit).parameters:
        _fit_with_monitor(estimator, X, y, options, see)
        return True
    if hasattr(estimator, "_update_no_improvement_count") and hasattr(estimator, "hidden_layer_sizes"):
        _fit_network(estimator, X, y, options, see)
        return True
    if _learns_in_parts(estimator) and not options:
        _fit_in_parts(estimator, X, y, see)
        return True
    estimator.fit(X, y, **options) if y is not None else estimator.fit(X, **options)
    return False


def curves_of(estimator: Any) -> list[dict[tuple[Mode, str], float]]:
    """Return, pass by pass, the curves that an estimator has kept itself."""
    named = {
        (Mode.TRAIN, "train/loss"): "loss_curve_",
        (Mode.TRAIN, "train/score"): "train_score_",
        (Mode.EVAL, "validation/score"): "validation_score_",
    }
    found: dict[tuple[Mode, str], list[float]] = {}
    for key, attribute in named.items():
        values = getattr(estimator, attribute, None)
        if values is not None and np.ndim(values) == 1 and len(values):
            found[key] = [float(value) for value in values]
    count = max((len(values) for values in found.values()), default=0)
    return [{key: values[index] for key, values in found.items() if index < len(values)} for index in range(count)]


def _fit_with_monitor(estimator: Any, X: Any, y: Any, options: dict[str, Any], see: See) -> None:
    """Gradient boosting calls a monitor after each stage; the stages to come are hidden from it meanwhile."""
    theirs = options.pop("monitor", None)

    def monitor(stage: int, fitted: Any, variables: dict[str, Any]) -> bool:
        whole, scores = fitted.estimators_, fitted.train_score_
        fitted.estimators_, fitted.train_score_ = whole[: stage + 1], scores[: stage + 1]
        try:
            wants_stop = see(fitted)
        finally:
            fitted.estimators_, fitted.train_score_ = whole, scores
        return bool(theirs is not None and theirs(stage, fitted, variables)) or wants_stop

    estimator.fit(X, y, **options, monitor=monitor)


def _fit_network(estimator: Any, X: Any, y: Any, options: dict[str, Any], see: See) -> None:
    """Count each pass where the network itself looks whether it has become better."""
    count = estimator._update_no_improvement_count

    def count_and_see(*arguments: Any, **keywords: Any) -> None:
        count(*arguments, **keywords)
        if see(estimator):
            raise KeyboardInterrupt  # the network ends its training then, and keeps what it has learned

    estimator._update_no_improvement_count = count_and_see
    try:
        estimator.fit(X, y, **options)
    finally:
        del estimator._update_no_improvement_count


def _learns_in_parts(estimator: Any) -> bool:
    return (
        hasattr(estimator, "partial_fit")
        and all(hasattr(estimator, name) for name in ("max_iter", "tol", "n_iter_no_change", "early_stopping"))
        and not estimator.early_stopping
        and not getattr(estimator, "warm_start", False)
        and getattr(estimator, "class_weight", None) != "balanced"
    )


def _fit_in_parts(estimator: Any, X: Any, y: Any, see: See) -> None:
    """Train by `partial_fit`, a pass at a time, with the stopping rule of `fit`."""
    from sklearn.base import is_classifier
    from sklearn.utils import check_random_state

    options = {"classes": np.unique(y)} if is_classifier(estimator) else {}
    seeds = check_random_state(estimator.random_state)
    given = estimator.random_state
    some, known = sample_of(X, y)
    best, since = np.inf, 0
    try:
        for _ in range(estimator.max_iter):
            # partial_fit would shuffle by the same seed each time
            estimator.set_params(random_state=int(seeds.randint(np.iinfo(np.int32).max)))
            estimator.partial_fit(X, y, **options)
            if see(estimator):
                break
            if estimator.tol is not None:
                loss = training_loss(estimator, some, known)
                since = since + 1 if loss > best - estimator.tol else 0
                best = min(best, loss)
                if since >= estimator.n_iter_no_change:
                    break
    finally:
        estimator.set_params(random_state=given)
