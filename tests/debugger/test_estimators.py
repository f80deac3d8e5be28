"""Watching scikit-learn's estimators: what is captured, and what they learn."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_diabetes, load_digits
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor

import kernel_tools as kt
from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.debugger import Mode, SaveConfig, watch_estimator

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
EVERY = SaveConfig(every=1)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return train_test_split(X / 16, np.array(list("abcdefghij"))[y], random_state=0)


@pytest.fixture(scope="module")
def diabetes():
    return train_test_split(*load_diabetes(return_X_y=True, as_frame=True), random_state=0)


@pytest.mark.parametrize(
    "estimator",
    [
        MLPClassifier(max_iter=6, random_state=0),
        MLPClassifier(max_iter=6, random_state=0, early_stopping=True),
        GradientBoostingClassifier(n_estimators=4, subsample=0.7, random_state=0),
        LogisticRegression(max_iter=300),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_it_learns_the_same_as_unwatched(digits, tmp_path: Path, estimator) -> None:
    X, X_valid, y, y_valid = digits
    plain = clone(estimator).fit(X, y)
    watched = watch_estimator(estimator, run=tmp_path, save=EVERY, rules="none", validation=(X_valid, y_valid))
    watched.fit(X, y)
    assert np.array_equal(watched.predict_proba(X_valid), plain.predict_proba(X_valid))
    assert watched.score(X_valid, y_valid) == plain.score(X_valid, y_valid)
    trial = kt.debugger.open(tmp_path)
    assert trial.meta("failure") is None and trial.loaded_all_steps
    last = trial.steps(Mode.EVAL)[-1]
    assert trial.tensor("confusion").value(last, "EVAL").trace() == (plain.predict(X_valid) == y_valid).sum()


def test_every_pass_of_a_network_is_seen_with_its_weights(digits, tmp_path: Path) -> None:
    X, X_valid, y, y_valid = digits
    network = MLPClassifier((16,), max_iter=5, random_state=0)
    watched = watch_estimator(network, run=tmp_path, save=EVERY, validation=(X_valid, y_valid)).fit(X, y)
    trial = kt.debugger.open(tmp_path)
    assert trial.losses(Mode.TRAIN)[1].tolist() == watched.loss_curve_
    assert len(trial.losses(Mode.EVAL)[1]) == 5
    weight = trial.tensor("layer0.weight")
    assert weight.info.shape == (16, 64) and weight.info.kind == "Linear"
    assert weight.reduction_value(4, "std") == pytest.approx(watched.coefs_[0].std(), rel=1e-5)


def test_gradient_boosting_is_seen_with_its_trees_in_the_unit_of_its_loss(diabetes, tmp_path: Path) -> None:
    X, X_valid, y, y_valid = diabetes
    model = GradientBoostingRegressor(n_estimators=5, max_depth=2, random_state=0)
    watched = watch_estimator(model, run=tmp_path, save=EVERY, validation=(X_valid, y_valid)).fit(X, y)
    trial = kt.debugger.open(tmp_path)
    assert trial.losses(Mode.TRAIN)[1] == pytest.approx(watched.train_score_)
    errors = [np.mean((y_valid - predicted) ** 2) for predicted in watched.staged_predict(X_valid)]
    assert trial.losses(Mode.EVAL)[1] == pytest.approx(errors)
    assert trial.scalars("trees/depth")[1].tolist() == [2] * 5
    best = X.columns[np.argmax(watched.feature_importances_)]
    assert trial.scalars(f"feature_importance/total_gain/{best}")[1][-1] == max(watched.feature_importances_)


def test_an_own_monitor_still_stops_gradient_boosting(diabetes, tmp_path: Path) -> None:
    X, _, y, _ = diabetes
    watched = watch_estimator(GradientBoostingRegressor(n_estimators=50), run=tmp_path, rules="none")
    watched.fit(X, y, monitor=lambda stage, *_: stage == 3)
    assert watched.n_estimators_ == 4
    assert len(kt.debugger.open(tmp_path).ticks()) == 4


def test_an_online_learner_is_trained_pass_by_pass_and_stops_as_it_would(digits, tmp_path: Path) -> None:
    X, X_valid, y, y_valid = digits
    model = SGDClassifier(loss="log_loss", random_state=0)
    watched = watch_estimator(model, run=tmp_path, save=EVERY, validation=(X_valid, y_valid)).fit(X, y)
    trial = kt.debugger.open(tmp_path)
    steps, losses = trial.losses(Mode.TRAIN)
    assert model.n_iter_no_change < len(steps) < 200
    assert losses[-1] < losses[0]
    assert watched.score(X_valid, y_valid) > 0.9
    assert watched.estimator_.random_state == 0


def test_one_that_cannot_be_seen_inside_gives_its_own_curve(digits, tmp_path: Path) -> None:
    X, X_valid, y, y_valid = digits
    model = HistGradientBoostingClassifier(max_iter=4, early_stopping=True)
    watch_estimator(model, run=tmp_path, rules="none", validation=(X_valid, y_valid)).fit(X, y)
    trial = kt.debugger.open(tmp_path)
    assert len(trial.scalars("validation/score", Mode.EVAL)[1]) == 5
    assert trial.has_tensor("confusion")


def test_partial_fit_is_one_pass_for_each_call_until_it_is_closed(digits, tmp_path: Path) -> None:
    X, _, y, _ = digits
    watched = watch_estimator(MLPClassifier(random_state=0), run=tmp_path, rules="none")
    for start in range(0, 400, 100):
        watched.partial_fit(X[start : start + 100], y[start : start + 100], classes=np.unique(y))
    assert not kt.debugger.open(tmp_path).loaded_all_steps
    pickle.loads(pickle.dumps(watched))
    watched.close()
    trial = kt.debugger.open(tmp_path)
    assert trial.loaded_all_steps and len(trial.losses()[0]) == 4


def test_a_rule_that_is_told_to_stops_a_network(digits, tmp_path: Path) -> None:
    X, _, y, _ = digits

    class Always(kt.debugger.Rule):
        """Fires at once."""

        def invoke_at_step(self, step: int, trial: kt.debugger.Trial) -> bool:
            return True

    watched = watch_estimator(
        MLPClassifier(max_iter=100_000, tol=0, n_iter_no_change=100_000),
        run=tmp_path,
        rules=[Always()],
        actions=[kt.debugger.StopTraining(severity="warning")],
    )
    with pytest.warns(UserWarning, match="interrupted"):
        watched.fit(X[:50], y[:50])
    assert watched.n_iter_ < 100_000


def test_an_error_inside_detaches_it_and_the_estimator_learns_on(digits, tmp_path: Path, monkeypatch) -> None:
    X, _, y, _ = digits
    monkeypatch.setattr("kernel_tools.debugger.estimator_state.save_predictions", lambda *_: 1 / 0)
    watched = watch_estimator(MLPClassifier(max_iter=5, random_state=0), run=tmp_path)
    with pytest.warns(RuntimeWarning, match="detached itself") as said:
        watched.fit(X, y)
    assert len([one for one in said if "detached" in str(one.message)]) == 1
    assert watched.n_iter_ == 5
    assert "_update_no_improvement_count" not in vars(watched.estimator_)


def test_it_is_an_estimator_like_its_own(digits, tmp_path: Path) -> None:
    X, X_valid, y, y_valid = digits
    watched = watch_estimator(MLPClassifier(max_iter=3, random_state=0), run=tmp_path, rules="none")
    assert is_classifier(watched)
    search = GridSearchCV(watched, {"estimator__alpha": [1e-4, 1e-2]}, cv=2).fit(X[:200], y[:200])
    assert search.best_params_["estimator__alpha"] in (1e-4, 1e-2)
    with pytest.raises(AttributeError):
        _ = watched.nothing_of_this_name


def test_what_cannot_be_used_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="int is no estimator"):
        watch_estimator(3)
    with pytest.raises(InvalidArgumentError, match="validation=ndarray: give a pair"):
        watch_estimator(MLPRegressor(), validation=np.zeros(3))
