"""Patience of rules, counted in steps of the training, and how they name what they have found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class Patience:
    """Remembers since which step a tensor has been wrong without a break.

    Parameters
    ----------
    steps
        A tensor counts once it has been wrong for so many steps of the training; 0 for at once.
    """

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.first = ""
        """The first tensor that was wrong for long enough: what a finding is named after for as long as it goes on."""
        self._since: dict[str, int] = {}

    def wrong_for(self, names: Iterable[str], step: int) -> list[str]:
        """Return which of the tensors that are wrong at a step have been so for long enough; others start anew."""
        self._since = {name: self._since.get(name, step) for name in names}
        found = [name for name, since in self._since.items() if step - since >= self.steps]
        self.first = self.first or (found[0] if found else "")
        return found


def name_some(names: Sequence[str], most: int = 3) -> str:
    """Return names for a sentence: the first few, and how many more there are."""
    if len(names) <= most:
        return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def also(names: Sequence[str], most: int = 3) -> str:
    """Return the sentence that says that the same goes for other tensors; "" if there are none."""
    return f" The same goes for {name_some(names, most)}." if names else ""
