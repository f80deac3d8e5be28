"""scikit-learn estimators as skops files: types are checked before anything is restored."""

from __future__ import annotations

from pathlib import Path

from kernel_tools.core.errors import ForbiddenError
from kernel_tools.registry.formats._base import SavedModel, class_name, is_instance_of


class SkopsFormat:
    """Estimators and pipelines."""

    name = "skops"

    def can_save(self, model: object) -> bool:
        """Whether this is a scikit-learn estimator."""
        return is_instance_of(model, "sklearn.base.BaseEstimator")

    def save(self, model: object, folder: Path, sample: object | None) -> SavedModel:
        """Write ``model.skops``."""
        import skops.io

        path = folder / "model.skops"
        skops.io.dump(model, path)
        untrusted = skops.io.get_untrusted_types(file=path)
        return SavedModel(self.name, class_name(model), ["scikit-learn", "skops", "numpy", "pandas"], sorted(untrusted))

    def load(self, folder: Path, model_class: str, *, trust: bool) -> object:
        """Read the estimator.

        Raises
        ------
        ForbiddenError
            If the file names types that skops does not know to be harmless, and `trust` is False.
        """
        import skops.io

        path = folder / "model.skops"
        untrusted = skops.io.get_untrusted_types(file=path)
        if untrusted and not trust:
            raise ForbiddenError(
                f"The model holds types that could execute code when it is loaded: {', '.join(sorted(untrusted))}. "
                "If you know where it comes from, load it with trust=True."
            )
        return skops.io.load(path, trusted=untrusted)
