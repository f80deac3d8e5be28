"""Folders that MLflow writes: ``MLmodel`` says what is in them.

A model in a format that executes nothing (XGBoost, LightGBM's text, ONNX, skops) is read from its own file, without
MLflow. Pickles and models that bring code run only with ``trust=True``; for what only MLflow can load, it must be
installed.
"""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kernel_tools.core.errors import ForbiddenError, InvalidArgumentError, InvalidDataError
from kernel_tools.core.workspace import join_inside
from kernel_tools.registry.formats._base import SavedModel
from kernel_tools.registry.formats.lightgbm import load_lightgbm
from kernel_tools.registry.formats.onnx import load_onnx
from kernel_tools.registry.formats.xgboost import CLASSES as XGBOOST_CLASSES
from kernel_tools.registry.signature import Column, ColumnType, Signature, Tensor

MLMODEL = "MLmodel"
MAX_MLMODEL = 1_000_000
SAMPLE_ROWS = 5

_COLUMN_TYPES = {
    "boolean": (ColumnType.BOOLEAN, "bool", False),
    "integer": (ColumnType.LONG, "int32", False),
    "long": (ColumnType.LONG, "int64", False),
    "float": (ColumnType.DOUBLE, "float32", True),
    "double": (ColumnType.DOUBLE, "float64", True),
    "string": (ColumnType.STRING, "str", True),
    "datetime": (ColumnType.DATETIME, "datetime64[ns]", True),
}
"""MLflow's types: our type, the pandas dtype, and whether a value may be missing."""


class MlflowFormat:
    """Models that MLflow wrote, of any flavor."""

    name = "mlflow"
    keeps_folder = True

    def can_save(self, model: object) -> bool:
        """No object: MLflow writes these folders."""
        return False

    def save(self, model: object, folder: Path, sample: object | None) -> SavedModel:
        """Refuse: this format keeps folders only."""
        raise InvalidArgumentError(
            "A folder of MLflow is registered by kernel_tools.registry.register_files(name, folder)."
        )

    def recognizes(self, paths: Sequence[str]) -> bool:
        """Whether there is an ``MLmodel`` at the top."""
        return MLMODEL in paths

    def adopt(self, folder: Path, model_class: str | None) -> SavedModel:
        """Read ``MLmodel`` and say what the model is; nothing is loaded."""
        return describe(folder)

    def load(self, folder: Path, model_class: str, *, trust: bool) -> object:
        """Read the model in the most direct way that there is.

        Raises
        ------
        ForbiddenError
            If it is pickled or brings code, and `trust` is False.
        InvalidDataError
            If it cannot be loaded.
        """
        flavor, settings = _choose_flavor(read_mlmodel(folder))
        reasons = _reasons_for_trust(folder, flavor, settings)
        if reasons and not trust:
            raise ForbiddenError(
                f"The model was written by MLflow and holds what could execute code when it is loaded: "
                f"{', '.join(reasons)}. If you know where it comes from, load it with trust=True."
            )
        with _code_path(folder, settings if trust else {}):
            return _load(folder, flavor, settings)


def read_mlmodel(folder: Path) -> dict[str, Any]:
    """Return what ``MLmodel`` says; InvalidArgumentError if it is no such file."""
    import yaml

    path = folder / MLMODEL
    try:
        if path.stat().st_size > MAX_MLMODEL:
            raise InvalidArgumentError(f"{MLMODEL} has {path.stat().st_size:,} bytes: that is no file of MLflow.")
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidArgumentError(f"{MLMODEL} cannot be read: {error}.") from error
    if not isinstance(content, dict) or not isinstance(content.get("flavors"), dict) or not content["flavors"]:
        raise InvalidArgumentError(f"{MLMODEL} names no flavors: that is no file of MLflow.")
    return content


def files_to_describe(content: Mapping[str, Any]) -> list[str]:
    """Return the paths besides ``MLmodel`` that `describe` looks at, if they are there."""
    _, settings = _choose_flavor(content)
    example = content.get("saved_input_example_info") or {}
    wanted = [settings.get("pickled_model"), settings.get("data"), example.get("artifact_path")]
    return [path for path in wanted if isinstance(path, str) and path.endswith((".skops", ".json"))]


def describe(folder: Path) -> SavedModel:
    """Say what a folder of MLflow holds, from ``MLmodel`` and the files of `files_to_describe`."""
    content = read_mlmodel(folder)
    flavor, settings = _choose_flavor(content)
    reasons = _reasons_for_trust(folder, flavor, settings)
    versions = {
        {"xgb_version": "xgboost", "lgb_version": "lightgbm", "sklearn_version": "scikit-learn"}.get(
            key, key.removesuffix("_version")
        ): str(value)
        for key, value in settings.items()
        if key.endswith("_version")
    }
    versions["mlflow"] = str(content.get("mlflow_version", ""))
    return SavedModel(
        "mlflow",
        str(settings.get("model_class") or settings.get("loader_module") or f"mlflow.{flavor}"),
        untrusted_types=reasons,
        versions={name: version for name, version in versions.items() if version},
        has_code=bool(settings.get("code")) or any(not reason.startswith("types: ") for reason in reasons),
        signature=read_signature(content.get("signature")),
        sample=_read_sample(folder, content),
    )


