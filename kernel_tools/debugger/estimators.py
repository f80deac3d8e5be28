"""Watching estimators of scikit-learn that learn in passes: neural networks, gradient boosting, online learners."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Self

from sklearn.base import BaseEstimator, clone

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.debugger.estimator_passes import curves_of, follow
from kernel_tools.debugger.estimator_state import EstimatorState
from kernel_tools.debugger.records import Chooser, SaveConfig
from kernel_tools.debugger.rounds import Watcher


def watch_estimator(
    estimator: Any,
    *,
    run: Any = None,
    rules: str | Iterable[Any] = "default",
    save: SaveConfig | None = None,
    validation: Any = None,
    collections: Mapping[str, Chooser] | None = None,
    actions: Iterable[Any] = (),
) -> WatchedEstimator:
    """Return an estimator that learns as the given one does, and is captured while it does.

    What is seen inside ``fit`` depends on the estimator:

    - neural networks (``MLPClassifier``, ``MLPRegressor``) and gradient boosting (``GradientBoostingClassifier``,
      ``GradientBoostingRegressor``): every pass; they learn exactly what they would learn unwatched;
    - those with ``partial_fit`` and ``max_iter`` (``SGDClassifier``, ``Perceptron``, ...): they are trained by
      ``partial_fit``, a pass at a time. The stopping rule is that of ``fit``, with the loss measured after each pass on
      at most 4,096 rows, so the last pass may be another one than unwatched. With ``early_stopping`` or balanced
      classes they are trained by ``fit``, and only the result is seen;
    - any other: the curves that it keeps itself, when it has learned.

    ``partial_fit`` counts as one pass for each call, until `WatchedEstimator.close`. Predictions, confusions and the
    losses that the estimator does not tell itself are of at most 4,096 rows, evenly spaced.

    Parameters
    ----------
    estimator
        An estimator of scikit-learn. It is cloned, as in a search; the one that learns is ``estimator_``.
    validation
        Features and labels to measure the loss of now and then.
    run, rules, save, collections, actions
        As of `kernel_tools.debugger.XGBoostCallback`.

    Raises
    ------
    InvalidArgumentError
        If something cannot be used.

    Examples
    --------
    >>> model = kt.debugger.watch_estimator(MLPClassifier(), validation=(X_valid, y_valid))       # doctest: +SKIP
    >>> model.fit(X, y).predict(X_valid)                                                          # doctest: +SKIP
    """
    if not hasattr(estimator, "fit") or not hasattr(estimator, "get_params"):
        raise InvalidArgumentError(f"{type(estimator).__name__} is no estimator of scikit-learn.")
    if validation is not None and (not isinstance(validation, (tuple, list)) or len(validation) != 2):
        raise InvalidArgumentError(f"validation={type(validation).__name__}: give a pair of features and labels.")
    Watcher("sklearn", run, rules, save, collections, actions)  # says at once what cannot be used
    return WatchedEstimator(
        estimator, run=run, rules=rules, save=save, validation=validation, collections=collections, actions=actions
    )


class WatchedEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """An estimator with the Debugger beside it; `watch_estimator` makes one.

    Attributes
    ----------
    estimator_
        The estimator that has learned. Whatever else is asked for is asked of it.
    """

    def __init__(
        self,
        estimator: Any,
        *,
        run: Any = None,
        rules: str | Iterable[Any] = "default",
        save: SaveConfig | None = None,
        validation: Any = None,
        collections: Mapping[str, Chooser] | None = None,
        actions: Iterable[Any] = (),
    ) -> None:
        self.estimator = estimator
        self.run = run
        self.rules = rules
        self.save = save
        self.validation = validation
        self.collections = collections
        self.actions = actions

    def fit(self, X: Any, y: Any = None, **options: Any) -> Self:
        """Learn, and capture; `options` are those of the estimator's own ``fit``."""
        self.close()
        self.estimator_ = clone(self.estimator)
        watcher = self._open()
        state = EstimatorState(X, y, self.validation)
        watcher.guard(self._begin, watcher, state)
        try:
            has_passed = follow(self.estimator_, X, y, options, lambda estimator: self._see(watcher, state, estimator))
            if not has_passed and watcher.is_open:
                watcher.guard(self._record_curves, watcher, state)
            if watcher.recorder is not None and watcher.is_open:
                recorder = watcher.recorder
                watcher.guard(recorder.add_last, lambda: state.save(recorder, self.estimator_, is_last=True))
        finally:
            watcher.guard(watcher.close)
        return self

    def partial_fit(self, X: Any, y: Any = None, **options: Any) -> Self:
        """Learn from some data, as one pass of a capture that goes on until `close`."""
        if not hasattr(self, "estimator_"):
            self.estimator_ = clone(self.estimator)
        watcher: Watcher | None = getattr(self, "_watcher", None)
        state = EstimatorState(X, y, self.validation)
        if watcher is None:
            watcher = self._watcher = self._open()
            watcher.guard(self._begin, watcher, state)
        if watcher.recorder is not None:
            watcher.recorder.begin_round()
        self.estimator_.partial_fit(X, y, **options)
        self._see(watcher, state, self.estimator_)
        return self

    def close(self) -> None:
        """End the capture that `partial_fit` has begun."""
        watcher = self.__dict__.pop("_watcher", None)
        if watcher is not None:
            watcher.guard(watcher.close)

    def __del__(self) -> None:
        with suppress(Exception):  # the interpreter may be ending
            self.close()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("estimator_", "estimator", "_watcher"):
            raise AttributeError(name)
        return getattr(self.__dict__.get("estimator_", self.estimator), name)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_watcher"}

    def __sklearn_is_fitted__(self) -> bool:
        return "estimator_" in self.__dict__

    def __sklearn_tags__(self) -> Any:
        return self.estimator.__sklearn_tags__()

    def _open(self) -> Watcher:
        return Watcher("sklearn", self.run, self.rules, self.save, self.collections, self.actions)

    def _begin(self, watcher: Watcher, state: EstimatorState) -> None:
        recorder = watcher.open()
        state.describe(recorder, self.estimator_)
        recorder.begin_round()

    def _see(self, watcher: Watcher, state: EstimatorState, estimator: Any) -> bool:
        """Record a pass; returns whether an action of a rule wants the training to stop."""
        recorder = watcher.recorder
        if recorder is None or not watcher.is_open:
            return False

        def record() -> None:
            metrics = state.metrics(estimator)
            loss = next((value for (_, name), value in metrics.items() if name == "train/loss"), float("nan"))
            recorder.end_round(
                metrics,
                lambda: state.save(recorder, estimator),
                loss=loss,
                rate=state.rate(estimator),
                rows=state.rows,
            )
            recorder.begin_round()

        watcher.guard(record)
        return watcher.stop_reason is not None

    def _record_curves(self, watcher: Watcher, state: EstimatorState) -> None:
        recorder = watcher.recorder
        assert recorder is not None
        for metrics in curves_of(self.estimator_) or [{}]:
            recorder.end_round(metrics, lambda: None, rows=state.rows)
        recorder.is_sampled = False
