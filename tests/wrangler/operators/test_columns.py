"""Operators on columns: what they keep, how they name, what they refuse."""

from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa
import pytest

from kernel_tools.wrangler.operators import make_operator
from kernel_tools.wrangler.operators.base import StepError
from tests.wrangler.operators.running import column, frame, run

ABC = {"a": [1], "b": [2], "c": [3]}


def test_columns_are_kept_and_ordered_as_they_are_named() -> None:
    assert frame("select", {"columns": ["c", "a"]}, ABC).column_names == ["c", "a"]


def test_two_columns_can_swap_their_names() -> None:
    assert run("rename", {"names": {"a": "b", "b": "a"}}, ABC) == [{"b": 1, "a": 2, "c": 3}]


@pytest.mark.parametrize(
    ("params", "order"),
    [
        ({"to": "start"}, "cab"),
        ({"to": "end", "columns": ["a", "b"]}, "cab"),
        ({"to": "before", "anchor": "b"}, "acb"),
        ({"to": "after", "anchor": "a"}, "acb"),
        ({"to": "index", "index": 1}, "acb"),
        ({"to": "index", "index": 99, "columns": ["a"]}, "bca"),
    ],
)
def test_columns_move(params: dict, order: str) -> None:
    assert frame("move", {"columns": ["c"], **params}, ABC).column_names == list(order)


@pytest.mark.parametrize(
    ("op", "params", "message"),
    [
        ("select", {"columns": ["a", "a"]}, "named twice"),
        ("rename", {"names": {"a": "b"}}, "There is a column 'b' already"),
        ("rename", {"names": {"a": "B"}}, "capital letters"),
        ("rename", {"names": {"a": "x", "b": "x"}}, "There is a column 'x' already"),
        ("rename", {"names": {"z": "x"}}, "no column 'z'"),
        ("rename", {"names": {"a": " "}}, "needs a name"),
        ("duplicate", {"column": "a", "name": "__row__"}, "two underscores"),
        ("move", {"columns": ["a"], "to": "before"}, "which column"),
        ("move", {"columns": ["a"], "to": "after", "anchor": "a"}, "is moved itself"),
        ("cast", {"columns": ["a"], "type": "date"}, "'a': Numbers cannot be converted to date"),
        ("parse_datetime", {"columns": ["a"], "format": "%Q"}, "code '%Q'"),
        ("parse_datetime", {"columns": ["a"], "format": "day"}, "no code"),
        ("formula", {"name": "x", "formula": "a + z"}, "no column 'z'"),
        ("case", {"name": "x", "branches": [{"when": "a", "then": 1}]}, "true or false"),
        ("case", {"name": "x", "branches": [{"when": "a = 1", "then": 1}], "otherwise": "no"}, "several kinds"),
        ("case", {"name": "x", "branches": [{"when": "a = 1", "then": None}]}, "No branch"),
        ("bin", {"column": "a"}, "at least one edge"),
        ("bin", {"column": "a", "edges": [2, 1]}, "have to rise"),
        ("bin", {"column": "a", "edges": [1], "labels": ["x"]}, "2 intervals need 2 labels"),
    ],
)
def test_what_does_not_fit_is_refused(op: str, params: dict, message: str) -> None:
    with pytest.raises(StepError, match=message):
        run(op, params, ABC)


def test_text_becomes_numbers_strictly() -> None:
    text = {"x": ["12", " -7 ", "12.0", "12.7", "1e3", "1_000", "nan", "", None, "9" * 18]}
    assert column("cast", {"columns": ["x"], "type": "integer"}, "x", text) == [
        *(12, -7, 12, None, None, None, None, None, None),
        10**18 - 1,
    ]
    floats = column("cast", {"columns": ["x"], "type": "float"}, "x", text)
    assert floats == [12.0, -7.0, 12.0, 12.7, 1000.0, None, None, None, None, 1e18]


