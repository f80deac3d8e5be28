"""The catalog database: one migrator, queued writers, the same schema as the tables say."""

import multiprocessing
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import kernel_tools.experiments.tables as experiment_tables
import kernel_tools.registry.tables  # noqa: F401  # defines its tables on the shared metadata
from kernel_tools.core.database import (
    REVISION,
    Database,
    insert_missing,
    insert_or_update,
    metadata,
    migration_config,
)
from kernel_tools.core.errors import AtelierError, InvalidArgumentError, UnavailableError
from kernel_tools.core.workspace import Workspace

EXPERIMENTS = experiment_tables.experiments
PROCESSES = multiprocessing.get_context("spawn")


def _experiment(id: str, created_at: int) -> dict[str, object]:
    times = {"created_at": created_at, "updated_at": created_at}
    return {"id": id, "name": id, **times, "lifecycle": "active", "is_archived": False}


def _migrate(root: str, url: str | None, results: "multiprocessing.Queue[str]") -> None:
    try:
        workspace = Workspace(root, database_url=url)
        workspace.database.migrate()
        results.put(workspace.database.revision() or "none")
    except Exception as error:  # the parent shows it
        results.put(repr(error))


def _insert(root: str, url: str | None, worker: int, count: int, results: "multiprocessing.Queue[str]") -> None:
    try:
        database = Workspace(root, database_url=url).database
        for number in range(count):
            with database.write() as connection:
                names = connection.execute(sa.select(sa.func.count()).select_from(EXPERIMENTS)).scalar()
                connection.execute(EXPERIMENTS.insert().values(_experiment(f"{worker}-{number}", names)))
        results.put("ok")
    except Exception as error:  # the parent shows it
        results.put(repr(error))


def _run_all(target, arguments: list[tuple]) -> list[str]:
    results = PROCESSES.Queue()
    processes = [PROCESSES.Process(target=target, args=(*arguments_of_one, results)) for arguments_of_one in arguments]
    for process in processes:
        process.start()
    answers = [results.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    return answers


def _url(workspace: Workspace) -> str | None:
    url = workspace.database.url
    return None if workspace.database.is_sqlite else url.render_as_string(hide_password=False)


def test_the_newest_migration_is_the_one_that_the_database_asks_for():
    script = ScriptDirectory.from_config(migration_config())
    assert script.get_current_head() == REVISION


def test_migrations_make_exactly_the_tables_that_the_rooms_define(any_workspace):
    with any_workspace.database.read() as connection:
        context = MigrationContext.configure(connection)
        differences = compare_metadata(context, metadata)
    assert differences == []


def test_of_many_processes_that_open_a_new_workspace_one_migrates_and_all_succeed(any_workspace):
    answers = _run_all(_migrate, [(str(any_workspace.root), _url(any_workspace))] * 4)
    assert answers == [REVISION] * 4


def test_writers_of_several_processes_queue_up(any_workspace):
    any_workspace.database.migrate()
    arguments = [(str(any_workspace.root), _url(any_workspace), worker, 25) for worker in range(4)]
    assert _run_all(_insert, arguments) == ["ok"] * 4
    with any_workspace.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(EXPERIMENTS)).scalar() == 100


def test_an_exception_rolls_the_transaction_back(any_workspace):
    with pytest.raises(RuntimeError), any_workspace.database.write() as connection:
        insert_missing(connection, EXPERIMENTS, _experiment("a", 1))
        raise RuntimeError
    with any_workspace.database.read() as connection:
        assert connection.execute(sa.select(EXPERIMENTS)).all() == []


def test_a_reader_sees_one_state_while_a_writer_commits(any_workspace):
    database = any_workspace.database
    count = sa.select(sa.func.count()).select_from(EXPERIMENTS)
    with database.read() as reader:
        assert reader.execute(count).scalar() == 0
        with database.write() as connection:
            insert_missing(connection, EXPERIMENTS, _experiment("a", 1))
        assert reader.execute(count).scalar() == 0
    with database.read() as reader:
        assert reader.execute(count).scalar() == 1


def test_insert_missing_keeps_and_insert_or_update_replaces(any_workspace):
    with any_workspace.database.write() as connection:
        insert_missing(connection, EXPERIMENTS, _experiment("a", 1))
        insert_missing(connection, EXPERIMENTS, _experiment("a", 2))
        assert connection.execute(sa.select(EXPERIMENTS.c.created_at)).scalars().all() == [1]
        insert_or_update(connection, EXPERIMENTS, [_experiment("a", 3), _experiment("b", 4)])
        assert sorted(connection.execute(sa.select(EXPERIMENTS.c.created_at)).scalars()) == [3, 4]


def test_a_catalog_of_a_newer_atelier_is_refused_and_left_alone(workspace):
    workspace.database.migrate()
    with workspace.database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(AtelierError, match="revision 9999.*Install the newer Atelier"):
        Workspace(workspace.root).database.migrate()


def test_a_file_that_is_no_database_is_named(tmp_path: Path):
    path = tmp_path / "catalog.db"
    path.write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(AtelierError, match=r"catalog\.db"):
        Database(f"sqlite:///{path}", lock_path=tmp_path / "lock").migrate()


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path):
    database = Database("postgresql://someone:secret@127.0.0.1:1/none", lock_path=tmp_path / "lock")
    with pytest.raises(UnavailableError, match="ATELIER_DATABASE_URL") as caught:
        database.migrate()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://host/name", "duckdb:///x"])
def test_other_databases_are_refused_with_what_to_use(tmp_path: Path, url: str):
    with pytest.raises(InvalidArgumentError, match="postgresql|SQLite"):
        Database(url, lock_path=tmp_path / "lock")


def test_the_sqlite_file_is_in_wal_mode_and_checks_healthy(workspace):
    assert workspace.database.check() == []
    with sqlite3.connect(workspace.root / "catalog.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
