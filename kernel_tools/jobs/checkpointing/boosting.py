"""Boosting that goes on where it was: XGBoost and LightGBM."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import MissingExtraError
from kernel_tools.jobs.checkpointing.loop import Checkpointer

if TYPE_CHECKING:
    import lightgbm
    import xgboost

_MODEL = "model.ubj"
_HISTORY = "history.json"
_TEXT = "model.txt"
_SAMPLING = ("subsample", "colsample_bytree", "colsample_bylevel", "colsample_bynode")


def train_xgboost(
    params: dict[str, Any],
    dtrain: xgboost.DMatrix,
    num_boost_round: int = 10,
    *,
    evals: Sequence[tuple[xgboost.DMatrix, str]] = (),
    obj: Callable[..., Any] | None = None,
    custom_metric: Callable[..., Any] | None = None,
    callbacks: Sequence[xgboost.callback.TrainingCallback] = (),
    evals_result: dict[str, Any] | None = None,
    every: float | str | None = None,
    keep: int | None = None,
    folder: str | os.PathLike[str] | None = None,
) -> xgboost.Booster:
    """Train as `xgboost.train` does, and go on from the newest checkpoint of this job.

    Rounds keep their numbers in callbacks and in `evals_result`, whatever was interrupted. ``seed_per_iteration`` is
    switched on, so that rows and columns sampled in a round depend on its number alone: an interrupted training then
    gives the same trees as one that was not. With sampling these are other trees than those of `xgboost.train`, whose
    sampler of columns goes on from round to round and is not in a saved model: here it is made anew in each round. A
    callback with a memory of its own, such as early stopping, begins anew.
    """
    import xgboost

    booster = xgboost.Booster({"seed_per_iteration": True, **params}, [dtrain, *(data for data, _ in evals)])
    container = xgboost.callback.CallbackContainer(list(callbacks), metric=custom_metric, output_margin=callable(obj))

    def load(place: Path) -> None:
        booster.load_model(place / _MODEL)
        booster.set_param({"seed_per_iteration": True, **params})
        container.history.update(json.loads((place / _HISTORY).read_bytes()))

    def save(place: Path) -> None:
        booster.save_model(place / _MODEL)
        (place / _HISTORY).write_text(json.dumps(container.history), encoding="utf-8")

    checkpointer = Checkpointer(every=every, keep=keep, folder=folder, save=save, load=load)
    done = checkpointer.restore()
    is_random = any(float(params.get(name, 1)) < 1 for name in _SAMPLING)
    booster = container.before_training(booster)
    for number in range(done, num_boost_round):
        if container.before_iteration(booster, number, dtrain, list(evals)):
            break
        if is_random:
            _renew_sampler(booster, str(params.get("tree_method", "auto")))
        booster.update(dtrain, iteration=number, fobj=obj)
        if container.after_iteration(booster, number, dtrain, list(evals)):
            break
        checkpointer.step(number + 1)
    booster = container.after_training(booster)
    checkpointer.finish()
    if evals_result is not None:
        evals_result.update(container.history)
    finished: xgboost.Booster = booster.reset()
    return finished


def _renew_sampler(booster: xgboost.Booster, tree_method: str) -> None:
    """Let XGBoost make its tree builder anew, whose sampler of columns is then seeded by the number of the round."""
    other = "approx" if tree_method in ("auto", "hist") else "hist"
    for method in (other, tree_method):
        booster.set_param({"tree_method": method})
        booster.save_config()  # only this makes the change at once


def train_lightgbm(
    params: dict[str, Any],
    train_set: lightgbm.Dataset,
    num_boost_round: int = 100,
    *,
    every: float | str | None = None,
    keep: int | None = None,
    folder: str | os.PathLike[str] | None = None,
    **options: Any,
) -> lightgbm.Booster:
    """Train as `lightgbm.train` does, and go on from the newest checkpoint of this job.

    `options` are those of `lightgbm.train`. LightGBM draws bagged rows anew when it goes on, so with bagging the trees
    after an interruption are as good as, but not the same as, those without.

    Raises
    ------
    MissingExtraError
        If LightGBM is not installed.
    """
    try:
        import lightgbm
    except ImportError as error:
        raise MissingExtraError("lightgbm", "lightgbm") from error
    booster: lightgbm.Booster | None = None

    def load(place: Path) -> None:
        nonlocal booster
        booster = lightgbm.Booster(model_file=str(place / _TEXT))

    def save(place: Path) -> None:
        assert booster is not None
        booster.save_model(str(place / _TEXT), num_iteration=-1)

    checkpointer = Checkpointer(every=every, keep=keep, folder=folder, save=save, load=load)

    def saver(environment: Any) -> None:
        nonlocal booster
        booster = environment.model
        checkpointer.step(booster.current_iteration())

    done = checkpointer.restore()
    trained = lightgbm.train(
        params,
        train_set,
        num_boost_round - done,
        init_model=booster,
        callbacks=[*options.pop("callbacks", ()), saver],
        **options,
    )
    checkpointer.finish()
    return trained
