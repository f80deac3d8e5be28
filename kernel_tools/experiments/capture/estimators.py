"""What an estimator tells about itself: its title, its parameters as texts, and how well it fits its training data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kernel_tools.experiments.capture.guard import guarded
from kernel_tools.experiments.texts import MAX_KEY

MAX_VALUE = 2000
"""Characters of a parameter's text; a longer one is cut, and says so."""


def class_name(estimator: object) -> str:
    """Return the full name of an estimator's class."""
    return f"{type(estimator).__module__}.{type(estimator).__qualname__}"


def library_of(cls: type) -> str:
    """Return the library that an estimator's class belongs to; whoever follows scikit-learn counts as it."""
    root = cls.__module__.partition(".")[0]
    return root if root in ("xgboost", "lightgbm") else "sklearn"


def is_search(estimator: object) -> bool:
    """Say whether it is a search over parameters, such as GridSearchCV."""
    return any(base.__name__ == "BaseSearchCV" for base in type(estimator).__mro__)


def is_predictor(estimator: object) -> bool:
    """Say whether it predicts: transformers are preparation, and not recorded on their own."""
    return is_search(estimator) or hasattr(estimator, "predict") or hasattr(estimator, "fit_predict")


def final_step(estimator: Any) -> Any:
    """Return the estimator at the end of a pipeline, or what is no pipeline itself."""
    while any(base.__name__ == "Pipeline" for base in type(estimator).__mro__) and estimator.steps:
        estimator = estimator.steps[-1][1]
    return estimator


def title_of(estimator: Any) -> str:
    """Return a name for people, such as ``GridSearchCV: Pipeline: StandardScaler, Ridge``."""
    name = type(estimator).__name__
    if is_search(estimator):
        return f"{name}: {title_of(estimator.estimator)}"
    if any(base.__name__ == "Pipeline" for base in type(estimator).__mro__):
        return f"{name}: {', '.join(type(step).__name__ for _, step in estimator.steps)}"
    return name


def params_of(estimator: Any) -> dict[str, str]:
    """Return an estimator's parameters as texts, those of its parts too; parts themselves are named by their class.

    XGBoost and LightGBM give None to what they decide themselves; that is left out.
    """
    has_unset = library_of(type(estimator)) != "sklearn"
    return {
        key[:MAX_KEY]: _text(value)
        for key, value in sorted(estimator.get_params(deep=True).items())
        if not (has_unset and value is None)
    }


def to_texts(params: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return parameters as texts."""
    return {f"{prefix}{key}"[:MAX_KEY]: _text(value) for key, value in params.items()}


def best_iteration(model: Any) -> dict[str, float]:
    """Return where early stopping found the best iteration, in the words of XGBoost and of LightGBM, if it did."""
    for name in ("best_iteration", "best_iteration_"):
        try:
            value = getattr(model, name)
        except (AttributeError, ValueError):  # no early stopping, or not a booster at all
            continue
        if isinstance(value, int) and (value > 0 or library_of(type(model)) == "xgboost"):  # LightGBM's 0 is none
            return {"best_iteration": float(value)}
    return {}


def training_metrics(estimator: Any, features: Any, target: Any, weights: Any = None) -> dict[str, float]:
    """Return how well a fitted estimator does on the data it was fitted to.

    Returns
    -------
    dict
        Classifiers: train/accuracy, precision, recall, f1 (all weighted by class), logloss and, of two classes, auc.
        Regressors: train/r2, mae, rmse. Others: train/score, if they have a score.
    """
    from sklearn.base import is_classifier, is_regressor

    measures: dict[str, Callable[[], float]] = {}
    if target is not None and is_classifier(estimator):
        measures = _classification(estimator, features, target, weights)
    elif target is not None and is_regressor(estimator):
        measures = _regression(estimator, features, target, weights)
    elif hasattr(estimator, "score"):
        measures = {"score": lambda: estimator.score(features, target)}
    values: dict[str, float] = {}
    for name, measure in measures.items():
        with guarded(f"the training metric {name!r}"):
            values[f"train/{name}"] = float(measure())
    return values


def _classification(estimator: Any, features: Any, target: Any, weights: Any) -> dict[str, Callable[[], float]]:
    import numpy as np
    from sklearn import metrics

    predicted = estimator.predict(features)
    averaged = {"average": "weighted", "zero_division": 0, "sample_weight": weights}
    measures: dict[str, Callable[[], float]] = {
        "accuracy": lambda: metrics.accuracy_score(target, predicted, sample_weight=weights),
        "precision": lambda: metrics.precision_score(target, predicted, **averaged),
        "recall": lambda: metrics.recall_score(target, predicted, **averaged),
        "f1": lambda: metrics.f1_score(target, predicted, **averaged),
    }
    classes = getattr(estimator, "classes_", None)
    if hasattr(estimator, "predict_proba") and isinstance(classes, np.ndarray) and np.ndim(target) == 1:
        probability = estimator.predict_proba(features)
        measures["logloss"] = lambda: metrics.log_loss(target, probability, labels=classes, sample_weight=weights)
        if len(classes) == 2:
            is_second = np.asarray(target) == classes[1]
            measures["auc"] = lambda: metrics.roc_auc_score(is_second, probability[:, 1], sample_weight=weights)
    return measures


def _regression(estimator: Any, features: Any, target: Any, weights: Any) -> dict[str, Callable[[], float]]:
    from sklearn import metrics

    predicted = estimator.predict(features)
    return {
        "r2": lambda: metrics.r2_score(target, predicted, sample_weight=weights),
        "mae": lambda: metrics.mean_absolute_error(target, predicted, sample_weight=weights),
        "rmse": lambda: metrics.root_mean_squared_error(target, predicted, sample_weight=weights),
    }


def _text(value: Any) -> str:
    if hasattr(value, "get_params") and not isinstance(value, type):
        return type(value).__name__
    if isinstance(value, list | tuple) and any(isinstance(item, tuple) and len(item) >= 2 for item in value):
        value = [tuple(_plain(part) for part in item) if isinstance(item, tuple) else item for item in value]
    text = str(value)
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}… ({len(text):,} characters)"


def _plain(part: Any) -> Any:
    return type(part).__name__ if hasattr(part, "get_params") else part
