"""The checks: each on a table that has just what it looks for, and what they suggest."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import kernel_tools
from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.wrangler.checks import CHECKS, Finding, Report, insights, report_notebook, report_page
from kernel_tools.wrangler.checks.checking import definition_of
from kernel_tools.wrangler.checks.target import confident_errors
from kernel_tools.wrangler.checks.text import is_card, is_iban, is_phone
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.operators import make_operator
from kernel_tools.wrangler.profiling import profile

N = 600


@pytest.fixture
def engine():
    with Engine() as engine:
        yield engine


def _found(engine: Engine, check: str, options: dict[str, str] | None = None, **columns: Any) -> list[Finding]:
    engine.register(pa.table(columns), "t")
    return list(insights(engine, "t", checks=[check], **(options or {})))


def _chance(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def everything() -> pa.Table:
    """A table with something wrong for nearly every check."""
    chance = _chance()
    label = chance.choice(["yes", "no"], N, p=[0.05, 0.95])
    label[:3] = "rare"
    age = chance.normal(40, 10, N).round()
    age[:20] = -999
    columns = {
        "id": np.arange(N),
        "age": pa.array(age, mask=chance.random(N) < 0.3),
        "twin": pa.array(age + chance.normal(0, 0.1, N)),
        "amount": chance.lognormal(0, 2, N),
        "always": ["x"] * N,
        "nearly": ["x"] * (N - 3) + ["y"] * 3,
        "city": [*["?"] * 20, *["Bern", "bern "] * ((N - 20) // 2)],
        "width": [*["wide"] * 10, *chance.normal(size=N - 10).round(3).astype(str)],
        "shop": [f"shop {number}" for number in chance.integers(200, size=N)],
        "mail": [f"u{number}@example.org" for number in chance.integers(500, size=N)],
        "leak": (label != "no") * 1.0 + chance.normal(0, 0.01, N),
        "infinite": [float("inf"), *chance.normal(size=N - 1)],
        "day": pa.array([*[0] * 5, *chance.integers(19_000, 19_900, N - 5)], pa.int32()).cast(pa.date32()),
        "event": pa.array(chance.integers(19_000, 19_900, N), pa.int32()).cast(pa.date32()),
        "part": chance.choice(["train", "test"], N),
        "empty": pa.nulls(N, pa.string()),
        "label": label,
    }
    return pa.table({**columns, "again": columns["amount"]})


@pytest.fixture(scope="module")
def report(everything) -> Report:
    with Engine() as engine:
        engine.register(everything, "t")
        return insights(engine, "t", target="label", splits="part", event_time="event")


def test_a_table_with_everything_wrong_has_nearly_every_finding(report):
    expected = (
        "missing:age missing:empty disguised_missing:age disguised_missing:city disguised_missing:day infinite:infinite"
        " mixed_types:width constant:always near_constant:nearly id_like:id high_cardinality:shop outliers:amount"
        " skew:amount duplicate_columns:amount:again collinearity:age:twin inconsistent_text:city pii_hint:mail"
        " time_leakage:day class_imbalance:label rare_classes:label target_leakage:leak"
    )
    ids = {finding.id for finding in report}
    assert set(expected.split()) <= ids
    assert [finding.severity for finding in report] == sorted(
        (finding.severity for finding in report), key=["high", "medium", "low"].index
    )
    assert report.quick_model is not None and report.power[0].column == "leak"
    json.dumps(report.to_dict(), allow_nan=False)


def test_every_suggested_step_fits_the_table(report, everything):
    with Engine() as engine:
        table = engine.register(everything, "t")
        suggested = [one for finding in report for one in finding.suggestions]
        assert len({one.op for one in suggested}) > 10
        for one in suggested:
            operator = make_operator(one.op, one.params)
            operator.check(table.schema())
            if not operator.is_eager:
                state = operator.learn(table)
                engine.arrow(operator.build(table, state=state).limit(1))


def test_a_report_shows_itself(report):
    assert "disguised_to_null" in repr(report) and "<table>" in report._repr_html_()


def test_a_tidy_table_has_no_findings(engine):
    chance = _chance()
    engine.register(
        pa.table({"a": chance.normal(size=N), "b": chance.choice(["x", "y", "z"], N), "y": chance.normal(size=N)}), "t"
    )
    report = insights(engine, "t", target="y")
    assert list(report) == []
    assert {state.check for state in report.checks if state.skipped} >= {"class_imbalance", "drift_between_splits"}


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_tables_of_hardly_any_rows_are_looked_at_too(engine, rows):
    engine.register(
        pa.table({"a": pa.array([1.5, None][:rows]), "b": pa.array(["x", "y"][:rows]), "y": [0, 1][:rows]}), "t"
    )
    report = insights(engine, "t", target="y", splits="b")
    assert report.rows == rows


def test_an_unknown_check_or_column_is_refused(engine):
    engine.register(pa.table({"a": [1]}), "t")
    with pytest.raises(InvalidArgumentError, match="no check 'x'"):
        insights(engine, "t", checks=["x"])
    with pytest.raises(InvalidArgumentError, match="no column 'y'"):
        insights(engine, "t", target="y")


def test_every_check_says_what_it_looks_for():
    assert all(len(definition_of(name)) > 20 for name in CHECKS)


def test_a_number_far_from_all_others_stands_for_a_missing_one(engine):
    ages = [*_chance().integers(18, 90, N - 30).tolist(), *[999] * 30]
    found = _found(engine, "disguised_missing", age=ages)[0]
    assert found.evidence["values"] == [999] and found.suggestions[0].op == "disguised_to_null"


@pytest.mark.parametrize(
    "values",
    [
        [0] * 500 + list(range(100)),  # many zeros
        [99] * 5 + list(range(98)),  # the last of a range
        [5.0] * 50 + list(np.linspace(0, 4.99, 500)),  # a limit
        ["US", "DE", "NA"] * 10 + [f"{a}{b}" for a in "ABCDE" for b in "ABCDE"],  # codes of countries
    ],
)
def test_what_is_only_frequent_or_at_an_end_is_no_stand_in(engine, values):
    assert _found(engine, "disguised_missing", x=values) == []


def test_equal_rows_are_counted_apart_from_their_number(engine):
    chance = _chance().normal(size=N)
    found = _found(
        engine, "duplicate_rows", id=range(N), a=[*chance[: N - 5], *chance[:5]], b=[*chance[: N - 5], *chance[:5]]
    )
    assert found[0].evidence["duplicates"] == 5 and found[0].evidence["ignored"] == ["id"]
    assert found[0].suggestions[0].params == {"columns": ["a", "b"]}


def test_rows_of_few_possible_values_may_repeat(engine):
    assert _found(engine, "duplicate_rows", a=["x", "y"] * 100) == []


def test_dates_are_not_later_than_the_event_on_the_same_day(engine):
    days = pa.array([0, 1], pa.int32()).cast(pa.date32())
    times = pa.array([10**9, 86_400 * 10**6 + 5], pa.timestamp("us"))
    assert _found(engine, "time_leakage", {"event_time": "day"}, day=days, time=times) == []


def test_numbers_that_add_up_to_another_explain_it(engine):
    a, b = _chance(1).normal(size=(2, N))
    found = _found(engine, "multicollinearity", a=a, b=b, total=a + b)
    assert [finding.columns for finding in found] == [("a",), ("b",), ("total",)]
    assert all(finding.evidence["vif"] == 50 for finding in found)


def test_wrong_labels_are_named_where_classes_can_be_told(engine):
    chance = _chance()
    x = chance.normal(size=2_000)
    label = x > 0
    wrong = chance.choice(2_000, 150, replace=False)
    label[wrong] = ~label[wrong]
    found = _found(engine, "label_noise", {"target": "y"}, x=x, y=label)[0]
    assert 100 < found.evidence["count"] < 200
    assert len(set(found.evidence["rows"]) & set(wrong.tolist())) >= 18


def test_confident_learning_names_the_largest_margin_first():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.05, 0.95], [0.1, 0.9], [0.2, 0.8]])
    assert confident_errors(np.array([0, 0, 0, 1, 1]), probabilities).tolist() == [2]


def test_parts_that_differ_or_share_rows_are_named(engine):
    chance = _chance()
    a, part = chance.normal(size=N), np.repeat(["train", "test"], [400, 200])
    moved = a + (part == "test")
    found = _found(engine, "drift_between_splits", {"splits": "part"}, a=moved, b=chance.normal(size=N), part=part)
    assert [finding.columns for finding in found] == [("a",)]
    a[:7] = a[-7:]
    found = _found(engine, "train_test_overlap", {"splits": "part"}, a=a, part=part)
    assert found[0].evidence["groups"] == 7


def test_odd_rows_are_named_with_the_columns_that_make_them_so(engine):
    chance = _chance()
    columns = {f"x{place}": chance.normal(size=N) for place in range(12)}
    for place in range(9):
        columns[f"x{place}"][17] = 6.0
    found = _found(engine, "anomalous_rows", **columns)[0]
    assert found.evidence["rows"][0] == 17 and len(found.evidence["reasons"][0]) == 3


def test_check_digits_tell_personal_numbers_from_others():
    assert is_card("4111 1111 1111 1111") and not is_card("4111 1111 1111 1112") and not is_card("0000000000000")
    assert is_iban("DE89 3704 0044 0532 0130 00") and not is_iban("DE88 3704 0044 0532 0130 00")
    assert is_phone("+49 30 1234567") and not is_phone("2024-01-31") and not is_phone("3.14159265")


def test_the_report_is_a_page_in_which_nothing_of_the_data_is_markup(engine):
    chance = _chance()
    columns = {
        "<b>x": chance.lognormal(0, 2, N),
        "y": chance.choice(["<script>alert(1)</script>", "b"], N),
        "c": ["<i>"] * N,
    }
    engine.register(pa.table(columns), "t")
    page = report_page(insights(engine, "t", target="y"), profile(engine, "t"), title="A & B")
    body = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "A &amp; B" in body and "&lt;b&gt;x is skewed" in body
    assert "<b>x" not in body and "<i>" not in body and "alert(1)</script>" not in page.replace("\\u003c", "<")[-2000:]
    assert page.count("Plotly.newPlot") >= 4


def test_the_notebook_of_a_report_holds_a_recipe_of_the_suggestions(report):
    notebook = nbformat.from_dict(report_notebook(report, "data/table.parquet"))
    nbformat.validate(notebook)
    recipe = notebook.cells[-1].source
    compile(recipe, "recipe", "exec")
    assert ".drop(columns=['always'])" in recipe and recipe.count(".drop(columns=['again'])") == 1


def test_columns_of_every_type_are_profiled_and_checked(engine):
    n = 120
    table = pa.table(
        {
            "list": [[1, None]] * n,
            "struct": [{"a": 1}] * n,
            "bytes": [b"\x00\xff"] * n,
            "decimal": pa.array([Decimal(number) / 8 for number in range(n)], pa.decimal128(20, 6)),
            "unsigned": pa.array([2**64 - 1 - number for number in range(n)], pa.uint64()),
            "time": pa.array(range(n), pa.time64("us")),
            "zone": pa.array(range(n), pa.timestamp("us", "Europe/Berlin")),
            "nanoseconds": pa.array(range(n), pa.timestamp("ns")),
            "huge": [1e308, -1e308] * (n // 2),
            "category": pa.array(["a", "b"] * (n // 2)).dictionary_encode(),
            'odd "name"\n😀': ["é😀", None] * (n // 2),
            "long": ["x" * 10_000] * n,
            "duration": pa.array(range(n), pa.duration("us")),
            "class": pa.array([Decimal(number % 3) for number in range(n)], pa.decimal128(5, 1)),
        }
    )
    engine.register(table, "t")
    report = insights(engine, "t", target="class", splits="category")
    json.dumps([report.to_dict(), *(found.to_dict() for found in profile(engine, "t"))], allow_nan=False)
    assert report.quick_model is not None and report.task == "classification"


def test_the_face_takes_a_frame_again_and_again():
    frame = pd.DataFrame({"a": [1, 1, 1]})
    assert [len(kernel_tools.wrangler.insights(frame)) for _ in range(2)] == [1, 1]


def test_columns_that_were_not_compared_are_counted() -> None:
    values = np.random.default_rng(0).normal(size=(200, 61))
    report = kernel_tools.wrangler.insights(pd.DataFrame(values, columns=[f"c{place}" for place in range(61)]))
    assert report.notes == ("Of 61 columns of numbers the first 60 were compared with each other.",)
    assert report.notes[0] in report.summary()
