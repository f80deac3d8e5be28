"""`autolog`: trainings are recorded without a line of logging."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.workspace import Workspace, validate_title
from kernel_tools.experiments.capture.guard import guarded
from kernel_tools.experiments.capture.import_watch import ImportWatcher
from kernel_tools.experiments.capture.settings import (
    DEFAULT_EXPERIMENT,
    LIBRARIES,
    MAX_TRAINING_ROWS,
    AutologSettings,
    local_settings,
    process_settings,
    set_process_settings,
)


class _Hooks(Protocol):
    module: str

    def install(self) -> None: ...

    def restore(self) -> None: ...


_LOCK = threading.RLock()
_installed: dict[str, _Hooks] = {}
_watcher: ImportWatcher | None = None
_users = 0
"""How many want the hooks: the process by `autolog`, and notebook cells."""


def autolog(
    experiment: str = DEFAULT_EXPERIMENT,
    *,
    libraries: Sequence[str] = LIBRARIES,
    training_metrics: bool = True,
    max_training_rows: int = MAX_TRAINING_ROWS,
    log_models: bool = False,
    disable: bool = False,
    workspace: Workspace | None = None,
) -> None:
    """Record every training from now on: parameters, metrics, evaluations of each round, results of searches.

    A training goes to the active run (``with start_run(...)``); without one it gets a run of its own, which ends with
    it: FINISHED, or FAILED if it raises. Trainings inside a training (steps of a pipeline, candidates of a search,
    folds of a cross-validation) are parts of it, and not recorded again. What cannot be recorded is left out with one
    warning; the training itself is never affected.

    Parameters
    ----------
    experiment
        Where runs of their own go.
    libraries
        Which libraries to watch, of ``sklearn``, ``xgboost`` and ``lightgbm``; none of them is imported for it.
        Everything that derives from scikit-learn's `BaseEstimator` counts as ``sklearn``.
    training_metrics
        Whether to predict the training data after the training, and log how well that went (``train/accuracy``, ...).
    max_training_rows
        With more rows than this the training metrics are left out, and a tag says so.
    log_models
        Whether to keep the trained models as artifacts, in skops, XGBoost's UBJ or LightGBM's text format.
    disable
        Stop recording; every library is again as it was.
    workspace
        Default: the workspace that is current when something is trained.

    Raises
    ------
    InvalidArgumentError
        If a library is not one of the three, or the experiment's name cannot be used.

    Examples
    --------
    >>> kt.experiments.autolog("census")  # doctest: +SKIP
    >>> LogisticRegression().fit(X, y)  # a run with C, penalty, ..., train/accuracy, ...  # doctest: +SKIP
    """
    unknown = sorted(set(libraries) - set(LIBRARIES))
    if unknown:
        raise InvalidArgumentError(
            f"autolog does not know the library {unknown[0]!r}: choose from {', '.join(LIBRARIES)}."
        )
    settings = AutologSettings(
        experiment=validate_title(experiment, "experiment name"),
        libraries=tuple(libraries),
        has_training_metrics=training_metrics,
        max_training_rows=max_training_rows,
        keeps_models=log_models,
        workspace=workspace,
    )
    with _LOCK:
        was_on = process_settings() is not None
        set_process_settings(None if disable else settings)
        if disable and was_on:
            _release()
        elif not disable and not was_on:
            _acquire()


@contextmanager
def autolog_here(settings: AutologSettings) -> Iterator[None]:
    """Record the trainings of the code inside the ``with`` block, whatever the process does."""
    with _LOCK:
        _acquire()
    try:
        with local_settings(settings):
            yield
    finally:
        with _LOCK:
            _release()


def _acquire() -> None:
    global _users, _watcher
    _users += 1
    if _users == 1:
        from kernel_tools.experiments.capture.boosting import BoostingHooks
        from kernel_tools.experiments.capture.scikit_learn import EstimatorHooks, ValidationHooks

        hooks: list[_Hooks] = [EstimatorHooks(), ValidationHooks(), BoostingHooks("xgboost"), BoostingHooks("lightgbm")]
        waiting = {hook.module: hook for hook in hooks}

        def install(module: str) -> None:
            with _LOCK:
                if module not in _installed and _watcher is watcher:
                    _installed[module] = waiting[module]
                    waiting[module].install()

        watcher = _watcher = ImportWatcher(list(waiting), install)
        watcher.start()


def _release() -> None:
    global _users, _watcher
    _users -= 1
    if _users == 0:
        if _watcher is not None:
            _watcher.stop()
            _watcher = None
        for module, hook in _installed.items():
            with guarded(f"that {module} is as it was"):
                hook.restore()
        _installed.clear()
