"""The life of a run: nested, resumed, renamed, noted, deleted, restored, collected."""

import os
import time

import pytest

from kernel_tools import experiments
from kernel_tools.core.errors import ConflictError, InvalidArgumentError, NotFoundError
from kernel_tools.experiments import DatasetInput, Point, RunStatus


def _start(workspace, **options) -> experiments.Run:
    return experiments.start_run("census", workspace=workspace, **options)


def _names(workspace, filter="", **options):
    page, _ = experiments.search_run_records(filter=filter, **options, workspace=workspace)
    return sorted(record.name for record in page)


def test_runs_nest_to_any_depth_and_come_back_as_a_tree(any_workspace):
    root = _start(any_workspace, name="root")
    run = root
    for depth in range(30):
        run = run.start_child(f"depth {depth}")
    root.start_child("sibling")
    deleted = root.start_child("deleted")
    deleted.delete()
    assert [child.name for child in root.children] == ["depth 0", "sibling"]
    branch, depth = root.tree, 0
    while branch.children:
        branch, depth = branch.children[0], depth + 1
    assert (branch.run.name, depth) == ("depth 29", 30)
    assert _names(any_workspace, f"parent_run_id = '{root.id}'") == ["depth 0", "sibling"]
    assert run.record.parent_run_id == run.tags["mlflow.parentRunId"]


def test_a_circle_of_parents_is_a_finite_tree(workspace):
    first = _start(workspace, name="first")
    second = first.start_child("second")
    first.set_tag("mlflow.parentRunId", second.id)
    assert [child.name for child in first.children] == ["second"]


def test_a_child_of_a_run_that_does_not_exist_is_refused(workspace):
    with pytest.raises(NotFoundError):
        _start(workspace, parent_run_id="0" * 32)


def test_a_resumed_run_takes_points_again_and_keeps_the_old_ones(any_workspace):
    with _start(any_workspace) as run:
        run.log_metric("auc", 0.5)
    run.resume()
    run.log_metric("auc", 0.75, step=1)
    assert run.status is RunStatus.RUNNING
    assert run.record.ended_at is None
    run.finish()
    assert run.history("auc")["value"].tolist() == [0.5, 0.75]
    assert experiments.search_run_records(filter="metrics.auc = 0.75", workspace=any_workspace)[0] == [run.record]


def test_a_run_has_a_name_a_note_and_favourites(any_workspace):
    run = _start(any_workspace)
    run.rename("better")
    run.set_note("# fine")
    run.set_favourite()
    assert (run.name, run.note, run.is_favourite) == ("better", "# fine", True)
    assert _names(any_workspace, "tags.`atelier.favourite` = 'true'") == ["better"]
    run.set_favourite(False)
    run.set_note("")
    assert (run.note, run.is_favourite, run.tags) == ("", False, {})
    with pytest.raises(NotFoundError, match="no tag 'x'"):
        run.delete_tag("x")


def test_a_deleted_run_is_hidden_refuses_changes_and_comes_back(any_workspace):
    run = _start(any_workspace, name="a")
    run.log_metric("auc", 1)
    run.delete()
    assert _names(any_workspace) == []
    assert _names(any_workspace, view="DELETED_ONLY") == ["a"]
    assert _names(any_workspace, view="ALL") == ["a"]
    for change in (lambda: run.set_tag("a", 1), lambda: run.log_param("a", 1), lambda: run.rename("b"), run.finish):
        with pytest.raises(ConflictError, match="is deleted and cannot be changed"):
            change()
    with pytest.raises(ConflictError, match="is deleted"):
        experiments.get_run(run.id, workspace=any_workspace).log_metric("auc", 2)
    run.restore()
    run.set_tag("a", 1)
    assert _names(any_workspace) == ["a"]


def test_the_garbage_collection_removes_what_was_deleted_long_ago(any_workspace, tmp_path):
    old, young, kept = (_start(any_workspace, name=name) for name in ("old", "young", "kept"))
    old.log_text("text of the old one", "note.txt")
    old.delete()
    time.sleep(0.3)
    young.delete()
    assert experiments.collect_garbage(older_than=0.2, workspace=any_workspace).runs == 1
    assert _names(any_workspace, view="ALL") == ["kept", "young"]
    with pytest.raises(NotFoundError):
        experiments.get_run(old.id, workspace=any_workspace)
    assert not (any_workspace.root / "runs" / old.id).exists()
    other = experiments.start_run("other", workspace=any_workspace)
    experiments.delete_experiment(other.experiment_id, workspace=any_workspace)
    collected = experiments.collect_garbage(older_than=0, workspace=any_workspace)
    assert (collected.runs, collected.experiments) == (2, 1)
    assert _names(any_workspace, view="ALL") == ["kept"]
    assert experiments.create_experiment("other", workspace=any_workspace).run_count == 0


def test_a_run_of_a_remote_client_is_never_called_killed(workspace):
    run = _start(workspace, owned=False)
    assert experiments.get_run(run.id, workspace=workspace).status is RunStatus.RUNNING
    assert run._folder.load().process is None


def test_a_run_may_bring_its_id_start_and_user(workspace):
    run = _start(workspace, run_id="ab" * 16, started_at=17, user="somebody")
    assert (run.id, run.record.started_at, run.record.user) == ("ab" * 16, 17, "somebody")
    with pytest.raises(ConflictError, match="exists already"):
        _start(workspace, run_id="ab" * 16)
    with pytest.raises(InvalidArgumentError, match="32 hexadecimal"):
        _start(workspace, run_id="../x")


