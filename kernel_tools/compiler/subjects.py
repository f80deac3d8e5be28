"""What is compiled: a registered version or a model in memory, with its signature and the rows to compare on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernel_tools.compiler.manifest import Source
from kernel_tools.compiler.sources import ModelSource, find_source
from kernel_tools.core.errors import AtelierError, InvalidArgumentError
from kernel_tools.core.rows import rows_to_frame
from kernel_tools.core.signature import Signature, infer_signature
from kernel_tools.registry.formats import save_model
from kernel_tools.registry.records import VersionRecord
from kernel_tools.registry.version import ModelVersion


@dataclass(frozen=True, slots=True)
class Subject:
    """A model, ready to be converted.

    Parameters
    ----------
    model, source
        The model and what knows its kind.
    signature
        What goes in.
    sample
        The rows on which the package is compared, as the original takes them.
    version
        The registered version, if it is one.
    files
        A folder with the model's files and the format in which they are; None if no format keeps it.
    """

    model: Any
    source: ModelSource
    signature: Signature
    sample: Any
    version: VersionRecord | None
    files: tuple[Path, str, str] | None
    notes: list[str]

    def described(self) -> Source:
        """Return what the manifest says of the model."""
        kind = type(self.model)
        if self.version is not None:
            record = self.version
            return Source(
                model=record.model,
                version=record.version,
                version_id=record.id,
                model_class=record.model_class,
                fingerprint=_fingerprint({file.path: file.sha256 for file in record.files}),
            )
        fingerprint = "" if self.files is None else _fingerprint(_digests(self.files[0]))
        return Source(model_class=f"{kind.__module__}.{kind.__qualname__}", fingerprint=fingerprint)


def read_subject(model: Any, sample: Any, folder: Path, *, trust: bool) -> Subject:
    """Load a version, or take a model as it is, and find out what goes in.

    Parameters
    ----------
    model
        A `ModelVersion`, or a model.
    sample
        Rows; None takes those that were registered with the version.
    folder
        An empty folder for the model's files.
    trust
        Whether a version's files may restore classes that could execute code.

    Raises
    ------
    InvalidArgumentError
        If there are no rows, or the kind of model is not known.
    """
    if isinstance(model, ModelVersion):
        return _read_version(model, sample, folder, trust=trust)
    source = find_source(model)
    if sample is None:
        raise InvalidArgumentError("Give sample=, some rows as the model takes them: the package is compared on them.")
    sample = plain_sample(sample)
    files = None
    try:
        saved = save_model(model, folder, sample)
        files = (folder, saved.format, saved.model_class)
    except (AtelierError, ImportError):
        pass  # a model that cannot be registered can be compiled; its memory is not measured then
    return Subject(model, source, infer_signature(sample), sample, None, files, [])


def _read_version(version: ModelVersion, sample: Any, folder: Path, *, trust: bool) -> Subject:
    record, notes = version.record, []
    model = version.load(trust=trust)
    source = find_source(model)
    signature = record.signature
    if sample is None:
        if signature is None or not record.sample:
            raise InvalidArgumentError(
                f"{version!r} was registered without sample_input=: give sample=, some rows as the model takes them."
            )
        sample = _registered_rows(signature, record.sample)
        notes.append(f"Compared on the {len(record.sample)} rows only that were registered with the version.")
    sample = plain_sample(sample)
    if signature is None:
        signature = infer_signature(sample)
    if signature.columns and hasattr(sample, "columns"):
        names = [column.name for column in signature.columns]
        missing = [name for name in names if name not in sample.columns]
        if missing:
            raise InvalidArgumentError(f"The sample has no column {missing[0]!r}, which {version!r} takes.")
        sample = sample[names]
    elif signature.columns:
        raise InvalidArgumentError(f"{version!r} takes a table: give the sample as a DataFrame.")
    version.download(folder)
    return Subject(model, source, signature, sample, record, (folder, record.format, record.model_class), notes)


def _registered_rows(signature: Signature, sample: list[Any]) -> Any:
    if signature.columns:
        return rows_to_frame(signature, sample)
    import numpy as np

    assert signature.tensor is not None
    return np.array(sample, dtype=signature.tensor.dtype)


def plain_sample(sample: Any) -> Any:
    """Return rows as a DataFrame of pandas or an array; InvalidArgumentError if there are none."""
    if hasattr(sample, "detach"):
        sample = sample.detach().cpu().numpy()
    elif hasattr(sample, "to_pandas"):
        sample = sample.to_pandas()
    if not hasattr(sample, "shape") or not len(sample):
        raise InvalidArgumentError("The sample has no rows: give a DataFrame or an array with at least one.")
    return sample


def _fingerprint(digests: dict[str, str]) -> str:
    return hashlib.sha256("\n".join(f"{path} {digests[path]}" for path in sorted(digests)).encode()).hexdigest()


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
