"""Runs: their life, what they keep, and what is left after a kill -9."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pandas as pd
import pytest

from kernel_tools import experiments
from kernel_tools.core.errors import ConflictError, IntegrityError, InvalidArgumentError, NotFoundError
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments import RunStatus
from kernel_tools.experiments.figures import metric_history


def _start(workspace: Workspace, **options) -> experiments.Run:
    return experiments.start_run("census-income", workspace=workspace, **options)


def test_a_run_comes_back_with_everything_that_was_logged(any_workspace, tmp_path: Path):
    report = tmp_path / "report.txt"
    report.write_text("fine")
    with _start(any_workspace, name="first", params={"depth": 6}) as run:
        for step in range(5):
            run.log_metric("auc", step / 10, step=step)
        run.log_metrics({"loss": 0.25, "count": 7}, step=4)
        run.log_params({"eta": 0.3})
        run.set_tags({"team": "red"})
        run.log_artifact(report)
    again = experiments.get_run(run.id, workspace=any_workspace)
    assert again.status is RunStatus.FINISHED
    assert again.params == {"depth": "6", "eta": "0.3"}
    assert again.metrics == {"auc": 0.4, "count": 7.0, "loss": 0.25}
    assert again.tags == {"team": "red"}
    assert again.open_artifact("report.txt").read() == b"fine"
    assert again.history("auc")["value"].tolist() == [0.0, 0.1, 0.2, 0.3, 0.4]
    found = experiments.search_runs("census-income", workspace=any_workspace)
    assert found.loc[0, ["run_id", "metrics.auc", "params.depth", "tags.team"]].tolist() == [run.id, 0.4, "6", "red"]
    assert experiments.search_run_records(workspace=any_workspace)[0] == [again.record]


def test_history_has_the_types_that_pandas_users_expect(workspace):
    run = _start(workspace)
    run.log_metric("auc", 0.5, step=3, timestamp=1_700_000_000_123)
    history = run.history("auc")
    assert history.columns.tolist() == ["step", "timestamp", "value"]
    assert history.loc[0, "timestamp"] == pd.Timestamp("2023-11-14 22:13:20.123", tz="UTC")


def test_points_logged_out_of_order_are_read_in_order_of_step_and_time(workspace):
    run = _start(workspace)
    for step, timestamp, value in [(2, 5, 0.2), (1, 9, 0.1), (2, 4, 0.3)]:
        run.log_metric("auc", value, step=step, timestamp=timestamp)
    assert run.history("auc")["value"].tolist() == [0.1, 0.3, 0.2]
    assert run.metrics["auc"] == 0.2


def test_a_short_history_keeps_the_extremes_and_says_that_it_is_not_exact(workspace):
    from kernel_tools.experiments.metrics import read_history
    from kernel_tools.experiments.run_files import RunFolder

    run = _start(workspace)
    for step in range(1000):
        run.log_metric("loss", 100.0 if step == 500 else -7.0 if step == 700 else step % 3)
    short = read_history(RunFolder(workspace, run.id), "loss", max_points=40)
    assert (len(short.values) <= 40, short.exact, short.point_count) == (True, False, 1000)
    assert short.values.max() == 100.0
    assert short.values.min() == -7.0
    assert (short.steps[0], short.steps[-1]) == (0, 999)
    assert read_history(RunFolder(workspace, run.id), "loss", max_points=1000).exact


def test_a_running_run_is_found_with_its_latest_values(any_workspace):
    run = _start(any_workspace)
    for value in (0.1, 0.7):
        run.log_metric("auc", value)
        found, _ = experiments.search_run_records(filter=f"metrics.auc = {value}", workspace=any_workspace)
        assert [record.id for record in found] == [run.id]


@pytest.mark.parametrize(
    ("error", "status"),
    [(ValueError, RunStatus.FAILED), (KeyboardInterrupt, RunStatus.KILLED), (SystemExit, RunStatus.KILLED)],
)
def test_a_run_left_by_an_exception_ends_and_the_exception_goes_on(workspace, error, status):
    with pytest.raises(error), _start(workspace) as run:
        raise error
    assert run.status is status


def test_an_ended_run_takes_no_more_points_and_does_not_end_twice(workspace):
    with _start(workspace) as run:
        pass
    with pytest.raises(ConflictError, match="ended as FINISHED"):
        run.log_metric("auc", 1.0)
    with pytest.raises(ConflictError, match="ended already"):
        run.finish()


def test_a_parameter_does_not_change_but_may_be_repeated(workspace):
    run = _start(workspace, params={"depth": 6})
    run.log_param("depth", 6)
    with pytest.raises(ConflictError, match="'depth'.*is '6' and cannot become '7'"):
        run.log_param("depth", 7)


@pytest.mark.parametrize("experiment", ["", " spaces ", "x" * 251, "tab\t", None])
def test_bad_experiment_names_are_refused(workspace, experiment):
    with pytest.raises(InvalidArgumentError, match="experiment name"):
        experiments.start_run(experiment, workspace=workspace)


def test_a_value_that_is_too_long_is_refused_with_what_to_do(workspace):
    with pytest.raises(InvalidArgumentError, match="Log it as an artifact"):
        _start(workspace, params={"text": "x" * 100_001})


@pytest.mark.parametrize("run_id", ["0" * 32, "nonsense"])
def test_a_run_that_does_not_exist_is_not_found(workspace, run_id):
    with pytest.raises(NotFoundError, match=run_id):
        experiments.get_run(run_id, workspace=workspace)


@pytest.mark.parametrize("run_id", ["../x", "", "a/b", ".."])
def test_a_run_id_cannot_leave_the_runs_folder(workspace, run_id):
    with pytest.raises(InvalidArgumentError):
        experiments.get_run(run_id, workspace=workspace)


def test_a_metric_that_does_not_exist_is_named_with_those_that_do(workspace):
    run = _start(workspace)
    run.log_metric("auc", 1.0)
    with pytest.raises(NotFoundError, match="no metric 'acu'. It has: auc"):
        run.history("acu")


def test_folders_are_kept_with_their_paths_and_a_file_logged_again_replaces_the_first(workspace, tmp_path: Path):
    folder = tmp_path / "plots"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("one")
    (folder / "deep" / "b.txt").write_text("two")
    run = _start(workspace)
    run.log_artifact(folder, artifact_path="out")
    (folder / "a.txt").write_text("three")
    run.log_artifact(folder / "a.txt", artifact_path="out/plots")
    assert [artifact.path for artifact in run.artifacts] == ["out/plots/a.txt", "out/plots/deep/b.txt"]
    assert run.open_artifact("out/plots/a.txt").read() == b"three"


@pytest.mark.parametrize("target", ["../up", "/root", "a/../../b", "a\\b"])
def test_an_artifact_path_cannot_leave_the_run(workspace, tmp_path: Path, target):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidArgumentError, match="not a valid artifact path"):
        _start(workspace).log_artifact(tmp_path / "file", artifact_path=target)


def test_a_missing_file_is_named(workspace, tmp_path: Path):
    with pytest.raises(NotFoundError, match=r"missing\.txt"):
        _start(workspace).log_artifact(tmp_path / "missing.txt")


def test_a_figure_is_kept_as_plotly_json_that_draws_again(workspace):
    import plotly.graph_objects as go

    run = _start(workspace)
    record = run.log_figure(go.Figure(go.Scatter(x=[1, 2], y=[3, 4])), "roc")
    assert record.path == "roc.plotly.json"
    figure = go.Figure(json.load(run.open_artifact(record.path)))
    assert list(figure.data[0].y) == [3, 4]


def test_the_chart_of_a_metric_has_its_points(workspace):
    run = _start(workspace)
    for value in (0.5, 0.75):
        run.log_metric("auc", value)
    figure = metric_history(run, ["auc"])
    assert list(figure.data[0].y) == [0.5, 0.75]
    assert figure.layout.xaxis.title.text == "step"


def test_pages_go_through_all_runs_once(any_workspace):
    for number in range(7):
        _start(any_workspace, name=f"run {number}").finish()
    names, token = [], None
    while True:
        page, token = experiments.search_run_records(limit=3, page_token=token, workspace=any_workspace)
        names += [record.name for record in page]
        if token is None:
            break
    assert names == [f"run {number}" for number in reversed(range(7))]


@pytest.mark.parametrize("token", ["x", "MTo=x", "MTotMQ==", "Mjox", "é"])
def test_a_page_token_that_was_not_given_out_is_refused(workspace, token):
    with pytest.raises(InvalidArgumentError, match="page token"):
        experiments.search_run_records(page_token=token, workspace=workspace)


@pytest.mark.parametrize("limit", [0, -1, 1001, "5"])
def test_a_page_has_1_to_1000_rows(workspace, limit):
    with pytest.raises(InvalidArgumentError, match="1 to 1000"):
        experiments.search_run_records(limit=limit, workspace=workspace)


def test_experiments_come_with_their_number_of_runs_the_last_used_first(any_workspace):
    for name in ("a", "b", "a"):
        experiments.start_run(name, workspace=any_workspace)
    page, token = experiments.list_experiments(workspace=any_workspace)
    assert [(item.name, item.run_count) for item in page] == [("a", 2), ("b", 1)]
    assert token is None
    assert experiments.count_runs(workspace=any_workspace)[RunStatus.RUNNING] == 3


WRITER = """
    import sys
    from kernel_tools import experiments
    run = experiments.start_run("crash", params={"a": 1})
    print(run.id, flush=True)
    step = 0
    while True:
        run.log_metric("loss", step / 7, step=step)
        sys.stdout.write(f"{step}\\n")
        sys.stdout.flush()
        step += 1
