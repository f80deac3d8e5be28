"""Steps on small tables, to be the same on every engine and in every lowering.

Each file of this folder holds the `CASES` of some families of operators; `all_cases` collects them.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """A step on a table of `tables`.

    Attributes
    ----------
    op, params
        The operator and its parameters.
    table
        A name in `tables.TABLES`; `others` are the further inputs.
    new
        A table of the same columns that the fitted step is applied to as well: other rows, unseen categories.
    is_ordered
        Whether the order of the rows of the result is a part of its meaning.
    """

    op: str
    params: dict[str, Any] = field(default_factory=dict)
    table: str = "people"
    others: tuple[str, ...] = ()
    new: str | None = None
    is_ordered: bool = True

    @property
    def id(self) -> str:
        """How a test names it."""
        words = [f"{key}={value}" for key, value in self.params.items()]
        return f"{self.op}[{', '.join(words)}][{self.table}]"[:120]


def all_cases() -> list[Case]:
    """Return the cases of all files."""
    modules = [name for _, name, _ in pkgutil.iter_modules(__path__) if name != "tables"]
    return [case for name in sorted(modules) for case in importlib.import_module(f"{__name__}.{name}").CASES]
