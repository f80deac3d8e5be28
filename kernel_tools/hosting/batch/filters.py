"""JSONPath filters of batch transforms, on the columns of a table: ``$.age``, ``$['a', 'b']``, ``$[1:]``."""

from __future__ import annotations

from collections.abc import Sequence

from kernel_tools.core.errors import InvalidArgumentError

ALL = "$"


def select_columns(names: Sequence[str], path: str, what: str) -> list[str]:
    """Return the columns that a path selects from a row.

    A row is an object by column for paths that name columns, and a list for those with positions, as rows of CSV are.

    Raises
    ------
    InvalidArgumentError
        If the path is none, or selects nothing of these columns.
    """
    if path.strip() in (ALL, ""):
        return list(names)
    import jsonpath

    row = {name: [name] for name in names}
    try:
        by_name = [name for match in jsonpath.finditer(path, row) for name in _cell(match.obj)]
        by_place = [match.obj for match in jsonpath.finditer(path, list(names)) if isinstance(match.obj, str)]
    except jsonpath.JSONPathError as error:
        raise InvalidArgumentError(f"{what}={path!r} is no JSONPath: {error}.") from error
    found = list(dict.fromkeys(by_name or by_place))
    if not found:
        raise InvalidArgumentError(f"{what}={path!r} selects nothing of the columns {', '.join(names)[:500]}.")
    return found


def _cell(found: object) -> list[str]:
    """The column of a cell; nothing for what is no cell, such as the row itself."""
    return found if isinstance(found, list) and len(found) == 1 and isinstance(found[0], str) else []
