"""Cases of filling from neighbours, of components, target encoding, similarity and balance."""

from __future__ import annotations

from tests.wrangler.cases import Case

NUMBERS = ["age", "income"]

CASES = [
    Case("fill_direction", {"columns": ["age", "job"]}),
    Case("fill_direction", {"columns": ["age", "job"], "direction": "backward", "order_by": "income"}),
    Case("fill_direction", {"columns": ["age"], "group_by": ["is_member"]}),
    Case("interpolate", {"columns": NUMBERS}),
    Case("interpolate", {"columns": ["age"], "order_by": "id", "group_by": ["is_member"]}),
    Case("interpolate", {"columns": ["income"], "order_by": "born"}),
    Case("pca", {"columns": ["id", "age", "income"], "components": 2}, new="new_people"),
    Case("pca", {"columns": ["id", "age"], "variance": 0.5, "scale": True, "keep_original": True}),
    Case("target_encode", {"columns": ["job", "is_member"], "target": "income", "folds": 3}, new="new_people"),
    Case("target_encode", {"columns": ["job"], "target": "is_member", "smoothing": 2.0}, new="new_people"),
    Case("hashing_encode", {"columns": ["job"], "components": 4}, new="new_people"),
    Case("similarity_encode", {"columns": ["job"], "components": 3}, new="new_people"),
    Case("balance", {"target": "is_member", "method": "over"}),
    Case("balance", {"target": "is_member", "method": "under"}),
]
