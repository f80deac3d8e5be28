"""Versions of models that were made elsewhere: from files, from logged models, runs and other versions."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.core.workspace import Workspace, current_workspace, join_inside
from kernel_tools.experiments.run import Run
from kernel_tools.registry import catalog, logged_models
from kernel_tools.registry.formats import FILES, SOURCE, SavedModel, adopt_files
from kernel_tools.registry.formats.mlflow import MLMODEL, describe, files_to_describe, read_mlmodel
from kernel_tools.registry.names import validate_model_name
from kernel_tools.registry.records import ModelFile, VersionRecord
from kernel_tools.registry.registration import Particulars, keep_files, make_version, sample_rows, source_run
from kernel_tools.registry.signature import Signature, infer_signature
from kernel_tools.registry.version import ModelVersion

MAX_FILES = 10_000

Paths = str | os.PathLike[str]
_VERSION_URI = re.compile(r"models:/([^/@]+)/(\d{1,9})")
_LOGGED_URI = re.compile(r"models:/(m-[0-9a-f]{32})(?:/(.*))?")
_RUN_URI = re.compile(r"runs:/(\w{1,32})/(.+)")


def register_files(
    name: str,
    files: Paths | Sequence[Paths] | Mapping[str, Paths],
    format: str | None = None,
    run: Run | str | None = None,
    sample_input: object | None = None,
    *,
    signature: Signature | None = None,
    model_class: str | None = None,
    description: str = "",
    tags: Mapping[str, Any] | None = None,
    licence: str = "",
    source: str = "",
    workspace: Workspace | None = None,
) -> ModelVersion:
    """Register a model that was trained elsewhere, from its files.

    Parameters
    ----------
    name
        The model's name; the group is created with its first version.
    files
        A file, a folder, several files, or a mapping from the path inside the model to the file.
    format
        ``xgboost-ubj``, ``lightgbm-text``, ``skops``, ``onnx``, ``torch-export``, ``safetensors``, ``mlflow`` (a folder
        with an ``MLmodel``), ``python-folder`` (a folder with a ``predict.py``, whose code runs only with
        ``trust=True``), ``inference-script`` (a folder with an ``inference.py``, as SageMaker's containers take it), or
        ``files``: kept and handed back, but not loaded. Default: told by the files.
    run
        The run that made it, or its id.
    sample_input
        A few input rows; the signature is inferred from them.
    signature
        The signature, if there are no sample rows. Default: what the files tell.
    model_class
        The class to load an XGBoost file as, such as ``xgboost.XGBClassifier``. Default: its Booster.
    description, tags, licence
        As for `register`.
    source
        Where the files come from, such as a URL.
    workspace
        Default: the current workspace.

    Returns
    -------
    ModelVersion
        The next version of the model.

    Raises
    ------
    NotFoundError
        If a file or the run does not exist.
    InvalidArgumentError
        If the files are not of the format, or of none that is known; nothing is registered then.
    """
    workspace = workspace or current_workspace()
    validate_model_name(name)
    run_id = source_run(workspace, run)
    particulars = Particulars(run_id, None, source, "", "", description, tags or {}, licence)
    particulars.checked()
    given = _collect(files)
    with tempfile.TemporaryDirectory(prefix="atelier-model-") as temporary:
        folder = Path(temporary)
        for path, origin in given.items():
            target = join_inside(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, target)
        saved = adopt_files(folder, format, model_class)
        kept = keep_files(workspace, folder)
    if sample_input is not None:
        signature = signature or infer_signature(sample_input)
    sample = sample_rows(sample_input) or saved.sample
    return make_version(workspace, name, saved, kept, signature or saved.signature, sample, particulars)


def create_version_from_source(
    name: str,
    source: str,
    run_id: str | None = None,
    files: Sequence[ModelFile] | None = None,
    *,
    storage_uri: str = "",
    model_id: str | None = None,
    run_link: str = "",
    description: str = "",
    tags: Mapping[str, Any] | None = None,
    workspace: Workspace | None = None,
) -> VersionRecord:
    """Make the next version of a model from what a client says about it.

    Parameters
    ----------
    name
        The model, which must exist.
    source
        The URI that the client gives: ``models:/m-<id>`` (a logged model), ``models:/<name>/<version>`` (a copy),
        ``runs:/<run>/<path>`` (artifacts of a run), or any other.
    run_id
        The run that made it; it need not be known here.
    files
        The files, which are in the artifact store already. Default: those that `source` names; for a URI that leads
        elsewhere there are none, and the version only points there.
    storage_uri
        Where the files of the source are, as the client is told; kept as it is.
    model_id
        The logged model that it was made from.
    run_link, description, tags
        Kept with the version.
    workspace
        Default: the current workspace.

    Returns
    -------
    VersionRecord
        The version; an ``MLmodel`` among its files gives it format, signature and sample.

    Raises
    ------
    NotFoundError
        If there is no such model, or the source names a logged model, version or run that does not exist.
    InvalidArgumentError
        If a text or tag cannot be used.
    """
    workspace = workspace or current_workspace()
    with workspace.database.read() as connection:
        catalog.get_group(connection, name)
    particulars = Particulars(run_id, model_id, source, storage_uri, run_link, description, tags or {})
    particulars.checked()
    original = _VERSION_URI.fullmatch(source)
    if files is None and original:
        return _copy_version(workspace, name, original[1], int(original[2]), particulars)
    if files is None:
        files, particulars = _find_files(workspace, particulars)
    saved = describe_files(workspace, files, source)
    return make_version(workspace, name, saved, files, saved.signature, saved.sample, particulars).record


def _collect(files: Paths | Sequence[Paths] | Mapping[str, Paths]) -> dict[str, Path]:
    """Return the files by their path inside the model."""
    given: dict[str, Path] = {}
    if isinstance(files, Mapping):
        given = {path: Path(origin) for path, origin in files.items()}
    else:
        listed = [files] if isinstance(files, str | os.PathLike) else list(files)
        for root in map(Path, listed):
            if not root.is_dir():
                given[root.name] = root
                continue
            for item in sorted(root.rglob("*")):
                if item.is_file() and "__pycache__" not in item.relative_to(root).parts:
                    given[item.relative_to(root).as_posix()] = item
    missing = [str(path) for path in given.values() if not path.is_file()]
    if missing:
        raise NotFoundError(f"There is no file {missing[0]!r} to register. Write it first, or correct the path.")
    if not given:
        raise InvalidArgumentError("There are no files to register: give the files, or a folder with files in it.")
    if len(given) > MAX_FILES:
        raise InvalidArgumentError(f"{len(given):,} files are more than a model has: give at most {MAX_FILES:,}.")
    return given


def _find_files(workspace: Workspace, particulars: Particulars) -> tuple[list[ModelFile], Particulars]:
    """Return the files that a source names here, and the run that they come from if the client named none."""
    source = particulars.source
    if logged := _LOGGED_URI.fullmatch(source):
        model = logged_models.get(logged[1], workspace=workspace)
        found = files_below(logged_models.files(model.id, workspace=workspace), logged[2] or "")
        run_id = particulars.run_id or model.source_run_id
        return found, replace(particulars, run_id=run_id, model_id=particulars.model_id or model.id)
    if of_run := _RUN_URI.fullmatch(source):
        run = Run(workspace, of_run[1])
        artifacts = [ModelFile(item.path, item.size, item.sha256) for item in run.artifacts]
        return files_below(artifacts, of_run[2]), replace(particulars, run_id=particulars.run_id or run.id)
    return [], particulars


def files_below(files: Sequence[ModelFile], folder: str) -> list[ModelFile]:
    """Return the files below a folder, with paths relative to it."""
    prefix = f"{folder.strip('/')}/" if folder.strip("/") else ""
    return [replace(file, path=file.path.removeprefix(prefix)) for file in files if file.path.startswith(prefix)]


def _copy_version(workspace: Workspace, name: str, model: str, version: int, particulars: Particulars) -> VersionRecord:
    with workspace.database.read() as connection:
        record = catalog.get_version(connection, model, version)
    saved = SavedModel(record.format, record.model_class, [], record.untrusted_types, record.libraries, record.has_code)
    particulars = replace(
        particulars,
        run_id=particulars.run_id or record.run_id,
        model_id=particulars.model_id or record.model_id,
        storage_uri=particulars.storage_uri or record.storage_uri or record.source,
        licence=record.licence,
    )
    copied = make_version(workspace, name, saved, record.files, record.signature, record.sample, particulars)
    return copied.record


def describe_files(workspace: Workspace, files: Sequence[ModelFile], source: str) -> SavedModel:
    """Say what the files are; of MLflow's folders only the small files that tell are read."""
    stored = {file.path: file for file in files}
    if MLMODEL not in stored:
        return SavedModel(FILES if files else SOURCE, "")
    with tempfile.TemporaryDirectory(prefix="atelier-model-") as temporary:
        folder = Path(temporary)
        workspace.artifacts.download(stored[MLMODEL].sha256, folder / MLMODEL)
        try:
            for path in files_to_describe(read_mlmodel(folder)):
                if path in stored:
                    workspace.artifacts.download(stored[path].sha256, join_inside(folder, path))
            return describe(folder)
        except (InvalidArgumentError, OSError):
            return SavedModel(FILES, "")  # a client may log what it likes; it is kept, and not loaded
