"""Operators that turn text of many different values into a few columns of numbers, alike for text that is alike."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from kernel_tools.core.errors import MissingExtraError
from kernel_tools.wrangler.operators.base import Operator, State, hinted, pick_columns
from kernel_tools.wrangler.operators.naming import require_new_names

if TYPE_CHECKING:
    import ibis
    import numpy as np
    import pandas as pd

VOCABULARY = 10_000
"""How many different pieces of text the method tfidf remembers at most: the most frequent ones."""


class HashingEncode(Operator):
    """Replace columns of text by a fixed number of columns, into which the hashes of their values are added up [1]_.

    Learns nothing: a value that was never seen has its place too, and different values may share one. A missing value
    adds nothing. As scikit-learn's FeatureHasher does with ``column=value``.

    References
    ----------
    .. [1] K. Weinberger et al.: Feature hashing for large scale multitask learning. ICML 2009.
    """

    op = "hashing_encode"
    title = "Hash categories"
    family = "categories"

    columns: list[str] = pick_columns("string", description="The columns to encode.")
    features: int = Field(16, ge=1, le=4096, description="How many new columns.")
    prefix: str = Field("hash_", min_length=1, description="What the names of the new columns begin with.")
    keep_original: bool = Field(False, description="Keep the columns too.")

    @property
    def is_eager(self) -> bool:
        """Hashes are not the same on every engine."""
        return True

    def sentence(self) -> str:
        """Name the columns."""
        return f"Hash {', '.join(self.columns)} into {self.features} columns"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse names that are taken."""
        super().check(*schemas)
        gone = () if self.keep_original else self.columns
        require_new_names(schemas[0], self._names, field="prefix", replaced=gone)

    @property
    def _names(self) -> list[str]:
        return [f"{self.prefix}{place}" for place in range(self.features)]

    def apply(self, *frames: pd.DataFrame, state: State) -> pd.DataFrame:
        """Hash each different value once."""
        import numpy as np
        import pandas as pd
        from sklearn.feature_extraction import FeatureHasher

        frame, columns = frames[0], list(dict.fromkeys(self.columns))
        hasher = FeatureHasher(n_features=self.features, input_type="string", dtype=np.int64)
        total = np.zeros((len(frame), self.features), dtype=np.int64)
        for name in columns:

            def encode(values: list[str], name: str = name) -> Any:
                return hasher.transform([[f"{name}={value}"] for value in values]).toarray()

            total += _by_value(frame[name], encode, self.features).astype(np.int64)
        new = pd.DataFrame(total, columns=self._names, index=frame.index).astype("int64[pyarrow]")
        return pd.concat([frame if self.keep_original else frame.drop(columns=columns), new], axis=1)

    def code(self, *variables: str, state: State) -> list[str]:
        """Use scikit-learn's FeatureHasher."""
        frame, columns = variables[0], list(dict.fromkeys(self.columns))
        kept = "" if self.keep_original else f".drop(columns={columns!r})"
        return [
            "import numpy as np",
            "import pandas as pd",
            "from sklearn.feature_extraction import FeatureHasher",
            f"hasher = FeatureHasher(n_features={self.features}, input_type='string', dtype=np.int64)",
            f"words = [[f'{{name}}={{value}}' for name, value in zip({columns!r}, row) if pd.notna(value)]",
            f"         for row in {frame}[{columns!r}].itertuples(index=False)]",
            f"hashed = pd.DataFrame(hasher.transform(words).toarray(), index={frame}.index)",
            f"{frame} = {frame}{kept}.join(hashed.add_prefix({self.prefix!r}))",
        ]


