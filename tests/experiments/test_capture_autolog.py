"""Automatic capture of trainings: everything once, and the user's code as if nobody watched."""

import inspect
import pickle
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Iterator

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import DBSCAN, KMeans
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import DMatrix, XGBClassifier, XGBRegressor
from xgboost import train as train_xgboost

from kernel_tools import experiments
from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.experiments.capture import autolog as autolog_module
from kernel_tools.experiments.capture import boosting, estimators, fit, scikit_learn
from kernel_tools.experiments.capture.guard import CaptureWarning, forget_warnings

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(120, 3))
Y = (X[:, 0] + RANDOM.normal(size=120) > 0).astype(int)
TARGET = X @ [1.0, 2.0, 3.0]


@pytest.fixture
def autolog(workspace) -> Iterator[None]:
    """Switch autolog on for a test."""
    forget_warnings()
    experiments.autolog("auto")
    yield
    experiments.autolog(disable=True)


def all_runs() -> list[experiments.Run]:
    """Return all runs, the oldest first."""
    records, _ = experiments.search_run_records(order_by=["attributes.start_time ASC"])
    return [experiments.get_run(record.id) for record in records]


def only_run() -> experiments.Run:
    """Return the only run."""
    (run,) = all_runs()
    return run


@pytest.mark.usefixtures("autolog")
class TestScikitLearn:
    def test_a_fit_is_a_run_of_its_own(self):
        model = LogisticRegression(C=0.5).fit(X, Y)
        run = only_run()
        assert (run.experiment, run.name, run.status) == ("auto", "LogisticRegression", experiments.RunStatus.FINISHED)
        assert run.params["C"] == "0.5"
        assert run.metrics["train/accuracy"] == model.score(X, Y)
        assert set(run.metrics) == {
            f"train/{name}" for name in ("accuracy", "precision", "recall", "f1", "logloss", "auc")
        }
        assert run.tags["estimator_class"] == "sklearn.linear_model._logistic.LogisticRegression"

    def test_regressors_and_clusterers_have_their_own_metrics(self):
        LinearRegression().fit(X, y=TARGET)
        KMeans(2, n_init=1).fit(X)
        DBSCAN().fit(X)
        regression, clusters, density = all_runs()
        assert set(regression.metrics) == {"train/r2", "train/mae", "train/rmse"}
        assert set(clusters.metrics) == {"train/score"}
        assert density.metrics == {}

    def test_a_pipeline_is_one_run(self):
        make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)
        run = only_run()
        assert run.name == "Pipeline: StandardScaler, LogisticRegression"
        assert run.params["logisticregression"] == "LogisticRegression"
        assert run.params["logisticregression__C"] == "1.0"

    @pytest.mark.parametrize("jobs", [1, 2])
    def test_a_search_is_one_run_with_its_table_and_its_best_parameters(self, jobs):
        search = GridSearchCV(LogisticRegression(), {"C": [0.01, 1.0]}, cv=3, n_jobs=jobs).fit(X, Y)
        run = only_run()
        assert run.params["best.C"] == str(search.best_params_["C"])
        assert run.metrics["search/best_score"] == search.best_score_
        assert run.history("search/mean_test_score")["value"].tolist() == search.cv_results_["mean_test_score"].tolist()
        with run.open_artifact("search/results.csv") as file:
            assert len(file.read().splitlines()) == 3

    def test_a_search_that_keeps_no_model_is_recorded_too(self):
        GridSearchCV(Ridge(), {"alpha": [1, 2]}, refit=False, scoring=["r2", "neg_max_error"]).fit(X, TARGET)
        assert {"search/mean_test_r2", "search/mean_test_neg_max_error"} == set(only_run().metrics)

    @pytest.mark.parametrize("backend", ["threading", "loky", "sequential"])
    def test_parts_trained_in_workers_are_not_recorded_again(self, backend):
        with joblib.parallel_config(backend, n_jobs=2):
            BaggingClassifier(LogisticRegression(), n_estimators=4).fit(X, Y)
            VotingClassifier([("a", LogisticRegression()), ("b", KMeansClassifier())]).fit(X, Y)
        assert [run.name for run in all_runs()] == ["BaggingClassifier", "VotingClassifier"]

    def test_trainings_in_threads_of_the_user_are_each_recorded(self):
        threads = [threading.Thread(target=LogisticRegression(C=c).fit, args=(X, Y)) for c in (1.0, 2.0, 3.0)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(run.params["C"] for run in all_runs()) == ["1.0", "2.0", "3.0"]

    def test_trainings_in_joblib_threads_of_the_user_are_each_recorded(self):
        with joblib.parallel_config("threading", n_jobs=3):
            joblib.Parallel()(joblib.delayed(LogisticRegression(C=c).fit)(X, Y) for c in (1.0, 2.0, 3.0))
        assert sorted(run.params["C"] for run in all_runs()) == ["1.0", "2.0", "3.0"]

    def test_cross_validation_is_one_run_with_a_point_for_each_fold(self):
        scores = cross_val_score(LogisticRegression(), X, Y, cv=4)
        run = only_run()
        assert run.history("cv/score")["value"].tolist() == scores.tolist()
        assert run.metrics["cv/score/mean"] == scores.mean()
        assert cross_validate(Ridge(), X, TARGET, cv=3, scoring=["r2"], return_train_score=True).keys() >= {"test_r2"}
        assert {"cv/r2", "cv/train/r2"} <= all_runs()[1].metrics.keys()

    def test_preparation_alone_is_not_recorded(self):
        StandardScaler().fit(X)
        assert all_runs() == []

    def test_estimators_of_classes_made_later_are_recorded(self):
        KMeansClassifier().fit(X, Y)

        class Late(KMeansClassifier):
            def fit(self, features, target):
                return super().fit(features, target)

        Late().fit(X, Y)
        assert [run.name for run in all_runs()] == ["KMeansClassifier", "Late"]

    def test_a_failing_fit_raises_as_ever_and_its_run_has_failed(self):
        with pytest.raises(ValueError, match="'C' parameter"):
            LogisticRegression(C=-1).fit(X, Y)
        assert only_run().status is experiments.RunStatus.FAILED

    def test_an_interrupted_fit_is_killed(self):
        class Interrupted(KMeansClassifier):
            def fit(self, features, target):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            Interrupted().fit(X, Y)
        assert only_run().status is experiments.RunStatus.KILLED

    def test_too_many_rows_are_not_predicted_again_and_the_run_says_so(self):
        experiments.autolog("auto", max_training_rows=100)
        LogisticRegression().fit(X, Y)
        assert only_run().metrics == {}
        assert "120 rows" in only_run().tags["atelier.autolog.training_metrics"]

    def test_models_are_kept_on_request(self):
        import skops.io

        experiments.autolog("auto", log_models=True)
        model = LogisticRegression().fit(X, Y)
        XGBClassifier(n_estimators=2).fit(X, Y)
        linear, trees = all_runs()
        with linear.open_artifact("model/model.skops") as file:
            loaded = skops.io.loads(file.read())
        assert (loaded.predict(X) == model.predict(X)).all()
        assert trees.artifact("model/model.ubj").size > 0


@pytest.mark.usefixtures("autolog")
class TestActiveRun:
    def test_it_takes_the_training_and_stays_open(self):
        with experiments.start_run("mine", params={"C": "my own"}) as run:
            LogisticRegression().fit(X, Y)
            assert run.status is experiments.RunStatus.RUNNING
        assert only_run().id == run.id
        assert run.params["C"] == "my own"
        assert run.params["tol"] == "0.0001"

    def test_several_trainings_are_kept_apart_and_repetitions_are_points(self):
        with experiments.start_run("mine") as run:
            LinearRegression().fit(X, TARGET)
            Ridge(alpha=2).fit(X, TARGET)
            LinearRegression().fit(X, TARGET)
        assert len(run.history("train/r2")) == 2
        assert run.params["Ridge-2/alpha"] == "2"
        assert {"train/r2", "Ridge-2/train/r2"} <= run.metrics.keys()

    def test_an_ended_run_is_active_no_longer(self):
        with experiments.start_run("mine") as run:
            run.finish()
            LinearRegression().fit(X, TARGET)
        assert [item.experiment for item in all_runs()] == ["mine", "auto"]

    def test_blocks_nest_and_threads_have_their_own(self):
        seen = []
        with experiments.start_run("outer") as outer:
            with experiments.start_run("inner") as inner:
                assert experiments.active_run() is inner
            assert experiments.active_run() is outer
            thread = threading.Thread(target=lambda: seen.append(experiments.active_run()))
            thread.start()
            thread.join()
        assert seen == [None]
        assert experiments.active_run() is None

    def test_a_run_of_its_own_is_active_during_the_training(self):
        seen = []

        class Curious(KMeansClassifier):
            def fit(self, features, target):
                seen.append(experiments.active_run())
                return super().fit(features, target)

        Curious().fit(X, Y)
        assert seen[0].id == only_run().id


@pytest.mark.usefixtures("autolog")
class TestBoosting:
    def test_every_round_of_xgboost_is_a_point(self):
        model = XGBRegressor(n_estimators=6, eval_metric="rmse").fit(X, TARGET, eval_set=[(X, TARGET)], verbose=False)
        run = only_run()
        np.testing.assert_allclose(
            run.history("validation_0/rmse")["value"], model.evals_result()["validation_0"]["rmse"]
        )
        assert "max_depth" not in run.params
        assert run.params["n_estimators"] == "6"

    def test_early_stopping_tells_the_best_iteration(self):
        model = XGBClassifier(n_estimators=50, early_stopping_rounds=2).fit(
            X, Y, eval_set=[(X[:30], 1 - Y[:30])], verbose=False
        )
        assert only_run().metrics["best_iteration"] == model.best_iteration

    def test_xgboost_at_the_end_of_a_pipeline_is_followed(self):
        pipeline = make_pipeline(StandardScaler(), XGBClassifier(n_estimators=3))
        pipeline.fit(X, Y, xgbclassifier__eval_set=[(X, Y)], xgbclassifier__verbose=False)
        assert len(only_run().history("validation_0/logloss")) == 3

    def test_a_train_that_was_imported_before_is_recorded(self):
        data = DMatrix(X, label=Y)
        train_xgboost({"max_depth": 2}, data, 4, evals=[(data, "train")], verbose_eval=False)
        run = only_run()
        assert run.name == "xgboost.train"
        assert run.params == {"max_depth": "2", "num_boost_round": "4", "verbose_eval": "False"}
        assert len(run.history("train/rmse")) == 4

    def test_a_logger_of_the_user_is_not_doubled(self):
        with experiments.start_run("mine") as run:
            logger = experiments.xgboost_logger(run, ["train"])
            XGBClassifier(n_estimators=3, callbacks=[logger]).fit(X, Y, eval_set=[(X, Y)], verbose=False)
        assert "validation_0/logloss" not in run.metrics
        assert len(run.history("train/logloss")) >= 3

    def test_lightgbm_is_followed(self):
        lightgbm = pytest.importorskip("lightgbm")
        lightgbm.LGBMClassifier(n_estimators=5, verbose=-1, min_child_samples=5).fit(X, Y, eval_set=[(X, Y)])
        data = lightgbm.Dataset(X, label=Y)
        lightgbm.train({"objective": "binary", "verbose": -1}, data, 4, valid_sets=[data], valid_names=["all"])
        estimator, booster = all_runs()
        (series,) = [key for key in estimator.metrics if key.endswith("binary_logloss")]
        assert len(estimator.history(series)) == 5
        assert len(booster.history("all/binary_logloss")) == 4


class TestUserCode:
    def test_disable_brings_back_what_was(self, workspace):
        before = (LogisticRegression.__dict__["fit"], train_xgboost, BaseEstimator.__dict__.get("__init_subclass__"))
        experiments.autolog()
        experiments.autolog("twice")
        assert LogisticRegression.__dict__["fit"] is not before[0]
        experiments.autolog(disable=True)
        assert (
            LogisticRegression.__dict__["fit"],
            train_xgboost,
            BaseEstimator.__dict__.get("__init_subclass__"),
        ) == before
        experiments.autolog(disable=True)
        LogisticRegression().fit(X, Y)
        assert all_runs() == []

    @pytest.mark.usefixtures("autolog")
    def test_estimators_look_and_travel_as_ever(self):
        original = inspect.signature(LogisticRegression.__dict__["fit"].original)
        assert inspect.signature(LogisticRegression.fit) == original
        assert "self" not in inspect.signature(LogisticRegression().fit).parameters
        assert LogisticRegression().fit.__name__ == "fit"
        model = pickle.loads(pickle.dumps(LogisticRegression().fit(X, Y)))
        assert (model.predict(X) == LogisticRegression().fit(X, Y).predict(X)).all()

    def test_a_class_of_a_notebook_travels_to_worker_processes(self, workspace):
        script = """
        import numpy as np, kernel_tools as kt
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import GridSearchCV

        kt.experiments.autolog("auto")

        class Mine(LogisticRegression):
            def fit(self, X, y):
                return super().fit(X, y)

        X = np.random.default_rng(0).normal(size=(60, 2))
        GridSearchCV(Mine(), {"C": [1, 2]}, n_jobs=2).fit(X, X[:, 0] > 0)
        (record,) = kt.experiments.search_run_records()[0]
        print(record.name, record.status.value)
        """
        command = [sys.executable, "-W", "error::UserWarning", "-c", textwrap.dedent(script)]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        assert answer.stdout == "GridSearchCV: Mine FINISHED\n"

    def test_libraries_are_hooked_when_they_are_imported_and_not_imported_before(self, workspace):
        script = """
        import sys, kernel_tools as kt
        kt.experiments.autolog("auto")
        assert "sklearn" not in sys.modules and "xgboost" not in sys.modules
        import numpy as np
        from xgboost import XGBClassifier, train
        from sklearn.linear_model import Ridge
        X = np.arange(20.0).reshape(10, 2)
        Ridge().fit(X, X[:, 0])
        XGBClassifier(n_estimators=3).fit(X, X[:, 0] > 8, eval_set=[(X, X[:, 0] > 8)], verbose=False)
        for record in kt.experiments.search_run_records(order_by=["attributes.start_time"])[0]:
            print(record.name, len(kt.experiments.get_run(record.id).metrics))
        import xgboost
        assert type(xgboost.__spec__.loader).__name__ == "SourceFileLoader"
        """
        answer = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True
        )
        assert answer.stdout.splitlines() == ["Ridge 3", "XGBClassifier 7"]

    def test_only_the_libraries_asked_for_are_recorded(self, workspace):
        with pytest.raises(InvalidArgumentError, match="'keras'"):
            experiments.autolog(libraries=["keras"])
        experiments.autolog(libraries=["xgboost"])
        try:
            LogisticRegression().fit(X, Y)
            XGBClassifier(n_estimators=1).fit(X, Y)
        finally:
            experiments.autolog(disable=True)
        assert [run.name for run in all_runs()] == ["XGBClassifier"]


