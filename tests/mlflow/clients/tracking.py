"""Experiments, runs, metrics, parameters and tags through `MlflowClient` and the fluent functions."""

import math
import time

import mlflow
from expecting import code_of
from mlflow.entities import Metric, Param, RunTag, ViewType


def case_experiments_are_made_found_renamed_deleted_and_restored(client):
    made = client.create_experiment("first of all", tags={"team": "risk"})
    assert made.isdecimal()
    experiment = client.get_experiment(made)
    assert (experiment.name, experiment.lifecycle_stage, experiment.tags) == (
        "first of all",
        "active",
        {"team": "risk"},
    )
    assert experiment.artifact_location == f"mlflow-artifacts:/{made}"
    assert experiment.creation_time <= experiment.last_update_time <= time.time() * 1000 + 1000
    assert client.get_experiment_by_name("first of all").experiment_id == made
    assert client.get_experiment_by_name("nothing of this name") is None
    client.rename_experiment(made, "last of all")
    assert client.get_experiment(made).name == "last of all"
    client.delete_experiment(made)
    assert client.get_experiment(made).lifecycle_stage == "deleted"
    assert made in [found.experiment_id for found in client.search_experiments(view_type=ViewType.DELETED_ONLY)]
    client.restore_experiment(made)
    assert client.get_experiment(made).lifecycle_stage == "active"


def case_the_default_experiment_is_number_zero(client):
    assert client.get_experiment("0").name == "Default"
    mlflow.set_experiment("Default")
    with mlflow.start_run() as run:
        assert run.info.experiment_id == "0"


def case_experiments_answer_mlflows_errors(client, experiment_id):
    name = client.get_experiment(experiment_id).name
    assert code_of(client.create_experiment, name) == "RESOURCE_ALREADY_EXISTS"
    assert code_of(client.create_experiment, "x" * 501) == "INVALID_PARAMETER_VALUE"
    assert code_of(client.get_experiment, "123456789") == "RESOURCE_DOES_NOT_EXIST"
    assert code_of(client.get_experiment, "letters") == "INVALID_PARAMETER_VALUE"
    assert code_of(client.delete_experiment, "123456789") == "RESOURCE_DOES_NOT_EXIST"
    assert code_of(client.restore_experiment, experiment_id) == "RESOURCE_DOES_NOT_EXIST"
    assert code_of(client.delete_experiment_tag, experiment_id, "none") == "RESOURCE_DOES_NOT_EXIST"
    client.delete_experiment(experiment_id)
    assert code_of(client.delete_experiment, experiment_id) == "RESOURCE_DOES_NOT_EXIST"
    assert code_of(client.rename_experiment, experiment_id, "other") == "INVALID_STATE"
    assert code_of(client.set_experiment_tag, experiment_id, "a", "b") == "INVALID_PARAMETER_VALUE"
    assert code_of(client.create_run, experiment_id) == "INVALID_PARAMETER_VALUE"


def case_experiment_tags_are_set_and_deleted(client, experiment_id):
    client.set_experiment_tag(experiment_id, "team", "fraud")
    client.set_experiment_tag(experiment_id, "team", "risk")
    client.set_experiment_tag(experiment_id, "note", "a\nb" * 100)
    assert client.get_experiment(experiment_id).tags == {"team": "risk", "note": "a\nb" * 100}
    client.delete_experiment_tag(experiment_id, "note")
    assert client.get_experiment(experiment_id).tags == {"team": "risk"}


def case_an_experiment_may_keep_its_artifacts_elsewhere(client):
    made = client.create_experiment("elsewhere", artifact_location="s3://bucket/folder")
    assert client.get_experiment(made).artifact_location == "s3://bucket/folder"
    assert client.get_experiment(made).tags == {}
    run = client.create_run(made)
    assert run.info.artifact_uri == f"s3://bucket/folder/{run.info.run_id}/artifacts"
    here = client.create_experiment("here", artifact_location="file:///srv/artifacts")
    assert client.get_experiment(here).artifact_location == "file:///srv/artifacts"
    code = code_of(client.create_experiment, "bad", artifact_location="s3://bucket/a#fragment")
    assert code == "INVALID_PARAMETER_VALUE"


def case_a_run_keeps_everything_that_was_logged(client, experiment_id):
    run = client.create_run(experiment_id, start_time=1234, tags={"mlflow.user": "ann", "k": "v"}, run_name="named")
    info = run.info
    assert (info.run_name, info.user_id, info.start_time, info.status) == ("named", "ann", 1234, "RUNNING")
    assert (info.lifecycle_stage, info.end_time, info.experiment_id) == ("active", None, experiment_id)
    assert info.artifact_uri == f"mlflow-artifacts:/{experiment_id}/{info.run_id}/artifacts"
    client.log_param(info.run_id, "depth", 6)
    client.log_metric(info.run_id, "auc", 0.5, timestamp=1000, step=1)
    client.log_metric(info.run_id, "auc", 0.75, timestamp=2000, step=2)
    client.set_tag(info.run_id, "stage", "test")
    client.set_terminated(info.run_id, "FAILED", end_time=9999)
    found = client.get_run(info.run_id)
    assert found.data.params == {"depth": "6"}
    assert found.data.metrics == {"auc": 0.75}
    assert found.data.tags == {"mlflow.user": "ann", "k": "v", "stage": "test", "mlflow.runName": "named"}
    assert (found.info.status, found.info.end_time) == ("FAILED", 9999)
    points = found.data._metric_objs
    assert [(point.key, point.value, point.timestamp, point.step) for point in points] == [("auc", 0.75, 2000, 2)]


