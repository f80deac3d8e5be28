"""Compaction, rebuild: whatever form the points and the catalog have, the answers are the same."""

import os
import shutil

import numpy as np
import pytest

from kernel_tools import experiments
from kernel_tools.core.errors import ConflictError, IntegrityError
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments import metrics
from kernel_tools.experiments.metrics import read_history
from kernel_tools.experiments.segment import SegmentWriter


def _log(run, count=3000, seed=0):
    random = np.random.default_rng(seed)
    for number in range(count):
        run.log_metric(
            f"key {number % 3}", float(random.normal()), step=int(random.integers(-5, 50)), timestamp=number // 7
        )
    run.log_metrics({"nan": float("nan"), "inf": float("inf"), "once": 1.0})


def _content(run):
    keys = sorted(run.metrics)
    histories = [read_history(run._folder, key) for key in keys]
    columns = [(history.steps, history.timestamps, history.values) for history in histories]
    return repr((keys, run.metrics, [[column.tolist() for column in item] for item in columns]))


def _files(run):
    return sorted(path.name for path in run._folder.path.glob("metrics*"))


def test_a_large_run_is_compacted_when_it_ends_and_reads_the_same(any_workspace):
    run = experiments.start_run("census", workspace=any_workspace)
    _log(run)
    before = _content(run)
    size = run._folder.metrics_size()
    run.finish()
    assert _files(run) == ["metrics.parquet"]
    assert _content(run) == before
    assert run._folder.metrics_size() < size / 2
    short = read_history(run._folder, "key 0", 100)
    assert (len(short.values) <= 100, short.exact, short.point_count) == (True, False, 1000)
    assert experiments.search_run_records(filter="metrics.once = 1", workspace=any_workspace)[0][0].id == run.id


def test_a_resumed_run_is_compacted_again_with_its_new_points(workspace):
    run = experiments.start_run("census", workspace=workspace)
    _log(run)
    run.finish()
    run.resume()
    _log(run, seed=1)
    before = _content(run)
    assert len(_files(run)) == 2
    run.finish()
    assert _files(run) == ["metrics.parquet"]
    assert _content(run) == before


def test_small_runs_are_compacted_when_it_is_asked_for(workspace):
    run = experiments.start_run("census", workspace=workspace)
    _log(run, 20)
    running = experiments.start_run("census", workspace=workspace)
    running.log_metric("a", 1.0)
    before = _content(run)
    run.finish()
    assert _files(run) != ["metrics.parquet"]
    assert experiments.compact(workspace=workspace) == 1
    assert _files(run) == ["metrics.parquet"]
    assert _content(run) == before
    assert experiments.compact(workspace=workspace) == 0
    with pytest.raises(ConflictError, match="running"):
        experiments.compact(running, workspace=workspace)


def test_a_crash_between_the_file_and_the_deletion_counts_no_point_twice(workspace):
    run = experiments.start_run("census", workspace=workspace)
    _log(run, 20)
    run.finish()
    (segment,) = run._folder.segments()
    copy = segment.read_bytes()
    before = _content(run)
    run.compact()
    segment.write_bytes(copy)
    assert _content(run) == before
    run.compact()
    assert _files(run) == ["metrics.parquet"]


def test_a_segment_that_another_process_writes_is_left_to_it(workspace):
    run = experiments.start_run("census", workspace=workspace)
    run.log_metric("mine", 1.0)
    run._folder.path.joinpath("x").mkdir()
    other = SegmentWriter(run._folder.next_segment())  # holds its lock, as another process would
    other.write("other", 2.0, 0, 0)
    run.finish()
    assert run.compact() == 1
    assert other.path.exists()
    other.write("other", 3.0, 1, 0)
    assert run.metrics == {"mine": 1.0, "other": 3.0}
    other.close()
    run.compact()
    assert _files(run) == ["metrics.parquet"]
    assert run.metrics == {"mine": 1.0, "other": 3.0}


def test_a_damaged_segment_is_not_compacted_away(workspace, caplog):
    run = experiments.start_run("census", workspace=workspace)
    _log(run, 50)
    run.finish()
    (segment,) = run._folder.segments()
    content = bytearray(segment.read_bytes())
    content[40 * 32] ^= 1
    segment.write_bytes(content)
    metrics.forget_readers()  # as in another process
    found = len(run.history("key 0"))
    assert 0 < found < 17
    assert run.compact() == 0
    assert segment.exists()
    assert "is damaged at byte" in caplog.text


