"""Checks of columns that say the same: equal ones, and numbers that follow from others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

from kernel_tools.wrangler.checks.columns import is_id_like
from kernel_tools.wrangler.checks.finding import Finding, Suggestion
from kernel_tools.wrangler.checks.scope import Scope, SkippedError
from kernel_tools.wrangler.profiling import ColumnProfile

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

CORRELATED = 0.95
INFLATED, LARGEST_INFLATION = 10.0, 50.0
MOST_NUMBERS = 60
"""Columns of numbers whose pairs are compared: the first of them."""


def duplicate_columns(scope: Scope) -> Iterator[Finding]:
    """Columns of one kind that are equal in every row, missing values too."""
    alike: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for found in scope.profiles.values():
        if found.distinct > 1:
            signature = (found.kind, found.count, found.distinct, found.unique, str(found.minimum), str(found.maximum))
            alike[(*signature, tuple(top.count for top in found.top))].append(found.name)
    pairs = [pair for names in alike.values() for pair in combinations(names, 2)][:500]
    data = scope.data
    values = {
        f"p{place}": data[first].identical_to(data[second]).all()
        for place, (first, second) in enumerate(pairs)
        if data[first].type() == data[second].type()
    }
    equal = scope.aggregate(**values)
    told: set[str] = set()
    for place, (first, second) in enumerate(pairs):
        if equal.get(f"p{place}") and second not in told:
            told.add(second)
            yield Finding(
                "duplicate_columns",
                (first, second),
                "medium",
                "Equal columns",
                f"{second} is the same as {first} in all {scope.total:,} rows.",
                {"rows": scope.total},
                True,
                scope.total,
                (Suggestion("drop", {"columns": [second]}, f"{first} says the same."),),
            )


def collinearity(scope: Scope) -> Iterator[Finding]:
    """Pairs of numbers with a Pearson correlation beyond ±0.95, in the rows that have both; equal columns apart."""
    names, matrix = _correlations(scope)
    for first, second in combinations(range(len(names)), 2):
        r = matrix[first, second]
        if not abs(r) > CORRELATED or abs(r) > 1 - 1e-12 and _is_equal(scope, names[first], names[second]):
            continue
        yield Finding(
            "collinearity",
            (names[first], names[second]),
            "medium",
            "Collinear",
            f"{names[second]} follows from {names[first]}: their correlation is {r:.4f}.",
            {"correlation": float(r)},
            True,
            scope.total,
            (Suggestion("drop", {"columns": [names[second]]}, f"{names[first]} says nearly the same."),),
        )


def multicollinearity(scope: Scope) -> Iterator[Finding]:
    """Numbers that the other numbers explain: a variance inflation factor above 10 (shown up to 50).

    Of columns of a pair that `collinearity` names nothing is said again.
    """
    import numpy as np

    names, matrix = _correlations(scope)
    if len(names) < 3:
        raise SkippedError("there are fewer than three columns of numbers")
    paired = {place for place in range(len(names)) if (np.abs(np.delete(matrix[place], place)) > CORRELATED).any()}
    kept = [place for place in range(len(names)) if place not in paired]
    if len(kept) < 3:
        return
    factors = inflation_factors(matrix[np.ix_(kept, kept)])
    inflated = [(names[place], factor) for place, factor in zip(kept, factors, strict=True) if factor > INFLATED]
    for name, factor in inflated:
        yield Finding(
            "multicollinearity",
            (name,),
            "low",
            "Explained by others",
            f"The other numbers explain {name}: its variance inflation factor is "
            + (f"{factor:.3g}." if factor < LARGEST_INFLATION else f"{LARGEST_INFLATION:g} or more."),
            {"vif": min(float(factor), LARGEST_INFLATION), "others": len(kept) - 1},
            True,
            scope.total,
            (Suggestion("drop", {"columns": [name]}, "Others say the same together."),),
        )


def inflation_factors(correlations: Array) -> Array:
    """Return the variance inflation factors of columns with these correlations: the diagonal of the inverse."""
    import numpy as np

    values = np.diag(np.linalg.pinv(correlations, hermitian=True)).copy()
    if np.linalg.matrix_rank(correlations, hermitian=True) < len(correlations):
        smallest = np.linalg.eigh(correlations)[1][:, 0]
        values[np.abs(smallest) > 1e-3] = np.inf
    return np.maximum(values, 1.0)


def _correlations(scope: Scope) -> tuple[list[str], Array]:
    """Return the first numbers of the inputs that vary, and their correlations by pairs of rows that have both."""
    import numpy as np

    columns = [found for found in scope.of_kind("number") if _varies(found) and found.name in scope.inputs]
    names = [found.name for found in columns][:MOST_NUMBERS]
    left_out = f"Of {len(columns)} columns of numbers the first {MOST_NUMBERS} were compared with each other."
    if len(columns) > MOST_NUMBERS and left_out not in scope.notes:
        scope.notes.append(left_out)
    if len(names) < 2:
        raise SkippedError("there are fewer than two columns of numbers")
    matrix = np.eye(len(names))
    scaled = {name: _scaled(scope, scope.profiles[name]) for name in names}
    pairs = list(combinations(range(len(names)), 2))
    found = scope.aggregate(**{f"r{i}_{j}": scaled[names[i]].corr(scaled[names[j]], how="pop") for i, j in pairs})
    for i, j in pairs:
        r = found[f"r{i}_{j}"]
        matrix[i, j] = matrix[j, i] = 0.0 if r is None or r != r else r
    return names, matrix


def _varies(found: ColumnProfile) -> bool:
    return found.distinct > 2 and not found.invalid and bool(found.std) and not is_id_like(found)


def _scaled(scope: Scope, found: ColumnProfile) -> Any:
    return (scope.data[found.name].cast("float64") - found.mean) / found.std


def _is_equal(scope: Scope, first: str, second: str) -> bool:
    one, other = scope.profiles[first], scope.profiles[second]
    return one.top == other.top and one.quantiles == other.quantiles
