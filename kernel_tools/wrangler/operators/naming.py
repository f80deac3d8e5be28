"""Names of new columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from kernel_tools.wrangler.operators.base import StepError

if TYPE_CHECKING:
    import ibis

LONGEST = 500
"""Characters of the name of a column, at most."""


def require_new_names(
    schema: ibis.Schema, names: Iterable[str], *, field: str, replaced: Collection[str] = (), may_replace: bool = False
) -> None:
    """Refuse names that the columns of a step cannot have.

    DuckDB does not tell capital letters from small ones, so two columns cannot differ in nothing else.

    Parameters
    ----------
    schema
        The columns that there are.
    names
        Those that come.
    field
        The parameter that holds them.
    replaced
        Columns that go.
    may_replace
        Whether a new column may take the place of one of the same name.

    Raises
    ------
    StepError
        If a name is empty, or taken.
    """
    taken = {name.lower(): name for name in schema.names if name not in replaced}
    for name in names:
        if not name.strip() or len(name) > LONGEST:
            raise StepError(f"A column needs a name, of at most {LONGEST} characters.", field=field)
        other = taken.get(name.lower())
        if other is not None and not (may_replace and other == name):
            how = "" if other == name else ", and names that differ in capital letters only cannot be told apart"
            raise StepError(f"There is a column {other!r} already{how}. Choose another name.", field=field)
        if name.startswith("__"):
            raise StepError(f"{name!r}: names that start with two underscores are used inside.", field=field)
        taken[name.lower()] = name
