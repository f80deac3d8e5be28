"""The callback that watches XGBoost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from copy import copy
from typing import Any

import numpy as np
import xgboost
from xgboost.callback import TrainingCallback

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.debugger.boosting.evaluation_names import first_loss, name_sets
from kernel_tools.debugger.boosting.predictions import classes_of, keep_predictions, save_predictions
from kernel_tools.debugger.boosting.shap_values import ShapSaver
from kernel_tools.debugger.boosting.trees import save_importance, save_trees, xgboost_trees
from kernel_tools.debugger.records import Chooser, Mode, SaveConfig
from kernel_tools.debugger.rounds import RoundRecorder, Watcher, some_rows

IMPORTANCES = ("weight", "gain", "total_gain", "cover")
"""Splits of a feature, the gain and the cover of one on average, and the gain of all."""


class XGBoostCallback(TrainingCallback):
    """A callback that captures a training of XGBoost, with rules that watch it.

    Of every round it keeps the evaluations and the time. Trees, importances, predictions, confusions and average SHAP
    values are kept in the first rounds, then as often as the budget of `save` allows, and once more at the end. An
    error of its own detaches it and is said once; the trees are the same as without it.

    Parameters
    ----------
    run
        The run that the capture belongs to, its id, or a folder. Default: the active run, the job's, or a new one.
    rules
        ``"default"``, ``"all"``, ``"none"``, or rules: names, pairs of a name and its parameters, or `Rule` objects.
    save
        When and what is saved. ``SaveConfig(raw=["predictions", "labels"])`` keeps those of every sampled round.
    train, validation
        Data whose predictions are watched: a `DMatrix` or a pair of features and labels; of a pair at most 65,536 rows
        are used. Or the name of an evaluation set, to say which of them is which. Without data there are evaluations,
        trees and importances.
    collections
        Own collections: a name, and a regular expression or a function that chooses tensors by their names.
    actions
        What is done when a rule fires; see `kernel_tools.debugger.actions`.

    Raises
    ------
    InvalidArgumentError
        If something cannot be used.

    Examples
    --------
    >>> watcher = kt.debugger.XGBoostCallback(train=dtrain, validation=dvalid)                    # doctest: +SKIP
    >>> xgboost.train(params, dtrain, 300, evals=[(dvalid, "validation")], callbacks=[watcher])   # doctest: +SKIP
    """

    def __init__(
        self,
        run: Any = None,
        *,
        rules: str | Iterable[Any] = "default",
        save: SaveConfig | None = None,
        train: Any = None,
        validation: Any = None,
        collections: Mapping[str, Chooser] | None = None,
        actions: Iterable[Any] = (),
    ) -> None:
        super().__init__()
        self._watcher = Watcher("xgboost", run, rules, save, collections, actions)
        self._names = (train if isinstance(train, str) else None, validation if isinstance(validation, str) else None)
        self._data = {
            mode: _matrix(data, name)
            for mode, data, name in ((Mode.TRAIN, train, "train"), (Mode.EVAL, validation, "validation"))
            if data is not None and not isinstance(data, str)
        }
        self._shap = ShapSaver()
        self._shap_matrix: xgboost.DMatrix | None = None
        self._labels: dict[Mode, np.ndarray[Any, Any] | None] = {}
        self._shown: dict[str, tuple[Mode, str]] = {}
        self._has_trees = False
        self._classes, self._boundary, self._rate, self._rows = 0, 0.5, float("nan"), 0

    def __deepcopy__(self, memo: dict[int, Any]) -> XGBoostCallback:
        """Return one that watches for itself, as scikit-learn's `clone` of an estimator wants it."""
        other = copy(self)
        other._watcher = self._watcher.fresh()
        return other

    def __copy__(self) -> XGBoostCallback:
        """Return one of the same attributes."""
        other = XGBoostCallback.__new__(XGBoostCallback)
        other.__dict__.update(self.__dict__)
        return other

    def __reduce__(self) -> tuple[Any, ...]:
        """Be pickled as a callback that does nothing: what is captured here is not written by another process."""
        return TrainingCallback, ()

    @property
    def failure(self) -> str | None:
        """Why the callback has detached itself; None if it has not."""
        return self._watcher.failure

    def name_sets(self, train: str | None, validation: str | None) -> None:
        """Say which evaluation sets are which, by their names; "" if none of them is."""
        self._names = (train, validation)

    def close(self) -> None:
        """End the capture; the end of the training does it too."""
        self._watcher.close()

    # ---- What XGBoost calls ----

    def before_training(self, model: Any) -> Any:
        """Open the capture."""
        self._watcher.guard(self._begin, model)
        return model

    def before_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Start the clock of a round."""
        if self._watcher.recorder is not None:
            self._watcher.recorder.begin_round()
        return False

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Record a round; returns True if an action of a rule wants the training to stop."""
        if not self._watcher.is_open:
            return False
        self._watcher.guard(self._record, model, evals_log)
        return self._watcher.stop_reason is not None

    def after_training(self, model: Any) -> Any:
        """Record what the training has come to, and close the capture."""
        if self._watcher.is_open:
            self._watcher.guard(self._end, model)
        return model

    # ---- What it does then ----

    def _begin(self, model: Any) -> None:
        recorder = self._watcher.open()
        self._labels, self._shown, self._shap, self._shap_matrix = {}, {}, ShapSaver(), None
        self._has_trees = isinstance(model, xgboost.Booster)
        meta = {"model": type(model).__name__, "has_loss": False, "compiled": False}
        if self._has_trees:
            meta |= self._read_settings(json.loads(model.save_config())["learner"])
            meta["features"] = (model.feature_names or [f"f{index}" for index in range(model.num_features())])[:10_000]
        for key, value in meta.items():
            recorder.session.writer.set_meta(key, value)

    def _read_settings(self, learner: Mapping[str, Any]) -> dict[str, Any]:
        booster = learner["gradient_booster"]
        tree = booster.get("gbtree", booster).get("tree_train_param", {})
        objective = learner["objective"]["name"]
        self._has_trees = booster["name"] in ("gbtree", "dart")
        self._classes = classes_of(objective, int(learner["learner_model_param"].get("num_class", 0)))
        self._boundary = 0.0 if objective == "binary:logitraw" else 0.5
        self._rate = float(tree.get("eta", "nan"))
        train = self._data.get(Mode.TRAIN)
        self._rows = 0 if train is None else int(train.num_row())
        return {
            "hyperparameters": {
                "objective": objective,
                "booster": booster["name"],
                **{name: _number(value) for name, value in tree.items()},
            },
            "optimizer": {"class": "XGBoost", "lr": self._rate},
            "loss_kind": objective,
            "classes": self._classes,
            "batch_size": self._rows,
        }

    def _record(self, model: Any, evals_log: Mapping[str, Mapping[str, Any]]) -> None:
        recorder = self._watcher.recorder
        assert recorder is not None
        if not self._shown:
            self._shown = name_sets(list(evals_log), *self._names)
        metrics = {
            (self._shown[name][0], f"{self._shown[name][1]}/{metric}"): _last(series)
            for name, of_set in evals_log.items()
            for metric, series in of_set.items()
        }
        recorder.end_round(
            metrics,
            lambda: self._save(recorder, model),
            loss=first_loss(metrics.items()),
            rate=self._rate,
            rows=self._rows,
        )

    def _save(self, recorder: RoundRecorder, model: Any, is_last: bool = False) -> None:
        if not isinstance(model, xgboost.Booster):
            return  # cross-validation: its models are not ours to look into
        if self._has_trees:
            save_trees(recorder, xgboost_trees(model))
            for kind in IMPORTANCES:
                scores = model.get_score(importance_type=kind)
                save_importance(recorder, kind, {name: _last([value]) for name, value in scores.items()})
        for mode, matrix in self._data.items():
            predictions = model.predict(matrix)
            labels = self._labels_of(mode, matrix)
            save_predictions(recorder, mode, predictions, labels, self._classes, self._boundary)
            if is_last:
                keep_predictions(recorder, mode, predictions, labels)
        if self._has_trees and self._data:
            self._shap.save(recorder, self._explain(model), model.num_boosted_rounds(), is_last=is_last)

    def _explain(self, model: xgboost.Booster) -> Any:
        """Return a function that gives the contributions of the features to predictions of some rows."""
        if self._shap_matrix is None:
            matrix = self._data.get(Mode.EVAL, next(iter(self._data.values())))
            rows = some_rows(matrix.num_row(), ShapSaver.MOST_ROWS)
            if isinstance(matrix, xgboost.QuantileDMatrix) and rows is not None:
                return None  # it cannot be cut, and all of its rows would cost too much
            self._shap_matrix = matrix if rows is None else matrix.slice(rows)
        whole = self._shap_matrix

        def explain(count: int) -> np.ndarray[Any, Any]:
            is_whole = count >= whole.num_row() or isinstance(whole, xgboost.QuantileDMatrix)
            some = whole if is_whole else whole.slice(np.arange(count))
            return np.asarray(model.predict(some, pred_contribs=True))

        return explain

    def _labels_of(self, mode: Mode, matrix: xgboost.DMatrix) -> np.ndarray[Any, Any] | None:
        if mode not in self._labels:
            labels = np.asarray(matrix.get_label())
            self._labels[mode] = labels if len(labels) == matrix.num_row() else None
        return self._labels[mode]

    def _end(self, model: Any) -> None:
        recorder = self._watcher.recorder
        assert recorder is not None
        recorder.add_last(lambda: self._save(recorder, model, is_last=True))
        self._watcher.close()


def _matrix(data: Any, name: str) -> xgboost.DMatrix:
    if isinstance(data, xgboost.DMatrix):
        return data
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise InvalidArgumentError(
            f"{name}={type(data).__name__}: give a DMatrix, a pair of features and labels, or an evaluation set's name."
        )
    features, labels = data
    rows = some_rows(len(labels))
    if rows is not None:
        features = features.iloc[rows] if hasattr(features, "iloc") else features[rows]
        labels = labels.iloc[rows] if hasattr(labels, "iloc") else np.asarray(labels)[rows]
    try:
        return xgboost.DMatrix(features, labels, enable_categorical=True)
    except (ValueError, TypeError, xgboost.core.XGBoostError) as error:
        raise InvalidArgumentError(f"XGBoost does not take {name} as data: {error}") from error


def _last(series: Any) -> float:
    value = series[-1]
    if isinstance(value, tuple):  # with cross-validation: mean and deviation
        value = value[0]
    return float(np.mean(value)) if isinstance(value, list) else float(value)  # linear: one for each class


def _number(text: Any) -> Any:
    try:
        return float(text) if "." in str(text) or "e" in str(text).lower() else int(text)
    except (TypeError, ValueError):
        return text
