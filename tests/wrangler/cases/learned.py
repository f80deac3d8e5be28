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
    measures("disguised_to_null", columns=["code"], values=["x", "A-B"], empty=False),
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
    measures("target_encode", columns=["kind", "side", "whole"], target="bought", folds=3),
    measures("target_encode", columns=["kind"], target="skewed", smoothing=2.0, max_categories=2, seed=5),
    measures("target_encode", columns=["kind", "nothing"], target="side", folds=2),
    measures("target_encode", columns=["side"], target="kind", positive="a", smoothing=0.0),
]

FILLING = [
    *(measures("fill_direction", columns=["gaps", "code", "side"], direction=one) for one in ("forward", "backward")),
    *(
        Case(
            "fill_direction",
            {"columns": ["age", "is_member", "seen"], "partition_by": ["job"], "order_by": ["born"], "direction": one},
            new="new_people",
        )
        for one in ("forward", "backward")
    ),
    measures("interpolate", columns=["gaps", "bought", "nothing"]),
    measures("interpolate", columns=["gaps"], along="whole"),
    measures("interpolate", columns=["gaps"], partition_by=["side"], order_by=["signed"]),
    Case("interpolate", {"columns": ["age", "income"], "along": "born"}, new="new_people"),
    Case("interpolate", {"columns": ["age"], "along": "seen"}),
]

COMPONENTS = [
    measures("pca", columns=["skewed", "signed", "whole"], components=2),
    measures("pca", columns=["skewed", "signed", "whole", "constant"], scale=True, prefix="p", keep_original=True),
    measures("pca", columns=["skewed", "signed"], center=False, variance=0.5),
]

SIMILARITY = [
    measures("hashing_encode", columns=["kind", "side"], features=4),
    measures("hashing_encode", columns=["code"], features=2, prefix="h", keep_original=True),
    measures("similarity_encode", columns=["code", "side"], components=3),
    measures("similarity_encode", columns=["code"], method="tfidf", components=2, keep_original=True),
]

BALANCE = [
    *(Case("balance", {"target": "is_member", "method": method, "ratio": 0.8}) for method in ("over", "under")),
    Case("balance", {"target": "job", "seed": 3}, table="written"),
    Case("balance", {"target": "name", "method": "smote", "neighbors": 2}, table="flowers"),
    Case("balance", {"target": "name", "method": "smote", "ratio": 0.7}, table="colours"),
]

CASES = [*MISSING, *SCALING, *OUTLIERS, *RARE, *TRANSFORMS, *ENCODING, *FILLING, *COMPONENTS, *SIMILARITY, *BALANCE]