def case_a_run_without_a_name_gets_one(client, experiment_id):
    run = client.create_run(experiment_id)
    assert run.info.run_name
    assert run.data.tags["mlflow.runName"] == run.info.run_name
    client.update_run(run.info.run_id, name="new name")
    found = client.get_run(run.info.run_id)
    assert (found.info.run_name, found.data.tags["mlflow.runName"]) == ("new name", "new name")
    client.set_tag(run.info.run_id, "mlflow.runName", "by tag")
    assert client.get_run(run.info.run_id).info.run_name == "by tag"


def case_a_run_is_updated_whatever_its_status(client, experiment_id):
    run_id = client.create_run(experiment_id).info.run_id
    for status in ("FINISHED", "FAILED", "KILLED", "RUNNING", "FINISHED"):
        client.update_run(run_id, status=status)
        assert client.get_run(run_id).info.status == status
    client.log_metric(run_id, "late", 1.0, timestamp=5, step=0)
    client.log_metric(run_id, "late", 2.0, timestamp=6, step=1)
    client.log_param(run_id, "late", "yes")
    assert client.get_run(run_id).data.metrics == {"late": 2.0}
    assert [point.value for point in client.get_metric_history(run_id, "late")] == [1.0, 2.0]
    assert [run.data.metrics for run in client.search_runs([experiment_id], "metrics.late = 2")] == [{"late": 2.0}]


def case_special_numbers_come_back(client, experiment_id):
    run_id = client.create_run(experiment_id).info.run_id
    for step, value in enumerate([math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308]):
        client.log_metric(run_id, "special", value, timestamp=step + 1, step=step)
        client.log_metric(run_id, f"last {step}", value)
    values = [point.value for point in client.get_metric_history(run_id, "special")]
    assert math.isnan(values[0])
    assert values[1:] == [math.inf, -math.inf, 5e-324, 1.7976931348623157e308]
    metrics = client.get_run(run_id).data.metrics
    assert math.isnan(metrics["last 0"]) and metrics["last 2"] == -math.inf


def case_steps_may_be_negative_and_repeated(client, experiment_id):
    run_id = client.create_run(experiment_id).info.run_id
    client.log_metric(run_id, "m", 1.0, timestamp=10, step=-5)
    client.log_metric(run_id, "m", 2.0, timestamp=20, step=-5)
    client.log_metric(run_id, "m", 2.0, timestamp=20, step=-5)
    history = client.get_metric_history(run_id, "m")
    assert [(point.value, point.timestamp, point.step) for point in history] == [(1.0, 10, -5), (2.0, 20, -5)]


def case_histories_are_read_by_pages(client, experiment_id):
    run_id = client.create_run(experiment_id).info.run_id
    points = [Metric("loss", 1 / (step + 1), step * 10, step) for step in range(2500)]
    for start in range(0, 2500, 1000):
        client.log_batch(run_id, metrics=points[start : start + 1000])
    assert len(client.get_metric_history(run_id, "loss")) == 2500
    assert client.get_metric_history(run_id, "none") == []
    store = client._tracking_client.store
    page = store.get_metric_history(run_id, "loss", max_results=1000)
    assert len(page) == 1000 and page.token
    third = store.get_metric_history(
        run_id,
        "loss",
        max_results=1000,
        page_token=store.get_metric_history(run_id, "loss", max_results=1000, page_token=page.token).token,
    )
    assert [point.step for point in third] == list(range(2000, 2500))
    assert not third.token
    assert code_of(store.get_metric_history, run_id, "loss", max_results=0) == "INVALID_PARAMETER_VALUE"


def case_a_batch_is_logged_whole(client, experiment_id):
    run_id = client.create_run(experiment_id).info.run_id
    client.log_batch(
        run_id,
        metrics=[Metric("a", 1.0, 1, 0), Metric("b", 2.0, 1, 0), Metric("a", 3.0, 2, 1)],
        params=[Param("p", "1"), Param("q", "")],
        tags=[RunTag("t", "1"), RunTag("t", "2"), RunTag("mlflow.runName", "renamed")],
    )
    run = client.get_run(run_id)
    assert run.data.metrics == {"a": 3.0, "b": 2.0}
    assert run.data.params == {"p": "1", "q": ""}
    assert (run.data.tags["t"], run.info.run_name) == ("2", "renamed")
    client.log_batch(run_id)
    client.log_batch(run_id, params=[Param("p", "1")])


