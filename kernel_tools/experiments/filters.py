"""The search grammar: MLflow's run filters and orderings, plus OR and parentheses, turned into bound SQL.

``metrics.auc > 0.9 and params.max_depth = '6' and (tags.team IN ('a', 'b') or attributes.status = 'FINISHED')``
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import sqlalchemy as sa

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.experiments.tables import latest_metrics, params, runs, tags

ATTRIBUTES = {
    "run_id": runs.c.id,
    "run_name": runs.c.name,
    "name": runs.c.name,
    "status": runs.c.status,
    "user_id": runs.c.user,
    "user": runs.c.user,
    "start_time": runs.c.started_at,
    "started_at": runs.c.started_at,
    "end_time": runs.c.ended_at,
    "ended_at": runs.c.ended_at,
    "experiment": runs.c.experiment,
}
MAX_TIME = 2**62
"""Above every time that a database can hold."""
MAX_DEPTH = 50
NUMERIC_ATTRIBUTES = {"start_time", "started_at", "end_time", "ended_at"}
ENTITIES = {
    "metrics": "metrics",
    "metric": "metrics",
    "params": "params",
    "param": "params",
    "parameters": "params",
    "parameter": "params",
    "tags": "tags",
    "tag": "tags",
    "attributes": "attributes",
    "attribute": "attributes",
    "attr": "attributes",
    "run": "attributes",
}

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
_COMPARISONS: dict[str, Callable[[sa.ColumnElement[Any], object], sa.ColumnElement[bool]]] = {
    "=": lambda column, value: column == value,
    "!=": lambda column, value: column != value,
    "<>": lambda column, value: column != value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


@dataclass(frozen=True, slots=True)
class _Field:
    entity: str
    key: str

    @property
    def is_numeric(self) -> bool:
        return self.entity == "metrics" or self.key in NUMERIC_ATTRIBUTES


def parse_filter(text: str) -> sa.ColumnElement[bool] | None:
    """Turn a filter into a condition on the table `runs`; an empty filter gives None.

    Raises
    ------
    InvalidArgumentError
        If the filter is not understood; the message names the position (from 1) and what was expected there.
    """
    if not text or not text.strip():
        return None
    parser = _Parser(text)
    condition = parser.disjunction()
    parser.expect_end()
    return condition


def parse_order(text: str) -> tuple[sa.ColumnElement[Any], sa.FromClause | None, sa.ColumnElement[bool] | None]:
    """Turn one ordering such as ``metrics.auc DESC`` into an expression and the table to be outer-joined for it.

    Runs that lack the value come last, in both directions.
    """
    parser = _Parser(text)
    field = parser.field()
    direction = parser.take_word("ASC", "DESC") or "ASC"
    parser.expect_end()
    if field.entity == "attributes":
        column: sa.ColumnElement[Any] = ATTRIBUTES[field.key]
        table, on = None, None
    else:
        alias = _table_of(field).alias()
        column = alias.c.value
        table, on = alias, sa.and_(alias.c.run_id == runs.c.id, alias.c.key == field.key)
    ordered = column.desc() if direction == "DESC" else column.asc()
    return ordered.nulls_last(), table, on


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._split())
        self._at = 0
        self._depth = 0

    def disjunction(self) -> sa.ColumnElement[bool]:
        parts = [self._conjunction()]
        while self.take_word("OR"):
            parts.append(self._conjunction())
        return sa.or_(*parts) if len(parts) > 1 else parts[0]

    def _conjunction(self) -> sa.ColumnElement[bool]:
        parts = [self._term()]
        while self.take_word("AND"):
            parts.append(self._term())
        return sa.and_(*parts) if len(parts) > 1 else parts[0]

    def _term(self) -> sa.ColumnElement[bool]:
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

    def _comparison(self) -> sa.ColumnElement[bool]:
        field = self.field()
        if self.take_word("IS"):
            negated = bool(self.take_word("NOT"))
            if not self.take_word("NULL"):
                self._fail("NULL")
            return _has_value(field) if negated else ~_has_value(field)
        negated = bool(self.take_word("NOT"))
        if self.take_word("IN"):
            values = self._list(field)
            return _matches(field, lambda column: column.not_in(values) if negated else column.in_(values))
        word = self.take_word("LIKE", "ILIKE", "CONTAINS")
        if word:
            return self._text_comparison(field, word, negated)
        if negated:
            self._fail("IN, LIKE, ILIKE or CONTAINS")
        operator = self._peek()
        if operator is None or operator.text not in _COMPARISONS:
            self._fail("a comparison such as =, !=, <, >, LIKE, IN or IS NULL")
        self._at += 1
        compare = _COMPARISONS[operator.text]
        value = self._value(field)
        return _matches(field, lambda column: compare(column, value))

    def _text_comparison(self, field: _Field, word: str, negated: bool) -> sa.ColumnElement[bool]:
        if field.is_numeric:
            self._at -= 1
            self._fail(f"=, !=, <, <=, > or >=, because {field.entity}.{field.key} is a number")
        value = str(self._value(field))

        def test(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
            if word == "CONTAINS":
                found = column.contains(value, autoescape=True)
            elif word == "ILIKE":
                found = sa.func.lower(column).like(value.lower())
            else:
                found = column.like(value)
            return ~found if negated else found

        return _matches(field, test)

    def field(self) -> _Field:
        """Read ``entity.key``, ``entity.`a key` `` or a bare attribute."""
        token = self._peek()
        if token is None or token.kind not in ("word", "quoted"):
            self._fail("a field such as metrics.auc, params.depth, tags.team or status")
        self._at += 1
        entity, _, key = token.text.partition(".")
        if not key:
            entity, key = "attributes", token.text.strip("`")
        if entity not in ENTITIES:
            self._at -= 1
            self._fail("metrics., params., tags. or attributes. before the key")
        field = _Field(ENTITIES[entity], key.strip('`"'))
        if field.entity == "attributes" and field.key not in ATTRIBUTES:
            self._at -= 1
            self._fail(f"one of the attributes {', '.join(sorted(ATTRIBUTES))}")
        return field

    def take_word(self, *words: str) -> str | None:
        token = self._peek()
        if token is not None and token.kind == "word" and token.text.upper() in words:
            self._at += 1
            return token.text.upper()
        return None

    def expect_end(self) -> None:
        if self._peek() is not None:
            self._fail("AND, OR or the end")

    def _list(self, field: _Field) -> list[object]:
        if not self._take_operator("("):
            self._fail("an opening parenthesis")
        values = [self._value(field)]
        while self._take_operator(","):
            values.append(self._value(field))
        if not self._take_operator(")"):
            self._fail("a comma or a closing parenthesis")
        return values

    def _value(self, field: _Field) -> object:
        token = self._peek()
        wanted = "a number" if field.is_numeric else "a text in quotes"
        if token is None or token.kind != ("number" if field.is_numeric else "string"):
            self._fail(wanted)
        if field.is_numeric and field.entity != "metrics" and not abs(float(token.text)) < MAX_TIME:
            self._fail("a time in milliseconds since 1970")
        self._at += 1
        if field.is_numeric:
            return float(token.text) if field.entity == "metrics" else int(float(token.text))
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
            f"The filter {self._text!r} is not understood at position {position}: expected {wanted}, found {found}."
        )

    def _split(self) -> Iterator[_Token]:
        position = 0
        while self._text[position:].strip():
            match = _TOKEN.match(self._text, position)
            if match is None or match.lastgroup is None:
                start = position + len(self._text[position:]) - len(self._text[position:].lstrip())
                raise InvalidArgumentError(
                    f"The filter {self._text!r} is not understood at position {start + 1}: "
                    f"{self._text[start]!r} does not begin a field, a value or an operator. Texts stand in quotes."
                )
            group = match.lastgroup
            yield _Token(group, match.group(group), match.start(group))
            position = match.end()


def _table_of(field: _Field) -> sa.Table:
    return {"metrics": latest_metrics, "params": params, "tags": tags}[field.entity]


def _matches(field: _Field, test: Callable[[sa.ColumnElement[Any]], sa.ColumnElement[bool]]) -> sa.ColumnElement[bool]:
    if field.entity == "attributes":
        return test(ATTRIBUTES[field.key])
    table = _table_of(field)
    return runs.c.id.in_(sa.select(table.c.run_id).where(table.c.key == field.key, test(table.c.value)))


def _has_value(field: _Field) -> sa.ColumnElement[bool]:
    if field.entity == "attributes":
        return ATTRIBUTES[field.key].is_not(None)
    table = _table_of(field)
    return runs.c.id.in_(sa.select(table.c.run_id).where(table.c.key == field.key))
