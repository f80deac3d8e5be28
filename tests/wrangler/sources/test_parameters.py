"""Parameters: typed values, relative times, ranges of addresses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.wrangler.document import Parameter, RecipeDocument, Source
from kernel_tools.wrangler.running import running_on
from kernel_tools.wrangler.sources.parameters import addresses, parameter_values, parse_datetime

NOW = datetime(2024, 3, 31, 12, 30, tzinfo=UTC)
DEFINED = {
    "n": Parameter(type="number", default=5),
    "s": Parameter(default="eu"),
    "p": Parameter(type="pattern", pattern="[a-z]+", default="abc"),
    "since": Parameter(type="datetime", default="-30d"),
    "open": Parameter(),
}


def test_defaults_and_given_values_are_typed():
    values = parameter_values(DEFINED, {"n": "7.5", "s": 3}, now=NOW)
    assert values == {"n": 7.5, "s": "3", "p": "abc", "since": datetime(2024, 3, 1, 12, 30)}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("n", "many", "must be a number"),
        ("n", "nan", "must be a number"),
        ("n", True, "must be a number"),
        ("p", "abc1", "does not match its pattern"),
        ("since", "soon", "must be a datetime like"),
        ("since", "-99999999d", "must be a datetime like"),
        ("s", ["x"], "must be a text"),
        ("x", 1, "There is no parameter 'x'"),
    ],
)
def test_values_that_do_not_fit_are_refused(name, value, said):
    with pytest.raises(InvalidArgumentError, match=said):
        parameter_values(DEFINED, {name: value})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", datetime(2024, 3, 31, 12, 30)),
        ("today", datetime(2024, 3, 31)),
        ("today-1d", datetime(2024, 3, 30)),
        ("-12h", datetime(2024, 3, 31, 0, 30)),
        ("-1M", datetime(2024, 2, 29, 12, 30)),
        ("+11M", datetime(2025, 2, 28, 12, 30)),
        ("-1y", datetime(2023, 3, 31, 12, 30)),
        ("2024-01-01", datetime(2024, 1, 1)),
        ("2024-01-01T00:00:00+02:00", datetime(2023, 12, 31, 22)),
        (date(2024, 1, 1), datetime(2024, 1, 1)),
        (datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=1))), datetime(2023, 12, 31, 23)),
    ],
)
def test_datetimes_are_absolute_or_relative(text, expected):
    assert parse_datetime(text, "since", NOW) == expected


def test_addresses_are_filled_in():
    values = {"region": "eu", "n": 7, "a": datetime(2023, 12, 30, 5), "b": datetime(2024, 1, 1, 3)}
    assert addresses("plain/$x{}.csv", values) == ["plain/$x{}.csv"]
    assert addresses("${region}/${n:03d}/$${x}.csv", values) == ["eu/007/${x}.csv"]
    assert addresses("${a:%Y}.csv", values) == ["2023.csv"]
    assert addresses("${a..b:%m/%d}.csv", values) == ["12/30.csv", "12/31.csv", "01/01.csv"]
    assert addresses("${ a .. b :%Y}-${n}.csv", values) == ["2023-7.csv", "2024-7.csv"]
    assert len(addresses("${a..b:%Y%m%dT%H}", values)) == 47


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("${x}", "'x' has no value"),
        ("${a..b}", "needs a format"),
        ("${n..b:%d}", "must be datetimes"),
        ("${b..a:%d}", "is empty"),
        ("${a..b:%S}", "narrow the range"),
        ("${n:xyz}", "does not suit"),
    ],
)
def test_addresses_that_cannot_be_filled_in_are_refused(text, said):
    values = {"n": 7, "a": datetime(2023, 1, 1), "b": datetime(2024, 1, 1)}
    with pytest.raises(InvalidArgumentError, match=said):
        addresses(text, values)


@given(
    st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)),
    st.timedeltas(timedelta(0), timedelta(days=2000)),
    st.sampled_from(["%Y", "%Y-%m", "%Y-%m-%d"]),
)
def test_a_range_holds_each_text_between_its_ends_once(start, length, how):
    end = min(start, datetime.max - length) + length
    found = addresses("${a..b:" + how + "}", {"a": start, "b": end})
    days = (end.date() - start.date()).days
    assert found == list(dict.fromkeys((start + timedelta(days=day)).strftime(how) for day in range(days + 1)))


def test_a_recipe_reads_the_range_that_its_defaults_say(tmp_path):
    (tmp_path / "1999.csv").write_text("x\n1\n")
    document = RecipeDocument(
        parameters={
            "since": Parameter(type="datetime", default="1998-06-01"),
            "until": Parameter(type="datetime", default="2000-01-01T00:00:00Z"),
        },
        sources=[Source(id="s", uri="${since..until:%Y}.csv")],
    )
    with running_on(document, given={}, base=tmp_path) as (execution, _):
        assert execution is not None
