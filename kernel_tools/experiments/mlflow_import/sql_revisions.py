"""Which states of MLflow's database schema can be read: those of its releases from 1.15 to 3.17."""

from __future__ import annotations

import sqlalchemy as sa

from kernel_tools.core.errors import InvalidArgumentError

KNOWN = (
    "39d1c3be5f05",
    "c48cb773bb87",
    "bd07f7e963c5",
    "0c779009ac13",
    "cc1f77228345",
    "97727af70f4d",
    "3500859a5d39",
    "7f2a7d5fae7d",
    "2d6e25af4d3e",
    "acf3f17fdcc7",
    "867495a8f9d4",
    "5b0e9adcef9c",
    "4465047574b1",
    "f5a4f2784254",
    "0584bdc529eb",
    "400f98739977",
    "6953534de441",
    "bda7b8c39065",
    "cbc13b556ace",
    "770bee3ae1dd",
    "a1b2c3d4e5f6",
    "de4033877273",
    "1a0cddfcaa16",
    "534353b11cbc",
    "71994744cf8e",
    "3da73c924c2f",
    "bf29a5ff90ea",
    "1bd49d398cd23",
    "b7c8d9e0f1a2",
    "5d2d30f0abce",
    "c9d4e5f6a7b8",
    "2c33131f4dae",
    "d3e4f5a6b7c8",
    "d0e1f2a3b4c5",
    "c8d9e0f1a2b3",
    "1b5f0d9ad7c1",
    "e1f2a3b4c5d6",
    "76601a5f987d",
    "c3d6457b6d8a",
    "a5b4c3d2e1f0",
    "ae8bbe7743c9",
    "7d34483879f0",
    "da6fb0208061",
    "89d3d66ed43f",
    "b7e4c1a90f23",
    "a8b9c0d1e2f3",
    "c1d2e3f4a5b6",
    "c3d9e7f1a2b4",
    "6f8d9c3b2a1e",
    "1971f2d9a75b",
    "17e22815139b",
    "b7e2c1a4d9f3",
    "75868b020152",
    "dc11669786a5",
)
"""The revisions of the schema, the oldest first."""
NEWEST_RELEASE = "3.17"


def require_known(connection: sa.Connection, location: str) -> None:
    """Raise InvalidArgumentError if a database is not MLflow's, or its schema is older or newer than what is known."""
    inspector = sa.inspect(connection)
    if not all(inspector.has_table(name) for name in ("alembic_version", "experiments", "runs", "metrics")):
        raise InvalidArgumentError(
            f"{location} is not a tracking store of MLflow: it lacks its tables. Name the database that "
            "`mlflow server --backend-store-uri` names."
        )
    revision = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    if revision not in KNOWN:
        raise InvalidArgumentError(
            f"The schema of {location} has the revision {revision!r}; this Atelier reads those of MLflow 1.15 to "
            f"{NEWEST_RELEASE}. An older store is brought up to date with `mlflow db upgrade` (on a copy); for a newer "
            "one install a newer Atelier."
        )
