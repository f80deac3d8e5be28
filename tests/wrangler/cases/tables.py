"""The small tables of the cases: each is there to be nasty to something."""

from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa

TABLES: dict[str, pa.Table] = {
    # Missing values, ties, unicode, empty text, negative zero, a duplicate row.
    "people": pa.table(
        {
            "id": pa.array([1, 2, 3, 4, 5, 6, 7, 8, 8], pa.int64()),
            "age": pa.array([39, None, 38, 53, 28, None, 49, 52, 52], pa.int64()),
            "income": pa.array([77516.5, 83311.0, None, -0.0, 0.0, 284582.25, 1e-3, 209642.0, 209642.0], pa.float64()),
            "job": pa.array(["clerk", "Ärztin", None, "clerk", "", " chef ", "Ärztin", "🎸", "🎸"]),
            "is_member": pa.array([True, False, None, True, False, True, None, True, True]),
            "born": pa.array(
                [date(1985, 1, 31), date(1999, 12, 31), None, date(1970, 1, 1), date(1996, 2, 29), date(2000, 2, 29)]
                + [date(1900, 3, 1), date(1972, 6, 30), date(1972, 6, 30)]
            ),
            "seen": pa.array(
                [datetime(2024, 2, 29, 23, 59, 59, 999_999), None, datetime(1969, 12, 31, 12, 0)]
                + [datetime(2023, 1, 1), datetime(2024, 12, 30, 8, 30), datetime(2024, 7, 14, 6, 5, 4)]
                + [datetime(2000, 1, 1, 1, 1, 1), datetime(2024, 3, 31, 2, 30), datetime(2024, 3, 31, 2, 30)],
                pa.timestamp("us"),
            ),
        }
    ),
    # The same columns with other rows: categories that were never seen, nothing but missing in a column.
    "new_people": pa.table(
        {
            "id": pa.array([100, 101, 102], pa.int64()),
            "age": pa.array([None, 17, 99], pa.int64()),
            "income": pa.array([None, None, None], pa.float64()),
            "job": pa.array(["pilot", None, "clerk"]),
            "is_member": pa.array([None, True, False]),
            "born": pa.array([date(2024, 1, 1), None, date(1970, 1, 1)]),
            "seen": pa.array([datetime(2024, 1, 1), None, datetime(2024, 1, 2)], pa.timestamp("us")),
        }
    ),
    # Text that is, or nearly is, something else.
    "written": pa.table(
        {
            "id": pa.array(range(24), pa.int64()),
            "a": pa.array(
                ["12", " 12 ", "-7", "+3", "1_000", "1,000", "12.7", "12.0", "1e3", "1e-2", ".5", "5.", "NaN", "inf"]
                + ["", None, "Yes", "FALSE", "t", "2024-02-29", "2023-02-29", "2024-02-29T23:59:59.5", "2024-1-5"]
                + ["2024-02-29 12:30Z"]
            ),
            "job": pa.array([" x ", "\ty", None, ""] * 6),
        }
    ),
    # For joins: a key twice, one that nobody has, a missing one, a name that is taken.
    "jobs": pa.table(
        {
            "name": pa.array(["clerk", "chef", "clerk", None, "🎸", "pilot"]),
            "pay": pa.array([10.5, 20.0, None, 1.0, 3.25, 9.0]),
            "id": pa.array([1, 2, 3, 4, 5, 6], pa.int32()),
        }
    ),
}
