"""The search grammar against a plain Python reading of it."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel_tools import experiments
from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.experiments.filters import parse_filter, parse_order

RUNS = {
    "a": ({"auc": 0.9, "loss": 0.1}, {"max_depth": "6", "note": "50% off"}, {"team": "red"}),
    "b": ({"auc": 0.8, "loss": float("inf")}, {"max_depth": "8"}, {"team": "Blue", "a key": "x"}),
    "c": ({"auc": float("nan")}, {"max_depth": "6"}, {}),
    "d": ({}, {}, {"team": "it's"}),
}


@pytest.fixture
def four_runs(any_workspace):
    for name, (metrics, params, tags) in RUNS.items():
        run = experiments.start_run("census", name=name, params=params, tags=tags, workspace=any_workspace)
        run.log_metrics(metrics)
        run.finish("FAILED" if name == "d" else "FINISHED")
    return any_workspace


CASES = [
    ("", "abcd"),
    ("metrics.auc > 0.85", "a"),
    ("metrics.auc >= 0.8 and params.max_depth = '6'", "a"),
    ("metrics.auc<=0.8", "b"),
    ("metrics.loss > 1e308", "b"),
    ("metric.auc != 0.9", "b"),
    ("metrics.auc IS NULL", "d"),
    ("metrics.auc IS NOT NULL", "abc"),
    ('params.max_depth = "6"', "ac"),
    ("params.max_depth != '6'", "b"),
    ("parameters.max_depth IN ('6', '7')", "ac"),
    ("params.max_depth NOT IN ('6')", "b"),
    ("tags.team LIKE 'r%'", "a"),
    ("tags.team LIKE 'blue'", ""),
    ("tags.team ILIKE 'blue'", "b"),
    ("tags.`a key` = 'x'", "b"),
    ("tags.team = 'it''s'", "d"),
    ("params.note CONTAINS '50%'", "a"),
    ("params.note contains '_'", ""),
    ("status = 'FAILED'", "d"),
    ("attributes.status = 'FINISHED' and attributes.run_name != 'a'", "bc"),
    ("metrics.auc > 0.85 or tags.team = 'Blue'", "ab"),
    ("(metrics.auc > 0.85 or tags.team = 'Blue') and params.max_depth = '8'", "b"),
    ("metrics.auc > 0.85 or tags.team = 'Blue' and params.max_depth = '9'", "a"),
    ("attributes.start_time > 0", "abcd"),
    ("end_time < 1000", ""),
    ("experiment = 'other'", ""),
]


@pytest.mark.parametrize("position", range(2))
def test_filters_find_the_runs_that_they_describe(four_runs, position):
    for text, expected in CASES[position::2]:
        records, _ = experiments.search_run_records("census", text, workspace=four_runs)
        assert "".join(sorted(record.name for record in records)) == expected, text


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (["metrics.auc DESC"], ["a", "b"]),
        (["metrics.auc"], ["b", "a"]),
        (["params.max_depth desc", "metrics.auc ASC"], ["b", "a", "c", "d"]),
        (["attributes.start_time ASC"], ["a", "b", "c", "d"]),
        (["start_time DESC"], ["d", "c", "b", "a"]),
        (["tags.team ASC"], None),
    ],
)
def test_orderings_put_runs_without_the_value_last(four_runs, order, expected):
    records, _ = experiments.search_run_records("census", order_by=order, workspace=four_runs)
    names = [record.name for record in records]
    assert len(names) == 4
    if expected is None:
        assert names[-1] == "c"
    else:
        assert names[: len(expected)] == expected


def test_not_a_number_comes_back_as_not_a_number(four_runs):
    records, _ = experiments.search_run_records(filter="run_name = 'c'", workspace=four_runs)
    assert math.isnan(records[0].metrics["auc"])


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("metrics.auc >> 3", 14),
        ("metrics.auc = 'x'", 15),
        ("params.depth = 6", 16),
        ("auc > 3", 1),
        ("nonsense.auc > 3", 1),
        ("metrics.auc > 3 and", 20),
        ("metrics.auc > 3 metrics.loss > 2", 17),
        ("(metrics.auc > 3", 17),
        ("metrics.auc > 3)", 16),
        ("metrics.auc ? 3", 13),
        ("tags.team IN ()", 15),
        ("tags.team IN 'a'", 14),
        ("tags.team = 'open", 13),
        ("metrics.auc LIKE '3'", 13),
        ("metrics.auc IS 3", 16),
        ("tags.team NOT = 'a'", 15),
        ("status", 7),
        ("(" * 900 + "status = 'x'" + ")" * 900, 52),
        ("started_at > 1e999", 14),
        ("started_at > 99999999999999999999", 14),
    ],
)
def test_a_filter_that_is_not_understood_names_the_position(text, position):
    with pytest.raises(InvalidArgumentError, match=f"position {position}: "):
        parse_filter(text)


def test_an_ordering_that_is_not_understood_names_the_position():
    with pytest.raises(InvalidArgumentError, match="position 13: expected AND, OR or the end"):
        parse_order("metrics.auc DOWN")


@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(["metrics.a", ">", "1", "and", "(", ")", "'x'", "or", "IS"])).map(" ".join)
)
@settings(deadline=None, max_examples=300)
def test_any_text_is_a_condition_or_a_clear_error(text):
    try:
        parse_filter(text)
    except InvalidArgumentError as error:
        assert "position" in str(error)
    else:
        assert True


def test_records_hold_the_columns_that_are_asked_for(four_runs):
    import sqlalchemy as sa

    from kernel_tools.experiments.run_rows import to_records
    from kernel_tools.experiments.tables import runs

    with four_runs.database.read() as connection:
        rows = connection.execute(sa.select(runs).order_by(runs.c.name)).mappings().all()
        chosen = to_records(connection, rows, ["metrics.loss", "params.note", "tags.a key", "attributes.status"])
        whole = to_records(connection, rows)
    assert [(record.metrics, record.params, record.tags) for record in chosen] == [
        ({"loss": 0.1}, {"note": "50% off"}, {}),
        ({"loss": float("inf")}, {}, {"a key": "x"}),
        ({}, {}, {}),
        ({}, {}, {}),
    ]
    assert [record.name for record in whole if record.params == RUNS[record.name][1]] == list("abcd")
