"""Changes of letters and spaces that a graph puts off.

ONNX cannot change a text, but it can find out whether a text would be another one after the change: by a pattern that
all its spellings fit. So cleaned categories can be encoded, though never come out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

SPACES = " \t\n\r\v\f"
"""What Ibis strips."""


@dataclass(frozen=True)
class Spelling:
    """What is done with a text before it is looked at.

    Attributes
    ----------
    case
        Whether its letters are made small or large.
    left, right
        Characters that are taken off its ends.
    """

    case: Literal["lower", "upper"] | None = None
    left: str = ""
    right: str = ""

    def cased(self, case: Literal["lower", "upper"]) -> Spelling:
        """Return this and then a change of case."""
        return replace(self, case=case)

    def stripped(self, left: str, right: str) -> Spelling:
        """Return this and then characters taken off the ends."""
        return replace(self, left=_both(self.left, left), right=_both(self.right, right))

    def keeps(self, text: str) -> bool:
        """Whether a text stays as it is."""
        return text == self._cased(text) and text == text.lstrip(self.left or "\0").rstrip(self.right or "\0")

    def _cased(self, text: str) -> str:
        return text.lower() if self.case == "lower" else text.upper() if self.case == "upper" else text

    def pattern(self, texts: Sequence[str]) -> str | None:
        """Return a pattern of RE2 that all spellings of the texts fit, None if there are none."""
        words = ["".join(map(self._letter, text)) for text in texts if self.keeps(text)]
        if not words:
            return None
        return f"{_any_of(self.left)}(?:{'|'.join(words)}){_any_of(self.right)}"

    def _letter(self, letter: str) -> str:
        others = {letter.upper(), letter.lower(), letter} if self.case else {letter}
        spellings = sorted(one for one in others if len(one) == 1 and self._cased(one) == letter)
        return quoted(letter) if len(spellings) < 2 else f"[{''.join(map(quoted, spellings))}]"


def _both(first: str, second: str) -> str:
    return first + "".join(one for one in second if one not in first)


def _any_of(characters: str) -> str:
    return f"[{''.join(map(_code, characters))}]*" if characters else ""


def _code(character: str) -> str:
    return f"\\x{{{ord(character):x}}}"


def quoted(text: str) -> str:
    """Return text as a pattern of RE2 that only it fits."""
    return re.sub(r"[^\w]", lambda found: _code(found[0]), text)


def ends_of(pattern: str) -> tuple[str, str] | None:
    r"""Return the characters that a pattern takes off the left and right end of text, None if it does something else.

    The patterns are those of `format_string`: ``^\s+|\s+$``, one of its sides, or a class in the place of ``\s``.
    """
    found = re.fullmatch(r"(?:\^(\\s|\[.*\])\+)?\|?(?:(\\s|\[.*\])\+\$)?", pattern, re.DOTALL)
    if found is None or not any(found.groups()) or ("|" in pattern and pattern.count("+") == 1):
        return None
    left, right = (None if one is None else _characters(one) for one in found.groups(default=None))
    if (found[1] and left is None) or (found[2] and right is None):
        return None
    return left or "", right or ""


def _characters(written: str) -> str | None:
    if written == r"\s":
        return " \t\n\r\f"
    inner = re.sub(r"\\(\W)", r"\1", written[1:-1])
    return None if re.search(r"\\\w", written) or written.startswith("[^") else inner
