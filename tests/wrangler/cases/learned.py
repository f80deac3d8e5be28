"""Cases of the operators that learn from columns."""

from __future__ import annotations

from tests.wrangler.cases import Case

NUMBERS = ["age", "income"]

CASES = [
    Case("fill", {"columns": NUMBERS, "value": 7}),
    Case("fill", {"columns": ["job"], "value": "none"}),
    Case("fill", {"columns": ["is_member"], "value": False}),
    Case("fill", {"columns": ["born"], "value": "2000-01-02"}),
    Case("impute", {"columns": NUMBERS, "strategy": "knn", "neighbors": 2}, new="new_people"),
    Case("impute", {"columns": NUMBERS, "strategy": "iterative"}, new="new_people"),
    Case("missing_indicator", {"columns": ["age", "job", "seen"]}, new="new_people"),
    Case("drop_missing", {}),
    Case("drop_missing", {"columns": ["age", "job"], "how": "all"}),
    Case("disguised_to_null", {"columns": ["job"], "values": ["chef", "?"]}),
    Case("disguised_to_null", {"columns": ["age", "job"], "values": [53, "clerk"], "empty": False}),
    Case("fill_direction", {"columns": ["age", "job"]}),
    Case("fill_direction", {"columns": ["age", "job"], "direction": "backward", "order_by": "income"}),
    Case("fill_direction", {"columns": ["age"], "group_by": ["is_member"]}),
    Case("interpolate", {"columns": NUMBERS}),
    Case("interpolate", {"columns": ["age"], "order_by": "id", "group_by": ["is_member"]}),
    Case("interpolate", {"columns": ["income"], "order_by": "born"}),
    *(
        Case(
            "outliers",
            {"columns": NUMBERS, "method": method, "action": action, "deviations": 1.0, **limits},
            new="new_people",
        )
        for method, limits in [("standard", {}), ("robust", {}), ("quantile", {}), ("min_max", {"minimum": 30})]
        for action in ("clip", "remove", "null")
    ),
    Case("replace_rare", {"columns": ["job"], "minimum_count": 2}, new="new_people"),
    Case("standardize", {"columns": NUMBERS}, new="new_people"),
    Case("min_max_scale", {"columns": NUMBERS}, new="new_people"),
    Case("robust_scale", {"columns": NUMBERS}, new="new_people"),
    Case("max_abs_scale", {"columns": NUMBERS}, new="new_people"),
    Case("log", {"columns": NUMBERS}, new="new_people"),
    Case("log", {"columns": ["income"], "offset": 1.0}),
    Case("box_cox", {"columns": NUMBERS}, new="new_people"),
    Case("yeo_johnson", {"columns": NUMBERS}, new="new_people"),
    Case("quantile_bins", {"columns": NUMBERS, "bins": 3}, new="new_people"),
    Case("pca", {"columns": ["id", "age", "income"], "components": 2}, new="new_people"),
    Case("pca", {"columns": ["id", "age"], "variance": 0.5, "scale": True, "keep_original": True}),
    Case("one_hot", {"columns": ["job", "is_member"], "drop_last": True, "keep_original": True}, new="new_people"),
    Case("ordinal", {"columns": ["job", "age"]}, new="new_people"),
    Case("ordinal", {"columns": ["job"], "categories": ["clerk", "🎸"], "unknown": "minus_one"}, new="new_people"),
    Case("frequency", {"columns": ["job", "is_member"]}, new="new_people"),
    Case("frequency", {"columns": ["job"], "measure": "count"}, new="new_people"),
    Case("target_encode", {"columns": ["job", "is_member"], "target": "income", "folds": 3}, new="new_people"),
    Case("target_encode", {"columns": ["job"], "target": "is_member", "smoothing": 2.0}, new="new_people"),
    Case("hashing_encode", {"columns": ["job"], "components": 4}, new="new_people"),
    Case("similarity_encode", {"columns": ["job"], "components": 3}, new="new_people"),
    Case("balance", {"target": "is_member", "method": "over"}),
    Case("balance", {"target": "is_member", "method": "under"}),
]