def case_batches_have_limits(client, experiment_id):
    run_id = client.create_run(experiment_id).info.run_id
    store = client._tracking_client.store
    metrics = [Metric("m", number, number, number) for number in range(1001)]
    params = [Param(f"p{number}", "1") for number in range(101)]
    tags = [RunTag(f"t{number}", "1") for number in range(101)]
    for batch in ((metrics, [], []), ([], params, []), ([], [], tags), (metrics[:801], params[:100], tags[:100])):
        assert code_of(store.log_batch, run_id, *batch) == "INVALID_PARAMETER_VALUE"
    assert client.get_run(run_id).data.metrics == {}
    store.log_batch(run_id, metrics[:800], params[:100], tags[:100])
    repeated = [Param("r", "1"), Param("r", "2")]
    assert code_of(store.log_batch, run_id, [], repeated, []) == "INVALID_PARAMETER_VALUE"
    changed = [Param("p0", "other")]
    assert code_of(store.log_batch, run_id, [], changed, []) == "INVALID_PARAMETER_VALUE"


def case_keys_and_values_have_limits(client, experiment_id):
    run_id = client.create_run(experiment_id).info.run_id
    store = client._tracking_client.store
    for key in ("bad!", "../up", "a//b", "/a", ".", "k" * 251):
        assert code_of(store.log_metric, run_id, Metric(key, 1.0, 1, 0)) == "INVALID_PARAMETER_VALUE", key
        assert code_of(store.log_param, run_id, Param(key, "1")) == "INVALID_PARAMETER_VALUE", key
        assert code_of(store.set_tag, run_id, RunTag(key, "1")) == "INVALID_PARAMETER_VALUE", key
    for key in ("a/b/c", "with space", "dots.and-dashes_and:colons", "ünïcode", "k" * 250):
        store.log_metric(run_id, Metric(key, 1.0, 1, 0))
        store.log_param(run_id, Param(key, "1"))
        store.set_tag(run_id, RunTag(key, "1"))
    store.log_param(run_id, Param("long", "x" * 7000))
    store.set_tag(run_id, RunTag("long", "x" * 9000))
    run = client.get_run(run_id)
    assert (len(run.data.params["long"]), len(run.data.tags["long"])) == (6000, 8000)
    assert run.data.metrics["ünïcode"] == 1.0


def case_runs_answer_mlflows_errors(client, experiment_id):
    run_id = client.create_run(experiment_id).info.run_id
    unknown = "0" * 32
    codes = []
    for call in (
        lambda: client.get_run(unknown),
        lambda: client.log_metric(unknown, "m", 1.0),
        lambda: client.log_param(unknown, "p", "1"),
        lambda: client.set_tag(unknown, "t", "1"),
        lambda: client.delete_run(unknown),
        lambda: client.restore_run(unknown),
        lambda: client.update_run(unknown, status="FINISHED"),
        lambda: client.get_metric_history(unknown, "m"),
        lambda: client.log_batch(unknown, metrics=[Metric("m", 1.0, 1, 0)]),
        lambda: client.list_artifacts(unknown),
        lambda: client.create_run("987654321"),
        lambda: client.delete_tag(run_id, "none"),
    ):
        codes.append(code_of(call))
    assert set(codes) == {"RESOURCE_DOES_NOT_EXIST"}, codes
    client.log_param(run_id, "p", "1")
    client.log_param(run_id, "p", "1")
    assert code_of(client._tracking_client.store.log_param, run_id, Param("p", "2")) == "INVALID_PARAMETER_VALUE"
    both = {"experiment_id": experiment_id, "run_name": "a", "tags": {"mlflow.runName": "b"}}
    assert code_of(client.create_run, **both) == "INVALID_PARAMETER_VALUE"


def case_a_deleted_run_is_not_changed_until_it_is_restored(client, experiment_id):
    run_id = client.create_run(experiment_id, tags={"t": "1"}).info.run_id
    client.delete_run(run_id)
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    assert client.search_runs([experiment_id]) == []
    assert [run.info.run_id for run in client.search_runs([experiment_id], run_view_type=ViewType.DELETED_ONLY)] == [
        run_id
    ]
    assert len(client.search_runs([experiment_id], run_view_type=ViewType.ALL)) == 1
    for call in (
        lambda: client.log_metric(run_id, "m", 1.0),
        lambda: client.log_param(run_id, "p", "1"),
        lambda: client.set_tag(run_id, "t", "2"),
        lambda: client.delete_tag(run_id, "t"),
        lambda: client.update_run(run_id, status="FINISHED"),
        lambda: client.log_batch(run_id, tags=[RunTag("t", "2")]),
        lambda: client.log_inputs(run_id, []) or client._tracking_client.store.log_inputs(run_id, []),
    ):
        assert code_of(call) == "INVALID_PARAMETER_VALUE"
    client.restore_run(run_id)
    client.log_metric(run_id, "m", 1.0)
    assert client.get_run(run_id).data.metrics == {"m": 1.0}


def case_runs_of_a_deleted_experiment_are_deleted(client, experiment_id):
    run_id = client.create_run(experiment_id).info.run_id
    client.delete_experiment(experiment_id)
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    assert code_of(client.log_metric, run_id, "m", 1.0) == "INVALID_PARAMETER_VALUE"
    client.restore_experiment(experiment_id)
    client.log_metric(run_id, "m", 1.0)
