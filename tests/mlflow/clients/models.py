"""Whole models: logged, registered, loaded again, and what the autologgers do."""

import mlflow
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

X = pd.DataFrame({"age": [20.0, 30.0, 50.0, 60.0] * 5, "hours": [10.0, 20.0, 40.0, 50.0] * 5})
Y = np.array([0, 0, 1, 1] * 5)


def case_a_model_is_logged_registered_and_loaded(client, experiment_id):
    mlflow.set_experiment(experiment_id=experiment_id)
    model = LogisticRegression().fit(X, Y)
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(
            model, name="classifier", registered_model_name=f"census {experiment_id}", input_example=X.head(2)
        )
    loaded = mlflow.pyfunc.load_model(f"models:/census {experiment_id}/1")
    assert list(loaded.predict(X)) == list(model.predict(X))
    assert list(mlflow.sklearn.load_model(info.model_uri).predict(X)) == list(model.predict(X))
    assert list(mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/classifier").predict(X)) == list(model.predict(X))
    version = client.get_model_version(f"census {experiment_id}", "1")
    assert version.run_id == run.info.run_id
    client.set_registered_model_alias(version.name, "champion", "1")
    assert mlflow.pyfunc.load_model(f"models:/{version.name}@champion").metadata.signature is not None
    outputs = client.get_run(run.info.run_id).outputs.model_outputs
    assert [output.model_id for output in outputs] == [info.model_id]
    assert client.get_logged_model(info.model_id).status.value == "READY"
    second = mlflow.register_model(f"runs:/{run.info.run_id}/classifier", version.name)
    assert second.version == "2"
    assert list(mlflow.pyfunc.load_model(f"models:/{version.name}/latest").predict(X)) == list(model.predict(X))


def case_a_model_of_own_code_is_logged_and_loaded(experiment_id):
    class Twice(mlflow.pyfunc.PythonModel):
        def predict(self, model_input: list[str]) -> list[str]:
            return [text * 2 for text in model_input]

    mlflow.set_experiment(experiment_id=experiment_id)
    with mlflow.start_run():
        info = mlflow.pyfunc.log_model(name="twice", python_model=Twice())
    assert mlflow.pyfunc.load_model(info.model_uri).predict(["ab"]) == ["abab"]


def case_scikit_learn_is_logged_by_itself(client, experiment_id):
    mlflow.set_experiment(experiment_id=experiment_id)
    mlflow.sklearn.autolog()
    try:
        with mlflow.start_run() as run:
            LogisticRegression(C=0.5).fit(X, Y)
    finally:
        mlflow.sklearn.autolog(disable=True)
    found = client.get_run(run.info.run_id)
    assert found.data.params["C"] == "0.5"
    assert found.data.metrics["training_accuracy_score"] == 1.0
    assert found.data.tags["estimator_name"] == "LogisticRegression"
    assert found.inputs.dataset_inputs[0].dataset.schema
    model_id = found.outputs.model_outputs[0].model_id
    assert list(mlflow.sklearn.load_model(f"models:/{model_id}").predict(X)) == list(Y)


def case_a_search_of_scikit_learn_has_child_runs(client, experiment_id):
    mlflow.set_experiment(experiment_id=experiment_id)
    mlflow.sklearn.autolog()
    try:
        with mlflow.start_run() as run:
            GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0, 10.0]}, cv=2).fit(X, Y)
    finally:
        mlflow.sklearn.autolog(disable=True)
    children = client.search_runs([experiment_id], f"tags.mlflow.parentRunId = '{run.info.run_id}'")
    assert sorted(child.data.params["C"] for child in children) == ["0.1", "1.0", "10.0"]
    assert "best_C" in client.get_run(run.info.run_id).data.params


def case_xgboost_is_logged_by_itself(client, experiment_id):
    import xgboost

    mlflow.set_experiment(experiment_id=experiment_id)
    mlflow.xgboost.autolog()
    try:
        with mlflow.start_run() as run:
            data = xgboost.DMatrix(X, label=Y)
            booster = xgboost.train({"max_depth": 2, "objective": "binary:logistic"}, data, 7, evals=[(data, "train")])
    finally:
        mlflow.xgboost.autolog(disable=True)
    found = client.get_run(run.info.run_id)
    assert found.data.params["max_depth"] == "2"
    assert len(client.get_metric_history(run.info.run_id, "train-logloss")) == 7
    assert "feature_importance_weight.json" in [file.path for file in client.list_artifacts(run.info.run_id)]
    model_id = found.outputs.model_outputs[0].model_id
    loaded = mlflow.xgboost.load_model(f"models:/{model_id}")
    assert np.allclose(loaded.predict(data), booster.predict(data))
