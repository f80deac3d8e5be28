"""Chance that is the same on every engine: the place of a row in a shuffled table, by arithmetic on its number.

Each row gets a score: a polynomial of its number, of degree 3, over the integers modulo a prime, with coefficients from
the seed. So the scores of any four rows are independent of each other [1]_. No product leaves 64 bits. The rows in the
order of their scores are a shuffled table.

References
----------
.. [1] M. N. Wegman, J. L. Carter: New hash functions and their use in authentication and set equality. Journal of
   Computer and System Sciences 22 (1981).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from kernel_tools.wrangler.operators.base import ROW, hinted

if TYPE_CHECKING:
    import ibis.expr.types as ir

PRIME = 2_147_483_647
"""2 ** 31 - 1: the most rows that a table may have here."""

SCORE, PLACE, COUNT = "__score__", "__place__", "__count__"
"""Columns of `with_places`: the score, the place (from 0) by score, and how many places there are."""


def seed_field() -> Any:
    """Declare the parameter of the seed."""
    return hinted("seed", default=0, ge=0, lt=2**31, description="Another seed gives other rows.")


def score(number: Any, seed: int) -> Any:
    """Return the score of whole numbers (not negative, below `PRIME`): as whole numbers below `PRIME`."""
    draw = random.Random(seed)
    first, second, third, last = (1 + int(draw.random() * (PRIME - 1)) for _ in range(4))
    return (((number * first + second) % PRIME * number + third) % PRIME * number + last) % PRIME


def with_scores(table: ir.Table, seed: int) -> ir.Table:
    """Return the table with `ROW`, the number of the row, and `SCORE`."""
    import ibis

    numbered = table.mutate(**{ROW: ibis.row_number()})
    return numbered.mutate(**{SCORE: score(numbered[ROW], seed)})


def with_places(table: ir.Table, seed: int, *, group_by: Sequence[str] = ()) -> ir.Table:
    """Return the table with `ROW`, `SCORE`, `PLACE` and `COUNT`; places and counts are those within a group."""
    import ibis

    scored = with_scores(table, seed)
    groups = [scored[name] for name in group_by]
    order = [scored[SCORE], scored[ROW]]
    return scored.mutate(
        **{
            PLACE: ibis.row_number().over(ibis.window(group_by=groups, order_by=order)),
            COUNT: scored.count().over(ibis.window(group_by=groups)),
        }
    )


def without_places(table: ir.Table) -> ir.Table:
    """Return the table in the order of its rows, without the columns of `with_places`."""
    inner = [name for name in (ROW, SCORE, PLACE, COUNT) if name in table.columns]
    return table.order_by(ROW).drop(*inner)


def is_within(place: Any, count: Any, fraction: float) -> Any:
    """Return whether a place is in the first fraction of the places; half a row more makes it one row more."""
    return place + 0.5 <= count * fraction


def share_field(description: str) -> Any:
    """Declare a parameter for a part of the rows."""
    return Field(None, gt=0, le=1, description=description)
