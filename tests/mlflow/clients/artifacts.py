"""Artifacts through `MlflowClient` and the fluent functions: up, down, listed; logged models by hand."""

import os
from pathlib import Path

import mlflow
from expecting import code_of
from mlflow.artifacts import download_artifacts
from mlflow.entities import LoggedModelStatus, Metric


def case_files_go_up_and_come_down(client, experiment_id, folder):
    run_id = client.create_run(experiment_id).info.run_id
    (folder / "in" / "deep").mkdir(parents=True)
    (folder / "in" / "a.txt").write_text("first")
    (folder / "in" / "deep" / "ü b.bin").write_bytes(bytes(range(256)))
    (folder / "in" / "empty").write_bytes(b"")
    client.log_artifact(run_id, str(folder / "in" / "a.txt"))
    client.log_artifact(run_id, str(folder / "in" / "a.txt"), "some/folder")
    client.log_artifacts(run_id, str(folder / "in"), "all")
    listed = [(file.path, file.is_dir, file.file_size) for file in client.list_artifacts(run_id)]
    assert listed == [("a.txt", False, 5), ("all", True, None), ("some", True, None)]
    inner = [(file.path, file.is_dir) for file in client.list_artifacts(run_id, "all")]
    assert inner == [("all/a.txt", False), ("all/deep", True), ("all/empty", False)]
    assert client.list_artifacts(run_id, "a.txt") == []
    assert client.list_artifacts(run_id, "none") == []
    path = client.download_artifacts(run_id, "all", str(folder))
    assert Path(path, "deep", "ü b.bin").read_bytes() == bytes(range(256))
    assert os.path.getsize(os.path.join(path, "empty")) == 0
    assert Path(download_artifacts(f"runs:/{run_id}/some/folder/a.txt")).read_text() == "first"
    (folder / "in" / "a.txt").write_text("second")
    client.log_artifact(run_id, str(folder / "in" / "a.txt"))
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/a.txt") == "second"


def case_a_big_file_goes_up_and_comes_down(client, experiment_id, folder):
    run_id = client.create_run(experiment_id).info.run_id
    content = os.urandom(1024 * 1024) * 40
    (folder / "big.bin").write_bytes(content)
    client.log_artifact(run_id, str(folder / "big.bin"))
    assert client.list_artifacts(run_id)[0].file_size == len(content)
    (folder / "down").mkdir()
    path = client.download_artifacts(run_id, "big.bin", str(folder / "down"))
    assert Path(path).read_bytes() == content


def case_texts_tables_and_figures_are_artifacts(experiment_id):
    mlflow.set_experiment(experiment_id=experiment_id)
    with mlflow.start_run() as run:
        mlflow.log_text("hello", "texts/hello.txt")
        mlflow.log_dict({"a": [1, 2]}, "a.json")
        mlflow.log_table({"x": [1, 2], "y": ["a", "b"]}, "table.json")
        mlflow.log_table({"x": [3], "y": ["c"]}, "table.json")
    assert mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/a.json") == {"a": [1, 2]}
    assert list(mlflow.load_table("table.json", [run.info.run_id])["x"]) == [1, 2, 3]


def case_artifacts_that_are_not_there_say_so(client, experiment_id, folder):
    run_id = client.create_run(experiment_id).info.run_id
    for call, word in (
        (lambda: client.list_artifacts(run_id, "../up"), "INVALID_PARAMETER_VALUE"),
        (lambda: client.download_artifacts(run_id, "none.txt", str(folder)), "none.txt"),
    ):
        try:
            call()
        except Exception as error:
            assert word in str(error), error
        else:
            raise AssertionError(f"{word} was expected")


def case_artifacts_are_deleted(client, experiment_id, folder):
    run = client.create_run(experiment_id).info
    (folder / "in").mkdir()
    (folder / "in" / "a.txt").write_text("a")
    (folder / "in" / "b.txt").write_text("b")
    client.log_artifacts(run.run_id, str(folder / "in"), "kept")
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    repository = get_artifact_repository(run.artifact_uri)
    repository.delete_artifacts("kept/a.txt")
    assert [file.path for file in client.list_artifacts(run.run_id, "kept")] == ["kept/b.txt"]
    repository.delete_artifacts("kept")
    assert client.list_artifacts(run.run_id) == []


