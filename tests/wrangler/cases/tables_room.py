"""Cases of the operators on columns, rows and tables."""

from __future__ import annotations

from tests.wrangler.cases import Case


def formula(text: str, table: str = "people") -> Case:
    """Return a case that computes a column."""
    return Case("formula", {"name": "result", "formula": text}, table=table)


CASES = [
    Case("select", {"columns": ["job", "id"]}),
    Case("rename", {"names": {"job": "work", "age": "years"}}),
    Case("rename", {"names": {"age": "id", "id": "age"}}),
    Case("duplicate", {"column": "born", "name": "birthday"}),
    *(
        Case("move", {"columns": ["job", "age"], "to": to, "anchor": "born"})
        for to in ("start", "end", "after", "before")
    ),
    Case("move", {"columns": ["job"], "to": "index", "index": 1}),
    *(
        Case("cast", {"columns": ["a"], "type": to}, table="written")
        for to in ("integer", "float", "string", "boolean", "date", "datetime")
    ),
    Case("cast", {"columns": ["id", "income", "is_member"], "type": "integer"}),
    Case("cast", {"columns": ["id", "age", "is_member"], "type": "float"}),
    Case("cast", {"columns": ["id", "is_member", "born"], "type": "string"}),
    Case("cast", {"columns": ["age", "income"], "type": "boolean"}),
    Case("cast", {"columns": ["seen"], "type": "date"}),
    Case("cast", {"columns": ["born"], "type": "datetime"}),
    formula("age * 2 - id + 0.5"),
    formula("income / (age - 52)"),
    formula("id // 3 + id % 3"),
    formula("-7 // id"),
    formula("-7 % id"),
    formula("CASE WHEN age > 50 THEN 'old' WHEN age IS NULL THEN NULL ELSE 'young' END"),
    formula("CASE job WHEN 'clerk' THEN 1 WHEN 'chef' THEN 2.5 END"),
    formula("coalesce(age, income, 0)"),
    formula("job || '!' || coalesce(job, '?')"),
    formula("concat(job, '-', NULL)"),
    formula("(age > 40 OR is_member) AND NOT id = 8"),
    formula("job IN ('clerk', 'Ärztin') OR job IS NULL"),
    formula("age NOT BETWEEN 30 AND 50"),
    formula("job LIKE '%e%' OR job ILIKE 'ä_z%'"),
    formula("is_member IS NOT TRUE"),
    formula("ln(income) + sqrt(age) + log10(id) + log2(id) + log(2, id)"),
    formula("exp(age) + power(age, 0.5) + age ** 2 + power(income, -1)"),
    formula("abs(-age) + sign(income) + ceil(income) + floor(income)"),
    formula("round(income, 1)"),
    formula("round(income / 2)"),
    formula("greatest(age, 40) - least(age, id, 45)"),
    formula("nullif(age, 52)"),
    formula("if(is_member, born, DATE '2000-01-01')"),
    formula("lower(upper(trim(job)))"),
    formula("ltrim(job) || rtrim(job) || reverse(job)", "written"),
    formula("length(job) + id"),
    formula("left(job, 2) || right(job, 2) || substr(job, 2, 3) || substr(job, 3)"),
    formula("contains(job, 'e') OR starts_with(job, 'Ä') OR ends_with(job, 'k')"),
    formula("replace(job, 'c', 'kk')"),
    formula("regexp_extract(job, '([a-z])e', 1)"),
    formula("regexp_replace(job, '[aeiou]', '_')"),
    formula("regexp_matches(job, '^c.*k$')"),
    formula("year(born) * 10000 + month(born) * 100 + day(born)"),
    formula("quarter(seen) + week(seen) + weekday(seen) + dayofyear(seen)"),
    formula("hour(seen) + minute(seen) + second(seen)"),
    formula("epoch(seen)"),
    formula("days_between(born, seen)"),
    *(formula(f"date_trunc('{unit}', seen)") for unit in ("year", "quarter", "month", "week", "day", "hour", "minute")),
    formula("born >= '1985-01-31' AND seen < '2024-03-31 02:30:00'"),
    Case("filter", {"condition": "age > 40 AND is_member"}),
    Case("filter", {"condition": "age > 40", "matching": "remove"}),
    Case("filter", {"condition": "job = 'nobody'"}),
    Case("sort", {"columns": ["job"]}),
    Case("sort", {"columns": ["job", "age"], "descending": ["job"]}),
    Case("sort", {"columns": ["income"], "descending": ["income"]}),
    Case("sort", {"columns": ["is_member", "born", "seen"], "descending": ["born"]}),
    Case(
        "aggregate",
        {
            "group_by": ["job"],
            "aggregations": [
                {"function": "rows"},
                *(
                    {"function": function, "column": "age"}
                    for function in (
                        "count",
                        "missing",
                        "distinct",
                        "sum",
                        "mean",
                        "median",
                        "min",
                        "max",
                        "std",
                        "var",
                    )
                ),
                {"function": "quantile", "column": "income", "quantile": 0.25},
                {"function": "first", "column": "seen"},
                {"function": "last", "column": "age"},
                {"function": "any", "column": "is_member", "name": "someone"},
                {"function": "all", "column": "is_member", "name": "everyone"},
                {"function": "min", "column": "job", "name": "smallest"},
            ],
        },
    ),
    Case(
        "aggregate",
        {"group_by": ["is_member", "job"], "aggregations": [{"function": "mean", "column": "income", "name": "m"}]},
    ),
    Case("aggregate", {"aggregations": [{"function": "sum", "column": "is_member"}, {"function": "rows"}]}),
    *(
        Case("join", {"how": how, "keys": ["job"], "right_keys": ["name"]}, others=("jobs",))
        for how in ("inner", "left", "right", "outer", "semi", "anti")
    ),
    Case("join", {"how": "cross"}, others=("jobs",)),
    Case("join", {"how": "inner", "keys": ["id", "age"]}, others=("people",)),
    Case("parse_datetime", {"columns": ["german", "spoken"], "format": "%d.%m.%Y"}, table="moments"),
    Case("parse_datetime", {"columns": ["spoken"], "format": "%d %b %y", "to": "date"}, table="moments"),
    Case("parse_datetime", {"columns": ["exact"], "format": "%m/%d/%Y %I:%M:%S.%f %p"}, table="moments"),
    Case("parse_datetime", {"columns": ["iso"]}, table="moments"),
    Case("parse_datetime", {"columns": ["iso"], "to": "date"}, table="moments"),
    *(Case("parse_datetime", {"columns": ["number"], "unit": unit}, table="moments") for unit in ("s", "ms", "us")),
    Case("parse_datetime", {"columns": ["number"], "to": "date"}, table="moments"),
    Case(
        "case",
        {
            "name": "stage",
            "branches": [{"when": "age < 40", "then": "young"}, {"when": "is_member", "then": None}],
            "otherwise": "old",
        },
    ),
    Case("case", {"name": "age", "branches": [{"when": "age IS NULL", "then": 0}, {"when": "age > 50", "then": 50.5}]}),
    Case("bin", {"column": "age", "edges": [28, 39, 52.5]}, new="new_people"),
    Case("bin", {"column": "income", "edges": [0], "labels": ["low", "high"], "name": "level"}, new="new_people"),
    Case("bin", {"column": "age", "method": "width", "count": 4}, new="new_people"),
    Case("limit", {"rows": 3}),
    Case("limit", {"rows": 4, "offset": 7}),
    Case("sample", {"rows": 4, "seed": 1}),
    Case("sample", {"rows": 100}),
    Case("sample", {"fraction": 0.5, "seed": 7}),
    Case("stratified_sample", {"columns": ["part"], "fraction": 0.5}, table="grid"),
    Case("stratified_sample", {"columns": ["part", "level"], "rows": 20, "seed": 3}, table="grid"),
    Case("shuffle", {"seed": 5}),
    Case("shuffle", {"seed": 2**31 - 1}, table="grid"),
    Case("drop_duplicates"),
    Case("drop_duplicates", {"columns": ["job"], "keep": "last"}),
    Case("drop_duplicates", {"columns": ["is_member", "age"], "keep": "none"}),
    Case("drop_duplicates", {"columns": ["income"]}, table="zeros"),
    Case("explode", {"column": "tags"}, table="lists"),
    Case("explode", {"column": "numbers", "empty": "drop"}, table="lists"),
    Case("split", {"method": "random", "seed": 3}, table="grid"),
    Case("split", {"parts": {"a": 0.5, "b": 0.25, "c": 0.25}, "name": "fold"}),
    Case("split", {"method": "ordered"}),
    Case("split", {"method": "ordered", "columns": ["is_member", "born"], "parts": {"a": 0.3, "b": 0.7}}),
    Case("split", {"method": "stratified", "columns": ["part"], "seed": 9}, table="grid"),
    Case("split", {"method": "key", "columns": ["job"], "parts": {"a": 0.5, "b": 0.5}}),
    Case("split", {"method": "key", "columns": ["level"], "seed": 4}, table="grid"),
    Case("concatenate", others=("new_people",)),
    Case("concatenate", {"source": "origin", "labels": ["old", "new"]}, others=("new_people",)),
    Case("concatenate", {"duplicates": "remove"}, others=("people",)),
    Case("concatenate", {"source": "origin"}, table="jobs", others=("grid", "zeros")),
    Case("concatenate", {"columns": "common"}, table="jobs", others=("people",)),
    *(
        Case(
            "pivot",
            {"index": ["part"], "names_from": "level", "values_from": "value", "function": function},
            table="grid",
        )
        for function in ("count", "sum", "mean", "median", "min", "max", "first", "last")
    ),
    Case(
        "pivot",
        {"index": ["job", "id"], "names_from": "is_member", "function": "rows", "prefix": "member_"},
        new="new_people",
    ),
    Case("unpivot", {"columns": ["income", "age"]}),
    Case("unpivot", {"columns": ["born"], "names_to": "event", "values_to": "day", "missing": "drop"}),
    *(
        Case(
            "window",
            {"function": function, "order_by": ["age", "job"], "descending": ["age"], "partition_by": ["is_member"]}
            | {"name": "place"},
        )
        for function in ("row_number", "rank", "dense_rank", "percent_rank")
    ),
    Case("window", {"function": "row_number", "name": "place"}),
    Case("window", {"function": "rank", "order_by": ["income"], "name": "place"}, table="zeros"),
    *(
        Case(
            "window",
            {"function": function, "frame": frame, "rows": 3, "column": "age", "partition_by": ["job"]}
            | {"order_by": ["income"], "name": "result"},
        )
        for frame in ("cumulative", "moving", "group")
        for function in ("sum", "mean", "min", "max", "std", "count")
    ),
    Case("window", {"function": "mean", "frame": "moving", "column": "income", "name": "income"}),
]
