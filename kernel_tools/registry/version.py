"""A model version: what `register` and `get` return."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from kernel_tools.core.audit import current_user
from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.links import studio_url
from kernel_tools.core.workspace import Workspace, validate_name
from kernel_tools.experiments.run import Run
from kernel_tools.registry import catalog
from kernel_tools.registry.formats import load_model, save_model
from kernel_tools.registry.records import ModelFile, VersionRecord, VersionStatus
from kernel_tools.registry.signature import Signature, infer_signature

MAX_NOTE = 10_000
SAMPLE_ROWS = 5


class ModelVersion:
    """One version of a registered model."""

    def __init__(self, workspace: Workspace, record: VersionRecord) -> None:
        self._workspace = workspace
        self._record = record

    def __repr__(self) -> str:
        record = self._record
        return f"<ModelVersion {record.model!r} version {record.version}, {record.status.value}, {record.format}>"

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
        try:
            status = VersionStatus(status)
        except ValueError:
            known = ", ".join(item.value for item in VersionStatus)
            raise InvalidArgumentError(f"{status!r} is not a status of a model version: use {known}.") from None
        if len(note) > MAX_NOTE:
            raise InvalidArgumentError(f"The note has {len(note):,} characters; at most {MAX_NOTE:,} are kept.")
        who = current_user()
        values = {"status": status.value, "note": note, "decided_by": who, "decided_at": time.time_ns() // 1_000_000}
        target = f"{self.name}/{self.version}"
        with self._workspace.database.write() as connection:
            self._record = catalog.update_version(connection, self.name, self.version, values)
            self._workspace.audit.record("model.decide", target, {"status": status.value, "note": note}, actor=who)


def register_model(
    workspace: Workspace, name: str, model: object, run: Run | str | None, sample_input: object | None
) -> ModelVersion:
    """Keep a model's files and make the next version; see `kernel_tools.registry.register`."""
    validate_name(name, "model name")
    source = Run(workspace, run) if isinstance(run, str) else run
    run_id = source.record.id if source is not None else None
    with tempfile.TemporaryDirectory(prefix="atelier-model-") as temporary:
        folder = Path(temporary)
        saved = save_model(model, folder, sample_input)
        files = []
        for path in sorted(item for item in folder.rglob("*") if item.is_file()):
            blob = workspace.artifacts.put_file(path)
            files.append(ModelFile(path.relative_to(folder).as_posix(), blob.size, blob.sha256))
    signature = infer_signature(sample_input) if sample_input is not None else None
    classes = getattr(model, "classes_", None)
    if signature is not None and classes is not None:
        signature = dataclasses.replace(signature, classes=[str(item) for item in classes])
    who = current_user()
    draft = VersionRecord(
        model=name,
        version=0,
        status=VersionStatus.PENDING,
        created_at=time.time_ns() // 1_000_000,
        created_by=who,
        format=saved.format,
        model_class=saved.model_class,
        files=files,
        signature=signature,
        sample=_sample_rows(sample_input),
        libraries={library: metadata.version(library) for library in saved.libraries},
        untrusted_types=saved.untrusted_types,
        run_id=run_id,
    )
    with workspace.database.write() as connection:
        record = catalog.insert_version(connection, draft)
        details = {"run_id": run_id, "format": record.format, "files": {file.path: file.sha256 for file in files}}
        workspace.audit.record("model.register", f"{name}/{record.version}", details, actor=who)
    return ModelVersion(workspace, record)


def _sample_rows(sample: Any) -> list[object]:
    """Return up to five rows as plain JSON values: dictionaries for a table, nested lists for an array."""
    if sample is None:
        return []
    if hasattr(sample, "to_dict"):
        return [
            {key: _plain(value) for key, value in row.items()} for row in sample.head(SAMPLE_ROWS).to_dict("records")
        ]
    import numpy as np

    return list(np.asarray(sample)[:SAMPLE_ROWS].tolist())


def _plain(value: Any) -> object:
    """Return a cell as a JSON value: missing ones as None, times in ISO format, NumPy scalars as Python's."""
    import pandas as pd

    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()
    plain = value.item() if hasattr(value, "item") else value
    return plain if isinstance(plain, (bool, int, float, str)) else str(plain)
