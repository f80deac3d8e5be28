"""Operators that combine, aggregate and reshape tables."""

from __future__ import annotations

import statistics
from collections import defaultdict

import pyarrow as pa
import pytest

from kernel_tools.wrangler.operators.base import StepError
from tests.wrangler.operators.running import column, frame, run

LEFT = {"key": ["b", None, "a", "b"], "value": [1, 2, 3, 4]}
RIGHT = {"key": ["a", "b", None, "b", "z"], "value": [10, 20, 30, 40, 50]}


@pytest.mark.parametrize(
    ("how", "pairs"),
    [
        ("inner", [("b", 1, 20), ("b", 1, 40), ("a", 3, 10), ("b", 4, 20), ("b", 4, 40)]),
        ("left", [("b", 1, 20), ("b", 1, 40), (None, 2, None), ("a", 3, 10), ("b", 4, 20), ("b", 4, 40)]),
        (
            "right",
            [("b", 1, 20), ("b", 1, 40), ("a", 3, 10), ("b", 4, 20), ("b", 4, 40), (None, None, 30), ("z", None, 50)],
        ),
        (
            "outer",
            [("b", 1, 20), ("b", 1, 40), (None, 2, None), ("a", 3, 10), ("b", 4, 20), ("b", 4, 40)]
            + [(None, None, 30), ("z", None, 50)],
        ),
    ],
)
def test_joined_rows_come_in_the_order_of_both_tables(how: str, pairs: list) -> None:
    rows = run("join", {"how": how, "keys": ["key"]}, LEFT, RIGHT)
    assert [(row["key"], row["value"], row["value_right"]) for row in rows] == pairs


def test_semi_and_anti_joins_share_the_rows_among_them() -> None:
    assert column("join", {"how": "semi", "keys": ["key"]}, "value", LEFT, RIGHT) == [1, 3, 4]
    assert column("join", {"how": "anti", "keys": ["key"]}, "value", LEFT, RIGHT) == [2]


def test_a_cross_join_makes_every_pair() -> None:
    rows = run("join", {"how": "cross", "suffix": "_2"}, {"x": [1, 2]}, {"x": [3, 4]})
    assert rows == [{"x": 1, "x_2": 3}, {"x": 1, "x_2": 4}, {"x": 2, "x_2": 3}, {"x": 2, "x_2": 4}]


def test_keys_of_other_names_and_number_types_meet() -> None:
    left, right = {"x": [1, 2]}, {"y": [2.0, 1.5], "z": ["two", "more"]}
    assert run("join", {"keys": ["x"], "right_keys": ["y"]}, left, right) == [{"x": 2, "z": "two"}]


def test_a_table_can_be_joined_with_itself() -> None:
    table = pa.table(LEFT)
    assert column("join", {"keys": ["value"]}, "key_right", table, table) == LEFT["key"]


def test_concatenated_tables_keep_their_order() -> None:
    parts = [
        pa.table({"i": range(start, start + 20_000), "x": [float(start)] * 20_000}) for start in (0, 20_000, 40_000)
    ]
    assert column("concatenate", {}, "i", *parts) == list(range(60_000))


def test_columns_meet_by_name_and_say_where_they_are_from() -> None:
    first, second = {"x": [1, 2], "only": ["a", "b"]}, {"more": [True], "x": [2.5]}
    rows = run("concatenate", {"source": "from", "labels": ["first", "second"]}, first, second)
    assert rows[0] == {"x": 1.0, "only": "a", "more": None, "from": "first"}
    assert rows[2] == {"x": 2.5, "only": None, "more": True, "from": "second"}
    assert run("concatenate", {"columns": "common", "duplicates": "remove"}, first, {"x": [2, 1, 9]}) == [
        {"x": 1},
        {"x": 2},
        {"x": 9},
    ]


def test_statistics_are_those_of_a_sample_and_interpolated() -> None:
    values = [3.5, 1.0, None, 2.25, 8.0]
    wanted = {"median": 2.875, "std": statistics.stdev([3.5, 1.0, 2.25, 8.0]), "sum": 14.75, "first": 3.5, "last": 8.0}
    wanted |= {"count": 4, "missing": 1, "distinct": 4, "min": 1.0, "max": 8.0, "mean": 3.6875}
    aggregations = [{"function": name, "column": "x", "name": name} for name in wanted]
    found = run("aggregate", {"aggregations": [*aggregations, {"function": "rows"}]}, {"x": values})
    assert found == [{name: pytest.approx(value) for name, value in wanted.items()} | {"rows": 5}]


def test_groups_come_sorted_with_the_missing_one_last() -> None:
    table = pa.table({"g": [["b", "a", None, "ä"][i % 4] for i in range(20_000)], "i": range(20_000)})
    aggregations = [{"function": "first", "column": "i"}, {"function": "last", "column": "i"}]
    rows = run("aggregate", {"group_by": ["g"], "aggregations": aggregations}, table)
    assert [tuple(row.values()) for row in rows] == [
        ("a", 1, 19_997),
        ("b", 0, 19_996),
        ("ä", 3, 19_999),
        (None, 2, 19_998),
    ]


def test_a_sum_of_large_numbers_stays_a_whole_number() -> None:
    found = frame("aggregate", {"aggregations": [{"function": "sum", "column": "x"}]}, {"x": [2**61, 2**61, -1]})
    assert found.schema.field("x_sum").type == pa.int64() and found["x_sum"].to_pylist() == [2**62 - 1]


