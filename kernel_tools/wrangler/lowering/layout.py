"""Code on lines that are not too long: long expressions are broken at their calls, operators and commas."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping

from kernel_tools.wrangler.lowering.errors import UnsupportedError

WIDTH = 100
_BEGIN = re.compile(r"""^(\*\*|\w+=(?!=)|'(?:[^'\\]|\\.)*': |"(?:[^"\\]|\\.)*": |lambda \w+: )""")


def statement(target: str, code: str) -> str:
    """Return an assignment, on as many lines as it needs; one with a comment stays on its line."""
    if "  # " in code:
        return f"{target} = {code}"
    return f"{target} = {layout(code, WIDTH - len(target) - 3, is_inside=False)}"


def layout(code: str, width: int, *, is_inside: bool) -> str:
    """Return an expression of one line on several, if it is longer than `width`.

    Parameters
    ----------
    is_inside
        Whether it stands in brackets, where lines may end without more of them.
    """
    if len(code) <= width:
        return code
    begin = _BEGIN.match(code)
    if begin:
        word = begin.group(1)
        return word + layout(code[len(word) :], width - len(word), is_inside=False)
    terms = _cut(code, _operators(code))
    if len(terms) > 1:
        return _bracketed(terms, width, is_inside)
    calls = _joined(_cut(code, _dots(code)))
    opened = _last_bracket(code)
    if len(calls) > 2 or (len(calls) == 2 and (opened is None or code.endswith("()") or len(calls[0]) > 40)):
        return _bracketed(calls, width, is_inside)
    if opened is None:
        return code
    before, inside, after = code[: opened + 1], code[opened + 1 : -1], code[-1]
    parts = [part.strip() for part in _cut(inside, _commas(inside))]
    is_group = before[-1] == "(" and not re.search(r"[\w\])]$", before[:-1])
    is_place = before[-1] == "[" and before[:-1] != "" and re.search(r"[\w\])]$", before[:-1]) is not None
    is_whole = len(parts) == 1 and (is_group or is_place or " for " in inside or inside.startswith("**"))
    ends = "" if is_whole else ","
    lines = [f"{layout(part.removesuffix(','), width - 5, is_inside=True)}{ends}" for part in parts if part]
    return before + "".join(f"\n    {_moved(line)}" for line in lines) + "\n" + after


def text(value: object) -> str:
    """Return a constant as code; texts in double quotes, as far as they have none."""
    code = repr(value)
    return f'"{code[1:-1]}"' if code.startswith("'") and '"' not in code else code


def texts(values: Iterable[str]) -> str:
    """Return texts with commas."""
    return ", ".join(text(one) for one in values)


def arguments(values: Mapping[str, str]) -> str:
    """Return keyword arguments; a dictionary if a name is no word.

    Raises
    ------
    UnsupportedError
        If a name cannot be one of an argument.
    """
    if "self" in values:
        raise UnsupportedError("a column called self")
    if all(name.isidentifier() and not keyword.iskeyword(name) for name in values):
        return ", ".join(f"{name}={code}" for name, code in values.items())
    return "**{" + ", ".join(f"{text(name)}: {code}" for name, code in values.items()) + "}"


def is_infix(code: str) -> bool:
    """Whether an expression has an operator that is not in brackets."""
    return code.startswith(("-", "~")) or any(mark == " " for mark, _ in _marks(code))


def _bracketed(parts: list[str], width: int, is_inside: bool) -> str:
    shift = 0 if is_inside else 4
    lines = [layout(part, width - shift, is_inside=True) for part in parts]
    if is_inside:
        return "\n".join(lines)
    return "(" + "".join(f"\n    {_moved(line)}" for line in lines) + "\n)"


def _joined(calls: list[str]) -> list[str]:
    """Return the calls of a chain: names with dots before the first call, such as ``pl.col("a")``, stay together."""
    lines = calls[:1]
    for call in calls[1:]:
        is_name = "(" not in lines[-1] and "[" not in lines[-1] and len(lines) == 1 and len(lines[0]) < 4
        is_accessor = re.fullmatch(r"\.\w+", lines[-1]) is not None
        if is_name or is_accessor:
            lines[-1] += call
        else:
            lines.append(call)
    return lines


def _moved(code: str) -> str:
    return code.replace("\n", "\n    ")


def _marks(code: str) -> list[tuple[str, int]]:
    """Return the signs of an expression, with their places, that are in no text and no brackets."""
    found, depth, quote, place = [], 0, "", 0
    while place < len(code):
        sign = code[place]
        if quote:
            place += 2 if sign == "\\" else 1
            quote = "" if sign == quote else quote
            continue
        if sign in "'\"":
            quote = sign
        elif sign in ")]}":
            depth -= 1
        if depth == 0:
            found.append((sign, place))
        if sign in "([{":
            depth += 1
        place += 1
    return found


def _operators(code: str) -> list[int]:
    """Return where the operators that bind the least are."""
    levels = [("|",), ("&",), ("==", "!=", "<", "<=", ">", ">="), ("+", "-"), ("*", "/", "//", "%")]
    places = [place for mark, place in _marks(code) if mark == " "]
    words = {place + 1: code[place + 1 :].split(" ", 1)[0] for place in places}
    for level in levels:
        found = [place for place, word in words.items() if word in level]
        if found:
            return found
    return []


def _dots(code: str) -> list[int]:
    return [place for mark, place in _marks(code) if mark == "." and not code[place - 1 : place].isdigit()]


def _commas(code: str) -> list[int]:
    return [place + 1 for mark, place in _marks(code) if mark == ","]


def _cut(code: str, places: list[int]) -> list[str]:
    ends = [0, *[place for place in places if place > 0], len(code)]
    return [code[start:end].strip() for start, end in zip(ends, ends[1:], strict=False) if code[start:end].strip()]


def _last_bracket(code: str) -> int | None:
    """Return where the bracket that the expression ends with is opened."""
    opened = [place for mark, place in _marks(code) if mark in "([{"]
    return opened[-1] if opened and code[-1] in ")]}" else None
