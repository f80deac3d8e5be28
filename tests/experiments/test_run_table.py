"""What a table of runs is made of: windows, groups, fields, saved views and changes of many runs."""

import json
import multiprocessing
import statistics

import pytest

from kernel_tools import experiments
from kernel_tools.core.errors import ConflictError, IntegrityError, InvalidArgumentError, NotFoundError
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments.run_watch import RunWatch
from kernel_tools.experiments.views import ViewColumn, ViewSettings


def start(workspace, name, experiment="census", **options):
    return experiments.start_run(experiment, name=name, workspace=workspace, **options)


@pytest.fixture
def ten_runs(any_workspace):
    for number in range(10):
        with start(any_workspace, f"run {number}", params={"depth": number % 3}, tags={"team": "red"}) as run:
            run.log_metrics({"auc": number / 10, "loss": 1 - number / 10})
    return any_workspace


def names(window):
    return [row.name for row in window.rows]


def test_windows_together_are_the_whole_search(ten_runs):
    query = {"experiments": "census", "filter": "metrics.auc >= 0.2", "order_by": ["metrics.auc DESC"]}
    first = experiments.read_run_window(**query, limit=3, workspace=ten_runs)
    assert first.total == 8
    rest = [
        experiments.read_run_window(**query, offset=offset, limit=3, order=first.order, workspace=ten_runs)
        for offset in (3, 6, 9)
    ]
    assert [name for window in (first, *rest) for name in names(window)] == [f"run {n}" for n in range(9, 1, -1)]
    paged, _ = experiments.search_run_records("census", query["filter"], query["order_by"], 20, workspace=ten_runs)
    assert [record.name for record in paged] == [f"run {n}" for n in range(9, 1, -1)]


def test_an_order_stays_while_runs_are_added_and_a_new_one_has_them(ten_runs):
    first = experiments.read_run_window("census", limit=2, workspace=ten_runs)
    start(ten_runs, "later").finish()
    same = experiments.read_run_window("census", limit=2, order=first.order, workspace=ten_runs)
    assert (same.order, same.total, names(same)) == (first.order, 10, names(first))
    fresh = experiments.read_run_window("census", limit=2, workspace=ten_runs)
    assert (fresh.total, names(fresh)[0]) == (11, "later")
    assert fresh.order != first.order


def test_an_order_that_is_not_known_starts_anew(ten_runs):
    window = experiments.read_run_window("census", order="none", workspace=ten_runs)
    assert (window.total, window.order != "none") == (10, True)


def test_a_run_that_was_removed_for_good_ends_its_order(ten_runs):
    first = experiments.read_run_window("census", workspace=ten_runs)
    experiments.get_run(first.rows[4].id, workspace=ten_runs).delete()
    experiments.collect_garbage(0, workspace=ten_runs)
    after = experiments.read_run_window("census", order=first.order, workspace=ten_runs)
    assert (after.total, after.order != first.order) == (9, True)


def test_a_window_holds_only_the_chosen_columns(ten_runs):
    columns = ["metrics.auc", "params.depth"]
    row = experiments.read_run_window("census", limit=1, columns=columns, workspace=ten_runs).rows[0]
    assert (row.metrics, row.params, row.tags) == ({"auc": 0.9}, {"depth": "0"}, {})
    bare = experiments.read_run_window("census", limit=1, columns=[], workspace=ten_runs).rows[0]
    assert (bare.metrics, bare.params) == ({}, {})


@pytest.mark.parametrize("wrong", [{"offset": -1}, {"limit": 501}, {"offset": 10_000_001}, {"find": ["a"] * 201}])
def test_a_window_is_bounded(workspace, wrong):
    with pytest.raises(InvalidArgumentError, match="at most 500 rows"):
        experiments.read_run_window(**wrong, workspace=workspace)


def test_runs_are_found_in_an_order(ten_runs):
    first = experiments.read_run_window("census", order_by=["metrics.auc"], workspace=ten_runs)
    wanted = [first.rows[7].id, "0" * 32]
    found = experiments.read_run_window("census", order_by=["metrics.auc"], limit=0, find=wanted, workspace=ten_runs)
    assert found.positions == {first.rows[7].id: 7}