def read_signature(described: Any) -> Signature | None:
    """Return MLflow's signature as one of ours; None if ours cannot say what it says."""
    try:
        inputs = json.loads((described or {}).get("inputs") or "null")
        if not isinstance(inputs, list) or not inputs:
            return None
        if inputs[0].get("type") == "tensor":
            tensor = inputs[0]["tensor-spec"]
            shape = [int(size) for size in tensor["shape"]]
            is_batch = len(inputs) == 1 and not inputs[0].get("name") and len(shape) > 0
            return Signature(tensor=Tensor(str(tensor["dtype"]), [-1, *shape[1:]])) if is_batch else None
        columns = []
        for item in inputs:
            kind, dtype, nullable = _COLUMN_TYPES[item["type"]]
            columns.append(Column(item["name"], kind, nullable=nullable, dtype=dtype))
        return Signature(columns=columns)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # nested or unnamed inputs, which our signatures do not have: the model is used without one


def _choose_flavor(content: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the flavor to load by, and its settings: the first native one, else MLflow's python_function."""
    flavors = content["flavors"]
    for name in ("xgboost", "lightgbm", "sklearn", "onnx"):
        if isinstance(flavors.get(name), dict):
            general = flavors.get("python_function")
            code = general.get("code") if isinstance(general, dict) else None
            return name, {"code": code} | flavors[name] if code else dict(flavors[name])
    general = flavors.get("python_function")
    return "pyfunc", dict(general) if isinstance(general, dict) else {}


def _model_path(folder: Path, settings: Mapping[str, Any]) -> Path:
    return join_inside(folder, str(settings.get("pickled_model") or settings.get("data") or ""))


def _reasons_for_trust(folder: Path, flavor: str, settings: Mapping[str, Any]) -> list[str]:
    """Name what could execute code when the model is loaded."""
    if flavor == "pyfunc":
        return [f"code of {settings.get('loader_module', 'an unknown loader')}"]
    path = _model_path(folder, settings)
    if path.suffix == ".skops":
        import skops.io

        return [f"types: {name}" for name in sorted(skops.io.get_untrusted_types(file=path))]
    safe = {"xgboost": (".ubj", ".json", ".xgb"), "lightgbm": (".lgb", ".txt"), "onnx": (".onnx",), "sklearn": ()}
    return [] if path.suffix in safe[flavor] else [f"the pickle {path.name}"]


def _load(folder: Path, flavor: str, settings: Mapping[str, Any]) -> object:
    if flavor == "pyfunc":
        return _load_by_mlflow(folder)
    path = _model_path(folder, settings)
    if path.suffix == ".skops":
        import skops.io

        return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    if flavor == "xgboost" and path.suffix in (".ubj", ".json", ".xgb"):
        return _load_xgboost(path, str(settings.get("model_class", "")))
    if flavor == "lightgbm" and path.suffix in (".lgb", ".txt"):
        return load_lightgbm(path, None)
    if path.suffix == ".onnx":
        return load_onnx(path)
    try:
        with path.open("rb") as file:
            return pickle.load(file)
    except Exception as error:  # a pickle may raise anything
        raise InvalidDataError(f"{path.name} cannot be restored: {type(error).__name__}: {error}.") from error


def _load_xgboost(path: Path, model_class: str) -> object:
    import xgboost

    kind = model_class.rpartition(".")[2] or "Booster"
    if kind not in XGBOOST_CLASSES:
        raise InvalidDataError(
            f"{model_class!r} is not a class of XGBoost that Atelier loads: {', '.join(sorted(XGBOOST_CLASSES))}."
        )
    model = getattr(xgboost, kind)()
    model.load_model(path)
    return model


def _load_by_mlflow(folder: Path) -> object:
    try:
        from mlflow import pyfunc
    except ImportError as error:
        raise InvalidDataError(
            "Only MLflow itself can load this model, and it is not installed here. Install it in this environment "
            "(pip install mlflow), or log the model in a flavor with a file of its own: XGBoost, LightGBM, ONNX, skops."
        ) from error
    return pyfunc.load_model(str(folder))


@contextmanager
def _code_path(folder: Path, settings: Mapping[str, Any]) -> Iterator[None]:
    """Let modules of the model's code folder be imported in the block."""
    if not settings.get("code"):
        yield
        return
    code = str(join_inside(folder, str(settings["code"])))
    sys.path.insert(0, code)
    try:
        yield
    finally:
        sys.path.remove(code)


def _read_sample(folder: Path, content: Mapping[str, Any]) -> list[object]:
    """Return up to five rows of the input example; none if there is no example that is a table or an array."""
    info = content.get("saved_input_example_info") or {}
    try:
        example = json.loads(join_inside(folder, info["artifact_path"]).read_bytes())
        if isinstance(example, dict) and "inputs" in example:
            example = example["inputs"]
        if isinstance(example, dict) and {"columns", "data"} <= set(example):
            rows = [dict(zip(example["columns"], row, strict=True)) for row in example["data"]]
            return list(rows[:SAMPLE_ROWS])
        return list(example[:SAMPLE_ROWS]) if isinstance(example, list) else []
    except (OSError, ValueError, KeyError, TypeError, InvalidArgumentError):
        return []  # an example of another kind is no sample; the model is as good without one
