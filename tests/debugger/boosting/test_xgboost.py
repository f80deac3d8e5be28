"""Watching XGBoost: what is captured, and that the training does not notice."""

import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
import xgboost
from sklearn.model_selection import cross_val_score

import kernel_tools as kt
from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.workspace import Workspace
from kernel_tools.debugger import Mode, SaveConfig, XGBoostCallback
from kernel_tools.debugger.boosting.evaluation_names import name_sets

PARAMS = {"objective": "binary:logistic", "nthread": 1, "max_depth": 3, "seed": 0}


def matrices(cancer):
    X, X_valid, y, y_valid = cancer
    return xgboost.DMatrix(X, y), xgboost.DMatrix(X_valid, y_valid)


def train(cancer, callback=None, rounds=12, params=PARAMS, **options):
    dtrain, dvalid = matrices(cancer)
    callbacks = [] if callback is None else [callback(dtrain, dvalid) if callable(callback) else callback]
    evals = [(dtrain, "train"), (dvalid, "held_out")]
    return xgboost.train(params, dtrain, rounds, evals=evals, verbose_eval=False, callbacks=callbacks, **options)


def watcher(folder, **options):
    return lambda dtrain, dvalid: XGBoostCallback(folder, train=dtrain, validation=dvalid, **options)


def test_the_trees_are_the_same_as_without_it(cancer, tmp_path: Path) -> None:
    params = PARAMS | {"subsample": 0.7, "colsample_bynode": 0.5}
    plain = train(cancer, params=params)
    watched = train(cancer, watcher(tmp_path, rules="none", save=SaveConfig(every=1)), params=params)
    assert plain.save_raw("json") == watched.save_raw("json")


def test_evaluations_are_kept_of_every_round_and_named_by_what_they_are(cancer, tmp_path: Path) -> None:
    log: dict = {}
    train(cancer, watcher(tmp_path, rules="none", save=SaveConfig(first=2, budget=1e-9)), 40, evals_result=log)
    trial = kt.debugger.open(tmp_path)
    steps, values = trial.losses(Mode.TRAIN)
    assert steps.tolist() == list(range(40))
    assert values.tolist() == log["train"]["logloss"]
    assert trial.losses(Mode.EVAL)[1].tolist() == log["held_out"]["logloss"]
    assert trial.scalars("validation/logloss", Mode.EVAL)[1].tolist() == log["held_out"]["logloss"]
    assert trial.steps() == [0, 1, 2, 3, 5, 8, 12, 18, 27, 39]
    assert len(trial.ticks()) == 40
    assert trial.loaded_all_steps


def test_trees_are_described_as_xgboost_dumps_them(cancer, tmp_path: Path) -> None:
    model = train(cancer, watcher(tmp_path, rules="none", save=SaveConfig(every=1)))
    trial = kt.debugger.open(tmp_path)
    dump = model.trees_to_dataframe()
    for number in (0, 5, 11):
        tree = dump[dump["Tree"] == number]
        leaves = tree[tree["Feature"] == "Leaf"]
        assert trial.scalars("trees/leaves")[1][number] == len(leaves)
        assert trial.scalars("trees/largest_node")[1][number] == tree["Node"].max()
        stored = trial.tensor("trees/leaf_values").reduction_value(number, "mean")
        assert stored == pytest.approx(leaves["Gain"].mean(), rel=1e-4)
    assert trial.scalars("trees/depth")[1].max() <= 3


def test_importances_predictions_confusion_and_shap_are_what_the_model_says(cancer, tmp_path: Path) -> None:
    model = train(cancer, watcher(tmp_path, rules="none", save=SaveConfig(every=1, raw=("predictions",))))
    _, dvalid = matrices(cancer)
    trial = kt.debugger.open(tmp_path)
    for kind in ("weight", "gain", "total_gain"):
        prefix = f"feature_importance/{kind}/"
        found = {
            name.removeprefix(prefix): trial.scalars(name)[1][-1]
            for name in trial.tensor_names(collection="feature_importance")
            if name.startswith(prefix)
        }
        assert found == pytest.approx(model.get_score(importance_type=kind))
    predictions, labels = model.predict(dvalid), dvalid.get_label()
    assert trial.tensor("predictions").value(11, "EVAL") == pytest.approx(predictions)
    assert trial.tensor("labels").value(11, "EVAL") == pytest.approx(labels)
    assert trial.tensor("predictions").value(3, "EVAL") == pytest.approx(model[:4].predict(dvalid))
    confusion = trial.tensor("confusion").value(11, "EVAL")
    assert confusion.trace() == ((predictions > 0.5) == labels).sum()
    assert trial.tensor("labels/count").value(11, "EVAL").tolist() == np.bincount(labels.astype(int)).tolist()
    shap = np.abs(model.predict(dvalid, pred_contribs=True)[:, :-1]).mean(axis=0)
    assert np.argmax(trial.tensor("shap/average").value(11)) == np.argmax(shap)
    assert trial.meta("features")[:2] == ["mean radius", "mean texture"]
    assert trial.meta("hyperparameters")["max_depth"] == 3


def test_several_classes_by_the_scikit_learn_interface(digits, tmp_path: Path) -> None:
    X, X_valid, y, y_valid = digits
    callback = XGBoostCallback(tmp_path, train=(X, y), validation=(X_valid, y_valid))
    model = xgboost.XGBClassifier(n_estimators=4, max_depth=3, n_jobs=1, callbacks=[callback])
    model.fit(X, y, eval_set=[(X, y), (X_valid, y_valid)], verbose=False)
    trial = kt.debugger.open(tmp_path)
    assert len(trial.losses(Mode.TRAIN)[0]) == len(trial.losses(Mode.EVAL)[0]) == 4
    confusion = trial.tensor("confusion").value(3, "EVAL")
    assert confusion.shape == (10, 10)
    assert confusion.trace() == (model.predict(X_valid) == y_valid).sum()


