"""Recording `fit` of scikit-learn's estimators and of all that follow its conventions, and cross-validation."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from kernel_tools.experiments.capture import estimators
from kernel_tools.experiments.capture.fit import (
    Training,
    is_inside_training,
    open_training,
    record_training,
    unrecorded,
)
from kernel_tools.experiments.capture.guard import guarded
from kernel_tools.experiments.capture.model_files import keep_model
from kernel_tools.experiments.capture.patching import InterceptedFunction, intercept_method, restore_method
from kernel_tools.experiments.capture.settings import AutologSettings, current_settings

RESULTS_PATH = "search/results.csv"
SKIPPED_TAG = "atelier.autolog.training_metrics"
SILENT_FUNCTIONS = ("cross_val_predict", "learning_curve", "validation_curve", "permutation_test_score")
"""They train many times for one result, which is not a model: nothing of it is recorded."""


class EstimatorHooks:
    """Interceptors of `fit` in every class of estimators: the ones that exist, and the ones that are made later."""

    module = "sklearn.base"

    def __init__(self) -> None:
        self._classes: list[type] = []
        self._base: Any = None

    def install(self) -> None:
        """Intercept."""
        base = sys.modules[self.module].BaseEstimator
        self._base = base
        for cls in _subclasses(base):
            self._intercept(cls)

        def prepare_subclass(cls: type, /, **keywords: Any) -> None:
            super(base, cls).__init_subclass__(**keywords)  # type: ignore[misc]  # only known at run time
            with guarded("estimators of a new class"):
                self._intercept(cls)

        if "__init_subclass__" not in base.__dict__:
            base.__init_subclass__ = classmethod(prepare_subclass)

    def restore(self) -> None:
        """Bring every class back to what it was."""
        if self._base is not None:
            hook = self._base.__dict__.get("__init_subclass__")
            if getattr(getattr(hook, "__func__", None), "__module__", None) == __name__:
                del self._base.__init_subclass__
        for cls in self._classes:
            restore_method(cls, "fit")
        self._classes.clear()

    def _intercept(self, cls: type) -> None:
        if intercept_method(cls, "fit", _fit):
            self._classes.append(cls)


class ValidationHooks:
    """Interceptors of the functions that train for validation."""

    module = "sklearn.model_selection._validation"

    def __init__(self) -> None:
        self._functions: list[InterceptedFunction] = []

    def install(self) -> None:
        """Intercept."""
        module = sys.modules[self.module]
        for name in ("cross_validate", *SILENT_FUNCTIONS):
            interceptor = _cross_validate if name == "cross_validate" else _silently
            function = InterceptedFunction(getattr(module, name), interceptor)
            function.install()
            self._functions.append(function)

    def restore(self) -> None:
        """Bring the functions back."""
        for function in self._functions:
            function.restore()
        self._functions.clear()


def _fit(fit: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    settings = current_settings()
    train = partial(fit, *arguments, **keywords)
    estimator = arguments[0]
    if settings is None or is_inside_training() or estimators.library_of(type(estimator)) not in settings.libraries:
        return train()
    is_recorded = False
    with guarded("a training"):
        is_recorded = estimators.is_predictor(estimator)
    if not is_recorded:
        with unrecorded():
            return train()
    features, target = _data(arguments, keywords)
    weights = keywords.get("sample_weight")
    return record_training(
        settings,
        partial(_begin, settings, estimator),
        train,
        lambda training, _: _finish(training, estimator, features, target, weights),
    )


def _begin(settings: AutologSettings, estimator: Any) -> Training:
    library = estimators.library_of(type(estimator))
    title, name = estimators.title_of(estimator), estimators.class_name(estimator)
    training = open_training(settings, library, title, name, estimators.params_of(estimator))
    training.follows_iterations = estimators.library_of(type(estimators.final_step(estimator))) != "sklearn"
    return training


def _finish(training: Training, estimator: Any, features: Any, target: Any, weights: Any) -> None:
    if training.run is None:
        return
    has_model = not estimators.is_search(estimator) or hasattr(estimator, "best_estimator_")
    if training.settings.has_training_metrics and features is not None and has_model:
        with guarded("training metrics"):
            _log_training_metrics(training, estimator, features, target, weights)
    if estimators.is_search(estimator):
        with guarded("the results of a search"):
            _log_search(training, estimator)
    with guarded("the best iteration"):
        training.log_metrics(estimators.best_iteration(estimators.final_step(estimator)))
    if training.settings.keeps_models and has_model:
        with guarded("the model"):
            keep_model(training, estimator)


def _log_training_metrics(training: Training, estimator: Any, features: Any, target: Any, weights: Any) -> None:
    rows = _row_count(features)
    limit = training.settings.max_training_rows
    if rows is None:
        return  # an iterator, which the training has used up
    if rows > limit:
        if training.run is not None:
            training.run.set_tag(SKIPPED_TAG, f"left out: {rows:,} rows, more than max_training_rows={limit:,}")
        return
    training.log_metrics(estimators.training_metrics(estimator, features, target, weights))


def _log_search(training: Training, search: Any) -> None:
    import pandas as pd

    run = training.run
    if run is None:
        return
    table = pd.DataFrame({key: list(values) for key, values in search.cv_results_.items()})
    run.log_text(table.to_csv(index_label="candidate"), training.prefix + RESULTS_PATH)
    score_columns = [name for name in table.columns if name.startswith("mean_test_")]
    for candidate, row in enumerate(table[score_columns].to_dict("records")):
        training.log_metrics({f"search/{name}": float(value) for name, value in row.items()}, step=candidate)
    if hasattr(search, "best_params_"):
        training.log_params(estimators.to_texts(search.best_params_, "best."))
    if hasattr(search, "best_score_"):
        training.log_metrics({"search/best_score": float(search.best_score_)})


def _cross_validate(function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    settings = current_settings()
    train = partial(function, *arguments, **keywords)
    if settings is None or "sklearn" not in settings.libraries or is_inside_training():
        return train()
    estimator = arguments[0] if arguments else keywords.get("estimator")

    def begin() -> Training:
        name, title = estimators.class_name(estimator), f"cross_validate: {estimators.title_of(estimator)}"
        params = estimators.params_of(estimator) | estimators.to_texts({"cv": keywords.get("cv")})
        return open_training(settings, "sklearn", title, f"cross_validate.{name}", params)

    return record_training(settings, begin, train, _log_folds)


def _log_folds(training: Training, results: dict[str, Any]) -> None:
    """Log a point for each fold, then mean and standard deviation."""
    import numpy as np

    for name, values in results.items():
        group, _, measure = name.partition("_")
        if group not in ("test", "train"):
            continue
        key = f"cv/{measure}" if group == "test" else f"cv/train/{measure}"
        for fold, value in enumerate(values):
            training.log_metrics({key: float(value)}, step=fold)
        training.log_metrics({f"{key}/mean": float(np.mean(values)), f"{key}/std": float(np.std(values))})


def _silently(function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    with unrecorded():
        return function(*arguments, **keywords)


def _data(arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, Any]:
    features = arguments[1] if len(arguments) > 1 else keywords.get("X")
    target = arguments[2] if len(arguments) > 2 else keywords.get("y")
    return features, target


def _row_count(features: Any) -> int | None:
    shape = getattr(features, "shape", None)
    if shape:
        return int(shape[0])
    return len(features) if hasattr(features, "__len__") else None


def _subclasses(base: type) -> list[type]:
    found: dict[type, None] = {base: None}
    waiting = [base]
    while waiting:
        subclasses: list[type] = waiting.pop().__subclasses__()
        for cls in subclasses:
            if cls not in found:
                found[cls] = None
                waiting.append(cls)
    return list(found)
