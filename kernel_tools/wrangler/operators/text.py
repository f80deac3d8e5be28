"""Operators that turn text into numbers: what it is made of, and which words it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from kernel_tools.wrangler.operators.base import Operator, State, pick_column, pick_columns, with_columns

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd


class CharacterStatistics(Operator):
    """Add six columns about the characters of a text.

    The number of words (separated by ASCII white space) and of characters, and the shares of large letters, small
    letters, digits and other characters that are no white space. Empty text has 0 everywhere.
    """

    op = "character_statistics"
    title = "Character statistics"
    family = "text"

    columns: list[str] = pick_columns("string", description="The columns.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"Count the characters of {', '.join(self.columns)}"

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Count what is left when all else is removed."""
        import ibis

        table, new = tables[0], {}
        for name in self.columns:
            text = table[name]
            length = text.length().cast("int64")
            words = text.re_replace(r"^\s+|\s+$", "").re_replace(r"\s+", " ")
            spaces = words.re_replace(r"[^ ]", "").length()
            new[f"{name}_words"] = ibis.ifelse(words.length() == 0, 0, spaces + 1).cast("int64")
            new[f"{name}_characters"] = length
            for what, others in _OTHERS.items():
                count = text.re_replace(others, "").length()
                new[f"{name}_{what}"] = ibis.ifelse(length == 0, 0.0, count / length)
        return with_columns(table, new)


_OTHERS = {
    "upper_share": r"[^\p{Lu}]",
    "lower_share": r"[^\p{Ll}]",
    "digit_share": r"[^\p{Nd}]",
    "special_share": r"[\p{L}\p{Nd}\s]",
}


class VectorizeText(Operator):
    """Turn a text into a column for each of its most frequent words: counts, or TF-IDF [1]_.

    Words are runs of letters, digits and underscores, in lower case; they are learned once. ``hashing`` learns none: it
    counts the words in `features` columns chosen by a hash. Missing text has no words.

    References
    ----------
    .. [1] G. Salton, C. Buckley: Term-weighting approaches in automatic text retrieval. Information Processing &
       Management 24 (1988); scikit-learn: `sklearn.feature_extraction.text`.
    """

    op = "vectorize_text"
    title = "Vectorize text"
    family = "text"
    learns = True

    column: str = pick_column("string", description="The column.")
    method: Literal["count", "tfidf", "hashing"] = Field("tfidf", description="What the new columns hold.")
    features: int = Field(100, ge=1, le=5_000, description="The most words, by frequency; or the columns of hashing.")
    min_documents: int = Field(1, ge=1, description="Rows that a word is in at least.")
    max_share: float = Field(0.999, gt=0, le=1, description="Share of the rows that a word is in at most.")
    binary: bool = Field(False, description="Whether a word counts once however often it comes.")
    keep_original: bool = Field(False, description="Keep the column itself too.")

    @property
    def is_eager(self) -> bool:
        """scikit-learn splits the words."""
        return True

    def sentence(self) -> str:
        """Name the column."""
        return f"Turn {self.column} into {self.method} of words"

    def learn_frame(self, *frames: pd.DataFrame) -> State:
        """Return the words with their weights (inverse document frequencies)."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        if self.method == "hashing":
            return {}
        vectorizer = TfidfVectorizer(
            max_features=self.features, min_df=self.min_documents, max_df=self.max_share, token_pattern=_WORD
        )
        try:
            vectorizer.fit(_texts(frames[0][self.column]))
        except ValueError:  # no word is left
            return {"words": [], "weights": []}
        return {"words": vectorizer.get_feature_names_out().tolist(), "weights": vectorizer.idf_.tolist()}

    def apply(self, *frames: pd.DataFrame, state: State) -> pd.DataFrame:
        """Count the words."""
        import numpy as np
        import pandas as pd

        frame = frames[0]
        names, matrix = self._matrix(_texts(frame[self.column]), state)
        new = pd.DataFrame(np.asarray(matrix, dtype=float), columns=names, index=frame.index)
        joined = pd.concat([frame, new], axis=1)
        return joined if self.keep_original else joined.drop(columns=[self.column])

    def _matrix(self, texts: list[str], state: State) -> tuple[list[str], Any]:
        import numpy as np
        from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
        from sklearn.preprocessing import normalize

        if self.method == "hashing":
            vectorizer = HashingVectorizer(
                n_features=self.features, alternate_sign=False, norm=None, binary=self.binary, token_pattern=_WORD
            )
            names = [f"{self.column}_hash{i}" for i in range(self.features)]
            return names, vectorizer.transform(texts).toarray()
        words = state["words"]
        names = [f"{self.column}_{word}" for word in words]
        if not words:
            return names, np.zeros((len(texts), 0))
        counts = CountVectorizer(vocabulary=words, binary=self.binary, token_pattern=_WORD).transform(texts)
        if self.method == "count":
            return names, counts.toarray()
        return names, normalize(counts.multiply(np.array(state["weights"])).tocsr()).toarray()

    def code(self, *variables: str, state: State) -> list[str]:
        """Use scikit-learn's vectorizer with the words that were learned."""
        frame, column = variables[0], self.column
        kind = "HashingVectorizer" if self.method == "hashing" else "CountVectorizer"
        options = (
            f"n_features={self.features}, alternate_sign=False, norm=None"
            if self.method == "hashing"
            else f"vocabulary={state.get('words', [])!r}"
        )
        words = state.get("words", [])
        names = [f"{column}_{word}" for word in words] or [f"{column}_hash{i}" for i in range(self.features)]
        if self.method != "hashing" and not words:
            return [] if self.keep_original else [f"{frame} = {frame}.drop(columns=[{column!r}])"]
        weighted = [
            "from sklearn.preprocessing import normalize",
            f"words = normalize(words * {state.get('weights')!r})",
        ]
        return [
            f"from sklearn.feature_extraction.text import {kind}",
            f"vectorizer = {kind}({options}, binary={self.binary}, token_pattern={_WORD!r})",
            f'words = vectorizer.transform({frame}[{column!r}].fillna("").astype(object)).toarray().astype(float)',
            *(weighted if self.method == "tfidf" else []),
            f"words = pd.DataFrame(words, columns={names!r}, index={frame}.index)",
            f"{frame} = pd.concat([{frame}, words], axis=1)",
            *([] if self.keep_original else [f"{frame} = {frame}.drop(columns=[{column!r}])"]),
        ]


_WORD = r"(?u)\b\w+\b"


def _texts(column: pd.Series) -> list[str]:
    return [text if isinstance(text, str) else "" for text in column.to_numpy(dtype=object, na_value=None)]
