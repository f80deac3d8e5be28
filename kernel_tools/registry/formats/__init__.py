"""File formats of models: one module per format, each of which keeps and loads models without executing anything.

A format that another room brings registers itself with `register_format`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from kernel_tools.core.artifacts import ArtifactStore
from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.registry.formats._base import ModelFormat, SavedModel
from kernel_tools.registry.formats.safetensors import SafetensorsFormat
from kernel_tools.registry.formats.scikit_learn import SkopsFormat
from kernel_tools.registry.formats.torch_export import TorchExportFormat
from kernel_tools.registry.formats.xgboost import XgboostFormat
from kernel_tools.registry.records import VersionRecord

__all__ = ["ModelFormat", "SavedModel", "load_model", "register_format", "save_model"]

_FORMATS: dict[str, ModelFormat] = {}


def register_format(model_format: ModelFormat) -> None:
    """Add a format; the ones added first are asked first whether they can keep a model."""
    _FORMATS[model_format.name] = model_format


def save_model(model: object, folder: Path, sample: object | None) -> SavedModel:
    """Write a model's files into a folder, in the first format that can keep it.

    Raises
    ------
    InvalidArgumentError
        If no format can keep a model of this class.
    """
    for model_format in _FORMATS.values():
        if model_format.can_save(model):
            return model_format.save(model, folder, sample)
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    raise InvalidArgumentError(
        f"A model of class {kind} cannot be registered. Atelier keeps XGBoost models, scikit-learn estimators, "
        "torch modules and "
        "dictionaries of torch tensors, in formats that execute nothing when they are loaded."
    )


def load_model(record: VersionRecord, artifacts: ArtifactStore, *, trust: bool = False) -> object:
    """Load the model of a version.

    Parameters
    ----------
    record
        The version.
    artifacts
        The store that has its files.
    trust
        Restore also classes that the format does not know to be harmless (`record.untrusted_types`).

    Raises
    ------
    ForbiddenError
        If the file holds what could execute code, and `trust` is not given.
    IntegrityError
        If the bytes are not the ones that were registered.
    """
    model_format = _FORMATS.get(record.format)
    if model_format is None:
        raise NotFoundError(
            f"Version {record.version} of {record.model!r} has the format {record.format!r}, which this Atelier "
            "does not know. "
            "Install the version of Atelier, or the extension, that registered it."
        )
    with tempfile.TemporaryDirectory(prefix="atelier-model-") as name:
        folder = Path(name)
        for file in record.files:
            artifacts.download(file.sha256, folder / file.path)
        return model_format.load(folder, record.model_class, trust=trust)


for _model_format in (XgboostFormat(), SkopsFormat(), TorchExportFormat(), SafetensorsFormat()):
    register_format(_model_format)
