"""Watching LightGBM: what is captured, and that the training does not notice."""

from pathlib import Path

import lightgbm
import numpy as np
import pytest

import kernel_tools as kt
from kernel_tools.debugger import LightGBMCallback, Mode, SaveConfig

PARAMS = {"objective": "binary", "num_threads": 1, "verbose": -1, "num_leaves": 7}


def train(cancer, callbacks=(), rounds=12, params=PARAMS, **options):
    X, X_valid, y, y_valid = cancer
    data = lightgbm.Dataset(X, y)
    valid = lightgbm.Dataset(X_valid, y_valid, reference=data)
    names = ["train", "held_out"]
    sets = [data, valid]
    return lightgbm.train(params, data, rounds, sets, names, callbacks=list(callbacks), **options)


def test_the_trees_are_the_same_as_without_it(cancer, tmp_path: Path) -> None:
    params = PARAMS | {"bagging_fraction": 0.7, "bagging_freq": 1, "feature_fraction": 0.5}
    _, X_valid, _, y_valid = cancer
    callback = LightGBMCallback(tmp_path, save=SaveConfig(every=1), validation=(X_valid, y_valid), rules="none")
    plain, watched = train(cancer, params=params), train(cancer, [callback], params=params)
    assert plain.model_to_string() == watched.model_to_string()
    assert callback.failure is None


def test_everything_is_what_the_model_says(cancer, tmp_path: Path) -> None:
    _, X_valid, _, y_valid = cancer
    log: dict = {}
    callback = LightGBMCallback(tmp_path, save=SaveConfig(every=1), validation=(X_valid, y_valid), rules="none")
    model = train(cancer, [lightgbm.record_evaluation(log), callback])
    trial = kt.debugger.open(tmp_path)
    assert trial.loaded_all_steps
    assert trial.losses(Mode.TRAIN)[1].tolist() == log["train"]["binary_logloss"]
    assert trial.losses(Mode.EVAL)[1].tolist() == log["held_out"]["binary_logloss"]
    table = model.trees_to_dataframe()
    last = table[table["tree_index"] == 11]
    assert trial.scalars("trees/leaves")[1][-1] == last["left_child"].isna().sum()
    assert trial.scalars("trees/depth")[1][-1] == last["node_depth"].max() - 1
    gain = dict(zip(model.feature_name(), model.feature_importance("gain"), strict=True))
    best = max(gain, key=lambda name: gain[name])
    assert trial.scalars(f"feature_importance/total_gain/{best}")[1][-1] == pytest.approx(gain[best], rel=1e-4)
    confusion = trial.tensor("confusion").value(11, "EVAL")
    assert confusion.trace() == ((model.predict(X_valid) > 0.5) == y_valid).sum()
    shap = np.abs(np.asarray(model.predict(X_valid, pred_contrib=True))[:, :-1]).mean(axis=0)
    assert np.argmax(trial.tensor("shap/average").value(11)) == np.argmax(shap)


def test_several_classes_by_the_scikit_learn_interface(digits, tmp_path: Path) -> None:
    X, X_valid, y, y_valid = digits
    model = lightgbm.LGBMClassifier(n_estimators=3, n_jobs=1, verbose=-1)
    model.fit(X, y, eval_set=[(X_valid, y_valid)], callbacks=[LightGBMCallback(tmp_path, rules="none")])
    trial = kt.debugger.open(tmp_path)
    confusion = trial.tensor("confusion").value(2, "EVAL")
    assert confusion.shape == (10, 10)
    assert confusion.trace() == (model.predict(X_valid) == y_valid).sum()


def test_an_early_end_closes_the_capture_with_the_callback(cancer, tmp_path: Path) -> None:
    stop = lightgbm.early_stopping(3, verbose=False)
    model = train(cancer, [LightGBMCallback(tmp_path, rules="none"), stop], 500, PARAMS | {"learning_rate": 0.5})
    trial = kt.debugger.open(tmp_path)
    assert model.current_iteration() < 500
    assert trial.loaded_all_steps
    assert len(trial.ticks()) == len(trial.losses(Mode.EVAL)[0])


def test_a_rule_that_is_told_to_stops_the_training(cancer, tmp_path: Path) -> None:
    params = PARAMS | {"min_gain_to_split": 1e9}
    actions = [kt.debugger.StopTraining(severity="warning")]
    callback = LightGBMCallback(tmp_path, rules=["TreeDepth"], actions=actions)
    train(cancer, [callback], 20_000, params)
    assert 0 < len(kt.debugger.open(tmp_path).ticks()) < 20_000
    assert callback.failure is None


def test_an_error_inside_detaches_it_and_is_said_once(cancer, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("kernel_tools.debugger.boosting.lightgbm.lightgbm_trees", lambda *_: 1 / 0)
    with pytest.warns(RuntimeWarning, match="detached itself.*ZeroDivisionError") as said:
        model = train(cancer, [LightGBMCallback(tmp_path)])
    assert len(said) == 1
    assert model.current_iteration() == 12
