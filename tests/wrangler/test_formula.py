"""Formulas: what they may hold, what they mean, and how they refuse the rest."""

from __future__ import annotations

import contextlib
import functools
import math
import re
from datetime import date

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.formula import FormulaError, columns_of, condition, formula
from kernel_tools.wrangler.formula_parsing import LONGEST
from tests.wrangler.cases.tables import TABLES

SCHEMA = ibis.schema(
    {
        "age": "int64",
        "net income": "float64",
        "job": "string",
        "born": "date",
        "is_member": "boolean",
        "comment": "string",
    }
)


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("", "is empty", None),
        ("NULL", "only NULL", None),
        ("1 + agee", "no column 'agee'. Did you mean age?", 4),
        ("Age + 1", "Did you mean age?", 0),
        ('"clerk" = job', "Text stands in single quotation marks", 0),
        ("people.age", "a formula sees one table", 7),
        ("foo(age)", "no function 'foo'. Did you mean floor?", 0),
        ("read_csv('/etc/passwd')", "no function 'read_csv'", 0),
        ("now()", "no function 'now'", 0),
        ("random()", "no function 'random'", 0),
        ("(SELECT 1)", "statement or a subquery", None),
        ("age IN (SELECT 1)", "list of values", None),
        ("EXISTS(SELECT 1)", "statement or a subquery", None),
        ("age; DROP TABLE t", "without ;", 3),
        ("sum(age) OVER ()", "step 'window'", None),
        ("count(*)", "no function 'count'", 0),
        ("*", "not possible", None),
        ("$1", "not possible", None),
        ("age sum", "Writing 'sum' after 'age'", 0),
        ("age +", "ends too early", 5),
        ("age )", ") without its (", 4),
        ("(age", "( without its )", 4),
        ("'open", "not closed", None),
        ("age + job", "+ needs numbers, job holds text", 6),
        ("age = 'x'", "Numbers cannot be compared with text", 0),
        ("born > 'yesterday'", "'yesterday' is no date", None),
        ("age + NULL", "x IS NULL", None),
        ("NOT age", "need conditions", 4),
        ("CAST(age AS JSON)", "no type JSON", None),
        ("CAST(is_member AS DATE)", "True and false cannot be converted to date", None),
        ("CASE WHEN age > 1 THEN 'a' ELSE 2 END", "values of one kind", None),
        ("round('x')", "round needs numbers", 0),
        ("length()", "length takes 1 arguments", 0),
        ("regexp_matches(job, '(')", "cannot be used", 0),
        ("job LIKE job", "pattern in single quotation marks", None),
        (f"age + {2**63}", "too large", None),
        ("(" * 100 + "1" + ")" * 100, "nested", None),
        ("NOT " * 700 + "is_member", "nested too deeply", None),
        ("1" + " + 1" * 600, "at most 800", None),
        ("1" + " " * LONGEST, "characters", None),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(text: str, message: str, position: int | None) -> None:
    with pytest.raises(FormulaError) as refused:
        formula(text, SCHEMA)
    assert message in str(refused.value)
    assert position is None or refused.value.position == position


def test_a_column_may_have_the_name_of_a_statement() -> None:
    assert formula("comment", SCHEMA).type().is_string()


def test_a_condition_has_to_be_true_or_false() -> None:
    assert condition("age > 3", SCHEMA).type().is_boolean()
    with pytest.raises(FormulaError, match="this gives numbers"):
        condition("age", SCHEMA, field="where")


def test_the_columns_of_a_formula_are_found_in_their_order() -> None:
    assert columns_of("CASE WHEN \"net income\" > age THEN job END = 'x' AND age > 1", SCHEMA) == [
        "net income",
        "age",
        "job",
    ]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1 / id", [1.0, 0.5]),
        ("1 / (id - 1)", [None, 1.0]),
        ("5 % (id - 1)", [None, 0]),
        ("-5 % (id + 1)", [-1, -2]),
        ("-5 // (id + 1)", [-3, -2]),
        ("ln(id - 1)", [None, 0.0]),
        ("sqrt(id - 2)", [None, 0.0]),
        ("exp(id * 500)", [math.exp(500), None]),
        ("power(id - 2, 0.5)", [None, 0.0]),
        ("power(id - 1, -1)", [None, 1.0]),
        ("year(DATE '2024-01-01') * 1000000000", [2_024_000_000_000] * 2),
        ("TIMESTAMP '2024-01-01 10:00:00+02:00' = TIMESTAMP '2024-01-01 08:00:00'", [True, True]),
        ("log(id, 8)", [None, 3.0]),
        ("0.1 + id - id", [0.1 + 1 - 1, 0.1 + 2 - 2]),
        ("if(id = 1, NULL, 'x')", [None, "x"]),
        ("concat('a', NULL, CAST(id AS TEXT))", ["a1", "a2"]),
        ("DATE '2024-02-29'", [date(2024, 2, 29)] * 2),
        ("days_between(DATE '2024-02-28', TIMESTAMP '2024-03-01 00:00:01')", [2, 2]),
        ("weekday(DATE '2024-01-01')", [0, 0]),
        ("-- a comment\nid /* and another */ + 1", [2, 3]),
        ("NOT id = 1 AND id IS NOT NULL", [False, True]),
        ("id IN (1, 3)", [True, False]),
    ],
)
def test_a_formula_means_what_it_says(text: str, values: list) -> None:
    engine = _engine()
    table = engine.register(pa.table({"id": [1, 2]}))
    assert engine.arrow(table.select(value=formula(text, table)))["value"].to_pylist() == values


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="abcegijmnor019.'\"()+-*/%<>=!|,; []{}:$?\\\n\0é", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(FormulaError):
        assert isinstance(formula(text, SCHEMA), ibis.Value)


