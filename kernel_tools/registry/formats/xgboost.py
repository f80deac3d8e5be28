"""XGBoost models as UBJ, XGBoost's own binary JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError
from kernel_tools.registry.formats._base import SavedModel, has_one, is_instance_of, rename_only_file

CLASSES = {"Booster", "XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier", "XGBRFRegressor"}


class XgboostFormat:
    """Boosters and XGBoost's scikit-learn estimators; of the latter also the parameters that the model file leaves out.

    Files written elsewhere may be UBJ or JSON; XGBoost tells them apart by the ending, so they are kept as UBJ.
    """

    name = "xgboost-ubj"
    keeps_folder = False

    def can_save(self, model: object) -> bool:
        """Whether this is a Booster or an estimator of XGBoost."""
        return is_instance_of(model, "xgboost.core.Booster", "xgboost.sklearn.XGBModel")

    def save(self, model: Any, folder: Path, sample: object | None) -> SavedModel:
        """Write ``model.ubj`` and, for an estimator, ``parameters.json``."""
        kind = next(base.__name__ for base in type(model).__mro__ if base.__name__ in CLASSES)
        model.save_model(folder / "model.ubj")
        if kind != "Booster":
            kept = {key: value for key, value in model.get_params().items() if _is_plain(value)}
            (folder / "parameters.json").write_text(json.dumps(kept, sort_keys=True))
        return SavedModel(self.name, f"xgboost.{kind}", ["xgboost", "scikit-learn", "numpy", "pandas"])

    def recognizes(self, paths: Sequence[str]) -> bool:
        """Whether one of the files ends in ``.ubj`` or ``.xgb``."""
        return has_one(paths, ".ubj", ".xgb")

    def adopt(self, folder: Path, model_class: str | None) -> SavedModel:
        """Read the file as a Booster and write it as ``model.ubj``."""
        import xgboost

        path = rename_only_file(folder, "adopted.ubj", ".ubj", ".xgb", ".json")
        if path.read_bytes()[:2] in (b'{"', b"{\n", b"{ "):
            path = path.rename(folder / "adopted.json")
        try:
            booster = xgboost.Booster(model_file=path)
        except xgboost.core.XGBoostError as error:
            raise InvalidArgumentError(f"XGBoost cannot read the file: {str(error).splitlines()[-1][:300]}.") from error
        kind = (model_class or "xgboost.Booster").removeprefix("xgboost.").removeprefix("sklearn.").rpartition(".")[2]
        if kind not in CLASSES:
            raise InvalidArgumentError(f"{model_class!r} is no class of XGBoost: use {', '.join(sorted(CLASSES))}.")
        path.unlink()
        booster.save_model(folder / "model.ubj")
        if kind != "Booster":
            (folder / "parameters.json").write_text("{}")
        return SavedModel(self.name, f"xgboost.{kind}", ["xgboost", "scikit-learn", "numpy", "pandas"])

    def load(self, folder: Path, model_class: str, *, trust: bool) -> object:
        """Read the model; only XGBoost's own classes are made."""
        import xgboost

        kind = model_class.removeprefix("xgboost.")
        if kind not in CLASSES:
            raise InvalidDataError(
                f"{model_class!r} is not a class of XGBoost that Atelier loads: {', '.join(sorted(CLASSES))}."
            )
        parameters = {} if kind == "Booster" else json.loads((folder / "parameters.json").read_text())
        model = getattr(xgboost, kind)(**parameters)
        model.load_model(folder / "model.ubj")
        return model


def _is_plain(value: object) -> bool:
    if isinstance(value, float):
        return value == value and abs(value) != float("inf")
    return isinstance(value, (bool, int, str))
