"""Crashes, many writers, full and read-only disks, huge and odd input: a clear error, and nothing else is lost."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from benchmarks.soak import kill_while_logging, log_from_many_processes
from kernel_tools import experiments
from kernel_tools.core.errors import (
    AtelierError,
    InvalidArgumentError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments import Point, texts
from kernel_tools.experiments.metrics import forget_readers


def _start(workspace, **options) -> experiments.Run:
    return experiments.start_run("census", workspace=workspace, **options)


def _run_script(script: str, home: Path) -> str:
    environment = {**os.environ, "ATELIER_HOME": str(home), "ATELIER_CAPTURE_SOURCE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_kill_9_at_any_moment_loses_nothing_that_was_acknowledged(workspace):
    campaign = kill_while_logging(workspace, tries=4)
    assert campaign.acknowledged > 100
    assert (campaign.lost, campaign.unreadable) == (0, 0)
    assert experiments.rebuild(workspace=workspace).damaged == []


def test_many_processes_log_to_one_experiment_at_once(workspace):
    assert log_from_many_processes(workspace, processes=4, points=500) == (0, 2000)


def test_a_full_disk_is_named_and_what_was_kept_before_is_whole(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a small file system can only be mounted by root")
    try:
        script = """
            from kernel_tools import experiments
            from kernel_tools.core.errors import UnavailableError
            run = experiments.start_run("full")
            step, batch = 0, [experiments.Point("loss", 0.5, step, step) for step in range(1000)]
            try:
                while True:
                    run.log_points(batch)
                    step += 1000
            except UnavailableError as error:
                print(step, error)
            for change in (lambda: run.log_param("a", "x" * 90_000), lambda: run.log_text("x" * 90_000, "a.txt")):
                try:
                    change()
                except UnavailableError as error:
                    print("refused", error)
        """
        lines = _run_script(script, disk / "home").splitlines()
        assert "No space left" in lines[0] or "disk is full" in lines[0]
        assert len(lines) == 3
        assert all("Free some space" in line for line in lines)
        run_id = next((disk / "home" / "runs").iterdir()).name
        (disk / "home" / "runs" / run_id / "run.json").read_text()
        read = f"""
            from kernel_tools.experiments.metrics import read_history
            from kernel_tools.core.workspace import current_workspace
            from kernel_tools.experiments.run_files import RunFolder
            print(read_history(RunFolder(current_workspace(), {run_id!r}), "loss").point_count)
        """
        assert int(_run_script(read, disk / "home")) == int(lines[0].split()[0])
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_file_size_limit_stops_the_points_and_keeps_those_before(workspace):
    script = """
        import resource
        from kernel_tools import experiments
        from kernel_tools.core.errors import UnavailableError
        run = experiments.start_run("limited")
        run.log_metric("loss", 0.5)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            for _ in range(100):
                run.log_metric("loss", 0.5)
        except UnavailableError as error:
            print(error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        print(len(run.history("loss")))
    """
    message, count = _run_script(script, workspace.root).splitlines()
    assert "The metric was not logged" in message
    assert 20 <= int(count) <= 31


def test_a_read_only_workspace_says_so_and_can_be_read(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a file system can only be mounted by root")
    try:
        script = """
            from kernel_tools import experiments
            with experiments.start_run("read only", params={"a": 1}) as run:
                run.log_metric("auc", 0.5)
            print(run.id)
        """
        run_id = _run_script(script, disk / "home").strip()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        script = f"""
            from kernel_tools import experiments
            from kernel_tools.core.errors import AtelierError
            run = experiments.get_run({run_id!r})
            print(run.status, run.metrics, run.params)
            found, _ = experiments.search_run_records(filter="metrics.auc = 0.5")
            print([record.name for record in found] == [run.name])
            for change in (lambda: run.set_tag("a", 1), lambda: experiments.start_run("read only")):
                try:
                    change()
                except AtelierError as error:
                    print(error)
        """
        lines = _run_script(script, disk / "home").splitlines()
        assert lines[0] == "FINISHED {'auc': 0.5} {'a': '1'}"
        assert lines[1] == "True"
        assert all("read-only" in line.lower() or "readonly" in line.lower() for line in lines[2:])
        assert len(lines) == 4
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_ten_megabytes_are_no_parameter(workspace):
    run = _start(workspace)
    with pytest.raises(InvalidArgumentError, match="Log it as an artifact"):
        run.log_param("text", "x" * 10_000_000)
    with pytest.raises(InvalidArgumentError, match="Log it as an artifact"):
        run.set_tag("text", "x" * 10_000_000)
    assert run.params == {}


def test_a_million_keys_are_refused_and_the_run_goes_on(workspace):
    run = _start(workspace)
    with pytest.raises(TooLargeError, match="at most 100,000"):
        run.log_params({f"key {number}": number for number in range(1_000_000)})
    with pytest.raises(TooLargeError, match="at most 100,000"):
        run.log_metrics({f"key {number}": number for number in range(1_000_000)})
    run.log_metric("key 5", 1.0)
    run.finish()
    assert run.metrics == {"key 5": 1.0}


def test_the_limit_of_keys_holds_over_many_calls(workspace, monkeypatch):
    monkeypatch.setattr(texts, "MAX_KEYS", 1000)
    run = _start(workspace)
    calls = {"metrics": run.log_metrics, "params": run.log_params, "tags": run.set_tags}
    for what, log in calls.items():
        for start in range(0, 1000, 100):
            log({f"key {number}": 1.0 for number in range(start, start + 100)})
        with pytest.raises(TooLargeError, match="at most 1,000"):
            log({"one more": 1.0})
        log({"key 5": 1.0})
        assert len(getattr(run, what)) == 1000


def test_unknown_keys_are_named_or_found_nowhere(any_workspace):
    run = _start(any_workspace)
    run.log_metric("auc", 1.0)
    with pytest.raises(NotFoundError, match="auk"):
        run.history("auk")
    for text in ("metrics.auk > 0", "params.none = '1'", "tags.none LIKE '%'"):
        assert experiments.search_run_records(filter=text, workspace=any_workspace)[0] == []
    found, _ = experiments.search_run_records(order_by=["metrics.auk DESC"], workspace=any_workspace)
    assert [record.id for record in found] == [run.id]
    with pytest.raises(InvalidArgumentError, match="position 1"):
        experiments.search_run_records(filter="attributes.color = 'red'", workspace=any_workspace)


def test_a_corrupted_segment_is_read_as_far_as_it_is_whole_and_hurts_no_other_run(workspace):
    runs = [_start(workspace) for _ in range(2)]
    for run in runs:
        for step in range(100):
            run.log_metric("loss", step / 7, step)
        run.finish()
    [segment] = (workspace.root / "runs" / runs[0].id).glob("metrics-*.bin")
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 0xFF
    segment.write_bytes(content)
    forget_readers()
    assert 40 < len(runs[0].history("loss")) < 60
    assert len(runs[1].history("loss")) == 100
    experiments.rebuild(workspace=workspace)
    found, _ = experiments.search_run_records("census", workspace=workspace)
    assert {record.id for record in found} == {run.id for run in runs}
    assert next(record for record in found if record.id == runs[1].id).metrics == {"loss": 99 / 7}


def test_twelve_thousand_keys_are_kept_and_found(any_workspace):
    run = _start(any_workspace)
    run.log_metrics({f"key {number}": number for number in range(12_000)})
    run.log_params({f"param {number}": number for number in range(12_000)})
    run.finish()
    found, _ = experiments.search_run_records(filter="metrics.`key 11999` = 11999", workspace=any_workspace)
    assert (len(found[0].metrics), len(found[0].params)) == (12_000, 12_000)


@pytest.mark.parametrize("key", ["a/b/c", "größe", "损失", "🙂", "with space", "a.b", "a'b", 'a"b', "a%b_c", "../up"])
def test_names_with_slashes_and_unicode_are_kept_and_found(any_workspace, key):
    run = _start(any_workspace, name=f"run {key}", params={key: key}, tags={key: key})
    run.log_metric(key, 1.0)
    quoted = key.replace("'", "''")
    for text in (f"metrics.`{key}` = 1", f"params.`{key}` = '{quoted}'", f"tags.`{key}` CONTAINS '{quoted}'"):
        found, _ = experiments.search_run_records(filter=text, workspace=any_workspace)
        assert [(record.id, record.name) for record in found] == [(run.id, f"run {key}")]


def test_negative_and_repeated_steps_and_numbers_that_are_none_are_kept(any_workspace):
    run = _start(any_workspace)
    values = [1.0, float("nan"), float("inf"), float("-inf"), -0.0, 5e-324]
    run.log_points([Point("a", value, -3, 7) for value in values])
    assert repr(run.history("a")["value"].tolist()) == repr(values)
    run.finish()
    assert run.history("a")["step"].unique().tolist() == [-3]
    assert experiments.search_run_records(workspace=any_workspace)[0][0].metrics["a"] == 5e-324


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_texts_that_no_database_keeps_are_refused(workspace, text):
    with pytest.raises(InvalidArgumentError, match="NUL|Unicode"):
        _start(workspace, params={"a": text})


@pytest.mark.parametrize(
    "content", ["[]", "null", "{}", '{"version": 1}', '{"version": 1, "status": "ODD"}', "\ufffd", "{" * 2000]
)
def test_a_damaged_run_file_is_an_error_that_names_it(workspace, content):
    run = _start(workspace)
    (workspace.root / "runs" / run.id / "run.json").write_text(content)
    with pytest.raises(AtelierError, match=r"run\.json"):
        experiments.get_run(run.id, workspace=workspace)


def test_a_disk_error_names_the_folder_and_the_way_out(workspace):
    from kernel_tools.experiments.disk import disk_error

    error = disk_error("The run was not started", workspace.root, OSError(30, "Read-only file system"))
    assert isinstance(error, UnavailableError)
    assert "ATELIER_HOME" in str(error)


def test_two_ways_of_searching_give_the_same_rows(any_workspace, monkeypatch):
    import itertools
    import random
    from collections import Counter

    from kernel_tools.experiments import run_rows

    ways = Counter()

    def count(name):
        way = getattr(run_rows, name)

        def counting(*arguments):
            rows = way(*arguments)
            ways[name, rows is not None, len(arguments)] += 1
            return rows

        monkeypatch.setattr(run_rows, name, counting)

    thorough_way = run_rows.collect
    count("walk")
    count("collect")
    random = random.Random(0)
    for number in range(40):
        run = experiments.start_run(
            f"experiment {number % 2}",
            params={"depth": random.randrange(3)},
            tags={"team": random.choice("ab")} if number % 3 else {},
            started_at=1_700_000_000_000 + random.randrange(20),
            workspace=any_workspace,
        )
        if number % 5:
            run.log_metrics(
                {"auc": random.choice([0.1, 0.5, 0.9, random.random(), float("nan")]), "loss": random.random()}
            )
        run.finish()
    filters = [
        "",
        "metrics.auc > 0.4",
        "params.depth = '1' or tags.team = 'a'",
        "tags.team IS NULL",
        "params.depth = '9'",
        "metrics.auc > 0.4 and metrics.auc < 0.95 and tags.team != 'b'",
        "metrics.loss < 0.3 and (params.depth = '1' or metrics.auc IS NULL) and tags.team IN ('a', 'b')",
        "metrics.loss < 0.3 and metrics.loss < 0.3 and params.depth LIKE '1%'",
        "attributes.status = 'FINISHED' and params.none IS NULL",
    ]
    orders = [
        ["run_name"],
        [],
        ["metrics.auc DESC"],
        ["metrics.auc ASC", "params.depth DESC"],
        ["start_time"],
        ["tags.team"],
    ]
    experiment_id = experiments.get_experiment("experiment 1", workspace=any_workspace).id
    with any_workspace.database.read() as connection:
        for text, order, ids, limit, offset in itertools.product(
            filters, orders, (None, (experiment_id,)), (2, 6), (0, 3)
        ):
            wanted = run_rows.RunSearch(ids, text, tuple(order), run_rows.View.ACTIVE_ONLY)
            expected = [row.id for row in thorough_way(connection, wanted, limit, offset)]
            for window, narrow in ((12, 500), (12, 6), (2500, 0), (2500, 12)):
                monkeypatch.setattr(run_rows, "WINDOW", window)
                monkeypatch.setattr(run_rows, "NARROW", narrow)
                found = [row.id for row in run_rows.find(connection, wanted, limit, offset)]
                assert found == expected, (text, order, window, narrow)
    walked, gave_up = ways["walk", True, 5], ways["walk", False, 5]
    listed, collected = ways["collect", True, 5], ways["collect", True, 4]
    assert min(walked, gave_up, listed, collected) > 20, ways


def test_an_experiment_that_an_older_atelier_made_is_carried_over(tmp_path):
    from alembic import command

    from kernel_tools.core.database import Database, migration_config

    database = Database(f"sqlite:///{tmp_path / 'home' / 'catalog.db'}", lock_path=tmp_path / "lock")
    with database._engine.connect() as connection, connection.execution_options(atelier_begin="BEGIN").begin():
        config = migration_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in (
            "INSERT INTO experiments VALUES ('census', 17)",
            "INSERT INTO runs VALUES ('" + "ab" * 16 + "', 'old', 'census', 'FINISHED', 'user', 18, 19, 0)",
            "INSERT INTO latest_metrics VALUES ('" + "ab" * 16 + "', 'auc', 0.5, 3, 4)",
            "INSERT INTO params VALUES ('" + "ab" * 16 + "', 'depth', '6')",
            "INSERT INTO tags VALUES ('" + "ab" * 16 + "', 'long', '" + "x" * 300 + "')",
        ):
            connection.exec_driver_sql(statement)
    database.dispose()
    workspace = Workspace(tmp_path / "home")
    found, _ = experiments.search_run_records("census", "metrics.auc = 0.5", workspace=workspace)
    assert (found[0].name, found[0].params, found[0].tags) == ("old", {"depth": "6"}, {"long": "x" * 300})
    renamed = experiments.rename_experiment(found[0].experiment_id, "income", workspace=workspace)
    assert (renamed.name, renamed.created_at) == ("income", 17)
    assert experiments.start_run("census", workspace=workspace).experiment_id != renamed.id
