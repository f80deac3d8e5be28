"""The callback that watches LightGBM."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from kernel_tools.core.errors import InvalidArgumentError, MissingExtraError
from kernel_tools.debugger.boosting.evaluation_names import first_loss, name_sets
from kernel_tools.debugger.boosting.predictions import classes_of, keep_predictions, save_predictions
from kernel_tools.debugger.boosting.shap_values import ShapSaver
from kernel_tools.debugger.boosting.trees import lightgbm_trees, save_importance, save_trees
from kernel_tools.debugger.records import Chooser, Mode, SaveConfig
from kernel_tools.debugger.rounds import RoundRecorder, Watcher, some_rows

try:
    import lightgbm
except ImportError as error:
    raise MissingExtraError("lightgbm", "lightgbm") from error

_THREADS = ("num_threads", "num_thread", "nthread", "nthreads", "n_jobs")


class LightGBMCallback:
    """A callback that captures a training of LightGBM, with rules that watch it.

    Of every round it keeps the evaluations and the time. Trees, importances, predictions and confusions of the training
    data and of the evaluation sets, and average SHAP values where data is given, are kept in the first rounds, then as
    often as the budget of `save` allows, and once more at the end. An error of its own detaches it and is said once.

    LightGBM tells callbacks nothing of an early end. Where another callback stops the training, the capture ends with
    the callback: when nothing refers to it any more, when it is used again, or by `close`; the end of its run and of
    the process close it too.

    Parameters
    ----------
    run, rules, save, collections, actions
        As of `XGBoostCallback`.
    train, validation
        The name of an evaluation set, to say which of them is which; or of `validation` a pair of features and labels,
        of which SHAP values are taken.

    Examples
    --------
    >>> watcher = kt.debugger.LightGBMCallback(validation=(X_valid, y_valid))                     # doctest: +SKIP
    >>> lightgbm.train(params, train_set, valid_sets=[valid_set], callbacks=[watcher])            # doctest: +SKIP
    """

    order = 15
    """After printing and recording, before early stopping."""
    before_iteration = False

    def __init__(
        self,
        run: Any = None,
        *,
        rules: str | Iterable[Any] = "default",
        save: SaveConfig | None = None,
        train: str | None = None,
        validation: Any = None,
        collections: Mapping[str, Chooser] | None = None,
        actions: Iterable[Any] = (),
    ) -> None:
        if train is not None and not isinstance(train, str):
            raise InvalidArgumentError(
                f"train={type(train).__name__}: LightGBM knows its training data; give an evaluation set's name, or "
                "nothing."
            )
        self._watcher = Watcher("lightgbm", run, rules, save, collections, actions)
        self._names = (train, validation if isinstance(validation, str) else None)
        self._features = _some_features(validation)
        self._shap = ShapSaver()
        self._shown: dict[str, tuple[Mode, str]] = {}
        self._objective, self._classes = "", 0
        self._rate, self._rows, self._threads = float("nan"), 0, 0
        self._has_predictions = True

    def __del__(self) -> None:
        with suppress(Exception):  # the interpreter may be ending
            self.close()

    @property
    def failure(self) -> str | None:
        """Why the callback has detached itself; None if it has not."""
        return self._watcher.failure

    def close(self) -> None:
        """End the capture; a training that takes all of its rounds does it too."""
        watcher = getattr(self, "_watcher", None)
        if watcher is not None:
            watcher.close()

    def __call__(self, environment: Any) -> None:
        """Record a round; ends the training if an action of a rule wants that."""
        if environment.iteration == environment.begin_iteration:
            self._watcher.guard(self._watcher.close)
            self._watcher.failure = None
            self._watcher.guard(self._begin, environment)
        if not self._watcher.is_open:
            return
        self._watcher.guard(self._record, environment)
        reason = self._watcher.stop_reason
        is_last = environment.iteration + 1 >= environment.end_iteration
        if is_last or reason is not None:
            self._watcher.guard(self._end, environment.model)
        if reason is not None:
            raise lightgbm.callback.EarlyStopException(
                environment.iteration, list(environment.evaluation_result_list or ())
            )

    def _begin(self, environment: Any) -> None:
        recorder = self._watcher.open()
        params, model = environment.params, environment.model
        is_booster = isinstance(model, lightgbm.Booster)
        self._shown, self._shap, self._has_predictions = {}, ShapSaver(), is_booster
        objective = params.get("objective") or "regression"
        self._objective = objective if isinstance(objective, str) else "custom"
        self._classes = classes_of(self._objective, int(params.get("num_class", 0)))
        self._rate = float(params.get("learning_rate", 0.1))
        self._threads = next((int(params[name]) for name in _THREADS if params.get(name) is not None), 0)
        self._rows = int(model.train_set.num_data()) if is_booster else 0
        plain = {name: value for name, value in params.items() if isinstance(value, bool | int | float | str)}
        meta = {
            "model": type(model).__name__,
            "has_loss": False,
            "compiled": False,
            "hyperparameters": {"max_depth": -1, "num_leaves": 31, **plain, "objective": self._objective},
            "optimizer": {"class": "LightGBM", "lr": self._rate},
            "loss_kind": self._objective,
            "classes": self._classes,
            "batch_size": self._rows,
            "features": model.feature_name()[:10_000] if is_booster else [],
        }
        for key, value in meta.items():
            recorder.session.writer.set_meta(key, value)

    def _record(self, environment: Any) -> None:
        recorder = self._watcher.recorder
        assert recorder is not None
        results = list(environment.evaluation_result_list or ())
        if not self._shown and results:
            self._shown = name_sets(list(dict.fromkeys(row[0] for row in results)), *self._names)
        metrics = {
            (self._shown[row[0]][0], f"{self._shown[row[0]][1]}/{row[1]}"): float(row[2])
            for row in results
            if row[0] in self._shown
        }
        recorder.end_round(
            metrics,
            lambda: self._save(recorder, environment.model),
            loss=first_loss(metrics.items()),
            rate=self._rate,
            rows=self._rows,
        )
        recorder.begin_round()

    def _save(self, recorder: RoundRecorder, model: Any, is_last: bool = False) -> None:
        if not isinstance(model, lightgbm.Booster):
            return  # cross-validation: its models are not ours to look into
        save_trees(recorder, lightgbm_trees(model, model.current_iteration() - 1))
        names = model.feature_name()
        for kind, shown in (("split", "weight"), ("gain", "total_gain")):
            scores = model.feature_importance(kind).tolist()
            save_importance(recorder, shown, dict(zip(names, scores, strict=True)))
        for mode, predictions, labels in self._predictions(model):
            save_predictions(recorder, mode, predictions, labels, self._classes)
            if is_last:
                keep_predictions(recorder, mode, predictions, labels)
        if self._features is not None:
            self._shap.save(recorder, self._explain(model), model.current_iteration(), is_last=is_last)

    def _predictions(self, model: Any) -> list[tuple[Mode, np.ndarray[Any, Any], Any]]:
        """Return what the model says of its training data and of the validation data: LightGBM keeps that itself."""
        found: list[tuple[Mode, np.ndarray[Any, Any], Any]] = []

        def collect(predictions: np.ndarray[Any, Any], data: Any) -> tuple[str, float, bool]:
            if len(found) < 2:
                found.append((Mode.EVAL if found else Mode.TRAIN, np.array(predictions), data.get_label()))
            return "seen", 0.0, True

        model.eval_train(collect)
        if model.valid_sets:
            model.eval_valid(collect)
        return found

    def _explain(self, model: Any) -> Any:
        def explain(count: int) -> np.ndarray[Any, Any]:
            # Not of the model itself: while it is trained its trees do not know their depths, and LightGBM aborts.
            copy = lightgbm.Booster(model_str=model.model_to_string())
            # The threads of a prediction stay those of the process, and so of the training.
            found = copy.predict(self._features[:count], pred_contrib=True, num_threads=self._threads)
            contributions = np.asarray(found)
            return contributions.reshape(len(contributions), -1, model.num_feature() + 1)

        return explain

    def _end(self, model: Any) -> None:
        recorder = self._watcher.recorder
        assert recorder is not None
        recorder.add_last(lambda: self._save(recorder, model, is_last=True))
        self._watcher.close()


def _some_features(validation: Any) -> Any:
    """Return the features of the rows that SHAP values are taken of."""
    if validation is None or isinstance(validation, str):
        return None
    if not isinstance(validation, Sequence) or len(validation) != 2:
        raise InvalidArgumentError(
            f"validation={type(validation).__name__}: give a pair of features and labels, or an evaluation set's name."
        )
    features = validation[0]
    rows = some_rows(features.shape[0], ShapSaver.MOST_ROWS)
    if rows is None:
        return features
    return features.iloc[rows] if hasattr(features, "iloc") else features[rows]
