"""Rules for texts. A graph can compare, look for patterns, join and read numbers; it cannot cut or change letters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import ibis.expr.operations as ops

from kernel_tools.wrangler.formula_functions import NUMBER, WHOLE_NUMBER
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.onnx_graph import Truth, Value
from kernel_tools.wrangler.lowering.onnx_rules.logic import truth_of
from kernel_tools.wrangler.lowering.onnx_values import Group, rule

SPACE = r"[ \t\n\r\v\f]*"


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


def spelled(at: Group, node: Any, options: Sequence[Any]) -> Truth | None:
    """Return whether a text is one of several when spaces around it, or capitals, do not count; None if they do."""
    strips = cases = False
    base = node
    while isinstance(base, (ops.Strip, ops.Lowercase)):
        strips |= isinstance(base, ops.Strip)
        cases |= isinstance(base, ops.Lowercase)
        base = base.arg
    if base is node or not all(isinstance(option, ops.Literal) for option in options):
        return None
    if len(at.nodes) > 1:
        return None
    words = [str(option.value) for option in options if option.value is not None]
    if strips:
        words = [word for word in words if word == word.strip(" \t\n\r\v\f")]
    if cases:
        words = [word for word in words if word == word.lower()]
    spellings = "|".join("".join(_either_case(one) if cases else quoted(one) for one in word) for word in words)
    if not words:
        return matched(at, base, "[^\\x00-\\x{10FFFF}]")
    return matched(at, base, f"{SPACE}(?:{spellings}){SPACE}" if strips else f"(?:{spellings})")


def _either_case(character: str) -> str:
    upper = character.upper()
    return f"[{character}{upper}]" if len(upper) == 1 and upper != character else quoted(character)


def quoted(text: str) -> str:
    """Return text as a pattern of RE2 that only it fits."""
    return re.sub(r"[^\w\s]", lambda found: f"\\x{{{ord(found[0]):x}}}", text)


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
