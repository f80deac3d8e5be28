"""The report of a training by boosted trees."""

from pathlib import Path

import pytest
import xgboost
from sklearn.datasets import load_diabetes

import kernel_tools as kt
from kernel_tools.core.errors import NotFoundError
from kernel_tools.core.workspace import Workspace
from kernel_tools.debugger import XGBoostCallback
from kernel_tools.debugger.boosting import figures
from kernel_tools.debugger.boosting.report import report_html, write_report


def test_a_classification_is_kept_with_its_run(cancer, workspace: Workspace) -> None:
    X, X_valid, y, y_valid = cancer
    with kt.experiments.start_run("report", name="a <b> run", workspace=workspace) as run:
        callback = XGBoostCallback(run, rules=["CreateXgboostReport"], validation=(X_valid, y_valid))
        params = {"objective": "binary:logistic", "nthread": 1}
        xgboost.train(params, xgboost.DMatrix(X, y), 8, callbacks=[callback])
    page = run.open_artifact("debugger/boosting-report.html").read().decode()
    for title in ("Confusion", "ROC", "Importance", "SHAP", "Trees"):
        assert f"<h2>{title}</h2>" in page
    assert "<h2>Residuals</h2>" not in page
    assert "Evaluations: Nothing was evaluated" in page
    assert "a &lt;b&gt; run" in page
    assert "src=" not in page.split("<body>")[0]
    finding = kt.debugger.findings(run).findings[0]
    assert (finding.rule, finding.severity, finding.step) == ("CreateXgboostReport", "hint", 7)


def test_a_regression_shows_its_residuals(tmp_path: Path) -> None:
    X, y = load_diabetes(return_X_y=True)
    data = xgboost.DMatrix(X, y)
    callback = XGBoostCallback(tmp_path / "c", rules="none", train=data)
    xgboost.train({"nthread": 1}, data, 8, evals=[(data, "train")], verbose_eval=False, callbacks=[callback])
    trial = kt.debugger.open(tmp_path / "c")
    page = write_report(trial, tmp_path / "page.html").read_text()
    assert "<h2>Residuals</h2>" in page and "<h2>Evaluations</h2>" in page and "<h2>ROC</h2>" not in page
    assert len(figures.residuals(trial).data[0].x) == len(y)


def test_several_classes_have_a_curve_each(digits, tmp_path: Path) -> None:
    X, X_valid, y, y_valid = digits
    params = {"objective": "multi:softprob", "num_class": 10, "nthread": 1, "max_depth": 2}
    callback = XGBoostCallback(tmp_path, rules="none", validation=(X_valid, y_valid))
    xgboost.train(params, xgboost.DMatrix(X, y), 3, callbacks=[callback])
    figure = figures.receiver_operating(kt.debugger.open(tmp_path))
    assert len(figure.data) == 11


def test_a_capture_without_data_says_what_is_missing(cancer, tmp_path: Path) -> None:
    X, _, y, _ = cancer
    xgboost.train({"nthread": 1}, xgboost.DMatrix(X, y), 2, callbacks=[XGBoostCallback(tmp_path, rules="none")])
    page = report_html(kt.debugger.open(tmp_path))
    assert "give the callback data" in page
    with pytest.raises(NotFoundError, match="No predictions"):
        figures.last_predictions(kt.debugger.open(tmp_path))
