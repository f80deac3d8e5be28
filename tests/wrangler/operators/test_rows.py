"""Operators on rows: which stay, in which order, by which chance."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pytest

from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.operators import make_operator
from kernel_tools.wrangler.operators.base import StepError
from kernel_tools.wrangler.operators.chance import PRIME, score
from tests.wrangler.operators.running import column, run

MANY = 30_000
"""More rows than DuckDB hands to one thread at once."""


def numbers(count: int = MANY) -> pa.Table:
    return pa.table(
        {"i": range(count), "group": [i % 7 for i in range(count)], "rare": [i % 1000 == 3 for i in range(count)]}
    )


def test_a_missing_condition_neither_keeps_nor_removes() -> None:
    table = {"x": [1, 2, None]}
    assert column("filter", {"condition": "x > 1"}, "x", table) == [2]
    assert column("filter", {"condition": "x > 1", "matching": "remove"}, "x", table) == [1, None]


def test_equal_rows_keep_their_order_and_missing_ones_come_last() -> None:
    table = pa.table({"x": [i % 3 if i % 10 else None for i in range(MANY)], "i": range(MANY)})
    rows = table.to_pylist()
    for descending in ([], ["x"]):
        sign = -1 if descending else 1
        expected = sorted(rows, key=lambda row: (row["x"] is None, sign * (row["x"] or 0), row["i"]))  # noqa: B023
        assert run("sort", {"columns": ["x"], "descending": descending}, table) == expected


def test_text_is_sorted_by_code_points() -> None:
    words = ["b", "B", "ä", "a", "", "🎸", "Z", "\uffff"]
    assert column("sort", {"columns": ["x"]}, "x", {"x": words}) == sorted(words)


def test_a_sample_keeps_the_order_and_its_size() -> None:
    by_rows = column("sample", {"rows": 100, "seed": 3}, "i", numbers())
    assert len(by_rows) == 100 and by_rows == sorted(by_rows)
    by_share = column("sample", {"fraction": 0.1, "seed": 3}, "i", numbers())
    assert len(by_share) == MANY // 10 and set(by_rows) <= set(by_share)
    assert by_rows == column("sample", {"rows": 100, "seed": 3}, "i", numbers())
    assert by_rows != column("sample", {"rows": 100, "seed": 4}, "i", numbers())


def test_a_sample_by_strata_keeps_the_shares() -> None:
    taken = column("stratified_sample", {"columns": ["rare"], "rows": 3000}, "rare", numbers())
    assert Counter(taken) == {False: 2997, True: 3}


def test_a_shuffle_loses_no_row() -> None:
    shuffled = column("shuffle", {"seed": 1}, "i", numbers())
    assert sorted(shuffled) == list(range(MANY)) and shuffled != sorted(shuffled)


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1])
def test_scores_are_what_python_computes_and_look_like_chance(seed: int) -> None:
    with Engine() as engine:
        table = engine.register(pa.table({"i": range(20_000)}))
        found = engine.arrow(table.select(score=score(table.i, seed)))["score"].to_pylist()
        ends = engine.register(pa.table({"i": [PRIME - 1, 2**31 - 2]}))
        last = engine.arrow(ends.select(score=score(ends.i, seed)))["score"].to_pylist()
    assert found[:50] == [score(i, seed) for i in range(50)]
    assert last == [score(PRIME - 1, seed)] * 2
    deciles = Counter(value * 10 // PRIME for value in found)
    chi_squared = sum((count - 2000) ** 2 / 2000 for count in deciles.values())
    assert chi_squared < 35  # 9 degrees of freedom: 1 in 16,000
    both = sum(1 for one, next_one in zip(found, found[1:], strict=False) if max(one, next_one) < PRIME / 10)
    assert 130 < both < 270  # 200 are expected


@pytest.mark.parametrize(("keep", "left"), [("first", [0, 1, 3]), ("last", [1, 2, 5]), ("none", [1])])
def test_duplicates_go_and_the_rest_keeps_its_order(keep: str, left: list[int]) -> None:
    table = {"x": ["a", "b", "a", None, None, None], "i": range(6)}
    assert column("drop_duplicates", {"columns": ["x"], "keep": keep}, "i", table) == left


def test_all_columns_are_compared_unless_some_are_named() -> None:
    assert run("drop_duplicates", {}, {"x": [1, 1, 1], "y": [0.0, -0.0, None]}) == [
        {"x": 1, "y": 0.0},
        {"x": 1, "y": None},
    ]


def test_lists_become_rows_in_their_order() -> None:
    table = pa.table({"x": pa.array([[3, 1, 2], [], None, [None]], pa.list_(pa.int64())), "i": range(4)})
    kept = run("explode", {"column": "x"}, table)
    assert [(row["i"], row["x"]) for row in kept] == [(0, 3), (0, 1), (0, 2), (1, None), (2, None), (3, None)]
    dropped = run("explode", {"column": "x", "empty": "drop"}, table)
    assert [(row["i"], row["x"]) for row in dropped] == [(0, 3), (0, 1), (0, 2), (3, None)]


def test_parts_have_their_sizes() -> None:
    parts = {"train": 0.7, "valid": 0.2, "test": 0.1}
    found = Counter(column("split", {"parts": parts, "seed": 5}, "split", numbers(1001)))
    assert found == {"train": 701, "valid": 200, "test": 100}


def test_a_stratified_split_keeps_rare_rows_in_both_parts() -> None:
    rows = run("split", {"method": "stratified", "columns": ["rare"]}, numbers())
    assert Counter(row["split"] for row in rows if row["rare"]) == {"train": 24, "test": 6}


def test_a_split_by_key_tears_no_key_apart() -> None:
    rows = run("split", {"method": "key", "columns": ["group"], "parts": {"a": 0.5, "b": 0.5}}, numbers())
    assert len({(row["group"], row["split"]) for row in rows}) == 7
    assert len({row["group"] for row in rows if row["split"] == "a"}) in (3, 4)


def test_an_ordered_split_takes_the_first_first() -> None:
    table = {"t": [5, None, 1, 3], "i": range(4)}
    assert column(
        "split", {"method": "ordered", "columns": ["t"], "parts": {"a": 0.5, "b": 0.5}}, "split", table
    ) == list("bbaa")
    assert column("split", {"method": "ordered", "parts": {"a": 0.5, "b": 0.5}}, "split", table) == list("aabb")


def test_new_rows_are_not_sampled() -> None:
    for op, params in (("sample", {"rows": 1}), ("limit", {"rows": 1}), ("shuffle", {})):
        assert not make_operator(op, params).applies_to_new


@pytest.mark.parametrize(
    ("op", "params", "message"),
    [
        ("sample", {}, "rows or a fraction"),
        ("sample", {"rows": 1, "fraction": 0.5}, "rows or a fraction"),
        ("sort", {"columns": ["i"], "descending": ["group"]}, "not among the columns"),
        ("split", {"parts": {"a": 0.5, "b": 0.6}}, "add up to 1.1"),
        ("split", {"method": "stratified"}, "whose values"),
        ("split", {"method": "key"}, "needs one column"),
        ("split", {"columns": ["i"]}, "no columns"),
        ("split", {"name": "i"}, "There is a column 'i' already"),
        ("explode", {"column": "i"}, "works on lists"),
    ],
)
def test_what_does_not_fit_is_refused(op: str, params: dict, message: str) -> None:
    with pytest.raises(StepError, match=message):
        run(op, params, numbers(5))
