"""Cases of the operators on text, dates, time series, nested values, and of custom steps."""

from __future__ import annotations

from tests.wrangler.cases import Case

TEXT = {"columns": ["text"]}

CASES = [
    *(
        Case("format_string", {**TEXT, "method": method, "width": 6, "fill": "*", "text": "<>"}, table="words")
        for method in (
            "left_pad",
            "right_pad",
            "center_pad",
            "prepend_zeros",
            "strip",
            "strip_left",
            "strip_right",
            "lower",
            "upper",
            "capitalize",
            "swap_case",
            "add_prefix",
            "add_suffix",
            "remove_symbols",
        )
    ),
    Case("format_string", {**TEXT, "method": "strip", "characters": "Hd1]"}, table="words"),
    Case("format_string", {**TEXT, "method": "remove_symbols", "characters": "-_[^"}, table="words"),
    Case("edit_string", {**TEXT, "method": "find", "pattern": "o"}, table="words"),
    Case("edit_string", {**TEXT, "method": "find_last", "pattern": "o", "suffix": "_at"}, table="words"),
    Case("edit_string", {**TEXT, "method": "matches_prefix", "pattern": "[A-Z]"}, table="words"),
    Case("edit_string", {**TEXT, "method": "find_all", "pattern": "[0-9]+"}, table="words"),
    Case("edit_string", {**TEXT, "method": "extract", "pattern": "([a-z])([0-9])", "group": 2}, table="words"),
    Case("edit_string", {**TEXT, "method": "extract_between", "left": "[", "right": "]"}, table="words"),
    Case("edit_string", {**TEXT, "method": "extract_position", "start": 1, "end": 4}, table="words"),
    Case("edit_string", {**TEXT, "method": "replace", "pattern": "[lo]+", "replacement": "-"}, table="words"),
    Case(
        "edit_string",
        {**TEXT, "method": "replace_between", "left": "[", "right": "]", "replacement": "?"},
        table="words",
    ),
    Case(
        "edit_string", {**TEXT, "method": "replace_position", "start": 1, "end": 2, "replacement": "."}, table="words"
    ),
    Case("edit_string", {**TEXT, "method": "missing_if_matches", "pattern": "^[0-9]+$"}, table="words"),
    Case("edit_string", {**TEXT, "method": "split", "pattern": " "}, table="words"),
    *(
        Case("validate_string", {**TEXT, "method": method, "text": "H", "minimum": 1, "maximum": 5}, table="words")
        for method in (
            "length",
            "starts_with",
            "ends_with",
            "is_alphanumeric",
            "is_alpha",
            "is_digit",
            "is_space",
            "is_title",
            "is_lower",
            "is_upper",
            "is_numeric",
            "is_decimal",
        )
    ),
    Case("character_statistics", TEXT, table="words"),
    Case("vectorize_text", {"column": "text", "method": "count", "features": 5}, table="words"),
    Case("vectorize_text", {"column": "text", "method": "tfidf", "features": 5}, table="words"),
    Case("vectorize_text", {"column": "text", "method": "hashing", "features": 5}, table="words"),
    Case(
        "date_parts",
        {
            "columns": ["seen"],
            "parts": ["year", "quarter", "month", "week", "day", "day_of_year", "day_of_week", "is_weekend", "hour"]
            + ["minute", "second"],
        },
        new="new_people",
    ),
    Case("date_parts", {"columns": ["born"], "parts": ["month", "day_of_week", "year"], "mode": "cyclic"}),
    Case(
        "lag",
        {"columns": ["value", "label"], "periods": [1, -1], "order_by": "time", "group_by": ["sensor"]},
        table="series",
    ),
    Case("lag", {"columns": ["value"], "order_by": "time", "drop_without_history": True}, table="series"),
    Case(
        "rolling",
        {
            "columns": ["value"],
            "window": 2,
            "statistics": ["mean", "sum", "min", "max", "std", "count"],
            "order_by": "time",
        },
        table="series",
    ),
    Case(
        "rolling",
        {"columns": ["count"], "window": 3, "minimum_rows": 2, "order_by": "time", "group_by": ["sensor"]},
        table="series",
    ),
    *(
        Case(
            "resample",
            {"time": "time", "unit": "day", "columns": ["value", "count"], "statistic": statistic},
            table="series",
        )
        for statistic in ("mean", "sum", "min", "max", "std", "count", "first", "last", "median")
    ),
    Case("resample", {"time": "time", "unit": "week", "columns": ["count"], "group_by": ["sensor"]}, table="series"),
    Case("datetime_range", {"new_column": "at", "start": "2024-02-28", "every": 12, "unit": "hour"}),
    Case("standardize_length", {"order_by": "time", "group_by": ["sensor"], "quantile": 0.5}, table="series"),
    Case("extract_features", {"columns": ["value", "count"], "group_by": ["sensor"]}, table="series"),
    *(
        Case(
            "fill_time_series", {"columns": ["count"], "method": method, "value": 0, "order_by": "time"}, table="series"
        )
        for method in ("constant", "most_frequent", "forward", "backward", "interpolate")
    ),
    Case("validate_timestamps", {"column": "stamp"}, table="series"),
    Case("validate_timestamps", {"column": "stamp", "format": "%d.%m.%Y", "action": "remove"}, table="series"),
    Case(
        "flatten_json",
        {
            "column": "json",
            "fields": [{"path": "a", "type": "int64"}, {"path": "b.c"}, {"path": "t[1]", "type": "float64"}],
        },
        table="words",
    ),
    Case("assemble_vector", {"columns": ["age", "income"], "new_column": "both"}),
    Case("flatten_vector", {"column": "numbers"}, table="lists"),
    Case("custom_sql", {"query": "SELECT job, sum(age) AS total FROM df GROUP BY job ORDER BY job"}),
    Case("custom_pandas", {"source": 'df["twice"] = df["age"] * 2'}),
    Case("custom_polars", {"source": 'df = df.with_columns(twice=pl.col("age") * 2)'}),
    Case("custom_python", {"source": 'def transform(row):\n    return (row["age"] or 0) + 1', "new_column": "next"}),
    Case(
        "custom_python",
        {
            "source": "def transform(values):\n    return values[::-1]",
            "new_column": "back",
            "mode": "column",
            "column": "job",
        },
    ),
]