FAILING_PARTS = [
    (fit, "start_run"),
    (scikit_learn, "open_training"),
    (boosting, "open_training"),
    (estimators, "is_predictor"),
    (estimators, "title_of"),
    (estimators, "params_of"),
    (estimators, "training_metrics"),
    (estimators, "is_search"),
    (estimators, "best_iteration"),
    (fit.Training, "log_metrics"),
    (experiments.Run, "log_metrics"),
    (experiments.Run, "log_text"),
    (experiments.Run, "finish"),
    (boosting, "_follow"),
    (scikit_learn, "keep_model"),
    (autolog_module.ImportWatcher, "_callback"),
]


@pytest.mark.parametrize(
    ("owner", "name"), FAILING_PARTS, ids=[f"{owner.__name__}.{name}" for owner, name in FAILING_PARTS]
)
def test_a_failure_of_capture_never_fails_a_training(owner, name, workspace, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("injected")

    forget_warnings()
    monkeypatch.setattr(owner, name, fail, raising=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        experiments.autolog("auto", log_models=True)
        try:
            for _ in range(2):
                expected = LogisticRegression().fit(X, Y).predict(X)
                GridSearchCV(Ridge(), {"alpha": [1, 2]}).fit(X, TARGET)
                XGBClassifier(n_estimators=2).fit(X, Y, eval_set=[(X, Y)], verbose=False)
                train_xgboost({}, DMatrix(X, label=Y), 2)
        finally:
            experiments.autolog(disable=True)
    assert len(expected) == len(X)
    messages = [str(item.message) for item in caught if item.category is CaptureWarning]
    assert len(messages) == len(set(messages)) and all("injected" in message for message in messages)
    assert LogisticRegression.__dict__["fit"].__class__.__name__ == "function"


def test_a_failing_capture_is_silent_where_warnings_are_errors(workspace, monkeypatch):
    forget_warnings()
    monkeypatch.setattr(fit, "start_run", lambda *_, **__: 1 / 0)
    experiments.autolog("auto")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model = LogisticRegression().fit(X, Y)
    finally:
        experiments.autolog(disable=True)
    assert model.score(X, Y) > 0.5
    assert experiments.search_runs(workspace=workspace).empty


class KMeansClassifier(ClassifierMixin, BaseEstimator):
    """An estimator of a user."""

    def fit(self, features, target):
        self.classes_ = np.unique(target)
        self.means_ = np.array([features[target == value].mean(axis=0) for value in self.classes_])
        return self

    def predict(self, features):
        distances = ((features[:, None] - self.means_) ** 2).sum(axis=2)
        return self.classes_[distances.argmin(axis=1)]
