"""Which datasets the runs of experiments read, out of the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from kernel_tools.core.database import Database
from kernel_tools.experiments.records import Lifecycle
from kernel_tools.experiments.tables import run_inputs, runs


@dataclass(frozen=True, slots=True)
class DatasetUse:
    """That an experiment's runs read a dataset in a role."""

    experiment_id: str
    name: str
    digest: str
    context: str | None


def list_datasets(database: Database, experiment_ids: Sequence[str], limit: int) -> list[DatasetUse]:
    """Return the datasets that active runs of some experiments read, each once, by experiment and name."""
    columns = (runs.c.experiment_id, run_inputs.c.name, run_inputs.c.digest, run_inputs.c.context)
    query = sa.select(*columns).distinct().join(runs, runs.c.number == run_inputs.c.run_number)
    query = query.where(runs.c.experiment_id.in_(experiment_ids), runs.c.lifecycle == Lifecycle.ACTIVE.value)
    with database.read() as connection:
        return [DatasetUse(*row) for row in connection.execute(query.order_by(*columns).limit(limit))]
