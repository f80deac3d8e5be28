"""Encodings of text with many different values: by hashes of words, and by the similarity of spellings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel_tools.core.errors import MissingExtraError
from kernel_tools.wrangler.operators.base import Operator, State, pick_columns

if TYPE_CHECKING:
    import pandas as pd


class TextEncoder(Operator):
    """Base of the encodings that a library computes; they learn nothing, so that new values are as good as old ones."""

    family = "categories"

    columns: list[str] = pick_columns("string", description="The columns to encode.")
    components: int = Field(30, ge=1, le=500, description="How many new columns each gives.")
    keep_original: bool = Field(False, description="Keep the column itself too.")

    @property
    def is_eager(self) -> bool:
        """The library works on frames."""
        return True

    def _with(self, frame: pd.DataFrame, new: dict[str, object]) -> pd.DataFrame:
        encoded = frame.assign(**new)
        return encoded if self.keep_original else encoded.drop(columns=list(self.columns))


class HashingEncode(TextEncoder):
    """Count the words of a text in a fixed number of columns, chosen by a hash [1]_. Missing text has no words.

    References
    ----------
    .. [1] K. Weinberger et al.: Feature hashing for large scale multitask learning. ICML (2009); scikit-learn:
       `sklearn.feature_extraction.text.HashingVectorizer`, without signs and norm.
    """

    op = "hashing_encode"
    title = "Hashing encode"

    def sentence(self) -> str:
        """Name the columns."""
        return f"Hash the words of {', '.join(self.columns)} into {self.components} columns"

    def apply(self, *frames: pd.DataFrame, state: State) -> pd.DataFrame:
        """Count."""
        from sklearn.feature_extraction.text import HashingVectorizer

        frame, new = frames[0], {}
        vectorizer = HashingVectorizer(n_features=self.components, alternate_sign=False, norm=None)
        for name in self.columns:
            counts = vectorizer.transform(frame[name].fillna("").astype(object)).toarray()
            new.update({f"{name}_hash{i}": counts[:, i] for i in range(self.components)})
        return self._with(frame, new)

    def code(self, *variables: str, state: State) -> list[str]:
        """Use scikit-learn's vectorizer."""
        frame = variables[0]
        return [
            "from sklearn.feature_extraction.text import HashingVectorizer",
            f"vectorizer = HashingVectorizer(n_features={self.components}, alternate_sign=False, norm=None)",
            f"for name in {self.columns!r}:",
            f'    counts = vectorizer.transform({frame}[name].fillna("").astype(object)).toarray()',
            f'    {frame} = {frame}.assign(**{{f"{{name}}_hash{{i}}": counts[:, i] '
            f"for i in range({self.components})}})",
            *([] if self.keep_original else [f"{frame} = {frame}.drop(columns={self.columns!r})"]),
        ]


class SimilarityEncode(TextEncoder):
    """Describe text by its groups of letters, so that similar spellings get similar numbers (min-hash [1]_).

    References
    ----------
    .. [1] P. Cerda, G. Varoquaux: Encoding high-cardinality string categorical variables. IEEE TKDE (2020); skrub:
       `skrub.MinHashEncoder`.
    """

    op = "similarity_encode"
    title = "Similarity encode"

    def sentence(self) -> str:
        """Name the columns."""
        return f"Describe the spelling of {', '.join(self.columns)} by {self.components} numbers"

    def apply(self, *frames: pd.DataFrame, state: State) -> pd.DataFrame:
        """Hash the groups of letters."""
        try:
            from skrub import MinHashEncoder
        except ImportError as error:
            raise MissingExtraError("skrub", "wrangler") from error
        import pandas as pd

        frame, new = frames[0], {}
        for name in self.columns:
            texts = pd.Series(frame[name].fillna("").to_numpy(dtype=object), dtype="str", name=name)
            found = MinHashEncoder(n_components=self.components).fit_transform(texts)
            new.update({f"{name}_{i}": found.iloc[:, i].to_numpy() for i in range(self.components)})
        return self._with(frame, new)

    def code(self, *variables: str, state: State) -> list[str]:
        """Use skrub's encoder."""
        frame = variables[0]
        return [
            "from skrub import MinHashEncoder",
            f"for name in {self.columns!r}:",
            f'    texts = pd.Series({frame}[name].fillna("").to_numpy(dtype=object), dtype="str", name=name)',
            f"    found = MinHashEncoder(n_components={self.components}).fit_transform(texts)",
            f'    {frame} = {frame}.assign(**{{f"{{name}}_{{i}}": found.iloc[:, i].to_numpy() '
            f"for i in range({self.components})}})",
            *([] if self.keep_original else [f"{frame} = {frame}.drop(columns={self.columns!r})"]),
        ]
