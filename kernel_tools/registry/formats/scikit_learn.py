"""scikit-learn estimators as skops files: types are checked before anything is restored."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

from kernel_tools.core.errors import ForbiddenError, InvalidArgumentError
from kernel_tools.registry.formats._base import (
    SavedModel,
    class_name,
    has_one,
    is_instance_of,
    rename_only_file,
)


class SkopsFormat:
    """Estimators and pipelines."""

    name = "skops"
    keeps_folder = False

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

    def recognizes(self, paths: Sequence[str]) -> bool:
        """Whether one of the files ends in ``.skops``."""
        return has_one(paths, ".skops")

    def adopt(self, folder: Path, model_class: str | None) -> SavedModel:
        """Check the file and name it ``model.skops``; nothing in it is restored."""
        import skops.io

        path = rename_only_file(folder, "model.skops", ".skops")
        try:
            with zipfile.ZipFile(path) as archive:
                schema = json.loads(archive.read("schema.json"))
            untrusted = skops.io.get_untrusted_types(file=path)
            found = f"{schema['__module__']}.{schema['__class__']}"
        except (zipfile.BadZipFile, ValueError, KeyError, TypeError) as error:
            raise InvalidArgumentError(f"{path.name} is not a skops file: {error}.") from error
        return SavedModel(self.name, found, ["scikit-learn", "skops", "numpy", "pandas"], sorted(untrusted))

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
