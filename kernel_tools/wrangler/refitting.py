"""What a recipe learns from other rows, beside what it had learned before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kernel_tools.wrangler.states import decode_state

if TYPE_CHECKING:
    import pandas as pd

    from kernel_tools.wrangler.document import RecipeDocument
    from kernel_tools.wrangler.recipe import Recipe


@dataclass(frozen=True)
class Refit:
    """A recipe that has learned again.

    Attributes
    ----------
    recipe
        With what it has learned now; the old one is as it was.
    changes
        What is different: columns ``step``, ``op``, ``what`` (the place in the state), ``before`` and ``after``.
    """

    recipe: Recipe
    changes: pd.DataFrame


def compare_states(before: RecipeDocument, after: RecipeDocument) -> pd.DataFrame:
    """Return what the steps of two recipes have learned differently; see `Refit.changes`."""
    import pandas as pd

    old = {node.id: node for node in before.nodes}
    rows = []
    for node in after.nodes:
        known = old.get(node.id)
        was = dict(_leaves(decode_state(known.fit.state))) if known is not None and known.fit else {}
        now = dict(_leaves(decode_state(node.fit.state))) if node.fit else {}
        for place in dict.fromkeys([*was, *now]):
            if was.get(place) != now.get(place):
                rows.append((node.id, node.op, place, was.get(place), now.get(place)))
    return pd.DataFrame(rows, columns=["step", "op", "what", "before", "after"])


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{place}.{key}" if place else str(key))
    else:
        yield place, value