WORDS = ["age", '"net income"', "job", "born", "is_member", "1", "2.5", "'x'", "NULL", "TRUE", "+", "-", "/", "//", "%"]
WORDS += ["(", ")", ",", "AND", "OR", "NOT", "IS", "IN", "BETWEEN", "LIKE", "CASE", "WHEN", "THEN", "ELSE", "END", "="]
WORDS += ["<", "round(", "coalesce(", "if(", "substr(", "CAST(", "AS", "BIGINT", "::", "||", "SELECT", "FROM", "OVER"]
WORDS += ["DATE", "power(", "greatest(", "nullif(", "date_trunc(", "INTERVAL", "->", ".", "*", ";"]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_any_words_are_read_or_refused(words: list[str]) -> None:
    with contextlib.suppress(FormulaError):
        assert isinstance(formula(" ".join(words), SCHEMA), ibis.Value)


def arithmetic() -> st.SearchStrategy[str]:
    leaves = st.sampled_from(["a", "b", "1", "-2", "3"])
    return st.recursive(
        leaves,
        lambda inner: st.tuples(inner, st.sampled_from(["+", "-", "*", "//", "="]), inner).map(
            lambda parts: (
                f"({parts[0]} {parts[1]} {parts[2]})" if parts[1] != "=" else f"if({parts[0]} = {parts[2]}, 1, 0)"
            )
        ),
        max_leaves=6,
    )


@functools.cache
def _engine() -> Engine:
    rows = [(a, b) for a in (-7, 0, 5) for b in (-2, 0, 3)]
    engine = Engine()
    engine.register(pa.table({"a": [a for a, _ in rows], "b": [b for _, b in rows]}), "pairs")
    return engine


@settings(max_examples=60, deadline=None)
@given(arithmetic())
def test_whole_numbers_are_computed_as_python_does(text: str) -> None:
    rows = [(a, b) for a in (-7, 0, 5) for b in (-2, 0, 3)]
    engine = _engine()
    table = engine.table("pairs")
    found = engine.arrow(table.select(value=formula(text, table)))["value"].to_pylist()
    assert found == [_python(text, a, b) for a, b in rows]


class _Number:
    """A number that may be missing: a division by zero is, and so is what is computed with it."""

    def __init__(self, value: int | None) -> None:
        self.value = value

    def _with(self, other: _Number, compute) -> _Number:
        missing = self.value is None or other.value is None
        return _Number(None if missing else compute(self.value, other.value))

    def __add__(self, other: _Number) -> _Number:
        return self._with(other, lambda a, b: a + b)

    def __sub__(self, other: _Number) -> _Number:
        return self._with(other, lambda a, b: a - b)

    def __mul__(self, other: _Number) -> _Number:
        return self._with(other, lambda a, b: a * b)

    def __floordiv__(self, other: _Number) -> _Number:
        return self._with(other, lambda a, b: a // b if b else None)


def _python(text: str, a: int, b: int) -> int | None:
    source = re.sub(r"(?<![\w)])-?\d+", lambda found: f"N({found[0]})", text)
    source = source.replace("if(", "equal(").replace(" = ", ", ").replace(", N(1), N(0))", ")")
    names = {
        "a": _Number(a),
        "b": _Number(b),
        "N": _Number,
        "equal": lambda x, y: _Number(int(x.value == y.value and x.value is not None)),
    }
    return eval(source, {}, names).value


def test_the_cases_of_formulas_have_the_types_that_they_promise() -> None:
    from tests.wrangler.cases.tables_room import CASES

    with Engine() as engine:
        for case in CASES:
            if case.op == "formula":
                table = engine.register(TABLES[case.table])
                built = table.select(value=formula(case.params["formula"], table))
                assert (
                    engine.arrow(built).schema.field("value").type == built.schema().to_pyarrow().field("value").type
                ), case


def test_seconds_since_1970_reach_beyond_32_bits() -> None:
    with Engine() as engine:
        table = engine.register(pa.table({"day": [date(1, 1, 1), date(9999, 12, 31)]}))
        seconds = table.select(value=table.day.cast("timestamp").epoch_seconds().cast("int64"))
        assert engine.arrow(seconds)["value"].to_pylist() == [-62_135_596_800, 253_402_214_400]