def case_a_logged_model_is_made_filled_and_finished(client, experiment_id, folder):
    run_id = client.create_run(experiment_id).info.run_id
    model = client.create_logged_model(
        experiment_id, "by hand", source_run_id=run_id, tags={"t": "1"}, params={"p": "x"}, model_type="agent"
    )
    assert (model.name, model.status, model.tags, model.params) == (
        "by hand",
        LoggedModelStatus.PENDING,
        {"t": "1"},
        {"p": "x"},
    )
    assert model.artifact_location == f"mlflow-artifacts:/{experiment_id}/models/{model.model_id}/artifacts"
    (folder / "weights.bin").write_bytes(b"weights")
    client.log_model_artifact(model.model_id, str(folder / "weights.bin"))
    assert [(file.path, file.file_size) for file in client.list_logged_model_artifacts(model.model_id)] == [
        ("weights.bin", 7)
    ]
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    client.set_logged_model_tags(model.model_id, {"t": "2", "u": "3"})
    client.delete_logged_model_tag(model.model_id, "u")
    client.log_model_params(model.model_id, {"q": "y"})
    client.log_metric(run_id, "auc", 0.9, step=1, model_id=model.model_id, dataset_name="d", dataset_digest="1")
    client.log_batch(run_id, metrics=[Metric("loss", 0.1, 1, 0, model_id=model.model_id, run_id=run_id)])
    found = client.get_logged_model(model.model_id)
    assert (found.status, found.tags, found.params) == (LoggedModelStatus.READY, {"t": "2"}, {"p": "x", "q": "y"})
    assert {metric.key: metric.value for metric in found.metrics} == {"auc": 0.9, "loss": 0.1}
    assert client.get_run(run_id).data.metrics == {"auc": 0.9, "loss": 0.1}
    assert (found.model_type, found.source_run_id) == ("agent", run_id)


def case_logged_models_are_searched(client, experiment_id):
    made = []
    for number in range(5):
        model = client.create_logged_model(experiment_id, f"model {number}", params={"odd": str(number % 2)})
        run_id = client.create_run(experiment_id).info.run_id
        client.log_metric(run_id, "auc", number / 10, model_id=model.model_id)
        made.append(model.model_id)
    page = client.search_logged_models([experiment_id], max_results=3, order_by=[{"field_name": "metrics.auc"}])
    assert [model.model_id for model in page] == made[:3] and page.token
    rest = client.search_logged_models(
        [experiment_id], max_results=3, order_by=[{"field_name": "metrics.auc"}], page_token=page.token
    )
    assert [model.model_id for model in rest] == made[3:] and not rest.token
    for filter_string, wanted in {
        "metrics.auc > 0.25": [4, 3],
        "params.odd = '1'": [3, 1],
        "name = 'model 2'": [2],
        "name LIKE 'model%' AND params.odd = '0' AND metrics.auc < 0.4": [2, 0],
    }.items():
        found = client.search_logged_models([experiment_id], filter_string)
        assert [made.index(model.model_id) for model in found] == wanted, filter_string
    assert code_of(client.search_logged_models, [experiment_id], "nonsense") == "INVALID_PARAMETER_VALUE"


def case_logged_models_answer_mlflows_errors(client, experiment_id):
    model_id = client.create_logged_model(experiment_id).model_id
    codes = []
    for call in (
        lambda: client.get_logged_model("m-none"),
        lambda: client.finalize_logged_model("m-none", "READY"),
        lambda: client.delete_logged_model("m-none"),
        lambda: client.delete_logged_model_tag(model_id, "none"),
        lambda: client.list_logged_model_artifacts("m-none"),
        lambda: client.create_logged_model("987654321"),
    ):
        codes.append(code_of(call))
    assert set(codes) == {"RESOURCE_DOES_NOT_EXIST"}, codes
    assert code_of(client.create_logged_model, experiment_id, "bad/name") == "INVALID_PARAMETER_VALUE"
    client.delete_logged_model(model_id)
    assert code_of(client.get_logged_model, model_id) == "RESOURCE_DOES_NOT_EXIST"
    assert client.search_logged_models([experiment_id]) == []