"""


@pytest.mark.parametrize("lines", [1, 10, 2000])
def test_kill_9_while_logging_loses_no_acknowledged_point_and_the_run_opens_as_killed(workspace, lines):
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "ATELIER_HOME": str(workspace.root)},
    )
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    for _ in range(lines):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    acknowledged = [int(line) for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    process.wait()
    last = acknowledged[-1] if acknowledged else lines - 1

    run = experiments.get_run(run_id, workspace=workspace)
    history = run.history("loss")
    assert history["step"].tolist()[: last + 1] == list(range(last + 1))
    assert history["value"].tolist() == [step / 7 for step in history["step"]]
    assert run.status is RunStatus.KILLED
    found, _ = experiments.search_run_records("crash", "status = 'KILLED'", workspace=workspace)
    assert [(record.id, record.metrics["loss"]) for record in found] == [(run_id, history["value"].iloc[-1])]


def test_two_processes_that_log_to_one_run_keep_all_points(workspace):
    run = _start(workspace)
    script = f"""
        from kernel_tools import experiments
        run = experiments.get_run({run.id!r})
        for step in range(100):
            run.log_metric("from the child", step)
        run.set_tag("child", "done")
    """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], env={**os.environ, "ATELIER_HOME": str(workspace.root)}
    )
    for step in range(100):
        run.log_metric("from the parent", step)
    run.set_tag("parent", "done")
    assert child.wait() == 0
    run.finish()
    assert len(run.history("from the child")) == len(run.history("from the parent")) == 100
    found, _ = experiments.search_run_records(
        filter="tags.child = 'done' and tags.parent = 'done'", workspace=workspace
    )
    assert found[0].metrics == {"from the child": 99.0, "from the parent": 99.0}


def test_a_forked_child_writes_a_segment_of_its_own(workspace):
    run = _start(workspace)
    run.log_metric("parent", 1.0)
    child = os.fork()
    if child == 0:
        try:
            run.log_metric("child", 2.0)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    run.log_metric("parent", 3.0)
    assert run.metrics == {"child": 2.0, "parent": 3.0}
    assert len(list((workspace.root / "runs" / run.id).glob("metrics-*.bin"))) == 2


def test_a_run_file_of_a_newer_version_or_no_json_is_refused_clearly(workspace):
    run = _start(workspace)
    path = workspace.root / "runs" / run.id / "run.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "version": 99}))
    with pytest.raises(IntegrityError, match="newer"):
        experiments.get_run(run.id, workspace=workspace)
    path.write_text("{")
    with pytest.raises(IntegrityError, match="not valid JSON"):
        experiments.get_run(run.id, workspace=workspace)


def test_one_damaged_run_does_not_hide_the_others(workspace):
    broken, whole = _start(workspace, name="broken"), _start(workspace, name="whole")
    whole.log_metric("auc", 0.5)
    (workspace.root / "runs" / broken.id / "run.json").write_text("{")
    found, _ = experiments.search_run_records(workspace=workspace)
    assert {record.name: record.metrics for record in found} == {"broken": {}, "whole": {"auc": 0.5}}


def test_every_change_is_in_the_audit_log(workspace):
    with _start(workspace) as run:
        pass
    actions = [(record.action, record.target) for record in workspace.audit.records(limit=10, newest_first=False)]
    assert actions == [("experiment.create", run.experiment_id), ("run.start", run.id), ("run.end", run.id)]
