"""What a model format is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.registry.signature import Signature


@dataclass(frozen=True, slots=True)
class SavedModel:
    """What is known of a model's files once they are written.

    Parameters
    ----------
    format
        The name of the format.
    model_class
        The class that `load` gives back, with its module.
    libraries
        Distributions that loading needs; the versions installed here are kept with the model.
    untrusted_types
        What `load` restores only with ``trust=True``.
    versions
        Versions of libraries as the files themselves name them.
    has_code
        Whether the files bring code of their own, which `load` runs with ``trust=True``.
    signature, sample
        What goes in, and up to five input rows, if the files tell.
    """

    format: str
    model_class: str
    libraries: list[str] = field(default_factory=list)
    untrusted_types: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    has_code: bool = False
    signature: Signature | None = None
    sample: list[object] = field(default_factory=list)


class ModelFormat(Protocol):
    """Keeps models of some library in files and gives them back.

    `load` executes nothing out of the files, unless `trust` is given and the format has something to trust.
    """

    name: str
    keeps_folder: bool
    """Whether a loaded model may go on reading its files, so that the folder must outlive `load`."""

    def can_save(self, model: object) -> bool:
        """Say whether this format keeps such a model, without importing the model's library."""

    def save(self, model: object, folder: Path, sample: object | None) -> SavedModel:
        """Write the model's files into an empty folder."""

    def recognizes(self, paths: Sequence[str]) -> bool:
        """Say whether files of these paths look like this format."""

    def adopt(self, folder: Path, model_class: str | None) -> SavedModel:
        """Check files that were written elsewhere, and name them as `load` expects.

        Raises
        ------
        InvalidArgumentError
            If they are something else.
        """

    def load(self, folder: Path, model_class: str, *, trust: bool) -> object:
        """Read the model back."""


def class_name(model: object) -> str:
    """Return the full name of a model's class."""
    return f"{type(model).__module__}.{type(model).__qualname__}"


def is_instance_of(model: object, *names: str) -> bool:
    """Say whether a class of one of these full names is among the bases of a model, without importing it."""
    return any(f"{base.__module__}.{base.__qualname__}" in names for base in type(model).__mro__)


def rename_only_file(folder: Path, name: str, *suffixes: str) -> Path:
    """Give the only file with one of these suffixes the name that the format has for it, and return its path.

    Raises
    ------
    InvalidArgumentError
        If there is no such file, or more than one.
    """
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix in suffixes]
    if len(found) != 1:
        shown = ", ".join(path.relative_to(folder).as_posix() for path in found[:5]) or "none"
        raise InvalidArgumentError(
            f"These files should hold exactly one {' or '.join(suffixes)} file, and have: {shown}. Give only the files "
            "of one model."
        )
    return found[0].rename(folder / name)


def has_one(paths: Sequence[str], *suffixes: str) -> bool:
    """Say whether exactly one of the paths has one of the suffixes."""
    return sum(path.endswith(suffixes) for path in paths) == 1
