"""Registering models, and finding them and their versions again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.paging import DEFAULT_PAGE
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.experiments.run import Run
from kernel_tools.registry import catalog
from kernel_tools.registry.records import ModelGroup, VersionRecord, VersionStatus
from kernel_tools.registry.registration import Particulars, register_model
from kernel_tools.registry.version import ModelVersion


def register(
    name: str,
    model: object,
    run: Run | str | None = None,
    sample_input: object | None = None,
    *,
    description: str = "",
    tags: Mapping[str, Any] | None = None,
    licence: str = "",
    workspace: Workspace | None = None,
) -> ModelVersion:
    """Register a model as the next version of its group; it waits for approval.

    Parameters
    ----------
    name
        The model's name; the group is created with its first version.
    model
        An XGBoost model (kept as UBJ), a LightGBM model (text), a scikit-learn estimator (skops), an ONNX model, a
        torch module (exported program; needs `sample_input`) or a dictionary of torch tensors (safetensors).
    run
        The run that made it, or its id.
    sample_input
        A few input rows, such as ``X.head()``: the signature is inferred from them, and they are shown in the studio.
    description
        Markdown.
    tags
        Keys and values; values are kept as text.
    licence
        Under which licence the model may be used, such as ``Apache-2.0``.
    workspace
        Default: the current workspace.

    Returns
    -------
    ModelVersion
        Version 1, 2, ... with status PendingManualApproval.

    Raises
    ------
    InvalidArgumentError
        If the name or the model's class cannot be used.
    NotFoundError
        If the run does not exist.
    """
    particulars = Particulars(description=description, tags=tags or {}, licence=licence)
    return register_model(workspace or current_workspace(), name, model, run, sample_input, particulars)


def get(
    name: str,
    version: int | None = None,
    alias: str | None = None,
    status: VersionStatus | str | None = None,
    *,
    workspace: Workspace | None = None,
) -> ModelVersion:
    """Return a model version: the one with a number, the one with an alias, or the newest (with a status).

    Raises
    ------
    NotFoundError
        If there is no such version; the message names those that exist.
    InvalidArgumentError
        If both version and alias are given.
    """
    if version is not None and alias is not None:
        raise InvalidArgumentError(f"Ask for {name!r} by version or by alias, not by both.")
    workspace = workspace or current_workspace()
    with workspace.database.read() as connection:
        if version is None:
            version = catalog.find_version(connection, name, alias, VersionStatus(status) if status else None)
        return ModelVersion(workspace, catalog.get_version(connection, name, version))


def find_by_id(version_id: str, *, workspace: Workspace | None = None) -> VersionRecord | None:
    """Return the version with an id (`VersionRecord.id`), which survives the renaming of its model, or None."""
    with (workspace or current_workspace()).database.read() as connection:
        return catalog.find_by_id(connection, version_id)


def list_models(
    limit: int = DEFAULT_PAGE, page_token: str | None = None, *, workspace: Workspace | None = None
) -> tuple[list[ModelGroup], str | None]:
    """Return one page of models, the one with the newest version first, and the token of the next page."""
    return catalog.list_groups((workspace or current_workspace()).database, limit=limit, page_token=page_token)


def list_versions(
    name: str | None = None,
    *,
    run_id: str | None = None,
    status: VersionStatus | None = None,
    limit: int = DEFAULT_PAGE,
    page_token: str | None = None,
    workspace: Workspace | None = None,
) -> tuple[list[VersionRecord], str | None]:
    """Return one page of versions, the newest first, and the token of the next page.

    A model, a run or a status narrows the list.

    Raises
    ------
    NotFoundError
        If a model is named that does not exist.
    """
    database = (workspace or current_workspace()).database
    return catalog.list_versions(database, model=name, run_id=run_id, status=status, limit=limit, page_token=page_token)


def count_models(*, workspace: Workspace | None = None) -> int:
    """Return the number of models."""
    return catalog.count_groups((workspace or current_workspace()).database)


def count_versions(status: VersionStatus | None = None, *, workspace: Workspace | None = None) -> int:
    """Return the number of versions (with a status)."""
    return catalog.count_versions((workspace or current_workspace()).database, status)


def artifact_references(workspace: Workspace) -> set[str]:
    """Return the sha256 of every blob that a model version or a logged model refers to."""
    with workspace.database.read() as connection:
        return catalog.referenced_blobs(connection)
