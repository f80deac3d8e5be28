"""Watching every training of XGBoost and LightGBM in a process without a change of its code, as jobs are."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from kernel_tools.debugger.records import Config
from kernel_tools.experiments.capture.guard import guarded
from kernel_tools.experiments.capture.patching import InterceptedFunction

LIBRARIES = ("xgboost", "lightgbm")
_installed: dict[str, InterceptedFunction] = {}


def install(config: Config) -> list[str]:
    """Watch what `train` of the loaded libraries trains from now on, also when their scikit-learn classes call it.

    Call it again when another library was loaded. A training that has a callback of the Debugger stays as it is.

    Returns
    -------
    list of str
        The libraries that were not watched before.
    """
    new = [name for name in LIBRARIES if name in sys.modules and name not in _installed]
    for name in new:
        function = InterceptedFunction(sys.modules[name].train, partial(_train, name, config))
        function.install()
        _installed[name] = function
    return new


def restore() -> None:
    """Bring the libraries' own functions back."""
    for name in list(_installed):
        _installed.pop(name).restore()


def _train(
    library: str, config: Config, train: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]
) -> Any:
    callback: Any = None
    with guarded("a training for the Debugger"):
        bound = inspect.signature(train).bind(*arguments, **keywords)
        given = list(bound.arguments.get("callbacks") or ())
        if not any(type(each).__module__.startswith("kernel_tools.debugger.") for each in given):
            callback = _xgboost(config, bound) if library == "xgboost" else _lightgbm(config)
            bound.arguments["callbacks"] = [*given, callback]
            arguments, keywords = bound.args, bound.kwargs
    try:
        return train(*arguments, **keywords)
    finally:
        if callback is not None:
            with guarded("the end of a training for the Debugger"):
                callback.close()


def _xgboost(config: Config, bound: inspect.BoundArguments) -> Any:
    from kernel_tools.debugger.boosting.xgboost import XGBoostCallback

    train = bound.arguments["dtrain"]
    sets = [(data, name) for data, name in bound.arguments.get("evals") or () if data is not train]
    names = [name for data, name in bound.arguments.get("evals") or () if data is train]
    callback = XGBoostCallback(
        rules=config.rules,
        save=config.save,
        train=train,
        validation=sets[-1][0] if sets else None,
        collections=config.collections,
        actions=config.actions,
    )
    callback.name_sets(names[0] if names else "", sets[-1][1] if sets else None)
    return callback


def _lightgbm(config: Config) -> Any:
    from kernel_tools.debugger.boosting.lightgbm import LightGBMCallback

    return LightGBMCallback(
        rules=config.rules, save=config.save, collections=config.collections, actions=config.actions
    )
