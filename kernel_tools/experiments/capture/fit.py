"""One training, recorded once: from the outermost call of `fit` or `train` to its end, whatever it calls inside."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from kernel_tools.experiments.active import activate, active_run, deactivate
from kernel_tools.experiments.capture.guard import guarded
from kernel_tools.experiments.capture.settings import AutologSettings
from kernel_tools.experiments.records import RunStatus
from kernel_tools.experiments.run import Run, start_run

LIBRARY_TAG = "atelier.autolog"

_LOCK = threading.Lock()
_trainings_in_progress = 0


@dataclass(slots=True)
class Training:
    """A training that is being recorded.

    `run` is None if no run could be had. `prefix` keeps several trainings of one run apart; `is_followed` tells that
    a callback logs its iterations.
    """

    settings: AutologSettings
    run: Run | None
    is_own_run: bool
    prefix: str = ""
    follows_iterations: bool = False
    is_followed: bool = False

    def log_params(self, params: Mapping[str, str]) -> None:
        """Log parameters, but for those that the run has: what the user logged stays."""
        if self.run is None:
            return
        present = self.run.params
        missing = {self.prefix + key: value for key, value in params.items() if self.prefix + key not in present}
        if missing:
            self.run.log_params(missing)

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log metrics of one step."""
        if self.run is not None and metrics:
            self.run.log_metrics({self.prefix + key: value for key, value in metrics.items()}, step=step)


_OUTERMOST: ContextVar[Training | None] = ContextVar("atelier_training", default=None)
_IS_INSIDE: ContextVar[bool] = ContextVar("atelier_inside_training", default=False)


def is_inside_training() -> bool:
    """Say whether the calling code is a part of a training, here or in a worker thread of joblib."""
    return _IS_INSIDE.get() or (_trainings_in_progress > 0 and _is_joblib_worker())


def current_training() -> Training | None:
    """Return the training that the calling code is a part of, if it is recorded and in this thread."""
    return _OUTERMOST.get()


@contextmanager
def unrecorded() -> Iterator[None]:
    """Record nothing that is trained inside the ``with`` block."""
    token = _IS_INSIDE.set(True)
    _count(+1)
    try:
        yield
    finally:
        _count(-1)
        _IS_INSIDE.reset(token)


def record_training(
    settings: AutologSettings,
    begin: Callable[[], Training],
    train: Callable[[], Any],
    finish: Callable[[Training, Any], None],
) -> Any:
    """Train, and record it.

    Parameters
    ----------
    settings
        What to record.
    begin
        Makes the record; if that fails, the training goes on without.
    train
        The user's call; what it returns is returned, what it raises is raised.
    finish
        Records what came out.
    """
    training = Training(settings, None, False)
    with guarded("the start of a training"):
        training = begin()
    run = training.run if training.is_own_run else None
    run_token = activate(run) if run is not None else None
    token = _OUTERMOST.set(training)
    try:
        with unrecorded():
            result = train()
            with guarded("the results of a training"):
                finish(training, result)
    except BaseException as error:
        _end(run, RunStatus.FAILED if isinstance(error, Exception) else RunStatus.KILLED)
        raise
    finally:
        _OUTERMOST.reset(token)
        if run_token is not None:
            deactivate(run_token)
    _end(run, RunStatus.FINISHED)
    return result


def open_training(
    settings: AutologSettings, library: str, title: str, class_name: str, params: dict[str, str]
) -> Training:
    """Begin the record of a training: in the active run, else in a run of its own."""
    tags = {"estimator_name": title, "estimator_class": class_name, LIBRARY_TAG: library}
    run = active_run()
    if run is None or not run.status.is_open:
        from kernel_tools.core.workspace import current_workspace

        workspace = settings.workspace or current_workspace()
        run = start_run(settings.experiment, title[:250], params, tags, workspace=workspace)
        return Training(settings, run, is_own_run=True)
    training = Training(settings, run, is_own_run=False, prefix=_prefix(run, class_name, params))
    training.log_params(params)
    present = run.tags
    if missing := {key: value for key, value in tags.items() if key not in present}:
        run.set_tags(missing)
    return training


_prefixes: weakref.WeakKeyDictionary[Run, dict[tuple[str, frozenset[tuple[str, str]]], str]] = (
    weakref.WeakKeyDictionary()
)


def _prefix(run: Run, class_name: str, params: dict[str, str]) -> str:
    """Return nothing for a run's first training and its repetitions, else such as ``Ridge-2/``."""
    with _LOCK:
        known = _prefixes.setdefault(run, {})
        short = class_name.rpartition(".")[2]
        return known.setdefault((class_name, frozenset(params.items())), f"{short}-{len(known) + 1}/" if known else "")


def _end(run: Run | None, status: RunStatus) -> None:
    if run is None:
        return
    with guarded("the end of a training"):
        if run.status.is_open:  # a callback of the user may have ended it
            run.finish(status)


def _count(change: int) -> None:
    global _trainings_in_progress
    if _is_joblib_worker():
        return  # its siblings are trainings of their own
    with _LOCK:
        _trainings_in_progress += change


def _is_joblib_worker() -> bool:
    parallel = sys.modules.get("joblib.parallel")
    if parallel is None:
        return False
    backend, _ = parallel.get_active_backend()
    return bool(backend.nesting_level)