@pytest.mark.parametrize("booster", ["gblinear", "dart"])
def test_other_boosters_are_watched_too(cancer, tmp_path: Path, booster: str) -> None:
    callback = watcher(tmp_path, rules="none")
    train(cancer, callback, 5, {"booster": booster, "objective": "binary:logistic", "nthread": 1})
    trial = kt.debugger.open(tmp_path)
    assert trial.meta("failure") is None
    assert trial.tensor("confusion").steps("EVAL") == [0, 1, 2, 3, 4]
    assert trial.has_tensor("trees/depth") == (booster == "dart")


def test_cross_validation_is_followed_by_its_mean(cancer, tmp_path: Path) -> None:
    dtrain, _ = matrices(cancer)
    table = xgboost.cv(PARAMS, dtrain, 5, nfold=3, callbacks=[XGBoostCallback(tmp_path)])
    losses = kt.debugger.open(tmp_path).losses(Mode.TRAIN)[1]
    assert losses == pytest.approx(table["train-logloss-mean"].to_numpy(), abs=1e-6)


def test_an_error_inside_detaches_it_and_is_said_once(cancer, tmp_path: Path, monkeypatch) -> None:
    def fail(*_arguments: object) -> None:
        raise ValueError("no trees today")

    monkeypatch.setattr("kernel_tools.debugger.boosting.xgboost.xgboost_trees", fail)
    with pytest.warns(RuntimeWarning, match="detached itself.*no trees today") as said:
        model = train(cancer, watcher(tmp_path))
    assert len(said) == 1
    assert model.num_boosted_rounds() == 12
    assert "no trees today" in kt.debugger.open(tmp_path).meta("failure")


def test_an_error_inside_ends_no_training_where_warnings_are_errors(cancer, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("kernel_tools.debugger.boosting.xgboost.xgboost_trees", lambda _: 1 / 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert train(cancer, watcher(tmp_path)).num_boosted_rounds() == 12


def test_a_rule_that_is_told_to_stops_the_training(cancer, tmp_path: Path) -> None:
    params = PARAMS | {"gamma": 1e9}
    actions = [kt.debugger.StopTraining(severity="warning")]
    model = train(cancer, watcher(tmp_path, rules=["TreeDepth"], actions=actions), 20_000, params)
    assert model.num_boosted_rounds() < 20_000
    finding = kt.debugger.findings(tmp_path).findings[0]
    assert (finding.rule, finding.severity) == ("TreeDepth", "warning")
    assert kt.debugger.open(tmp_path).loaded_all_steps


def test_one_callback_watches_one_training_after_another(cancer, tmp_path: Path) -> None:
    callback = XGBoostCallback(tmp_path)
    train(cancer, callback, 3)
    train(cancer, callback, 4)
    assert kt.debugger.open(tmp_path).losses(Mode.TRAIN)[0].tolist() == list(range(7))


def test_curves_are_metrics_of_the_run_unless_somebody_else_logs_them(cancer, workspace: Workspace) -> None:
    with kt.experiments.start_run("boosting", workspace=workspace) as run:
        run.log_metric("validation/logloss", 7.0, step=0)
        train(cancer, XGBoostCallback(run), 3)
    assert run.history("train/logloss")["step"].tolist() == [0, 1, 2]
    assert run.history("validation/logloss")["value"].tolist() == [7.0]


def test_clones_watch_for_themselves_and_other_processes_watch_nothing(cancer, tmp_path: Path) -> None:
    X, _, y, _ = cancer
    callback = XGBoostCallback(tmp_path, train=(X, y), rules="none")
    model = xgboost.XGBClassifier(n_estimators=2, n_jobs=1, callbacks=[callback])
    assert len(cross_val_score(model, X, y, cv=2)) == 2
    assert len(kt.debugger.open(tmp_path).ticks()) == 4
    revived = pickle.loads(pickle.dumps(model)).fit(X, y)
    assert revived.n_estimators == 2
    assert len(kt.debugger.open(tmp_path).ticks()) == 4


def test_what_cannot_be_used_is_refused_before_the_training() -> None:
    with pytest.raises(InvalidArgumentError, match="train=int: give a DMatrix"):
        XGBoostCallback(train=3)
    with pytest.raises(InvalidArgumentError, match="There is no rule 'TreeDeph'"):
        XGBoostCallback(rules=["TreeDeph"])


@pytest.mark.parametrize(
    ("names", "given", "expected"),
    [
        (["train", "eval"], {}, {"train": "train", "eval": "validation"}),
        (["dtest", "dtrain"], {}, {"dtest": "validation", "dtrain": "train"}),
        (["validation_0", "validation_1"], {}, {"validation_0": "train", "validation_1": "validation"}),
        (["validation_0"], {}, {"validation_0": "validation"}),
        (["a", "b", "c"], {"train": "b", "validation": "c"}, {"a": "a", "b": "train", "c": "validation"}),
        (["valid_0", "valid_1"], {}, {"valid_0": "valid_0", "valid_1": "valid_1"}),
    ],
)
def test_evaluation_sets_are_told_apart(names, given, expected) -> None:
    assert {name: shown for name, (_, shown) in name_sets(names, **given).items()} == expected
