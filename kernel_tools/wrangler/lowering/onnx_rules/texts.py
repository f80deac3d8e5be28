"""Rules for texts. A graph can compare, look for patterns, join and read numbers; it cannot cut or change letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import ibis.expr.operations as ops

from kernel_tools.wrangler.formula_functions import NUMBER, WHOLE_NUMBER
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.onnx_graph import Truth, Value
from kernel_tools.wrangler.lowering.onnx_rules.logic import truth_of
from kernel_tools.wrangler.lowering.onnx_spelling import SPACES, Spelling, ends_of, quoted
from kernel_tools.wrangler.lowering.onnx_values import Group, rule


@rule(ops.StringConcat)
def joined(at: Group) -> Value:
    """Texts one after the other; missing if one is."""
    rows = [node.arg for node in at.nodes]
    values = [at.lowering.number(at.lowering.lower([row[i] for row in rows])) for i in range(len(rows[0]))]
    if any(value.kind != "text" for value in values):
        raise UnsupportedError("only texts can be joined in a graph")
    tensor = values[0].tensor
    for value in values[1:]:
        tensor = at.graph.add("StringConcat", tensor, value.tensor)
    for value in values:
        if value.may_miss:
            tensor = at.graph.add("Where", at.lowering.is_missing(value), at.lowering.missing("text"), tensor)
    return at.like(tensor, *values, kind="text")


def matched(at: Group, node: ops.Node, pattern: str) -> Truth:
    """Return whether all of a text fits a pattern of RE2, in which ``.`` is any character."""
    value = at.lowering.number(at.lowering.lower([node]))
    if value.kind != "text":
        raise UnsupportedError("only texts have patterns")
    return _fitting(at, value, pattern)


def _fitting(at: Group, value: Value, pattern: str) -> Truth:
    fits = at.graph.add("RegexFullMatch", value.tensor, pattern=f"(?s){pattern}")
    if value.may_miss:
        fits = at.graph.add("And", fits, at.lowering.is_there(value))
    return truth_of(at, [value], fits)


def _written(node: Any) -> str:
    if not isinstance(node, ops.Literal) or not isinstance(node.value, str):
        raise UnsupportedError("the text that is looked for has to be written out")
    return node.value


@rule(ops.RegexSearch, single=True)
def regex_search(at: Group) -> Truth:
    """A pattern anywhere in a text."""
    return matched(at, at.node.arg, f".*(?-s:{_written(at.node.pattern)}).*")


@rule(ops.StringContains, single=True)
def contains(at: Group) -> Truth:
    """A part anywhere in a text."""
    return matched(at, at.node.haystack, f".*{quoted(_written(at.node.needle))}.*")


@rule(ops.StartsWith, single=True)
def starts_with(at: Group) -> Truth:
    """How a text starts."""
    return matched(at, at.node.arg, f"{quoted(_written(at.node.start))}.*")


@rule(ops.EndsWith, single=True)
def ends_with(at: Group) -> Truth:
    """How a text ends."""
    return matched(at, at.node.arg, f".*{quoted(_written(at.node.end))}")


@rule(ops.StringSQLLike, ops.StringSQLILike, single=True)
def like(at: Group) -> Truth:
    """A pattern of SQL, in which % is any text and _ any character."""
    if at.node.escape is not None:
        raise UnsupportedError("LIKE with an escape has no rule")
    signs = {"%": ".*", "_": "."}
    pattern = "".join(signs.get(one, quoted(one)) for one in _written(at.node.pattern))
    flags = "(?i)" if isinstance(at.node, ops.StringSQLILike) else ""
    return matched(at, at.node.arg, f"{flags}{pattern}")


_CASES: dict[type[ops.Node], Literal["lower", "upper"]] = {ops.Lowercase: "lower", ops.Uppercase: "upper"}
_SIDES = {ops.Strip: (SPACES, SPACES), ops.LStrip: (SPACES, ""), ops.RStrip: ("", SPACES)}


@rule(*_CASES, *_SIDES, ops.RegexReplace)
def respelled(at: Group) -> Value:
    """Text whose letters or ends are changed: put off, as `onnx_spelling` says."""
    value = at["arg"]
    if not isinstance(value, Value) or value.kind != "text":
        raise UnsupportedError(f"{type(at.node).__name__} of numbers has no rule")
    done = value.spelling or Spelling()
    case = _CASES.get(type(at.node))
    if case is not None:
        if done.case not in (None, case):
            raise UnsupportedError("letters cannot be made small and large in a graph")
        return replace(value, spelling=done.cased(case))
    ends = _SIDES.get(type(at.node)) or _ends(at)
    return replace(value, spelling=done.stripped(*ends))


def _ends(at: Group) -> tuple[str, str]:
    patterns = {_written(node.pattern) for node in at.nodes}
    ends = ends_of(patterns.pop()) if len(patterns) == 1 else None
    if ends is None or any(_written(node.replacement) for node in at.nodes):
        raise UnsupportedError("text cannot be replaced in a graph")
    return ends


def is_one_of(at: Group, value: Value, texts: Sequence[str]) -> Truth:
    """Return whether a text whose spelling was put off is one of several."""
    pattern = value.spelling.pattern(texts) if value.spelling else None
    return _fitting(at, replace(value, spelling=None), pattern or r"[^\x00-\x{10FFFF}]")


def keeps_spelling(at: Group, value: Value, other: Value | Truth) -> bool:
    """Whether a spelling that was put off for one value leaves the other as it is."""
    if not isinstance(other, Value) or value.spelling is None:
        return False
    if other.spelling is not None:
        return other.spelling == value.spelling
    written = at.lowering.written.get(other.tensor)
    return written is not None and all(text is None or value.spelling.keeps(text) for text in written)


@rule(ops.TryCast, single=True)
def read_number(at: Group) -> Value:
    """Texts that are numbers, as `formula_functions.converted` finds them."""
    node = at.node.arg.arg if isinstance(at.node.arg, ops.NullIf) else at.node.arg
    if not isinstance(node, ops.RegexExtract) or getattr(node.pattern, "value", None) not in (NUMBER, WHOLE_NUMBER):
        raise UnsupportedError(f"text cannot be read as {at.node.to} in a graph")
    text = at.lowering.number(at.lowering.lower([node.arg]))
    fits = at.graph.add("RegexFullMatch", text.tensor, pattern=node.pattern.value)
    safe = at.graph.add("Where", fits, text.tensor, at.lowering.constant("text", ["NaN"]).tensor)
    return at.like(at.graph.cast(safe, "DOUBLE"), text, may_miss=True)
