"""The protocol with the catalog in PostgreSQL: tracking, searches and the registry, as MLflow's client sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.mlflow_environment import mlflow_python
from scripts.peer_environment import PeerEnvironmentError
from tests.mlflow.conftest import Clients, start_server
from tests.mlflow.test_clients import CASES

FILES = ("tracking", "finding", "registry")


def test_mlflows_client_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    try:
        python = mlflow_python()
    except PeerEnvironmentError as error:
        pytest.skip(str(error))
    (tmp_path / "clients").mkdir()
    with start_server(tmp_path, database_url=postgres_url) as server:
        clients = Clients(python, server, tmp_path / "clients")
        for file, case in CASES:
            if file in FILES:
                clients.check(file, case)
