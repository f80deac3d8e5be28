"""LightGBM models as its own text: trees, thresholds and names, nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError, MissingExtraError
from kernel_tools.registry.formats._base import SavedModel, is_instance_of, rename_only_file

if TYPE_CHECKING:
    import numpy as np


class LightgbmModel:
    """A LightGBM model that was read from its text: a regressor, a ranker, or a Booster of any kind.

    Attributes
    ----------
    booster_ : lightgbm.Booster
        The model itself, for everything that is not here.
    """

    def __init__(self, booster: Any) -> None:
        self.booster_ = booster

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.booster_.num_trees()} trees, {self.booster_.num_feature()} features>"

    def predict(self, rows: Any) -> Any:
        """Return what the Booster's own `predict` does: values, or probabilities of its classes."""
        return self.booster_.predict(rows)


class LightgbmClassifier(LightgbmModel):
    """A LightGBM classifier that was read from its text.

    Attributes
    ----------
    booster_ : lightgbm.Booster
        The model itself.
    classes_ : numpy.ndarray
        The labels, in the order of the probabilities.
    """

    def __init__(self, booster: Any, classes: Sequence[Any]) -> None:
        import numpy as np

        super().__init__(booster)
        self.classes_ = np.asarray(classes)

    def predict_proba(self, rows: Any) -> np.ndarray:
        """Return the probabilities, shape (rows, classes)."""
        import numpy as np

        given = np.asarray(self.booster_.predict(rows))
        return np.column_stack([1.0 - given, given]) if given.ndim == 1 else given

    def predict(self, rows: Any) -> Any:
        """Return the label of the highest probability, as LightGBM's own classifier does."""
        return self.classes_.take(self.predict_proba(rows).argmax(axis=1))


class LightgbmFormat:
    """Boosters and LightGBM's scikit-learn estimators."""

    name = "lightgbm-text"
    keeps_folder = False

    def can_save(self, model: object) -> bool:
        """Whether this is a Booster or an estimator of LightGBM."""
        return is_instance_of(model, "lightgbm.basic.Booster", "lightgbm.sklearn.LGBMModel")

    def save(self, model: Any, folder: Path, sample: object | None) -> SavedModel:
        """Write ``model.txt`` and, for a classifier, ``classes.json``.

        Raises
        ------
        InvalidArgumentError
            If the estimator is not fitted, or has an objective of its own, which the text leaves out.
        """
        classes = None
        booster = model
        if is_instance_of(model, "lightgbm.sklearn.LGBMModel"):
            if not hasattr(model, "n_features_in_") or not model.__sklearn_is_fitted__():
                raise InvalidArgumentError("The LightGBM estimator is not fitted: call fit before you register it.")
            booster = model.booster_
            if hasattr(model, "classes_"):
                classes = model.classes_.tolist()
                if callable(model.objective):
                    raise InvalidArgumentError(
                        "The LightGBM classifier has an objective of its own, which its file does not keep: register "
                        "its booster_, whose scores you turn into probabilities yourself."
                    )
        booster.save_model(folder / "model.txt")
        if classes is not None:
            (folder / "classes.json").write_text(json.dumps(classes))
        return self._describe(folder)

    def recognizes(self, paths: Sequence[str]) -> bool:
        """Whether one of the files ends in ``.lgb``, or the only file in ``.txt``."""
        return [path for path in paths if path.endswith(".lgb")] != [] or (
            len(paths) == 1 and paths[0].endswith(".txt")
        )

    def adopt(self, folder: Path, model_class: str | None) -> SavedModel:
        """Name the text ``model.txt`` and check that LightGBM reads it; ``classes.json`` makes it a classifier."""
        rename_only_file(folder, "model.txt", ".lgb", ".txt")
        try:
            load_lightgbm(folder / "model.txt", None)
        except InvalidDataError as error:
            raise InvalidArgumentError(str(error)) from error
        return self._describe(folder)

    def load(self, folder: Path, model_class: str, *, trust: bool) -> object:
        """Read the model."""
        path = folder / "classes.json"
        return load_lightgbm(folder / "model.txt", json.loads(path.read_text()) if path.exists() else None)

    def _describe(self, folder: Path) -> SavedModel:
        kind = LightgbmClassifier if (folder / "classes.json").exists() else LightgbmModel
        return SavedModel(self.name, f"{kind.__module__}.{kind.__name__}", ["lightgbm", "numpy", "pandas"])


def load_lightgbm(path: Path, classes: Sequence[Any] | None) -> LightgbmModel:
    """Read a text as a classifier of these classes, or as a model.

    Raises
    ------
    InvalidDataError
        If it is no text of LightGBM.
    MissingExtraError
        If LightGBM is not installed.
    """
    try:
        import lightgbm
    except ImportError as error:
        raise MissingExtraError("lightgbm", "lightgbm") from error
    text = path.read_text(encoding="utf-8", errors="replace")
    if not text.startswith("tree"):
        raise InvalidDataError(f"{path.name} is no text of a LightGBM model: it does not begin with 'tree'.")
    try:
        booster = lightgbm.Booster(model_str=text)
    except lightgbm.basic.LightGBMError as error:
        raise InvalidDataError(f"LightGBM cannot read {path.name}: {error}.") from error
    return LightgbmModel(booster) if classes is None else LightgbmClassifier(booster, classes)
