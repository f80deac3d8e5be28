"""Fills stores of MLflow's own, run in MLflow's environment: `write_store.py FOLDER TRACKING_URI ...`.

Everything that an import must bring over is in it, odd values first.
"""

import math
import os
import sys
import warnings
from pathlib import Path

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
warnings.filterwarnings("ignore")

import mlflow  # noqa: E402
from mlflow.entities import (  # noqa: E402
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    Param,
    RunTag,
)

MANY = 25_000


def write_odd_values(client):
    experiment_id = client.create_experiment("odd values", tags={"team": "risk", "note": "two\nlines", "empty": ""})
    run = client.create_run(experiment_id, start_time=1_600_000_000_123, run_name="Ünïcode / run", tags={"k": "v"})
    run_id = run.info.run_id
    numbers = [math.nan, math.inf, -math.inf, 5e-324, -0.0, 1e308, 0.1]
    client.log_batch(
        run_id,
        metrics=[Metric("odd", value, 1000 + step, step) for step, value in enumerate(numbers)]
        + [Metric("steps", 1.0, 5, -3), Metric("steps", 2.0, 5, -3), Metric("steps", 2.0, 4, 2**40)]
        + [Metric("val/acc é", 0.5, 1, 0)],
        params=[Param("long", "x" * 5999), Param("empty", ""), Param("text", "a'b\"c\n\\ ☃"), Param("a/b", "1")],
        tags=[RunTag("lines", "one\ntwo"), RunTag("mlflow.note.content", "# A note")],
    )
    client.log_dict(run_id, {"a": 1}, "folder/deep/content.json")
    client.log_text(run_id, "", "empty.txt")
    client.log_text(run_id, "snow ☃", "nämé with space.txt")
    client.set_terminated(run_id, "FAILED", end_time=1_600_000_500_000)
    return experiment_id, run_id


def write_life_cycle(client, experiment_id):
    for status in ("FINISHED", "KILLED", "RUNNING", "SCHEDULED"):
        run = client.create_run(experiment_id, run_name=status.lower())
        client.log_metric(run.info.run_id, "auc", 0.5)
        client.update_run(run.info.run_id, status=status)
    deleted = client.create_run(experiment_id, run_name="deleted").info.run_id
    client.log_param(deleted, "p", "1")
    client.delete_run(deleted)
    parent = client.create_run(experiment_id, run_name="parent").info.run_id
    child = client.create_run(experiment_id, run_name="child", tags={"mlflow.parentRunId": parent}).info.run_id
    client.create_run(experiment_id, run_name="grandchild", tags={"mlflow.parentRunId": child})
    gone = client.create_experiment("deleted experiment")
    client.create_run(gone, run_name="in a deleted experiment")
    client.delete_experiment(gone)


def write_long_history(client, experiment_id):
    run_id = client.create_run(experiment_id, run_name="long").info.run_id
    for start in range(0, MANY, 1000):
        client.log_batch(run_id, metrics=[Metric("loss", 1 / (1 + i), i, i) for i in range(start, start + 1000)])
    client.set_terminated(run_id)


def write_datasets(client, experiment_id):
    run_id = client.create_run(experiment_id, run_name="with data").info.run_id
    train = Dataset("census", "abc123", "local", '{"uri": "a.csv"}', schema='{"columns": []}', profile='{"rows": 3}')
    test = Dataset("census test", "def456", "http", '{"url": "http://x"}')
    tags = [InputTag("mlflow.data.context", "training"), InputTag("origin", "lake")]
    client.log_inputs(run_id, [DatasetInput(train, tags), DatasetInput(test, [])])


def write_models(client, experiment_id, run_id, folder):
    for name in ("first", "second"):
        target = folder / name
        target.mkdir(parents=True)
        (target / "MLmodel").write_text(f"artifact_path: {name}\nflavors:\n  python_function:\n    loader_module: x\n")
        (target / "weights.bin").write_bytes(name.encode() * 100)
        client.log_artifacts(run_id, str(target), name)
    client.create_registered_model("census", tags={"owner": "ann"}, description="The *census* model")
    root = client.get_run(run_id).info.artifact_uri
    for name in ("first", "second", "first"):
        client.create_model_version("census", f"{root}/{name}", run_id, tags={"part": name}, description=f"from {name}")
    client.delete_model_version("census", "2")
    client.set_registered_model_alias("census", "champion", "3")
    client.transition_model_version_stage("census", "1", "Production")
    client.create_registered_model("without versions")
    client.create_registered_model("elsewhere")
    client.create_model_version("elsewhere", "s3://bucket/model")
    logged = mlflow.initialize_logged_model(
        "net", source_run_id=run_id, tags={"t": "1"}, params={"depth": "3"}, experiment_id=experiment_id
    )
    client.log_model_artifacts(logged.model_id, str(folder / "first"))
    mlflow.finalize_logged_model(logged.model_id, "READY")
    dataset = {"dataset_name": "census", "dataset_digest": "abc123"}
    client.log_metric(run_id, "f1", 0.75, step=2, timestamp=77, model_id=logged.model_id, **dataset)
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=2)])
    client.log_inputs(run_id, models=[LoggedModelInput(logged.model_id)])
    client.create_model_version("census", f"models:/{logged.model_id}", run_id, model_id=logged.model_id)


def main(folder, tracking_uri):
    mlflow.set_tracking_uri(tracking_uri)
    client = mlflow.MlflowClient()
    experiment_id, run_id = write_odd_values(client)
    write_life_cycle(client, experiment_id)
    write_long_history(client, experiment_id)
    write_datasets(client, client.get_experiment_by_name("Default").experiment_id)
    write_models(client, experiment_id, run_id, folder / "models-to-log")
    remote = client.create_experiment("remote", artifact_location="s3://bucket/remote")
    client.create_run(remote, run_name="with artifacts in S3")


if __name__ == "__main__":
    for number, uri in enumerate(sys.argv[2:]):
        main(Path(sys.argv[1]) / f"files {number}", uri)
