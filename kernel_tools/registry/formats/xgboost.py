"""XGBoost models as UBJ, XGBoost's own binary JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kernel_tools.core.errors import InvalidDataError
from kernel_tools.registry.formats._base import SavedModel, is_instance_of

CLASSES = {"Booster", "XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier", "XGBRFRegressor"}


class XgboostFormat:
    """Boosters and XGBoost's scikit-learn estimators; of the latter also the parameters that the model file "
    "leaves out."""

    name = "xgboost-ubj"

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
