"""What is known of a table that a source has become: its columns, how their types were found, what did not fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kernel_tools.wrangler.kinds import Kind, kind_of

if TYPE_CHECKING:
    from kernel_tools.wrangler.engine import Engine


@dataclass(frozen=True)
class ColumnType:
    """A column and how its type was found.

    Attributes
    ----------
    type
        The Ibis type, for example ``int64`` or ``timestamp('UTC', 6)``.
    kind
        Its coarse kind, see `kernel_tools.wrangler.kinds`.
    inferred_from
        How many values (not missing ones) of a text the type was inferred from; None if the source itself says it.
    notes
        Why the type is no stricter, and what was done to the values.
    """

    name: str
    type: str
    kind: Kind
    inferred_from: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loaded:
    """A source as a table of the engine.

    Attributes
    ----------
    table
        Its name there.
    rows
        How many it has; None for a quick look, which takes the first ones only.
    columns
        In the order of the table.
    rejected
        How many rows did not fit and stand in `rejects_table` instead: columns ``file``, ``line`` (from 1), ``text``
        and ``reason``.
    fingerprint
        ``sha256:...`` of what was read and how; see `kernel_tools.wrangler.sources.fingerprints`.
    warnings
        What somebody who works with the table should know.
    """

    table: str
    rows: int | None
    columns: tuple[ColumnType, ...]
    fingerprint: str
    rejected: int = 0
    rejects_table: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass
class Reading:
    """What a reader has to tell of the table that it made.

    `notes` and `inferred_from` are by the name of the column in the table.
    """

    notes: dict[str, list[str]] = field(default_factory=dict)
    inferred_from: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    rejected: int = 0
    rejects_table: str | None = None

    def note(self, column: str, text: str) -> None:
        """Add to what is said of a column."""
        self.notes.setdefault(column, []).append(text)

    def columns(self, engine: Engine, table: str) -> tuple[ColumnType, ...]:
        """Return the columns of `table` with what is said of them."""
        schema = engine.table(table).schema()
        return tuple(
            ColumnType(name, str(dtype), kind_of(dtype), self.inferred_from.get(name), tuple(self.notes.get(name, ())))
            for name, dtype in schema.items()
        )
