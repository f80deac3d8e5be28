"""XGBoost's evaluations in a run."""

import numpy as np
import xgboost

from kernel_tools import experiments


def test_every_round_is_logged_under_the_names_given(workspace):
    random = np.random.default_rng(0)
    features, target = random.normal(size=(200, 3)), random.integers(0, 2, 200)
    run = experiments.start_run("xgb", workspace=workspace)
    model = xgboost.XGBClassifier(
        n_estimators=7,
        eval_metric=["auc", "logloss"],
        callbacks=[experiments.xgboost_logger(run, ["train", "validation"])],
    )
    halves = [(features[:150], target[:150]), (features[150:], target[150:])]
    model.fit(features, target, eval_set=halves, verbose=False)
    assert set(run.metrics) == {"train/auc", "train/logloss", "validation/auc", "validation/logloss"}
    history = run.history("validation/auc")
    assert history["step"].tolist() == list(range(7))
    np.testing.assert_allclose(history["value"], model.evals_result()["validation_1"]["auc"])


def test_cross_validation_logs_the_mean(workspace):
    random = np.random.default_rng(0)
    matrix = xgboost.DMatrix(random.normal(size=(200, 3)), label=random.integers(0, 2, 200))
    run = experiments.start_run("cv", workspace=workspace)
    parameters = {"objective": "binary:logistic"}
    result = xgboost.cv(parameters, matrix, num_boost_round=4, callbacks=[experiments.xgboost_logger(run)])
    np.testing.assert_allclose(run.history("test/logloss")["value"], result["test-logloss-mean"], rtol=1e-6)