def test_roots_are_counted_with_their_children_and_nothing_that_matches_is_lost(any_workspace):
    outer = start(any_workspace, "outer", tags={"kind": "a"})
    inner = start(any_workspace, "inner", tags={"kind": "a"}, parent_run_id=outer.id)
    start(any_workspace, "innermost", tags={"kind": "a"}, parent_run_id=inner.id)
    start(any_workspace, "other", tags={"kind": "b"}, parent_run_id=outer.id)
    start(any_workspace, "alone")
    roots = experiments.read_run_window("census", roots_only=True, workspace=any_workspace)
    assert (sorted(names(roots)), roots.child_counts) == (["alone", "outer"], {outer.id: 2})
    children = experiments.read_run_window("census", parent_run_id=outer.id, workspace=any_workspace)
    assert (sorted(names(children)), children.child_counts) == (["inner", "other"], {inner.id: 1})
    filtered = experiments.read_run_window("census", "tags.kind = 'b'", roots_only=True, workspace=any_workspace)
    assert names(filtered) == ["other"]
    outer.delete()
    left = experiments.read_run_window("census", roots_only=True, workspace=any_workspace)
    assert sorted(names(left)) == ["alone", "inner", "other"]


def test_archived_runs_are_left_out_until_asked_for_and_survive_a_rebuild(ten_runs):
    run_id = experiments.read_run_window("census", workspace=ten_runs).rows[0].id
    experiments.get_run(run_id, workspace=ten_runs).set_archived()
    experiments.rebuild(workspace=ten_runs)
    assert experiments.count_matching_runs("census", is_archived=False, workspace=ten_runs) == 9
    (row,) = experiments.read_run_window("census", is_archived=True, workspace=ten_runs).rows
    assert row.id == run_id
    run = experiments.get_run(run_id, workspace=ten_runs)
    run.set_archived(False)
    assert not run.is_archived
    assert "atelier.archived" not in run.tags


def test_groups_hold_what_their_runs_come_to(ten_runs):
    start(ten_runs, "without").finish()
    found = experiments.group_runs("params.depth", ["auc", "loss"], "census", lowest=["loss"], workspace=ten_runs)
    assert (found.total, found.run_count) == (4, 11)
    assert [(group.value, group.count) for group in found.groups] == [("0", 4), ("1", 3), ("2", 3), (None, 1)]
    values = [0.0, 0.3, 0.6, 0.9]
    auc, loss = found.groups[0].metrics["auc"], found.groups[0].metrics["loss"]
    assert (auc.count, auc.min, auc.max) == (4, 0.0, 0.9)
    assert auc.mean == pytest.approx(statistics.mean(values))
    assert auc.std == pytest.approx(statistics.stdev(values))
    assert auc.best_run_id == loss.best_run_id
    assert experiments.get_run(auc.best_run_id, workspace=ten_runs).name == "run 9"
    assert found.groups[3].metrics == {}


@pytest.mark.parametrize(
    ("by", "value", "count"),
    [
        ("params.depth", "0", 4),
        ("params.other", None, 10),
        ("status", "FINISHED", 10),
        ("experiment", "census", 10),
        ("tags.team", "red", 10),
    ],
)
def test_a_group_opens_to_its_runs(ten_runs, by, value, count):
    found = experiments.group_runs(by, workspace=ten_runs)
    assert next(group.count for group in found.groups if group.value == value) == count
    window = experiments.read_run_window(group_by=by, group_value=value, workspace=ten_runs)
    assert window.total == count


def test_numbers_that_are_none_do_not_spoil_a_group(any_workspace):
    for value in (float("inf"), float("nan"), 1e308, 1.0, 3.0):
        with start(any_workspace, "odd") as run:
            run.log_metric("loss", value)
    (group,) = experiments.group_runs("status", ["loss"], workspace=any_workspace).groups
    summary = group.metrics["loss"]
    assert (summary.count, summary.mean, summary.max) == (4, 2.0, float("inf"))
    assert summary.std == pytest.approx(statistics.stdev([1.0, 3.0]))


def test_runs_are_not_grouped_by_what_every_run_has_alone(workspace):
    with pytest.raises(InvalidArgumentError, match="not grouped by 'metrics.auc'"):
        experiments.group_runs("metrics.auc", workspace=workspace)


def test_fields_are_the_keys_of_the_runs_at_hand(ten_runs):
    with start(ten_runs, "tagged", "other", tags={"mlflow.source.name": "x.py"}) as run:
        run.log_params({"depth": "deep", "long": "x" * 500})
    census = experiments.read_run_fields("census", workspace=ten_runs)
    assert [(field.key, field.run_count) for field in census.metrics] == [("auc", 10), ("loss", 10)]
    (depth,) = census.params
    assert (depth.samples, depth.is_numeric) == (["0", "1", "2"], True)
    everything = experiments.read_run_fields(workspace=ten_runs)
    fields = {field.key: field for field in (*everything.params, *everything.tags)}
    assert not fields["depth"].is_numeric
    assert fields["long"].samples == []
    assert fields["mlflow.source.name"].is_system


