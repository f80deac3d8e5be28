"""File formats of models: one module per format, each of which keeps and loads models without executing anything.

A format that another room brings registers itself with `register_format`.
"""

from __future__ import annotations

import atexit
import tempfile
import weakref
from pathlib import Path

from kernel_tools.core.artifacts import ArtifactStore
from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.core.workspace import join_inside
from kernel_tools.registry.formats._base import ModelFormat, SavedModel
from kernel_tools.registry.formats.inference_script import InferenceScriptFormat
from kernel_tools.registry.formats.lightgbm import LightgbmFormat
from kernel_tools.registry.formats.mlflow import MlflowFormat
from kernel_tools.registry.formats.onnx import OnnxFormat
from kernel_tools.registry.formats.python_folder import PythonFolderFormat
from kernel_tools.registry.formats.recipe import RecipeFormat
from kernel_tools.registry.formats.safetensors import SafetensorsFormat
from kernel_tools.registry.formats.scikit_learn import SkopsFormat
from kernel_tools.registry.formats.torch_export import TorchExportFormat
from kernel_tools.registry.formats.xgboost import XgboostFormat
from kernel_tools.registry.records import VersionRecord

__all__ = [
    "FILES",
    "SOURCE",
    "ModelFormat",
    "SavedModel",
    "adopt_files",
    "load_files",
    "load_model",
    "register_format",
    "save_model",
]

FILES = "files"
"""The format of files that are kept as they are: nobody here knows how to load them."""
SOURCE = "source"
"""The format of a version that only points to files elsewhere."""

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
        f"A model of class {kind} cannot be registered. Atelier keeps XGBoost models, scikit-learn estimators, torch "
        "modules, LightGBM and ONNX models and dictionaries of torch tensors, in formats that execute nothing when "
        "they are loaded; files of other models are kept by kernel_tools.registry.register_files."
    )


def adopt_files(folder: Path, format: str | None, model_class: str | None) -> SavedModel:
    """Check files that were written elsewhere, and name them as their format does.

    Parameters
    ----------
    folder
        The files; some are renamed.
    format
        The name of the format. Default: told by the files' names.
    model_class
        The class to load, where the format leaves a choice.

    Raises
    ------
    InvalidArgumentError
        If the files are not of the format, or of none that is known.
    """
    paths = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    if format == FILES:
        return SavedModel(FILES, model_class or "")
    chosen = (
        _FORMATS.get(format) if format else next((item for item in _FORMATS.values() if item.recognizes(paths)), None)
    )
    if chosen is None:
        told = (
            f"There is no format {format!r}." if format else f"The files {paths[:10]} are of no format that is known."
        )
        raise InvalidArgumentError(
            f"{told} Name one with format=: {', '.join(sorted(_FORMATS))}; or {FILES!r}, which keeps them without "
            "loading them."
        )
    return chosen.adopt(folder, model_class)


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
    InvalidArgumentError
        If the version has no files, or nobody here can load them.
    IntegrityError
        If the bytes are not the ones that were registered.
    """
    what = f"Version {record.version} of {record.model!r}"
    if record.format == SOURCE:
        raise InvalidArgumentError(f"{what} has no files here: it points to {record.source!r}. Fetch them from there.")
    if record.format == FILES:
        raise InvalidArgumentError(
            f"{what} is kept as files, which Atelier does not know how to load. Write them to a folder with "
            "version.download(folder), and load them with the library that wrote them."
        )
    model_format = _FORMATS.get(record.format)
    if model_format is None:
        raise NotFoundError(
            f"{what} has the format {record.format!r}, which this Atelier does not know. Install the version of "
            "Atelier, or the extension, that registered it."
        )
    temporary = tempfile.TemporaryDirectory(prefix="atelier-model-")
    try:
        folder = Path(temporary.name)
        for file in record.files:
            artifacts.download(file.sha256, join_inside(folder, file.path))
        model = model_format.load(folder, record.model_class, trust=trust)
    except BaseException:
        temporary.cleanup()
        raise
    if model_format.keeps_folder:
        _clean_up_after(model, temporary)
    else:
        temporary.cleanup()
    return model


def load_files(format: str, folder: Path, model_class: str, *, trust: bool = False) -> object:
    """Load a model from its files in a folder, which must outlive it; errors as for `load_model`."""
    model_format = _FORMATS.get(format)
    if model_format is None:
        raise NotFoundError(f"There is no format {format!r} whose models can be loaded.")
    return model_format.load(folder, model_class, trust=trust)


def _clean_up_after(model: object, temporary: tempfile.TemporaryDirectory[str]) -> None:
    """Remove the folder when the model is gone, or, for a model that cannot be watched, when the process ends."""
    try:
        weakref.finalize(model, temporary.cleanup)
    except TypeError:
        atexit.register(temporary.cleanup)


for _model_format in (
    MlflowFormat(),
    PythonFolderFormat(),
    InferenceScriptFormat(),
    RecipeFormat(),
    XgboostFormat(),
    LightgbmFormat(),
    SkopsFormat(),
    OnnxFormat(),
    TorchExportFormat(),
    SafetensorsFormat(),
):
    register_format(_model_format)
