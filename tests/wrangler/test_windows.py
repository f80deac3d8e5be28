"""What a window shows of values that a browser has no number for, and of values that are long."""

from __future__ import annotations

import pytest

from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.session.windows import MAX_CELL, View, window


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("1.50::DECIMAL(10, 2)", "1.50"),
        ("-12345678901234567890.125::DECIMAL(38, 3)", "-12345678901234567890.125"),
        ("'12:30:01.5'::TIME", "12:30:01.5"),
        ("'2020-01-02 03:04:05.678901'::TIMESTAMP", "2020-01-02 03:04:05.678901"),
        ("'2020-01-02 03:04:05'::TIMESTAMPTZ", "2020-01-02 03:04:05+00"),
        ("'2020-01-02 03:04:05.123456789'::TIMESTAMP_NS", "2020-01-02 03:04:05.123456789"),
        ("9007199254740993::BIGINT", 9007199254740993),
        ("NULL::DECIMAL(10, 2)", None),
        ("repeat('x', 300)", "x" * MAX_CELL + "…"),
    ],
)
def test_a_window_shows_a_value_exactly_or_cut_with_a_mark(value: str, shown: object) -> None:
    with Engine() as engine:
        engine.connection.execute(f"CREATE TABLE one AS SELECT {value} AS x")
        assert window(engine, View("one", None, 1), 0, 1).to_pylist() == [{"x": shown}]
