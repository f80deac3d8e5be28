"""`mlflow-skinny` alone, without pandas and scikit-learn; see `scripts.mlflow_flavours`."""

import mlflow
from mlflow.entities import Metric


def case_the_skinny_client_tracks_and_registers(client, experiment_id, folder):
    mlflow.set_experiment(experiment_id=experiment_id)
    with mlflow.start_run(tags={"from": "skinny"}) as run:
        mlflow.log_params({"depth": 3})
        mlflow.log_metric("auc", 0.5, step=1)
        client.log_batch(run.info.run_id, metrics=[Metric("loss", 1.0 / step, step, step) for step in range(1, 100)])
        (folder / "model.txt").write_text("weights")
        mlflow.log_artifacts(str(folder), "model")
    assert client.get_run(run.info.run_id).data.metrics["auc"] == 0.5
    assert len(client.get_metric_history(run.info.run_id, "loss")) == 99
    assert [item.path for item in client.list_artifacts(run.info.run_id, "model")] == ["model/model.txt"]
    assert [found.info.run_id for found in client.search_runs([experiment_id], "params.depth = '3'")] == [
        run.info.run_id
    ]
    name = f"skinny {experiment_id}"
    client.create_registered_model(name)
    version = client.create_model_version(name, f"{run.info.artifact_uri}/model", run.info.run_id)
    client.set_registered_model_alias(name, "champion", version.version)
    assert client.get_model_version_by_alias(name, "champion").version == "1"
