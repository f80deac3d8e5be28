"""How a version comes into being: from a model in memory, from files, or from what a client says."""

from __future__ import annotations

import dataclasses
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from kernel_tools.core.audit import current_user
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments.run import Run
from kernel_tools.registry import catalog
from kernel_tools.registry.formats import SavedModel, save_model
from kernel_tools.registry.groups import brief, now
from kernel_tools.registry.names import MAX_DESCRIPTION, MAX_LICENCE, validate_model_name, validate_tags, validate_text
from kernel_tools.registry.records import ModelFile, VersionRecord, VersionStatus
from kernel_tools.registry.signature import Signature, infer_signature
from kernel_tools.registry.version import ModelVersion

SAMPLE_ROWS = 5


@dataclasses.dataclass(frozen=True, slots=True)
class Particulars:
    """What is said about a new version besides its files; checked and turned into texts by `checked`."""

    run_id: str | None = None
    model_id: str | None = None
    source: str = ""
    storage_uri: str = ""
    run_link: str = ""
    description: str = ""
    tags: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    licence: str = ""

    def checked(self) -> dict[str, Any]:
        """Return the fields of a `VersionRecord`; InvalidArgumentError if one cannot be used."""
        validate_text(self.description, "description", MAX_DESCRIPTION)
        validate_text(self.licence, "licence", MAX_LICENCE)
        fields = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        return fields | {"tags": validate_tags(self.tags)}


def register_model(
    workspace: Workspace,
    name: str,
    model: object,
    run: Run | str | None,
    sample_input: object | None,
    particulars: Particulars,
) -> ModelVersion:
    """Keep a model's files and make the next version; see `kernel_tools.registry.register`."""
    validate_model_name(name)
    particulars = dataclasses.replace(particulars, run_id=source_run(workspace, run))
    particulars.checked()
    with tempfile.TemporaryDirectory(prefix="atelier-model-") as temporary:
        folder = Path(temporary)
        saved = save_model(model, folder, sample_input)
        files = keep_files(workspace, folder)
    signature = infer_signature(sample_input) if sample_input is not None else saved.signature
    classes = getattr(model, "classes_", None)
    if signature is not None and classes is not None:
        signature = dataclasses.replace(signature, classes=[str(item) for item in classes])
    return make_version(workspace, name, saved, files, signature, sample_rows(sample_input), particulars)


def source_run(workspace: Workspace, run: Run | str | None) -> str | None:
    """Return the id of the run; NotFoundError if there is no such run."""
    source = Run(workspace, run) if isinstance(run, str) else run
    return source.record.id if source is not None else None


def keep_files(workspace: Workspace, folder: Path) -> list[ModelFile]:
    """Put all files of a folder into the artifact store."""
    files = []
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        blob = workspace.artifacts.put_file(path)
        files.append(ModelFile(path.relative_to(folder).as_posix(), blob.size, blob.sha256))
    return files


def make_version(
    workspace: Workspace,
    name: str,
    saved: SavedModel,
    files: Sequence[ModelFile],
    signature: Signature | None,
    sample: list[object],
    particulars: Particulars,
) -> ModelVersion:
    """Write the next version into the catalog; its files are in the artifact store already."""
    who, time_now = current_user(), now()
    fields = particulars.checked()
    draft = VersionRecord(
        model=name,
        version=0,
        id=uuid.uuid4().hex,
        status=VersionStatus.PENDING,
        created_at=time_now,
        updated_at=time_now,
        created_by=who,
        format=saved.format,
        model_class=saved.model_class,
        files=list(files),
        signature=signature,
        sample=sample,
        libraries=saved.versions | {library: metadata.version(library) for library in saved.libraries},
        untrusted_types=saved.untrusted_types,
        has_code=saved.has_code,
        **fields,
    )
    with workspace.database.write() as connection:
        record = catalog.insert_version(connection, draft)
        details = {
            "run_id": record.run_id,
            "source": record.source[:1000],
            "format": record.format,
            "tags": brief(record.tags),
            "files": {file.path: file.sha256 for file in record.files[:1000]},
        }
        workspace.audit.record("model.register", f"{name}/{record.version}", details, actor=who)
    return ModelVersion(workspace, record)


def sample_rows(sample: Any) -> list[object]:
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
