"""A model version: what `register` and `get` return."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from kernel_tools.core.errors import NotFoundError
from kernel_tools.core.links import studio_url
from kernel_tools.core.workspace import Workspace, join_inside
from kernel_tools.experiments.run import Run
from kernel_tools.registry import cards, catalog, promotion, versions
from kernel_tools.registry.formats import load_model
from kernel_tools.registry.lineage_graph import Direction, Lineage, lineage, version_node_id
from kernel_tools.registry.records import ModelCard, Promotion, Stage, VersionRecord, VersionStatus
from kernel_tools.registry.signature import Signature


class ModelVersion:
    """One version of a registered model."""

    def __init__(self, workspace: Workspace, record: VersionRecord) -> None:
        self._workspace = workspace
        self._record = record

    def __repr__(self) -> str:
        record = self._record
        return f"<ModelVersion {record.model!r} version {record.version}, {record.status.value}, {record.format}>"

    @property
    def workspace(self) -> Workspace:
        """The workspace that has the version."""
        return self._workspace

    @property
    def name(self) -> str:
        """The name of the model."""
        return self._record.model

    @property
    def version(self) -> int:
        """The number of the version, from 1."""
        return self._record.version

    @property
    def record(self) -> VersionRecord:
        """Everything the registry knows, as it stood when this object was made or last changed."""
        return self._record

    @property
    def status(self) -> VersionStatus:
        """PendingManualApproval, Approved or Rejected, as it stands now."""
        with self._workspace.database.read() as connection:
            return catalog.get_version(connection, self.name, self.version).status

    @property
    def signature(self) -> Signature | None:
        """What goes in and comes out."""
        return self._record.signature

    @property
    def run(self) -> Run | None:
        """The run that made the model, if it was named."""
        return Run(self._workspace, self._record.run_id) if self._record.run_id else None

    @property
    def url(self) -> str:
        """The address of the version's page in the studio."""
        return studio_url(f"model/{self.name}/{self.version}")

    def load(self, *, trust: bool = False) -> Any:
        """Load the model.

        Parameters
        ----------
        trust
            Also restore classes that could execute code; say so only for files whose origin you know.

        Raises
        ------
        ForbiddenError
            If the file holds such classes and `trust` is False.
        IntegrityError
            If the stored bytes are not the ones that were registered.
        """
        return load_model(self._record, self._workspace.artifacts, trust=trust)

    def approve(self, note: str = "") -> None:
        """Approve the version, with a note that says why."""
        self.set_status(VersionStatus.APPROVED, note)

    def reject(self, note: str = "") -> None:
        """Reject the version, with a note that says why."""
        self.set_status(VersionStatus.REJECTED, note)

    def set_status(self, status: VersionStatus | str, note: str = "") -> None:
        """Set the approval status.

        Raises
        ------
        InvalidArgumentError
            If there is no such status, or the note is too long.
        """
        self._record = versions.decide_version(*self._key, status, note, workspace=self._workspace)

    def describe(self, description: str) -> None:
        """Give the version a description (Markdown); see `kernel_tools.registry.describe_version`."""
        self._record = versions.describe_version(*self._key, description, workspace=self._workspace)

    def set_licence(self, licence: str) -> None:
        """Say under which licence the model may be used, such as ``Apache-2.0``; at most 250 characters."""
        self._record = versions.set_licence(*self._key, licence, workspace=self._workspace)

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set tags; a tag that exists gets the new value. InvalidArgumentError if a key or value cannot be used."""
        self._record = versions.set_version_tags(*self._key, tags, workspace=self._workspace)

    def set_tag(self, key: str, value: Any) -> None:
        """Set one tag; see `set_tags`."""
        self.set_tags({key: value})

    def delete_tag(self, key: str) -> None:
        """Delete a tag; nothing happens if the version has no such tag."""
        self._record = versions.delete_version_tag(*self._key, key, workspace=self._workspace)

    def set_alias(self, alias: str) -> None:
        """Give the version an alias; the version that had it loses it. InvalidArgumentError if it cannot be one."""
        self._record = promotion.set_alias(self.name, alias, self.version, workspace=self._workspace)

    def set_stage(self, stage: Stage | str, archive_existing: bool = False) -> None:
        """Move the version to a stage; see `kernel_tools.registry.set_stage`."""
        self._record = promotion.set_stage(*self._key, stage, archive_existing, workspace=self._workspace)

    def promote(self, alias: str = "champion", reason: str = "") -> Promotion:
        """Give the version an alias and keep who did it and why; see `kernel_tools.registry.promote`."""
        done = promotion.promote(*self._key, alias, reason, workspace=self._workspace)
        self.refresh()
        return done

    def card(self, revision: int | None = None) -> ModelCard | None:
        """Return the model card (or an earlier revision of it), None if the version has none."""
        return cards.get_card(*self._key, revision, workspace=self._workspace)

    def write_card(self, **changes: str) -> ModelCard:
        """Write the next revision of the model card; see `kernel_tools.registry.write_card`."""
        written = cards.write_card(self.name, self.version, workspace=self._workspace, **changes)
        self.refresh()
        return written

    def lineage(self, direction: Direction = "both") -> Lineage:
        """Return what the version came from and where it is used; see `kernel_tools.registry.lineage`."""
        return lineage(self, direction, workspace=self._workspace)

    def refresh(self) -> None:
        """Read `record` anew."""
        with self._workspace.database.read() as connection:
            self._record = catalog.get_version(connection, self.name, self.version)

    def open_file(self, path: str) -> IO[bytes]:
        """Open one of the version's files for reading; NotFoundError if it has no such file."""
        for file in self._record.files:
            if file.path == path:
                return self._workspace.artifacts.open(file.sha256)
        raise NotFoundError(f"{self!r} has no file {path!r}. It has: {', '.join(f.path for f in self._record.files)}.")

    def download(self, folder: str | Path) -> Path:
        """Write the version's files below a folder, each checked against its sha256, and return the folder."""
        target = Path(folder)
        for file in self._record.files:
            path = join_inside(target, file.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._workspace.artifacts.open(file.sha256) as source, path.open("wb") as copy:
                shutil.copyfileobj(source, copy, 1024 * 1024)
        return target

    def delete(self) -> None:
        """Delete the version; its number is not given again, its files go with the next garbage collection.

        Raises
        ------
        ConflictError
            If something uses it, such as an endpoint that serves it.
        """
        versions.delete_version(*self._key, workspace=self._workspace)

    @property
    def lineage_node(self) -> str:
        """The id of the version's node in lineage graphs."""
        return version_node_id(self.name, self.version)

    @property
    def _key(self) -> tuple[str, int]:
        return self.name, self.version