def test_one_change_of_many_runs_names_those_that_failed(ten_runs):
    ids = [row.id for row in experiments.read_run_window("census", workspace=ten_runs).rows]
    experiments.get_run(ids[0], workspace=ten_runs).delete()
    done = experiments.change_runs([*ids, ids[1], "0" * 32], "set_tags", tags={"kept": "yes"}, workspace=ten_runs)
    assert (done.changed, done.unchanged, set(done.failures)) == (9, 0, {ids[0], "0" * 32})
    assert "deleted" in done.failures[ids[0]]
    again = experiments.change_runs(ids[1:], "set_tags", tags={"kept": "yes"}, workspace=ten_runs)
    assert (again.changed, again.unchanged) == (0, 9)
    assert experiments.count_matching_runs(filter="tags.kept = 'yes'", workspace=ten_runs) == 9
    assert experiments.change_runs(ids[1:], "delete_tags", tag_keys=["kept"], workspace=ten_runs).changed == 9
    for change, count in (("favourite", 9), ("archive", 9), ("unarchive", 9), ("delete", 9), ("restore", 9)):
        assert experiments.change_runs(ids[1:], change, workspace=ten_runs).changed == count, change
    assert experiments.count_matching_runs("census", workspace=ten_runs) == 9


def test_a_view_is_saved_replaced_renamed_and_deleted(workspace):
    start(workspace, "one").finish()
    settings = ViewSettings(filter="metrics.auc > 0.5", columns=[ViewColumn("metrics.auc", 120)], goals={"auc": "max"})
    experiments.save_view("best", settings, "census", is_default=True, workspace=workspace)
    experiments.save_view("all", ViewSettings(), "census", is_default=True, workspace=workspace)
    assert [(view.name, view.is_default) for view in experiments.list_views("census", workspace=workspace)] == [
        ("all", True),
        ("best", False),
    ]
    with pytest.raises(ConflictError, match="'all' already"):
        experiments.save_view("all", settings, "census", replaces="best", workspace=workspace)
    experiments.save_view("the best", settings, "census", replaces="best", workspace=workspace)
    views = experiments.list_views("census", workspace=workspace)
    assert [(view.name, view.settings) for view in views] == [("all", ViewSettings()), ("the best", settings)]
    assert experiments.list_views(workspace=workspace) == []
    experiments.delete_view("all", "census", workspace=workspace)
    with pytest.raises(NotFoundError):
        experiments.delete_view("all", "census", workspace=workspace)
    actions = [entry.action for entry in workspace.audit.records()]
    assert (actions.count("view.save"), actions.count("view.delete")) == (3, 1)


def test_views_of_a_newer_atelier_are_left_alone(workspace):
    experiments.save_view("one", ViewSettings(), workspace=workspace)
    path = workspace.root / "views" / "all.json"
    path.write_text(json.dumps({"version": 2, "views": []}))
    with pytest.raises(IntegrityError, match="format version 2"):
        experiments.save_view("two", ViewSettings(), workspace=workspace)
    assert json.loads(path.read_text())["version"] == 2


def save_some(root, process):
    for number in range(5):
        experiments.save_view(f"{process}-{number}", ViewSettings(), workspace=Workspace(root))


def test_views_saved_at_the_same_time_are_all_kept(workspace):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=save_some, args=(workspace.root, process)) for process in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert len(experiments.list_views(workspace=workspace)) == 15


def test_a_watch_sees_points_and_comings_and_goings(any_workspace):
    run = start(any_workspace, "running")
    watch = RunWatch(any_workspace)
    assert (watch.look().run_ids, watch.look().run_ids) == ([], [])
    run.log_metric("loss", 1.0)
    seen = watch.look()
    assert (seen.run_ids, seen.is_set_changed) == ([run.id], False)
    run.set_tags({"a": "b"})
    assert watch.look().run_ids == [run.id]
    other = start(any_workspace, "another")
    seen = watch.look()
    assert (seen.run_ids, seen.is_set_changed) == ([other.id], True)
    run.finish()
    seen = watch.look()
    assert (seen.run_ids, seen.is_set_changed) == ([run.id], True)
    run.delete()
    assert watch.look().is_set_changed
    assert watch.look() == watch.look()
