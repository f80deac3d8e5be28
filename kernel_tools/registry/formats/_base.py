"""What a model format is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SavedModel:
    """What saving tells: the format's name, the class that `load` gives back, classes that need trust, "
    "libraries used."""

    format: str
    model_class: str
    libraries: list[str]
    untrusted_types: list[str] = field(default_factory=list)


class ModelFormat(Protocol):
    """Keeps models of some library in files and gives them back.

    `load` executes nothing out of the files, unless `trust` is given and the format has something to trust.
    """

    name: str

    def can_save(self, model: object) -> bool:
        """Say whether this format keeps such a model, without importing the model's library."""

    def save(self, model: object, folder: Path, sample: object | None) -> SavedModel:
        """Write the model's files into an empty folder."""

    def load(self, folder: Path, model_class: str, *, trust: bool) -> object:
        """Read the model back."""


def class_name(model: object) -> str:
    """Return the full name of a model's class."""
    return f"{type(model).__module__}.{type(model).__qualname__}"


def is_instance_of(model: object, *names: str) -> bool:
    """Say whether a class of one of these full names is among the bases of a model, without importing it."""
    return any(f"{base.__module__}.{base.__qualname__}" in names for base in type(model).__mro__)
