"""Logged models: what a run logs as a model before anybody makes a version of it."""

from __future__ import annotations

import io
import math

import pytest

from kernel_tools import experiments
from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.registry import logged_models
from kernel_tools.registry.logged_models import Dataset, Order
from kernel_tools.registry.records import LoggedMetric, LoggedModelStatus


@pytest.fixture
def run(any_workspace):
    return experiments.start_run("census", workspace=any_workspace)


@pytest.fixture
def experiment_id(run) -> str:
    return run.record.experiment_id


def test_a_logged_model_is_pending_until_its_files_have_arrived(any_workspace, run, experiment_id):
    made = logged_models.create(
        experiment_id, "xgb", "trees", run.id, params={"depth": 6}, tags={"a": "b"}, workspace=any_workspace
    )
    assert made.id.startswith("m-")
    assert len(made.id) == 34
    assert (made.status, made.params, made.tags) == (LoggedModelStatus.PENDING, {"depth": "6"}, {"a": "b"})
    assert (made.model_type, made.source_run_id, made.experiment_id) == ("trees", run.id, experiment_id)
    ready = logged_models.finalize(made.id, "READY", workspace=any_workspace)
    assert ready.status is LoggedModelStatus.READY
    assert logged_models.get(made.id, workspace=any_workspace) == ready
    assert logged_models.of_run(run.id, workspace=any_workspace) == [ready]
    with pytest.raises(InvalidArgumentError, match="UNSPECIFIED, PENDING, READY, FAILED"):
        logged_models.finalize(made.id, "DONE", workspace=any_workspace)


@pytest.mark.parametrize("name", ["", "a/b", "a:b", "a.b", "50%", 'a"b', "a'b", "x" * 501])
def test_names_of_logged_models_are_checked(workspace, name):
    run = experiments.start_run("census", workspace=workspace)
    with pytest.raises(InvalidArgumentError, match="Invalid model name"):
        logged_models.create(run.record.experiment_id, name, workspace=workspace)


def test_a_logged_model_needs_an_experiment(workspace):
    with pytest.raises(NotFoundError):
        logged_models.create("12345", workspace=workspace)


def test_a_deleted_model_is_found_only_when_it_is_asked_for(any_workspace, experiment_id):
    made = logged_models.create(experiment_id, workspace=any_workspace)
    assert made.name.startswith("model-")
    logged_models.delete(made.id, workspace=any_workspace)
    with pytest.raises(NotFoundError, match="not found"):
        logged_models.get(made.id, workspace=any_workspace)
    assert logged_models.get(made.id, include_deleted=True, workspace=any_workspace).is_deleted
    assert logged_models.search([experiment_id], workspace=any_workspace) == ([], None)


def test_tags_are_set_and_deleted(any_workspace, experiment_id):
    made = logged_models.create(experiment_id, workspace=any_workspace)
    assert logged_models.set_tags(made.id, {"a": 1, "b": 2}, workspace=any_workspace).tags == {"a": "1", "b": "2"}
    logged_models.delete_tag(made.id, "a", workspace=any_workspace)
    assert logged_models.get(made.id, workspace=any_workspace).tags == {"b": "2"}
    with pytest.raises(NotFoundError, match="no tag 'a'"):
        logged_models.delete_tag(made.id, "a", workspace=any_workspace)


def test_metrics_keep_their_run_and_data(any_workspace, experiment_id):
    made = logged_models.create(experiment_id, workspace=any_workspace)
    points = [
        LoggedMetric("auc", 0.9, 10, 0, "r1", "test", "d1"),
        LoggedMetric("auc", math.nan, 11, 1, "r1"),
        LoggedMetric("auc", math.inf, 12, 2, "r2"),
    ]
    logged_models.log_metrics(made.id, points, workspace=any_workspace)
    logged_models.log_metrics(made.id, points[:1], workspace=any_workspace)
    found = logged_models.get(made.id, workspace=any_workspace).metrics
    assert (found[0], found[2]) == (points[0], points[2])
    assert math.isnan(found[1].value)
    with pytest.raises(NotFoundError):
        logged_models.log_metrics("m-none", points, workspace=any_workspace)


