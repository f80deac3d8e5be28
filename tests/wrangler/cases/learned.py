"""Cases of the operators that learn from the rows, and of those for missing values."""

from __future__ import annotations

from typing import Any

from tests.wrangler.cases import Case


def measures(op: str, **params: Any) -> Case:
    """Return a case on the table that is there for these operators, and on new rows of it."""
    return Case(op, params, table="measures", new="new_measures")


NUMBERS = ["constant", "nothing", "skewed", "signed", "whole"]

MISSING = [
    Case("fill", {"columns": ["age"], "value": 0}, new="new_people"),
    Case("fill", {"columns": ["age", "income"], "value": -0.5}),
    Case("fill", {"columns": ["job"], "value": "nobody"}),
    Case("fill", {"columns": ["is_member"], "value": False}),
    Case("fill", {"columns": ["born"], "value": "1999-12-31"}),
    Case("fill", {"columns": ["seen"], "value": "1999-12-31T23:59:59.5"}),
    measures("impute", columns=NUMBERS, strategy="median"),
    measures("impute", columns=NUMBERS, strategy="mean"),
    measures("impute", columns=[*NUMBERS, "kind", "side"], strategy="mode"),
    measures("impute", columns=["skewed", "whole", "gaps"], strategy="constant", value=-1),
    measures("impute", columns=["skewed", "signed", "gaps", "nothing"], strategy="knn", neighbors=2),
    measures("impute", columns=["skewed", "signed", "gaps", "nothing"], strategy="iterative"),
    Case("missing_indicator", {"columns": ["age", "job", "born"]}, new="new_people"),
    Case("drop_missing"),
    Case("drop_missing", {"columns": ["age", "income"]}),
    Case("drop_missing", {"columns": ["job", "is_member"], "how": "all"}),
    measures("disguised_to_null", columns=["code", "kind"]),
    measures("disguised_to_null", columns=["code"], values=["x", "A-B"]),
    measures("disguised_to_null", columns=["whole", "skewed"], values=[1000, "0.5", "x"]),
    Case("disguised_to_null", {"columns": ["born", "seen"], "values": ["1970-01-01", "2023-01-01"]}),
]

SCALING = [
    measures("standardize", columns=NUMBERS),
    measures("standardize", columns=NUMBERS, center=False),
    measures("standardize", columns=NUMBERS, scale=False),
    measures("min_max_scale", columns=NUMBERS),
    measures("min_max_scale", columns=NUMBERS, low=-1.0, high=3.0, clip=True),
    measures("robust_scale", columns=NUMBERS),
    measures("robust_scale", columns=NUMBERS, lower=0.1, upper=0.8, center=False),
    measures("max_abs_scale", columns=NUMBERS),
]

OUTLIERS = [
    *(
        measures("outliers", columns=[*NUMBERS, "gaps"], method=method, fix=fix, deviations=1.5, lower_quantile=0.1)
        for method in ("standard", "robust", "quantile")
        for fix in ("clip", "null", "remove")
    ),
    *(
        measures("outliers", columns=["whole", "skewed"], method="min_max", fix=fix, lower=2, upper=34.5)
        for fix in ("clip", "null", "remove")
    ),
    measures("outliers", columns=["whole"], method="min_max", lower=5),
    measures("outliers", columns=["whole"], method="min_max", fix="null", upper=5),
]

RARE = [
    measures("replace_rare", columns=["kind", "side", "code"], min_fraction=0.2),
    measures("replace_rare", columns=["kind"], min_fraction=0, min_count=2, replacement=""),
    measures("replace_rare", columns=["kind"], min_fraction=0, max_categories=3),
]

TRANSFORMS = [
    *(measures("log", columns=NUMBERS, base=base) for base in ("e", "2", "10")),
    measures("log", columns=["signed", "whole"], add=3.5),
    measures("box_cox", columns=NUMBERS),
    measures("yeo_johnson", columns=NUMBERS),
    measures("quantile_bins", columns=NUMBERS, bins=4),
    measures("quantile_bins", columns=["gaps"], bins=2),
]

ENCODING = [
    measures("one_hot", columns=["kind", "side"], others=True),
    measures("one_hot", columns=["kind", "bought"], max_categories=2, drop="first", keep_original=True),
    measures("one_hot", columns=["side"], drop="last"),
    Case("one_hot", {"columns": ["is_member", "income"], "others": True}, new="new_people"),
    measures("ordinal", columns=["kind", "side", "bought", "skewed"]),
    measures("ordinal", columns=["kind"], order="frequency", unseen="minus_one", max_categories=3),
    measures("ordinal", columns=["side"], order="given", categories=["top", "r", "l"], unseen="last"),
    Case("ordinal", {"columns": ["is_member", "born", "seen"], "unseen": "last"}, new="new_people"),
    measures("frequency", columns=["kind", "bought"]),
    measures("frequency", columns=["kind", "side"], measure="count", suffix="_n", max_categories=2),
    measures("frequency", columns=["nothing"]),
]

CASES = [*MISSING, *SCALING, *OUTLIERS, *RARE, *TRANSFORMS, *ENCODING]
