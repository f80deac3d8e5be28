"""Workspaces for the tests: each in a temporary folder, its catalog in SQLite or, where one is offered, PostgreSQL."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy as sa

from kernel_tools.core.workspace import Workspace

hypothesis.settings.register_profile("house", deadline=None)  # no test looks at a clock
hypothesis.settings.load_profile("house")

POSTGRES_URL = os.environ.get("ATELIER_TEST_POSTGRES")
SLOW_ROOMS = ("face", "mlflow", "hosting", "studio")
"""Folders whose files take longest. They are run first, so that no worker is left with one at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of slow rooms first."""
    ranks = {room: rank for rank, room in enumerate(SLOW_ROOMS)}
    items.sort(key=lambda item: ranks.get(item.path.parent.name, len(ranks)))


@pytest.fixture(autouse=True)
def _clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the tests away from the user's own workspace, settings and keys."""
    for name in [name for name in os.environ if name.startswith("ATELIER_") and name != "ATELIER_TEST_POSTGRES"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ATELIER_HOME", str(tmp_path / "workspace"))
    monkeypatch.setenv("ATELIER_CAPTURE_SOURCE", "0")  # tested in tests/experiments/test_capture_source.py


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return an empty workspace with SQLite."""
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """Return the URL of an empty PostgreSQL database that is dropped afterwards."""
    if POSTGRES_URL is None:
        pytest.skip("ATELIER_TEST_POSTGRES names no PostgreSQL server")
    name = f"atelier_{uuid.uuid4().hex}"
    server = sa.create_engine(POSTGRES_URL, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield sa.make_url(POSTGRES_URL).set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    """Return an empty workspace, once with each kind of catalog."""
    if request.param == "sqlite":
        yield Workspace(tmp_path / "workspace")
        return
    workspace = Workspace(tmp_path / "workspace", database_url=request.getfixturevalue("postgres_url"))
    yield workspace
    workspace.database.dispose()