def test_files_are_listed_as_folders_and_read_back(any_workspace, experiment_id):
    made = logged_models.create(experiment_id, workspace=any_workspace)
    for path, content in (("MLmodel", b"a"), ("data/x.bin", b"bc"), ("data/deep/y.bin", b"def"), ("MLmodel", b"new")):
        logged_models.put_artifact(made.id, path, io.BytesIO(content), workspace=any_workspace)

    def listed(folder: str = "") -> list[tuple[str, bool, int]]:
        entries = logged_models.list_artifacts(made.id, folder, workspace=any_workspace)
        return [(entry.path, entry.is_folder, entry.size) for entry in entries]

    assert listed() == [("MLmodel", False, 3), ("data", True, 5)]
    assert listed("data") == [("data/deep", True, 3), ("data/x.bin", False, 2)]
    assert listed("absent") == []
    assert logged_models.open_artifact(made.id, "MLmodel", workspace=any_workspace).read() == b"new"
    with pytest.raises(NotFoundError, match="no file 'absent'"):
        logged_models.open_artifact(made.id, "absent", workspace=any_workspace)
    assert logged_models.delete_artifact(made.id, "data", workspace=any_workspace) == 2
    assert listed() == [("MLmodel", False, 3)]


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../b", "a\\b", "a//b", "./a", "x" * 501, "a\nb"])
def test_paths_that_lead_elsewhere_are_refused(workspace, path):
    run = experiments.start_run("census", workspace=workspace)
    made = logged_models.create(run.record.experiment_id, workspace=workspace)
    with pytest.raises(InvalidArgumentError, match="not a valid path"):
        logged_models.put_artifact(made.id, path, io.BytesIO(b"x"), workspace=workspace)


@pytest.fixture
def models(any_workspace, experiment_id) -> dict[str, str]:
    """Three models, named for their order, with metrics on two data sets."""
    made = {}
    for number, name in enumerate(("first", "second", "third")):
        record = logged_models.create(
            experiment_id, name, "trees" if number else "linear", params={"depth": number}, workspace=any_workspace
        )
        points = [LoggedMetric("auc", 0.5 + number / 10, 1, 0, "r", "test", "d1")]
        points += [LoggedMetric("auc", 0.9 - number / 10, 2, 1, "r", "valid", "d2")] * (number < 2)
        logged_models.log_metrics(record.id, points, workspace=any_workspace)
        made[name] = record.id
    return made


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", {"first", "second", "third"}),
        ("name = 'first'", {"first"}),
        ("attributes.name LIKE '%ir%'", {"first", "third"}),
        ("model_type = 'trees' and params.depth = '2'", {"third"}),
        ("metrics.auc > 0.85", {"first"}),
        ("metrics.auc > 0.85 or params.depth = '2'", {"first", "third"}),
        ("tags.team IS NULL", {"first", "second", "third"}),
        ("params.depth IN ('0', '1')", {"first", "second"}),
        ("creation_timestamp > 0", {"first", "second", "third"}),
        ("last_updated_timestamp < 0", set()),
    ],
)
def test_a_search_finds_what_the_filter_says(any_workspace, experiment_id, models, text, names):
    found, token = logged_models.search([experiment_id], text, workspace=any_workspace)
    assert ({record.name for record in found}, token) == (names, None)


def test_a_search_counts_only_metrics_on_the_named_data(any_workspace, experiment_id, models):
    def names(text: str, *datasets: Dataset) -> set[str]:
        found, _ = logged_models.search([experiment_id], text, datasets, workspace=any_workspace)
        return {record.name for record in found}

    assert names("", Dataset("valid")) == {"first", "second"}
    assert names("", Dataset("valid", "other")) == set()
    assert names("metrics.auc > 0.65", Dataset("test")) == {"third"}
    assert names("metrics.auc > 0.65", Dataset("test"), Dataset("valid", "d2")) == {"first", "second", "third"}


def test_a_search_is_ordered_and_paged(any_workspace, experiment_id, models):
    def names(*order: Order) -> list[str]:
        found, _ = logged_models.search([experiment_id], order_by=order, workspace=any_workspace)
        return [record.name for record in found]

    assert names(Order("metrics.auc", is_ascending=False)) == ["first", "second", "third"]
    assert names(Order("metrics.auc", False, "test")) == ["third", "second", "first"]
    assert names(Order("metrics.auc", True, "valid", "d2"))[-1] == "third"
    assert names(Order("name", is_ascending=False)) == ["third", "second", "first"]
    with pytest.raises(InvalidArgumentError, match="Invalid order by field name: 'params.depth'"):
        names(Order("params.depth"))
    page, token = logged_models.search([experiment_id], limit=2, workspace=any_workspace)
    rest, end = logged_models.search([experiment_id], limit=2, page_token=token, workspace=any_workspace)
    assert (len(page), len(rest), end) == (2, 1, None)
    assert logged_models.search(["99"], workspace=any_workspace) == ([], None)