def test_numbers_lose_their_decimals_and_what_is_too_large_is_missing() -> None:
    numbers = {"x": [2.9, -2.9, -0.0, 1e300, None]}
    assert column("cast", {"columns": ["x"], "type": "integer"}, "x", numbers) == [2, -2, 0, None, None]


def test_words_become_true_and_false() -> None:
    words = {"x": ["TRUE", " yes", "0", "f", "2", None]}
    assert column("cast", {"columns": ["x"], "type": "boolean"}, "x", words) == [True, True, False, False, None, None]


def test_a_day_that_there_was_not_is_missing() -> None:
    days = {"x": ["29.02.2024", "29.02.2023", " 1.2.1999 ", "1.2.1999 x"]}
    read = column("parse_datetime", {"columns": ["x"], "format": "%d.%m.%Y", "to": "date"}, "x", days)
    assert read == [date(2024, 2, 29), None, date(1999, 2, 1), None]


def test_numbers_count_from_1970() -> None:
    numbers = pa.table({"x": pa.array([0, -1_500, 2**62, None])})
    read = column("parse_datetime", {"columns": ["x"], "unit": "ms"}, "x", numbers)
    assert read == [datetime(1970, 1, 1), datetime(1969, 12, 31, 23, 59, 58, 500_000), None, None]


def test_the_first_true_condition_decides() -> None:
    branches = [{"when": "x > 1", "then": "large"}, {"when": "x > 0", "then": "small"}]
    params = {"name": "size", "branches": branches, "otherwise": "none"}
    assert column("case", params, "size", {"x": [2, 1, 0, None]}) == ["large", "small", "none", "none"]


def test_every_number_has_an_interval() -> None:
    numbers = {"x": [-1e9, 1.0, 1.5, 2.0, 1e9, None]}
    assert column("bin", {"column": "x", "edges": [1, 2]}, "x", numbers) == [
        *("< 1", "[1, 2)", "[1, 2)", ">= 2", ">= 2"),
        None,
    ]


def test_intervals_of_equal_width_are_learned_once() -> None:
    params = {"column": "x", "method": "width", "count": 2, "labels": ["low", "high"]}
    assert column("bin", params, "x", {"x": [0.0, 4.9, 5.0, 10.0, None]}) == ["low", "low", "high", "high", None]
    assert column("bin", {**params, "labels": []}, "x", {"x": [3, 3, None]}) == ["any", "any", None]


def test_edges_that_differ_late_keep_different_names() -> None:
    edges = [1.0, 1.0000000001]
    assert column("bin", {"column": "x", "edges": edges}, "x", {"x": [1.0]}) == ["[1.0, 1.0000000001)"]


@pytest.mark.parametrize(
    ("op", "params", "field"),
    [
        ("shuffle", {"seed": -1}, "seed"),
        ("limit", {"rows": 2**70}, "rows"),
        ("sample", {"rows": 2**31}, "rows"),
        ("bin", {"column": "a", "edges": ["nan"]}, "edges"),
        ("split", {"parts": {"a": "inf", "b": 1}}, "parts"),
        ("formula", {"name": "x"}, "formula"),
    ],
)
def test_a_wrong_parameter_is_named(op: str, params: dict, field: str) -> None:
    with pytest.raises(StepError) as refused:
        make_operator(op, params)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("op", "params"),
    [
        ("duplicate", {"column": "self", "name": "kwargs"}),
        ("cast", {"columns": ["self"], "type": "float"}),
        ("formula", {"name": "table", "formula": "self + 1"}),
        ("standardize", {"columns": ["self"]}),
        ("aggregate", {"aggregations": [{"function": "sum", "column": "self", "name": "self"}]}),
        ("window", {"name": "metrics", "function": "row_number", "order_by": ["self"]}),
    ],
)
def test_columns_may_have_the_names_of_arguments(op: str, params: dict[str, object]) -> None:
    assert frame(op, params, {"self": [1, 2, 3]}).num_rows