LONG = {"id": [2, 1, 2, 1, None], "kind": ["x", "y", "x", None, "z"], "n": [1.0, 2.0, 3.0, 4.0, 5.0]}


def test_values_become_columns() -> None:
    params = {"index": ["id"], "names_from": "kind", "values_from": "n", "function": "sum", "prefix": "k_"}
    assert run("pivot", params, LONG) == [
        {"id": 1, "k_x": None, "k_y": 2.0, "k_z": None},
        {"id": 2, "k_x": 4.0, "k_y": None, "k_z": None},
        {"id": None, "k_x": None, "k_y": None, "k_z": 5.0},
    ]


def test_too_many_columns_are_refused() -> None:
    with pytest.raises(StepError, match="more than 2 values"):
        run("pivot", {"index": ["id"], "names_from": "n", "function": "rows", "max_columns": 2}, LONG)


def test_wide_becomes_long_row_by_row() -> None:
    wide = {"id": [1, 2], "a": [10, None], "b": [0.5, 1.5]}
    rows = run("unpivot", {"columns": ["b", "a"]}, wide)
    assert [tuple(row.values()) for row in rows] == [(1, "b", 0.5), (1, "a", 10.0), (2, "b", 1.5), (2, "a", None)]
    assert len(run("unpivot", {"columns": ["b", "a"], "missing": "drop"}, wide)) == 3


SERIES = {"g": ["a", "b", "a", "a", "b"], "t": [3, 1, 1, None, 1], "x": [1.0, 2.0, None, 4.0, 5.0]}


@pytest.mark.parametrize(
    ("params", "values"),
    [
        ({"function": "row_number"}, [1, 2, 3, 4, 5]),
        ({"function": "row_number", "partition_by": ["g"], "order_by": ["t"]}, [2, 1, 1, 3, 2]),
        ({"function": "rank", "order_by": ["t"]}, [4, 1, 1, 5, 1]),
        ({"function": "dense_rank", "order_by": ["t"], "descending": ["t"]}, [1, 2, 2, 3, 2]),
        ({"function": "percent_rank", "order_by": ["t"]}, [0.75, 0, 0, 1, 0]),
        ({"function": "sum", "column": "x"}, [1, 3, 3, 7, 12]),
        ({"function": "sum", "column": "x", "partition_by": ["g"], "order_by": ["t"]}, [1, 2, None, 5, 7]),
        ({"function": "mean", "column": "x", "frame": "moving", "rows": 2}, [1, 1.5, 2, 4, 4.5]),
        ({"function": "count", "column": "x", "frame": "group", "partition_by": ["g"]}, [2, 2, 2, 2, 2]),
        ({"function": "max", "column": "t", "frame": "group"}, [3] * 5),
    ],
)
def test_windows_keep_the_rows_in_their_order(params: dict, values: list) -> None:
    assert column("window", {**params, "name": "w"}, "w", SERIES) == values


def test_a_cumulative_sum_of_many_rows_is_in_order() -> None:
    groups = [i % 3 for i in range(30_000)]
    found = column(
        "window",
        {"function": "sum", "column": "i", "partition_by": ["g"], "name": "s"},
        "s",
        {"g": groups, "i": range(30_000)},
    )
    totals: dict[int, int] = defaultdict(int)
    for i, (group, value) in enumerate(zip(groups, found, strict=True)):
        totals[group] += i
        assert value == totals[group]


@pytest.mark.parametrize(
    ("op", "params", "message"),
    [
        ("join", {}, "which columns are compared"),
        ("join", {"keys": ["key"], "right_keys": ["value"]}, "never equal"),
        ("join", {"keys": ["key"], "right_keys": ["key", "value"]}, "1 keys and 2 partners"),
        ("join", {"keys": ["key"], "right_keys": ["nothing"]}, "no column 'nothing'"),
        ("join", {"how": "cross", "keys": ["key"]}, "compares no keys"),
        ("concatenate", {"labels": ["one"]}, "2 labels"),
        ("concatenate", {"source": "key"}, "There is a column 'key' already"),
    ],
)
def test_tables_that_do_not_fit_are_refused(op: str, params: dict, message: str) -> None:
    with pytest.raises(StepError, match=message):
        run(op, params, LEFT, RIGHT)


@pytest.mark.parametrize(
    ("op", "params", "message"),
    [
        ("aggregate", {"aggregations": [{"function": "mean", "column": "key"}]}, "holds text"),
        ("aggregate", {"aggregations": [{"function": "sum"}]}, "of which column the sum"),
        ("aggregate", {"group_by": ["key"], "aggregations": [{"function": "rows", "name": "key"}]}, "already"),
        ("aggregate", {"aggregations": [{"function": "rows"}, {"function": "rows"}]}, "already"),
        ("pivot", {"index": ["key"], "names_from": "key", "function": "rows"}, "rows and columns"),
        ("unpivot", {"columns": ["key", "value"]}, "several kinds"),
        ("window", {"function": "rank", "name": "w"}, "order the rows"),
        ("window", {"function": "sum", "name": "w"}, "of which column"),
        ("window", {"function": "sum", "column": "key", "name": "w"}, "holds text"),
    ],
)
def test_steps_that_do_not_fit_are_refused(op: str, params: dict, message: str) -> None:
    with pytest.raises(StepError, match=message):
        run(op, params, LEFT)
