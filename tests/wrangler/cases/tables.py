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
    # Moments as text and numbers; a day that there was not.
    "moments": pa.table(
        {
            "german": pa.array(["31.01.2024", "29.02.2023", "1.2.1999", None, "", " 07.08.2001 ", "01.01.0001"]),
            "spoken": pa.array(["29 Feb 24", "1 jan 70", "30 Feb 24", "x", None, "31 Dec 68", "1 Jan 69"]),
            "exact": pa.array(["12/31/1999 11:59:59.999999 PM", "01/01/1970 12:00:00.5 AM", "13/01/2000", *[None] * 4]),
            "iso": pa.array(
                ["2024-02-29", "2024-02-29T12:30:00", "2024-02-29 12:30:00.25Z", "29.02.2024", "", None, "9999-12-31"]
            ),
            "number": pa.array([0, -1, 1_709_251_199, None, 1_709_251_199_999, 253_402_300_799, 2**62]),
        }
    ),
    # Strata of several sizes.
    "grid": pa.table(
        {
            "part": pa.array([None if i % 11 == 0 else "abc"[i * i % 3] for i in range(60)]),
            "level": pa.array([i * 7 % 5 for i in range(60)]),
            "value": pa.array([None if i % 13 == 0 else i * 37 % 23 / 4 for i in range(60)]),
        }
    ),
    "zeros": pa.table({"income": pa.array([0.0, -0.0, None, 1.0, None]), "name": pa.array(list("abcde"))}),
    # Text of many forms.
    "words": pa.table(
        {
            "text": pa.array(
                ["Hello World", "", None, "äöÜ ß", "  x ", "A1-b2_C3", "123", "ⅷ½", "x[1]y[22]z", "HELLO"]
            ),
            "json": pa.array(
                ['{"a": 1, "b": {"c": "x"}, "t": [1, 2]}', "{}", None, "no json", '{"a": "z"}', "[1]", "1"]
                + ['{"a": null}', '{"b": {"c": 2.5}}', '{"a": 1.5, "t": []}']
            ),
        }
    ),
    # Two series, one with a hole, unsorted.
    "series": pa.table(
        {
            "sensor": pa.array(["a", "a", "b", "a", "b", None, "a"]),
            "time": pa.array(
                [
                    datetime(2024, 1, day, hour)
                    for day, hour in ((1, 0), (3, 12), (2, 1), (1, 6), (2, 0), (1, 0), (9, 0))
                ],
                pa.timestamp("us"),
            ),
            "value": pa.array([1.0, 4.0, None, 2.0, 8.0, 16.0, None]),
            "count": pa.array([1, None, 3, 4, 5, 6, 7], pa.int64()),
            "label": pa.array(["x", None, "y", None, "z", "z", "x"]),
            "stamp": pa.array(["2024-01-01", "x", None, "", "2024-02-30", "2024-02-29T12:00:00", "01.02.2024"]),
        }
    ),
    "lists": pa.table(
        {
            "id": pa.array([1, 2, 3, 4]),
            "tags": pa.array([["x", "y"], [], None, ["z", None]]),
            "numbers": pa.array([[1, 2, 2], [3], [], None], pa.list_(pa.int64())),
        }
    ),
    # For what is learned: a constant, nothing at all, a huge spread, skew, ties, text that only looks like a value.
    "measures": pa.table(
        {
            "constant": pa.array([7.5] * 11 + [None]),
            "nothing": pa.array([None] * 12, pa.float64()),
            "skewed": pa.array([0.5, 1.0, 1.5, 2.0, 2.0, 3.0, 5.0, 8.0, 13.0, 40.0, 400.0, None]),
            "signed": pa.array([-3.0, -1.5, -0.0, 0.0, 0.25, 1.0, 1.0, 2.0, 2.5, 6.0, -90.0, None]),
            "whole": pa.array([1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 1000, None], pa.int64()),
            "gaps": pa.array([None, 1.0, None, None, 4.0, 4.5, None, 0.0, None, 2.0, None, None]),
            "code": pa.array(["NA", " n/a ", "", "x", "None", "-", "nan", "y", "?", None, "unknown", "a-b"]),
            "kind": pa.array(["a", "a", "b", "b", "a", "c", None, "A", "a", "d", "b", "é"]),
            "side": pa.array(["l", "r", None, "l", "l", "r", "l", "r", "r", "l", None, "l"]),
            "bought": pa.array([1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1, None], pa.int64()),
        }
    ),
    "new_measures": pa.table(
        {
            "constant": pa.array([7.5, 8.5, None]),
            "nothing": pa.array([1.0, None, -2.0]),
            "skewed": pa.array([-1.0, 0.0, 1e6]),
            "signed": pa.array([-1e6, None, 1e6]),
            "whole": pa.array([0, -5, 10**6], pa.int64()),
            "gaps": pa.array([None, 3.0, None]),
            "code": pa.array(["N/A", "x", None]),
            "kind": pa.array(["z", "b", None]),
            "side": pa.array(["l", "top", None]),
            "bought": pa.array([None, 1, 0], pa.int64()),
        }
    ),
    # Classes of several sizes: with numbers only, and with everything.
    "flowers": pa.table(
        {
            "name": pa.array(["rose"] * 9 + ["iris"] * 4 + ["lily"] * 3),
            "length": pa.array([i * 37 % 23 / 4 for i in range(16)]),
            "petals": pa.array([3 + i * 7 % 5 for i in range(16)], pa.int32()),
        }
    ),
    "colours": pa.table(
        {
            "name": pa.array(["rose"] * 9 + ["iris"] * 4 + [None] * 3),
            "colour": pa.array([None if i == 4 else "rwy"[i * i % 3] for i in range(16)]),
            "length": pa.array([i * 37 % 23 / 4 for i in range(16)]),
            "seen": pa.array([date(2024, 5, 1 + i % 3) for i in range(16)]),
            "wild": pa.array([None if i == 10 else i % 2 == 0 for i in range(16)]),
        }
    ),
}