def test_points_of_many_keys_are_logged_by_one_write(workspace):
    run = _start(workspace)
    run.log_points([Point("a", 1.0, 3, 17), Point("b", float("nan"), -4, 18), Point("a", 2.0, 3, 19)])
    assert run.history("a")[["step", "value"]].values.tolist() == [[3, 1.0], [3, 2.0]]
    assert run.history("b")["step"].tolist() == [-4]


def test_a_history_comes_in_pages(workspace):
    run = _start(workspace)
    for step in range(10):
        run.log_metric("a", step / 2)
    values, token = [], None
    while True:
        page, token = experiments.read_history_page(run.id, "a", 4, token, workspace=workspace)
        values += [point.value for point in page]
        if token is None:
            break
    assert values == [step / 2 for step in range(10)]
    assert experiments.read_history_page(run.id, "none", 4, workspace=workspace) == ([], None)


def test_runs_are_found_by_their_datasets(any_workspace):
    import pandas as pd

    run = _start(any_workspace, name="a")
    table = pd.DataFrame({"x": [1, 2], "y": ["a", "b"]})
    item = run.log_dataset(table, name="adult", role="training")
    run.log_dataset(table, name="adult", role="training")
    run.log_inputs([DatasetInput("adult", "other", context="test")])
    _start(any_workspace, name="b").log_dataset("s3://bucket/data.parquet")
    assert [(found.name, found.context) for found in run.inputs] == [("adult", "training"), ("adult", "test")]
    assert '"name": "x"' in item.schema
    for text, expected in {
        "dataset.name = 'adult'": ["a"],
        f"dataset.digest = '{item.digest}'": ["a"],
        "datasets.context LIKE 'te%'": ["a"],
        "dataset.name IN ('data.parquet')": ["b"],
        "dataset.name = 'adult' and dataset.context = 'none'": [],
        "dataset.name IS NULL": [],
        "dataset.context IS NOT NULL": ["a", "b"],
    }.items():
        assert _names(any_workspace, text) == expected, text
    with pytest.raises(InvalidArgumentError, match="ordered by"):
        experiments.search_run_records(order_by=["dataset.name"], workspace=any_workspace)


def test_the_digest_of_a_table_depends_on_its_content_alone(workspace):
    import pandas as pd

    run = _start(workspace)
    one, same, other, nested = (
        run.log_dataset(pd.DataFrame({"x": values}), name="t").digest
        for values in ([1, 2], [1, 2], [1, 3], [[1], {"a": 1}])
    )
    assert one == same != other != nested


def test_artifacts_are_listed_by_folder_and_deleted(workspace, tmp_path):
    import numpy as np

    run = _start(workspace)
    run.log_text("hello", "notes/a.txt")
    run.log_dict({"a": 1}, "notes/deep/b")
    run.log_table({"x": [1, 2]}, "tables/t.csv")
    run.log_table({"x": [1, 2]}, "tables/t")
    run.log_image(np.zeros((2, 3)), "image")
    assert [(entry.path, entry.is_folder) for entry in run.list_artifacts()] == [
        ("image.png", False),
        ("notes", True),
        ("tables", True),
    ]
    assert [entry.path for entry in run.list_artifacts("notes")] == ["notes/a.txt", "notes/deep"]
    assert run.list_artifacts("nothing") == []
    assert run.open_artifact("tables/t.csv").read().split() == [b"x", b"1", b"2"]
    assert [item.path for item in run.delete_artifact("notes")] == ["notes/a.txt", "notes/deep/b.json"]
    with pytest.raises(NotFoundError):
        run.delete_artifact("notes")
    run.download_artifacts(tmp_path / "out")
    assert sorted(os.listdir(tmp_path / "out")) == ["image.png", "tables"]


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 3), (4, 5, 4)])
def test_arrays_are_kept_as_png_images(workspace, shape):
    import struct
    import zlib

    import numpy as np

    run = _start(workspace)
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    run.log_image(pixels, "image.png")
    content = run.open_artifact("image.png").read()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    position, chunks = 8, {}
    while position < len(content):
        (size,), name = struct.unpack(">I", content[position : position + 4]), content[position + 4 : position + 8]
        data = content[position + 8 : position + 8 + size]
        assert content[position + 8 + size : position + 12 + size] == struct.pack(">I", zlib.crc32(name + data))
        chunks[name], position = data, position + 12 + size
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    channels = {0: 1, 2: 3, 6: 4}[colour]
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, 1 + width * channels)
    assert (depth, list(chunks)) == (8, [b"IHDR", b"IDAT", b"IEND"])
    assert np.array_equal(rows[:, 1:].reshape(pixels.shape), pixels)


@pytest.mark.parametrize("shape", [(4,), (4, 5, 2), (0, 5), (1, 2, 3, 4)])
def test_arrays_that_are_no_images_are_refused(workspace, shape):
    import numpy as np

    with pytest.raises(InvalidArgumentError, match="no image"):
        _start(workspace).log_image(np.zeros(shape), "image")


def test_curves_of_classifiers_are_kept_as_figures(workspace):
    run = _start(workspace)
    run.log_confusion_matrix([0, 1, 1], [0, 1, 0])
    run.log_roc_curve([0, 1, 1], [0.1, 0.9, 0.4])
    run.log_precision_recall_curve([0, 1, 1], [0.1, 0.9, 0.4])
    assert len(run.artifacts) == 3
    assert all(item.path.endswith(".plotly.json") for item in run.artifacts)
