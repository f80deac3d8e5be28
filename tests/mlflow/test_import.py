"""Stores that MLflow's own client wrote come over whole: `atelier experiments import`."""

from __future__ import annotations

import math
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kernel_tools import experiments, registry
from kernel_tools.cli import app
from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.experiments.mlflow_import import open_source
from kernel_tools.registry import logged_models
from scripts.mlflow_environment import mlflow_python
from scripts.peer_environment import PeerEnvironmentError, clean_environment

WRITER = Path(__file__).parent / "stores" / "write_store.py"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``mlflow.db`` and ``mlruns/``, written by MLflow."""
    folder = tmp_path_factory.mktemp("stores") / "written"
    folder.mkdir()
    try:
        python = mlflow_python()
    except PeerEnvironmentError as error:
        pytest.skip(str(error))
    uris = [f"sqlite:///{folder}/mlflow.db", str(folder / "files")]
    done = subprocess.run(
        [str(python), str(WRITER), str(folder), *uris],
        env=clean_environment(),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("ATELIER_HOME", str(tmp_path / "workspace"))
    yield Workspace(tmp_path / "workspace", database_url=os.environ.get("ATELIER_DATABASE_URL"))


def run_import(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["experiments", "import", *arguments])


def database_of(folder: Path) -> str:
    return f"sqlite:///{folder}/mlflow.db"


def run_named(name: str, workspace: Workspace) -> experiments.RunRecord:
    page, _ = experiments.search_run_records(
        filter=f"attributes.run_name = '{name}'", view=experiments.View.ALL, workspace=workspace
    )
    assert len(page) == 1
    return page[0]


def test_a_database_comes_over_whole_and_only_once(written: Path, workspace: Workspace) -> None:
    first = run_import(database_of(written))
    assert first.exit_code == 0, first.output
    assert "Imported 4 experiments, 13 runs, 1 logged models, 3 registered models and 4 versions" in first.output
    assert "Everything is the same." in first.output
    assert "s3://, which is not copied" in first.output
    again = run_import(database_of(written))
    assert again.exit_code == 0
    assert "Nothing new" in again.output and "13 runs are here already" in again.output


def test_a_database_comes_over_into_postgresql(
    written: Path, workspace: Workspace, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATELIER_DATABASE_URL", postgres_url)
    done = run_import(database_of(written))
    assert done.exit_code == 0, done.output
    assert "Everything is the same." in done.output
    current_workspace().database.dispose()


def test_a_folder_comes_over_whole_wherever_it_was_copied(written: Path, workspace: Workspace, tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(written / "files", copied)
    done = run_import(str(copied))
    assert done.exit_code == 0, done.output
    assert "Everything is the same." in done.output
    record = run_named("Ünïcode / run", workspace)
    points = experiments.get_run(record.id, workspace=workspace).history("odd").value.tolist()
    assert math.isnan(points[0]) and points[1:] == [math.inf, -math.inf, 5e-324, -0.0, 1e308, 0.1]


def test_odd_values_are_what_they_were(written: Path, workspace: Workspace) -> None:
    run_import(database_of(written))
    record = run_named("Ünïcode / run", workspace)
    run = experiments.get_run(record.id, workspace=workspace)
    assert (record.experiment, record.experiment_id) == ("odd values", "1")
    assert (record.status, record.started_at, record.ended_at) == ("FAILED", 1_600_000_000_123, 1_600_000_500_000)
    assert record.params == {"a/b": "1", "empty": "", "long": "x" * 5999, "text": "a'b\"c\n\\ ☃"}
    assert record.tags["lines"] == "one\ntwo" and run.note == "# A note"
    points = run.history("odd").value.tolist()
    assert math.isnan(points[0]) and points[1:4] == [math.inf, -math.inf, 5e-324]
    assert run.history("steps").step.tolist() == [-3, -3, 2**40]
    assert {item.path for item in run.artifacts} >= {"folder/deep/content.json", "empty.txt", "nämé with space.txt"}
    assert run.open_artifact("nämé with space.txt").read().decode() == "snow ☃"
    tags = experiments.get_experiment("odd values", workspace=workspace).tags
    assert {key: tags[key] for key in ("team", "note", "empty")} == {"team": "risk", "note": "two\nlines", "empty": ""}


def test_life_cycles_nesting_and_datasets_come_over(written: Path, workspace: Workspace) -> None:
    run_import(database_of(written))
    for status in ("FINISHED", "KILLED", "RUNNING", "SCHEDULED"):
        assert run_named(status.lower(), workspace).status == status
    assert run_named("deleted", workspace).lifecycle == "deleted"
    assert run_named("in a deleted experiment", workspace).lifecycle == "deleted"
    assert experiments.get_experiment("deleted experiment", workspace=workspace).lifecycle == "deleted"
    parent = experiments.get_run(run_named("parent", workspace).id, workspace=workspace)
    assert [[leaf.run.name for leaf in branch.children] for branch in parent.tree.children] == [["grandchild"]]
    inputs = experiments.get_run(run_named("with data", workspace).id, workspace=workspace).inputs
    found = {(item.name, item.digest, item.context, tuple(item.tags.items())) for item in inputs}
    assert found == {
        ("census", "abc123", "training", (("origin", "lake"),)),
        ("census test", "def456", None, ()),
    }


def test_models_keep_their_numbers_aliases_and_files(written: Path, workspace: Workspace) -> None:
    run_import(database_of(written))
    group = registry.get_model("census", workspace=workspace)
    assert (group.aliases, group.tags, group.latest_version) == ({"champion": 3}, {"owner": "ann"}, 4)
    assert group.description == "The *census* model"
    first = registry.get("census", 1, workspace=workspace).record
    assert (first.stage, first.tags, first.description) == ("Production", {"part": "first"}, "from first")
    assert {file.path for file in first.files} == {"MLmodel", "weights.bin"}
    assert first.storage_uri == f"mlflow-artifacts:/1/{first.run_id}/artifacts/first"
    last = registry.get("census", 4, workspace=workspace).record
    assert last.model_id is not None and {file.path for file in last.files} == {"MLmodel", "weights.bin"}
    logged = logged_models.get(last.model_id, workspace=workspace)
    assert (logged.name, logged.status, logged.params) == ("net", "READY", {"depth": "3"})
    assert [(item.key, item.value, item.dataset_digest) for item in logged.metrics] == [("f1", 0.75, "abc123")]
    assert registry.get("elsewhere", 1, workspace=workspace).record.source == "s3://bucket/model"
    with pytest.raises(NotFoundError):
        registry.get("census", 2, workspace=workspace)  # it was deleted there
    made = registry.create_version_from_source("census", "s3://bucket/next", workspace=workspace)
    assert made.version == 5


def test_chosen_experiments_come_over_and_the_others_stay(written: Path, workspace: Workspace) -> None:
    done = run_import(database_of(written), "--experiment", "remote")
    assert done.exit_code == 0, done.output
    assert "Imported 1 experiments, 1 runs, 0 logged models, 0 registered models" in done.output
    missing = run_import(database_of(written), "--experiment", "none of this name")
    assert missing.exit_code != 0
    with pytest.raises(NotFoundError, match="It has: 'Default'"):
        open_source(database_of(written), experiments=["none of this name"])


def test_a_taken_id_and_a_taken_name_are_resolved(written: Path, workspace: Workspace) -> None:
    mine = experiments.create_experiment("remote", workspace=workspace)
    first = run_import(database_of(written), "--experiment", "odd values")
    assert first.exit_code == 0
    experiments.rename_experiment("1", "another name", workspace=workspace)
    done = run_import(database_of(written))
    assert done.exit_code == 0, done.output
    assert f"are in 'remote' ({mine.id}), which was here before" in done.output
    assert run_named("Ünïcode / run", workspace).experiment == "another name"


def test_a_difference_is_named_and_the_exit_code_says_so(written: Path, workspace: Workspace) -> None:
    nothing = run_import(database_of(written), "--verify-only")
    assert nothing.exit_code == 1 and "is not here" in nothing.output
    assert experiments.search_runs(workspace=workspace).empty
    run_import(database_of(written))
    assert run_import(database_of(written), "--verify-only").exit_code == 0
    record = run_named("finished", workspace)
    run = experiments.get_run(record.id, workspace=workspace)
    run.set_tag("later", "yes")
    run.log_late_points([experiments.run.Point("auc", 1.0, 5, 5)])
    changed = run_import(database_of(written), "--verify-only")
    assert changed.exit_code == 1
    assert f"Run {record.id} ('finished') is not the same" in changed.output
    assert "points: 1 there, 2 here" in changed.output


def test_artifacts_that_were_moved_are_found_by_the_option(written: Path, workspace: Workspace, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    moved.mkdir()
    shutil.copyfile(written / "mlflow.db", moved / "mlflow.db")
    shutil.copytree(written / "mlruns", moved / "artifacts")
    with sqlite3.connect(moved / "mlflow.db") as database:
        for table, column in (("runs", "artifact_uri"), ("logged_models", "artifact_location")):
            database.execute(f"UPDATE {table} SET {column} = replace({column}, '{written}/mlruns', '/nowhere')")
    lost = run_import(database_of(moved), "--experiment", "odd values")
    assert "There is no folder /nowhere" in lost.output
    record = run_named("Ünïcode / run", workspace)
    assert not experiments.get_run(record.id, workspace=workspace).artifacts
    moved_folder = ("--artifacts", str(moved / "artifacts"), "--experiment", "odd values")
    assert run_import(database_of(moved), "--verify-only", *moved_folder).exit_code == 1
    found = run_import(database_of(moved), *moved_folder)
    assert "Added the files of 1 runs" in found.output
    assert len(experiments.get_run(record.id, workspace=workspace).artifacts) == 7


def test_artifacts_of_another_address_are_not_read(written: Path, workspace: Workspace, tmp_path: Path) -> None:
    shutil.copyfile(written / "mlflow.db", tmp_path / "mlflow.db")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "key").write_text("secret")
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        database.execute(f"UPDATE runs SET artifact_uri = 'file://{tmp_path}/secrets'")
    done = run_import(database_of(tmp_path))
    assert "is not one that MLflow gives" in done.output
    record = run_named("Ünïcode / run", workspace)
    assert not experiments.get_run(record.id, workspace=workspace).artifacts


def test_what_is_no_store_is_refused(written: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no database file"):
        open_source(f"sqlite:///{tmp_path}/none.db")
    assert not (tmp_path / "none.db").exists()
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE other (a)").close()
    with pytest.raises(InvalidArgumentError, match="not a tracking store"):
        open_source(f"sqlite:///{tmp_path}/other.db")
    shutil.copyfile(written / "mlflow.db", tmp_path / "newer.db")
    with sqlite3.connect(tmp_path / "newer.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'fedcba987654'")
    with pytest.raises(InvalidArgumentError, match="'fedcba987654'"):
        open_source(f"sqlite:///{tmp_path}/newer.db")
    with pytest.raises(InvalidArgumentError, match="no folder in it has a meta"):
        open_source(str(tmp_path))


KILLED = """
import os, signal, sys
from pathlib import Path
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.experiments.mlflow_import import importer, open_source
from kernel_tools.registry.mlflow_import import import_models

location, when = sys.argv[1:]
workspace = Workspace(Path(os.environ["ATELIER_HOME"]))
writes = 0
real = {"points": importer._write_points, "index": importer._index}[when]

def die(*arguments):
    global writes
    writes += 1
    if writes == (4 if when == "points" else 1):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments)

setattr(importer, "_write_points" if when == "points" else "_index", die)
open_source(location).import_runs(workspace)
"""


@pytest.mark.parametrize("when", ["points", "index"])
def test_an_import_that_was_killed_goes_on(written: Path, workspace: Workspace, when: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = subprocess.run([sys.executable, "-c", KILLED, database_of(written), when], env=environment, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    done = run_import(database_of(written))
    assert done.exit_code == 0, done.output
    assert "Everything is the same." in done.output
    assert not list((workspace.root / "runs").glob(".*"))