class SimilarityEncode(Operator):
    """Replace columns of text by numbers that are alike where the text is: for dirty categories and short text.

    min_hash takes the smallest hashes of the pieces of three characters [1]_ and learns nothing. tfidf weighs pieces of
    three and four characters, and keeps the directions of the greatest variation; it remembers the 10,000 most frequent
    pieces. Both are skrub's MinHashEncoder and StringEncoder. A missing value is like empty text.

    References
    ----------
    .. [1] P. Cerda, G. Varoquaux: Encoding high-cardinality string categorical variables. IEEE TKDE 34 (2022).
    """

    op = "similarity_encode"
    title = "Encode by similarity"
    family = "categories"
    learns = True

    columns: list[str] = pick_columns("string", description="The columns to encode.")
    method: Literal["min_hash", "tfidf"] = Field("min_hash", description="Smallest hashes, or weighted pieces.")
    components: int = Field(30, ge=1, le=300, description="How many new columns for each column at most.")
    keep_original: bool = Field(False, description="Keep the columns too.")
    seed: int = hinted("seed", default=0, ge=0, lt=2**31, description="For tfidf: of the search for directions.")

    @property
    def is_eager(self) -> bool:
        """It is computed by skrub."""
        return True

    def sentence(self) -> str:
        """Name the columns."""
        return f"Encode {', '.join(self.columns)} by similarity ({self.method}, {self.components} columns each)"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse names that are taken."""
        super().check(*schemas)
        columns = list(dict.fromkeys(self.columns))
        new = [f"{name}_{place}" for name in columns for place in range(self.components)]
        require_new_names(schemas[0], new, field="components", replaced=() if self.keep_original else columns)

    def learn_frame(self, *frames: pd.DataFrame) -> State:
        """Return for tfidf what scikit-learn has learned of each column, as skops keeps it."""
        if self.method == "min_hash":
            return {}
        return {"columns": {name: _learn_tfidf(frames[0][name], self.components, self.seed) for name in self.columns}}

    def apply(self, *frames: pd.DataFrame, state: State) -> pd.DataFrame:
        """Encode each different value once."""
        import pandas as pd

        frame, parts = frames[0], []
        columns = list(dict.fromkeys(self.columns))
        for name in columns:
            if self.method == "min_hash":
                found = _by_value(frame[name], self._min_hash, self.components)
            else:
                learned = state["columns"][name]
                found = _by_value(frame[name], _tfidf(learned), learned["components"])
            names = [f"{name}_{place}" for place in range(found.shape[1])]
            parts.append(pd.DataFrame(found, columns=names, index=frame.index).astype("float64[pyarrow]"))
        return pd.concat([frame if self.keep_original else frame.drop(columns=columns), *parts], axis=1)

    def _min_hash(self, values: list[str]) -> np.ndarray:
        import pandas as pd

        with _skrub() as skrub:
            encoder = skrub.MinHashEncoder(n_components=self.components, ngram_range=(3, 3))
            found: np.ndarray = encoder.fit_transform(pd.Series(values, name="value", dtype="str")).to_numpy()
        return found

    def code(self, *variables: str, state: State) -> list[str]:
        """Use skrub, or for tfidf the operator with what it has learned."""
        frame, columns = variables[0], list(dict.fromkeys(self.columns))
        if self.method == "tfidf":
            return [
                "from kernel_tools.wrangler.operators import make_operator",
                f"{frame} = make_operator({self.op!r}, {self.model_dump(exclude_defaults=True)!r}).apply(",
                f"    {frame}, state={state!r})",
            ]
        lines = ["import pandas as pd", "from skrub import MinHashEncoder"]
        for name in columns:
            encoder = f"MinHashEncoder(n_components={self.components}, ngram_range=(3, 3))"
            kept = "" if self.keep_original else f".drop(columns={name!r})"
            lines += [
                f"encoded = {encoder}.fit_transform({frame}[{name!r}].fillna(''))",
                f"encoded.columns = [f'{name}_{{place}}' for place in range({self.components})]",
                f"{frame} = {frame}{kept}.join(encoded)",
            ]
        return lines


def _by_value(column: pd.Series, encode: Callable[[list[str]], Any], width: int) -> np.ndarray:
    """Return an array of shape (rows, width): what `encode` gives for each value, 0 for a missing one."""
    import numpy as np

    codes, values = column.factorize(use_na_sentinel=True)
    found = np.zeros((len(values) + 1, width))
    if len(values):
        found[:-1] = encode([str(value) for value in values])
    rows: np.ndarray = found[codes]  # the code of a missing value is -1: the last row
    return rows


def _learn_tfidf(column: pd.Series, components: int, seed: int) -> dict[str, Any]:
    import pandas as pd
    import skops.io as sio
    from sklearn.feature_extraction.text import CountVectorizer

    text = pd.Series(column.fillna("").to_list(), name="value", dtype="str")
    try:
        counter = CountVectorizer(analyzer="char_wb", ngram_range=(3, 4), max_features=VOCABULARY).fit(text)
    except ValueError:  # no text at all
        return {"components": 0, "scale": 1.0, "encoder": b""}
    with _skrub() as skrub:
        encoder = skrub.StringEncoder(
            n_components=components, vocabulary=sorted(counter.vocabulary_), random_state=seed
        ).fit(text)
    parts = {"vectorizer": encoder.vectorizer_, "directions": getattr(encoder, "tsvd_", None)}
    return {
        "components": int(encoder.n_components_),
        "scale": float(encoder.scaling_factor_),
        "encoder": sio.dumps(parts),
    }


def _tfidf(learned: dict[str, Any]) -> Callable[[list[str]], Any]:
    import skops.io as sio

    def encode(values: list[str]) -> Any:
        if not learned["components"]:
            return 0.0
        parts = sio.loads(learned["encoder"], trusted=[])
        pieces = parts["vectorizer"].transform(values).astype("float32")
        directions = parts["directions"]
        kept = pieces[:, : learned["components"]].toarray() if directions is None else directions.transform(pieces)
        return kept / learned["scale"]

    return encode


class _skrub:
    """The library, without its warnings about tables of few rows."""

    def __enter__(self) -> Any:
        try:
            import skrub
        except ImportError as error:
            raise MissingExtraError("skrub", "wrangler") from error
        self._quiet = warnings.catch_warnings()
        self._quiet.__enter__()
        warnings.simplefilter("ignore")
        return skrub

    def __exit__(self, *details: Any) -> None:
        self._quiet.__exit__(*details)
