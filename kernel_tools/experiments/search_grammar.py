"""The grammar of searches: MLflow's filters and orderings, plus OR, parentheses and CONTAINS, read into a tree.

Which fields there are is given by a `Vocabulary`; what the tree means in SQL is decided by `filters`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NoReturn

from kernel_tools.core.errors import InvalidArgumentError

MAX_DEPTH = 50
MAX_TIME = 2**62
"""Above every time that a database can hold."""

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^']|'')*'|"(?:[^"]|"")*")
    | (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.])
    | (?P<quoted>`(?:[^`])+`)
    | (?P<operator><=|>=|!=|<>|=|<|>|\(|\)|,)
    | (?P<word>[A-Za-z_][\w/-]*(?:\.(?:`[^`]+`|"[^"]+"|[\w/.-]+))?)
    )""",
    re.VERBOSE,
)
_COMPARISONS = ("=", "!=", "<>", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Field:
    """What is compared: ``metrics.auc`` is entity ``metrics`` and key ``auc``."""

    entity: str
    key: str
    is_number: bool
    is_whole: bool = False
    """Whether the number is a whole one, such as a time."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The fields that a search knows.

    Attributes
    ----------
    entities
        Every spelling of an entity before the dot, and the entity that it means.
    attributes
        For entities with a fixed set of keys: entity, spelling of the key, and the key that it means.
    numbers
        Entities or ``(entity, key)`` pairs whose values are numbers.
    """

    entities: Mapping[str, str]
    attributes: Mapping[str, Mapping[str, str]]
    numbers: frozenset[str | tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One condition; `operator` is a sign, a word such as LIKE, or ``IS NULL``, which has no value."""

    field: Field
    operator: str
    value: object = None
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions that hold all (AND) or of which one holds (OR)."""

    word: Literal["AND", "OR"]
    parts: tuple[Expression, ...]


Expression = Comparison | Group


@dataclass(frozen=True, slots=True)
class Ordering:
    """One ordering, such as ``metrics.auc DESC``."""

    field: Field
    is_descending: bool


def parse_expression(text: str, vocabulary: Vocabulary) -> Expression | None:
    """Read a filter; an empty one is None.

    Raises
    ------
    InvalidArgumentError
        If it is not understood; the message gives the position, from 1.
    """
    if not text or not text.strip():
        return None
    parser = _Parser(text, vocabulary)
    expression = parser.disjunction()
    parser.expect_end()
    return expression


def parse_ordering(text: str, vocabulary: Vocabulary) -> Ordering:
    """Read an ordering; without a direction it ascends. Errors as for `parse_expression`."""
    parser = _Parser(text, vocabulary)
    field = parser.field()
    direction = parser.take_word("ASC", "DESC") or "ASC"
    parser.expect_end()
    return Ordering(field, direction == "DESC")


def parse_field(text: str, vocabulary: Vocabulary) -> Field:
    """Read a field alone, such as ``metrics.auc``. Errors as for `parse_expression`."""
    parser = _Parser(text, vocabulary)
    field = parser.field()
    parser.expect_end()
    return field


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


class _Parser:
    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self._text = text
        self._vocabulary = vocabulary
        self._tokens = list(self._split())
        self._at = 0
        self._depth = 0

    def disjunction(self) -> Expression:
        parts = [self._conjunction()]
        while self.take_word("OR"):
            parts.append(self._conjunction())
        return Group("OR", tuple(parts)) if len(parts) > 1 else parts[0]

    def _conjunction(self) -> Expression:
        parts = [self._term()]
        while self.take_word("AND"):
            parts.append(self._term())
        return Group("AND", tuple(parts)) if len(parts) > 1 else parts[0]

    def _term(self) -> Expression:
        if self._take_operator("("):
            self._depth += 1
            if self._depth > MAX_DEPTH:
                self._fail(f"at most {MAX_DEPTH} parentheses inside each other")
            inner = self.disjunction()
            if not self._take_operator(")"):
                self._fail("a closing parenthesis")
            self._depth -= 1
            return inner
        return self._comparison()

    def _comparison(self) -> Comparison:
        field = self.field()
        if self.take_word("IS"):
            negated = bool(self.take_word("NOT"))
            if not self.take_word("NULL"):
                self._fail("NULL")
            return Comparison(field, "IS NULL", is_negated=negated)
        negated = bool(self.take_word("NOT"))
        if self.take_word("IN"):
            return Comparison(field, "IN", tuple(self._list(field)), negated)
        word = self.take_word("LIKE", "ILIKE", "CONTAINS")
        if word:
            if field.is_number:
                self._at -= 1
                self._fail(f"=, !=, <, <=, > or >=, because {field.entity}.{field.key} is a number")
            return Comparison(field, word, str(self._value(field)), negated)
        if negated:
            self._fail("IN, LIKE, ILIKE or CONTAINS")
        operator = self._peek()
        if operator is None or operator.text not in _COMPARISONS:
            self._fail("a comparison such as =, !=, <, >, LIKE, IN or IS NULL")
        self._at += 1
        return Comparison(field, "!=" if operator.text == "<>" else operator.text, self._value(field))

    def field(self) -> Field:
        """Read ``entity.key``, ``entity.`a key` `` or a bare attribute."""
        token = self._peek()
        if token is None or token.kind not in ("word", "quoted"):
            self._fail("a field such as metrics.auc, params.depth, tags.team or status")
        self._at += 1
        entity, _, key = token.text.partition(".")
        if not key or token.kind == "quoted":
            entity, key = "attributes", token.text.strip("`")
        words = self._vocabulary
        if entity not in words.entities:
            self._at -= 1
            known = sorted({f"{name}." for name in words.entities.values()})
            self._fail(f"{', '.join(known[1:])} or {known[0]} before the key")
        entity, key = words.entities[entity], key.strip('`"')
        fixed = words.attributes.get(entity)
        if fixed is not None:
            if key not in fixed:
                self._at -= 1
                self._fail(f"one of the {entity} {', '.join(sorted(fixed))}")
            key = fixed[key]
        is_whole = (entity, key) in words.numbers
        return Field(entity, key, is_whole or entity in words.numbers, is_whole)

    def take_word(self, *words: str) -> str | None:
        token = self._peek()
        if token is not None and token.kind == "word" and token.text.upper() in words:
            self._at += 1
            return token.text.upper()
        return None

    def expect_end(self) -> None:
        if self._peek() is not None:
            self._fail("AND, OR or the end")

    def _list(self, field: Field) -> list[object]:
        if not self._take_operator("("):
            self._fail("an opening parenthesis")
        values = [self._value(field)]
        while self._take_operator(","):
            values.append(self._value(field))
        if not self._take_operator(")"):
            self._fail("a comma or a closing parenthesis")
        return values

    def _value(self, field: Field) -> object:
        token = self._peek()
        wanted = "a number" if field.is_number else "a text in quotes"
        if token is None or token.kind != ("number" if field.is_number else "string"):
            self._fail(wanted)
        if field.is_whole and not abs(float(token.text)) < MAX_TIME:
            self._fail("a time in milliseconds since 1970")
        self._at += 1
        if field.is_number:
            return int(float(token.text)) if field.is_whole else float(token.text)
        quote = token.text[0]
        return token.text[1:-1].replace(quote * 2, quote)

    def _take_operator(self, text: str) -> bool:
        token = self._peek()
        if token is not None and token.kind == "operator" and token.text == text:
            self._at += 1
            return True
        return False

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _fail(self, wanted: str) -> NoReturn:
        token = self._peek()
        position = token.position + 1 if token else len(self._text) + 1
        found = repr(token.text) if token else "the end"
        raise InvalidArgumentError(
            f"The filter {self._text!r} is not understood at position {position}: expected {wanted}, found {found}.",
            position=position,
        )

    def _split(self) -> Iterator[_Token]:
        position = 0
        while self._text[position:].strip():
            match = _TOKEN.match(self._text, position)
            if match is None or match.lastgroup is None:
                start = position + len(self._text[position:]) - len(self._text[position:].lstrip())
                raise InvalidArgumentError(
                    f"The filter {self._text!r} is not understood at position {start + 1}: "
                    f"{self._text[start]!r} does not begin a field, a value or an operator. Texts stand in quotes.",
                    position=start + 1,
                )
            group = match.lastgroup
            yield _Token(group, match.group(group), match.start(group))
            position = match.end()
