"""A catalog of the first release keeps its models when the registry's tables are made anew."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import command

from kernel_tools import registry
from kernel_tools.core.database import REVISION, migration_config
from kernel_tools.core.workspace import Workspace
from kernel_tools.registry import Stage, VersionStatus


def test_models_of_the_first_release_are_carried_over(any_workspace):
    url = any_workspace.database.url
    engine = sa.create_engine(url)
    config = migration_config()
    content = {
        "content_version": 1,
        "format": "skops",
        "model_class": "sklearn.X",
        "files": [{"path": "model.skops", "size": 3, "sha256": "a" * 64}],
        "signature": None,
        "sample": [],
        "libraries": {"skops": "0.11"},
        "untrusted_types": [],
    }
    version = {"model": "census", "created_by": "me", "run_id": None, "content": json.dumps(content), "note": "good"}
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        tables = sa.MetaData()
        tables.reflect(connection)
        connection.execute(
            tables.tables["model_groups"].insert(),
            [{"name": "census", "created_at": 1}, {"name": "empty", "created_at": 2}],
        )
        pending = {**version, "status": "PendingManualApproval", "decided_by": None, "decided_at": None}
        approved = {**version, "status": "Approved", "decided_by": "you", "decided_at": 30}
        rows = [{**approved, "version": 1, "created_at": 10}, {**pending, "version": 2, "created_at": 20}]
        connection.execute(tables.tables["model_versions"].insert(), rows)
        connection.execute(
            tables.tables["model_aliases"].insert(), [{"model": "census", "alias": "champion", "version": 1}]
        )
    engine.dispose()
    workspace = Workspace(any_workspace.root, database_url=url.render_as_string(hide_password=False))
    assert workspace.database.revision() == "0001"
    record = registry.get("census", alias="champion", workspace=workspace).record
    assert workspace.database.revision() == REVISION
    assert (record.version, record.status, record.decided_by, record.note) == (1, VersionStatus.APPROVED, "you", "good")
    assert (record.stage, record.tags, record.updated_at, record.has_code) == (Stage.NONE, {}, 30, False)
    assert len(record.id) == 32
    group = registry.get_model("census", workspace=workspace)
    assert (group.version_count, group.latest_version, group.updated_at) == (2, 2, 30)
    assert registry.get_model("empty", workspace=workspace).version_count == 0
    assert registry.artifact_references(workspace) == {"a" * 64}
    workspace.database.dispose()
