"""A store of MLflow in a database: SQLite, PostgreSQL, MySQL or whatever else SQLAlchemy reaches.

Nothing of MLflow is imported: the tables are read as they are, each batch in a short transaction of its own, so that a
server that works on the store is not kept waiting. The store is never written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from kernel_tools.core.errors import InvalidArgumentError, NotFoundError, UnavailableError
from kernel_tools.experiments.mlflow_import.sql_registry import read_logged_models, read_models
from kernel_tools.experiments.mlflow_import.sql_revisions import require_known
from kernel_tools.experiments.mlflow_import.sql_tables import Tables, titled
from kernel_tools.experiments.mlflow_import.store import (
    BATCH,
    POINT_BATCH,
    StoredExperiment,
    StoredLoggedModel,
    StoredModel,
    StoredRun,
)
from kernel_tools.experiments.records import (
    MODEL_INPUTS_TAG,
    MODEL_OUTPUTS_TAG,
    DatasetInput,
    Lifecycle,
    RunStatus,
)
from kernel_tools.experiments.segment import Point

LARGEST = 1.7976931348623157e308
"""What MLflow writes for infinity, because not every database has it."""
CONTEXT_TAG = "mlflow.data.context"


class SqlStore:
    """Reads a database of MLflow's; see `MlflowStore`.

    Parameters
    ----------
    url
        SQLAlchemy URL, such as ``sqlite:///mlflow.db``.

    Raises
    ------
    InvalidArgumentError
        If the URL is not understood, or the database is not MLflow's, or of a release that this Atelier does not know.
    NotFoundError
        If there is no such SQLite file.
    UnavailableError
        If the database cannot be reached.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except sa.exc.ArgumentError as error:
            raise InvalidArgumentError(
                f"{url!r} is not the URL of a database: use sqlite:///mlflow.db, or postgresql://user@host/name."
            ) from error
        self.location = parsed.render_as_string(hide_password=True)
        self.folder = Path.cwd()
        if parsed.get_backend_name() == "sqlite":
            file = Path(parsed.database or "").expanduser().resolve()
            if not file.is_file():
                raise NotFoundError(f"There is no database file {str(file)!r}. Correct the path after sqlite:///.")
            self.folder = file.parent
            parsed = parsed.set(database=f"file:{file}", query={"mode": "ro", "uri": "true"})
        self._engine = _create_engine(parsed)
        with self._read() as connection:
            require_known(connection, self.location)
            self._tables = Tables(connection)

    def experiments(self) -> list[StoredExperiment]:
        """Return all experiments."""
        table = self._tables["experiments"]
        with self._read() as connection:
            rows = connection.execute(sa.select(table).order_by(table.c.experiment_id)).mappings().all()
            tags = self._tables.texts(
                connection, "experiment_tags", "experiment_id", [r["experiment_id"] for r in rows]
            )
        return [
            StoredExperiment(
                id=str(row["experiment_id"]),
                name=titled(row, "/"),
                lifecycle=Lifecycle(row["lifecycle_stage"] or "active"),
                created_at=row.get("creation_time") or 0,
                updated_at=row.get("last_update_time") or row.get("creation_time") or 0,
                artifact_location=row["artifact_location"] or "",
                tags=tags.get(row["experiment_id"], {}),
            )
            for row in rows
        ]

    def count_runs(self, experiment_ids: Sequence[str]) -> int:
        """Return the number of runs."""
        table = self._tables["runs"]
        chosen = table.c.experiment_id.in_(map(int, experiment_ids))
        with self._read() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(table).where(chosen)).scalar_one())

    def runs(self, experiment_ids: Sequence[str]) -> Iterator[list[StoredRun]]:
        """Give the runs by their ids."""
        table = self._tables["runs"]
        query = sa.select(table).where(table.c.experiment_id.in_(map(int, experiment_ids)))
        query = query.order_by(table.c.run_uuid).limit(BATCH)
        last = ""
        while True:
            with self._read() as connection:
                rows = connection.execute(query.where(table.c.run_uuid > last)).mappings().all()
                ids = [row["run_uuid"] for row in rows]
                params = self._tables.texts(connection, "params", "run_uuid", ids)
                tags = self._tables.texts(connection, "tags", "run_uuid", ids)
                datasets = self._datasets(connection, ids)
                for name, models in self._model_links(connection, ids).items():
                    for run_id, linked in models.items():
                        tags.setdefault(run_id, {})[name] = json.dumps(linked)
            if not rows:
                return
            yield [
                _run(row, params.get(run_id, {}), tags.get(run_id, {}), datasets.get(run_id, []))
                for run_id, row in zip(ids, rows, strict=True)
            ]
            last = ids[-1]

    def points(self, run_id: str) -> Iterator[list[Point]]:
        """Give the points of a run."""
        table = self._tables["metrics"]
        columns = (table.c.key, table.c.value, table.c.is_nan, table.c.step, table.c.timestamp)
        query = sa.select(*columns).where(table.c.run_uuid == run_id).execution_options(yield_per=POINT_BATCH)
        with self._read() as connection:
            for rows in connection.execute(query).partitions():
                yield [
                    Point(key, read_value(value, is_nan), step or 0, timestamp or 0)
                    for key, value, is_nan, step, timestamp in rows
                ]

    def logged_models(self, experiment_ids: Sequence[str]) -> list[StoredLoggedModel]:
        """Return the logged models."""
        with self._read() as connection:
            return read_logged_models(connection, self._tables, experiment_ids)

    def models(self) -> list[StoredModel]:
        """Return all registered models."""
        with self._read() as connection:
            return read_models(connection, self._tables)

    def _datasets(self, connection: sa.Connection, run_ids: list[str]) -> dict[str, list[DatasetInput]]:
        if "inputs" not in self._tables or not run_ids:
            return {}
        links, datasets = self._tables["inputs"], self._tables["datasets"]
        query = (
            sa.select(links.c.destination_id, links.c.input_uuid, datasets)
            .join(datasets, datasets.c.dataset_uuid == links.c.source_id)
            .where(links.c.source_type == "DATASET", links.c.destination_id.in_(run_ids))
            .order_by(links.c.input_uuid)
        )
        rows = connection.execute(query).mappings().all()
        tags = self._tables.texts(connection, "input_tags", "input_uuid", [row["input_uuid"] for row in rows], "name")
        found: dict[str, list[DatasetInput]] = {}
        for row in rows:
            labels = tags.get(row["input_uuid"], {})
            dataset = DatasetInput(
                name=row["name"],
                digest=row["digest"],
                source_type=row["dataset_source_type"] or "",
                source=row["dataset_source"] or "",
                schema=row["dataset_schema"] or "",
                profile=row["dataset_profile"] or "",
                context=labels.get(CONTEXT_TAG),
                tags={key: value for key, value in sorted(labels.items()) if key != CONTEXT_TAG},
            )
            found.setdefault(row["destination_id"], []).append(dataset)
        return found

    def _model_links(self, connection: sa.Connection, run_ids: list[str]) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """Return the logged models that runs read and made, as the tags that keep them here."""
        found: dict[str, dict[str, list[dict[str, Any]]]] = {MODEL_INPUTS_TAG: {}, MODEL_OUTPUTS_TAG: {}}
        if "inputs" not in self._tables or not run_ids:
            return found
        links = self._tables["inputs"]
        query = sa.select(links).where(links.c.source_type.in_(["RUN_INPUT", "RUN_OUTPUT"]))
        query = query.where(links.c.source_id.in_(run_ids)).order_by(links.c.destination_id)
        for row in connection.execute(query).mappings():
            is_made = row["source_type"] == "RUN_OUTPUT"
            link = {"model_id": row["destination_id"]} | ({"step": row.get("step") or 0} if is_made else {})
            found[MODEL_OUTPUTS_TAG if is_made else MODEL_INPUTS_TAG].setdefault(row["source_id"], []).append(link)
        return found

    @contextmanager
    def _read(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            raise UnavailableError(f"{self.location} cannot be read: {error.orig}") from error


def read_value(value: float | None, is_nan: bool) -> float:
    """Return what a client logged out of what MLflow's database holds."""
    if is_nan or value is None:
        return math.nan
    if abs(value) >= LARGEST:
        return math.copysign(math.inf, value)
    return float(value)


def _run(row: Any, params: dict[str, str], tags: dict[str, str], inputs: list[DatasetInput]) -> StoredRun:
    return StoredRun(
        id=row["run_uuid"],
        name=row.get("name") or tags.get("mlflow.runName") or row["run_uuid"][:8],
        experiment_id=str(row["experiment_id"]),
        user=row.get("user_id") or tags.get("mlflow.user") or "unknown",
        status=RunStatus(row["status"] or "RUNNING"),
        lifecycle=Lifecycle(row["lifecycle_stage"] or "active"),
        started_at=row["start_time"] or 0,
        ended_at=row["end_time"],
        deleted_at=row.get("deleted_time"),
        artifact_uri=row["artifact_uri"] or "",
        params=params,
        tags=tags,
        inputs=inputs,
    )


def _create_engine(url: URL) -> sa.Engine:
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    try:
        return sa.create_engine(url)
    except (sa.exc.NoSuchModuleError, ImportError) as error:
        raise InvalidArgumentError(
            f"The database {url.render_as_string(hide_password=True)} needs a driver that is not installed: {error}."
        ) from error
