"""Watching without a change of code, and leaving nothing behind."""

from pathlib import Path

import lightgbm
import pytest
import xgboost

import kernel_tools as kt
from kernel_tools.core.workspace import Workspace
from kernel_tools.debugger import Config, Mode, XGBoostCallback
from kernel_tools.debugger.boosting import automatic


@pytest.fixture(autouse=True)
def _restored():
    yield
    automatic.restore()


def test_every_training_is_watched_until_the_functions_are_restored(cancer, digits, workspace: Workspace) -> None:
    before = (xgboost.train, xgboost.sklearn.train, lightgbm.train, lightgbm.sklearn.train)
    assert automatic.install(Config(rules="none")) == ["xgboost", "lightgbm"]
    assert automatic.install(Config(rules="none")) == []
    X, X_valid, y, y_valid = cancer
    with kt.experiments.start_run("automatic", workspace=workspace) as run:
        model = xgboost.XGBClassifier(n_estimators=4, n_jobs=1)
        model.fit(X, y, eval_set=[(X, y), (X_valid, y_valid)], verbose=False)
        trial = kt.debugger.open(run)
        assert trial.meta("failure") is None
        assert trial.losses(Mode.TRAIN)[1].tolist() == model.evals_result()["validation_0"]["logloss"]
        assert trial.losses(Mode.EVAL)[1].tolist() == model.evals_result()["validation_1"]["logloss"]
        confusion = trial.tensor("confusion").value(3, "EVAL")
        assert confusion.trace() == (model.predict(X_valid) == y_valid).sum()
        lightgbm.LGBMClassifier(n_estimators=3, n_jobs=1, verbose=-1).fit(X, y)
    trial = kt.debugger.open(run)
    assert trial.loaded_all_steps
    assert trial.scalars("trees/depth")[0].tolist() == [0, 1, 2, 3, 4, 5, 6]
    automatic.restore()
    assert (xgboost.train, xgboost.sklearn.train, lightgbm.train, lightgbm.sklearn.train) == before


def test_a_training_with_a_callback_of_its_own_is_left_alone(cancer, tmp_path: Path) -> None:
    X, _, y, _ = cancer
    automatic.install(Config())
    xgboost.train({"nthread": 1}, xgboost.DMatrix(X, y), 2, callbacks=[XGBoostCallback(tmp_path, rules="none")])
    assert len(kt.debugger.open(tmp_path).ticks()) == 2


def test_a_training_that_fails_raises_what_it_raised_and_the_capture_ends(cancer, workspace: Workspace) -> None:
    X, _, y, _ = cancer
    automatic.install(Config(rules="none"))

    def fail(*_arguments: object) -> None:
        raise KeyError("mine")

    with kt.experiments.start_run("automatic", workspace=workspace) as run:
        with pytest.raises(KeyError, match="mine"):
            xgboost.train({"nthread": 1}, xgboost.DMatrix(X, y), 5, obj=fail)
        assert kt.debugger.open(run).loaded_all_steps
