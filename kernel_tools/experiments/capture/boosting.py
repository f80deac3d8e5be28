"""Recording XGBoost's and LightGBM's trainings, each evaluation of each round as it is made."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from kernel_tools.experiments.capture import estimators
from kernel_tools.experiments.capture.fit import (
    Training,
    current_training,
    is_inside_training,
    open_training,
    record_training,
)
from kernel_tools.experiments.capture.guard import guarded
from kernel_tools.experiments.capture.model_files import keep_model
from kernel_tools.experiments.capture.patching import InterceptedFunction
from kernel_tools.experiments.capture.settings import current_settings

NOT_PARAMETERS = {"params", "dtrain", "train_set", "evals", "valid_sets", "valid_names", "evals_result", "callbacks"}
"""Arguments of `train` and `cv` that are data, names of data, or written to."""


class BoostingHooks:
    """Interceptors of a library's `train` and `cv`, which its scikit-learn classes call as well.

    Parameters
    ----------
    module
        ``xgboost`` or ``lightgbm``.
    """

    def __init__(self, module: str) -> None:
        self.module = module
        self._functions: list[InterceptedFunction] = []

    def install(self) -> None:
        """Intercept."""
        library = sys.modules[self.module]
        for name in ("train", "cv"):
            function = InterceptedFunction(getattr(library, name), partial(_train, self.module))
            function.install()
            self._functions.append(function)

    def restore(self) -> None:
        """Bring the functions back."""
        for function in self._functions:
            function.restore()
        self._functions.clear()


def _train(library: str, train: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    training = current_training()
    if training is not None:
        if training.follows_iterations and not training.is_followed:
            training.is_followed = True
            with guarded("boosting rounds"):
                arguments, keywords = _follow(library, train, arguments, keywords, training)
        return train(*arguments, **keywords)
    settings = current_settings()
    if settings is None or library not in settings.libraries or is_inside_training():
        return train(*arguments, **keywords)
    call = (arguments, keywords)

    def begin() -> Training:
        nonlocal call
        given = inspect.signature(train).bind(*arguments, **keywords).arguments
        params = estimators.to_texts(given.get("params") or {})
        params |= estimators.to_texts(
            {key: value for key, value in given.items() if key not in NOT_PARAMETERS and _is_plain(value)}
        )
        name = f"{library}.{train.__name__}"
        training = open_training(settings, library, name, name, params)
        training.is_followed = True
        call = _follow(library, train, arguments, keywords, training)
        return training

    return record_training(settings, begin, lambda: train(*call[0], **call[1]), _finish)


def _follow(
    library: str, train: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any], training: Training
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Add a callback to the arguments, unless one of the user's logs to a run already."""
    bound = inspect.signature(train).bind(*arguments, **keywords)
    callbacks: Sequence[Any] = bound.arguments.get("callbacks") or ()
    if training.run is None or any(_is_logger(callback) for callback in callbacks):
        return arguments, keywords
    ours = _xgboost_callback(training) if library == "xgboost" else _lightgbm_callback(training)
    bound.arguments["callbacks"] = [*callbacks, ours]
    return bound.args, bound.kwargs


def _is_logger(callback: object) -> bool:
    return type(callback).__module__ == "kernel_tools.experiments.xgboost_logger"


def _xgboost_callback(training: Training) -> Any:
    from xgboost.callback import TrainingCallback

    class RoundLogger(TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: dict[str, dict[str, Any]]) -> bool:
            with guarded("boosting rounds"):
                values = {
                    f"{name}/{metric}": _mean(series[-1])
                    for name, metrics in evals_log.items()
                    for metric, series in metrics.items()
                }
                training.log_metrics(values, step=epoch)
            return False

    return RoundLogger()


def _lightgbm_callback(training: Training) -> Callable[[Any], None]:
    def log_round(environment: Any) -> None:
        with guarded("boosting rounds"):
            values = {f"{row[0]}/{row[1]}": float(row[2]) for row in environment.evaluation_result_list or ()}
            training.log_metrics(values, step=environment.iteration)

    log_round.order = 15  # type: ignore[attr-defined]  # LightGBM reads it: after printing, before early stopping
    return log_round


def _finish(training: Training, result: Any) -> None:
    with guarded("the best iteration"):
        training.log_metrics(estimators.best_iteration(result))
    if training.settings.keeps_models and hasattr(result, "predict"):
        with guarded("the model"):
            keep_model(training, result)


def _mean(value: Any) -> float:
    return float(value[0] if isinstance(value, tuple) else value)  # with cross-validation: mean and deviation


def _is_plain(value: object) -> bool:
    return isinstance(value, bool | int | float | str)