def test_a_damaged_compacted_file_is_named(workspace):
    run = experiments.start_run("census", workspace=workspace)
    _log(run, 50)
    run.finish()
    run.compact()
    run._folder.compacted.write_bytes(b"PAR1 nonsense")
    with pytest.raises(IntegrityError, match=r"metrics\.parquet cannot be read"):
        run.history("once")
    assert experiments.search_run_records(workspace=workspace)[0][0].metrics["once"] == 1.0


FILTERS = [
    "",
    "metrics.auc > 0.3",
    "params.depth = '2' or tags.team = 'red'",
    "dataset.name = 'adult'",
    "tags.`mlflow.parentRunId` IS NOT NULL",
    "params.long LIKE '%end'",
]


def _answers(workspace):
    pages = [
        experiments.search_run_records(filter=text, order_by=order, view=view, workspace=workspace)[0]
        for text in FILTERS
        for order in ([], ["metrics.auc DESC"], ["params.depth", "run_name DESC"])
        for view in ("ACTIVE_ONLY", "ALL")
    ]
    found, _ = experiments.search_experiment_records(view="ALL", workspace=workspace)
    return repr((pages, sorted(found, key=lambda item: item.id)))


def _fill(workspace):
    random = np.random.default_rng(0)
    parent = None
    for number in range(12):
        run = experiments.start_run(
            f"experiment {number % 3}",
            name=f"run {number}",
            params={"depth": number % 4, "long": "x" * 400 + "end" * (number % 2)},
            tags={"team": ("red", "blue")[number % 2]},
            parent_run_id=parent,
            started_at=1_700_000_000_000 + number,
            workspace=workspace,
        )
        parent = run.id if number % 5 == 0 else parent
        for value in random.normal(size=3):
            run.log_metric("auc", float("nan") if number == 4 else value)
        if number % 4 == 0:
            run.log_inputs([experiments.DatasetInput("adult", f"{number}")])
        run.finish("FAILED" if number == 2 else "FINISHED")
        if number == 7:
            run.delete()
    page, _ = experiments.list_experiments(workspace=workspace)
    experiments.rename_experiment(page[0].id, "renamed", workspace=workspace)
    experiments.set_experiment_tags(page[0].id, {"a": "b"}, workspace=workspace)
    experiments.archive_experiment(page[1].id, workspace=workspace)
    experiments.delete_experiment(page[2].id, workspace=workspace)
    return page


def test_a_rebuilt_catalog_gives_the_same_answers(any_workspace):
    _fill(any_workspace)
    before = _answers(any_workspace)
    rebuilt = experiments.rebuild(workspace=any_workspace)
    assert (rebuilt.experiments, rebuilt.runs, rebuilt.damaged) == (3, 12, [])
    assert _answers(any_workspace) == before


def test_a_catalog_that_is_lost_is_rebuilt_from_the_folders(workspace):
    _fill(workspace)
    before = _answers(workspace)
    workspace.database.dispose()
    for path in workspace.root.glob("catalog.db*"):
        path.unlink()
    again = Workspace(workspace.root)
    experiments.rebuild(workspace=again)
    assert _answers(again) == before


def test_runs_that_are_copied_in_are_found(workspace, tmp_path):
    other = Workspace(tmp_path / "other")
    run = experiments.start_run("from afar", workspace=other, name="copied")
    run.log_metric("auc", 0.5)
    run.finish()
    experiments.start_run("here", workspace=workspace)
    shutil.copytree(other.root / "runs" / run.id, workspace.root / "runs" / run.id)
    assert experiments.get_run(run.id, workspace=workspace).experiment == "from afar"
    assert experiments.search_run_records("from afar", "metrics.auc = 0.5", workspace=workspace)[0][0].name == "copied"
    experiments.rebuild(workspace=workspace)
    assert experiments.search_run_records("from afar", "metrics.auc = 0.5", workspace=workspace)[0][0].name == "copied"
    assert experiments.get_experiment("from afar", workspace=workspace).run_count == 1


def test_a_rebuild_names_what_is_damaged_and_takes_the_rest(workspace):
    broken, whole = (experiments.start_run("census", name=name, workspace=workspace) for name in ("broken", "whole"))
    (workspace.root / "runs" / broken.id / "run.json").write_text('{"version": 1}')
    rebuilt = experiments.rebuild(workspace=workspace)
    assert rebuilt.runs == 1
    assert broken.id in rebuilt.damaged[0]
    assert experiments.search_run_records(workspace=workspace)[0][0].name == "whole"
    assert os.path.exists(workspace.root / "runs" / broken.id)
