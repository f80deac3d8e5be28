"""The operator that balances the classes of training rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from kernel_tools.core.errors import MissingExtraError
from kernel_tools.wrangler.operators.base import Operator, State, StepError, pick_column
from kernel_tools.wrangler.operators.chance import seed_field

if TYPE_CHECKING:
    import pandas as pd


class Balance(Operator):
    """Bring the classes of a target to the same number of training rows; new rows are never touched.

    ``over`` repeats rows of the smaller classes, ``under`` leaves out rows of the larger ones, both by chance;
    ``smote`` makes new rows between neighbours of a class [1]_: numbers lie between those of two rows, other columns
    are taken from the neighbours. It needs rows without missing numbers.

    References
    ----------
    .. [1] N. V. Chawla et al.: SMOTE: synthetic minority over-sampling technique. JAIR 16 (2002); imbalanced-learn:
       `SMOTE`, `SMOTENC`.
    """

    op = "balance"
    title = "Balance classes"
    family = "balance"
    row_effect = "other"
    applies_to_new = False

    target: str = pick_column("string", "boolean", "number", description="The classes.")
    method: Literal["over", "under", "smote"] = Field("over", description="How.")
    neighbors: int = Field(5, ge=1, le=50, description="Neighbours that smote looks at.")
    seed: int = seed_field()

    @property
    def is_eager(self) -> bool:
        """imbalanced-learn works on frames."""
        return True

    def sentence(self) -> str:
        """Name the target."""
        how = {"over": "repeating rows", "under": "leaving out rows", "smote": "making rows"}[self.method]
        return f"Balance the classes of {self.target} by {how}"

    def apply(self, *frames: pd.DataFrame, state: State) -> pd.DataFrame:
        """Resample."""
        import numpy as np
        import pandas as pd

        frame = frames[0].reset_index(drop=True)
        frame = frame[frame[self.target].notna()].reset_index(drop=True)
        counts = frame[self.target].value_counts()
        if len(counts) < 2:
            return frame
        if self.method == "smote":
            return self._smote(frame, counts)
        rng = np.random.default_rng(self.seed)
        wanted = int(counts.max() if self.method == "over" else counts.min())
        places = []
        for value in sorted(counts.index, key=str):
            rows = np.flatnonzero((frame[self.target] == value).to_numpy(dtype=bool, na_value=False))
            if self.method == "over":
                places.append(np.concatenate([rows, rng.choice(rows, wanted - len(rows))]))
            else:
                places.append(np.sort(rng.choice(rows, wanted, replace=False)))
        return frame.take(np.sort(pd.Index(np.concatenate(places)).to_numpy())).reset_index(drop=True)

    def _smote(self, frame: pd.DataFrame, counts: pd.Series) -> pd.DataFrame:
        try:
            from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC
        except ImportError as error:
            raise MissingExtraError("imbalanced-learn", "wrangler") from error
        import pandas as pd

        if counts.min() <= self.neighbors:
            raise StepError(
                f"The smallest class of {self.target!r} has {counts.min()} rows, smote with {self.neighbors} neighbors "
                f"needs {self.neighbors + 1}. Take fewer neighbors, or the method 'over'.",
                field="neighbors",
            )
        features = frame.drop(columns=[self.target])
        is_number = [
            pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype) for dtype in features.dtypes
        ]
        numbers = features.columns[is_number]
        missing = [name for name in numbers if features[name].isna().any()]
        if missing:
            raise StepError(
                f"smote cannot work with missing numbers: {', '.join(missing)}. Impute them first.", field="method"
            )
        plain = pd.DataFrame(
            {
                name: features[name].to_numpy(dtype="float64")
                if number
                else features[name].astype("string").fillna("\0").to_numpy(dtype=object)
                for name, number in zip(features.columns, is_number, strict=True)
            }
        )
        if all(is_number):
            sampler = SMOTE(k_neighbors=self.neighbors, random_state=self.seed)
        elif any(is_number):
            nominal = [not number for number in is_number]
            sampler = SMOTENC(nominal, k_neighbors=self.neighbors, random_state=self.seed)
        else:
            sampler = SMOTEN(k_neighbors=self.neighbors, random_state=self.seed)
        classes = frame[self.target].astype("string").to_numpy(dtype=object)
        rows, labels = sampler.fit_resample(plain, classes)
        made = rows.iloc[len(frame) :].reset_index(drop=True)
        made[self.target] = labels[len(frame) :]
        new = pd.DataFrame({name: _typed(made[name], frame[name].dtype) for name in frame.columns})
        return pd.concat([frame, new], ignore_index=True)

    def code(self, *variables: str, state: State) -> list[str]:
        """Sample within the classes."""
        frame, seed = variables[0], self.seed
        if self.method == "smote":
            return [
                "from imblearn.over_sampling import SMOTENC",
                f"features = {frame}.drop(columns=[{self.target!r}])",
                "nominal = [not pd.api.types.is_numeric_dtype(dtype) for dtype in features.dtypes]",
                f"sampler = SMOTENC(nominal, k_neighbors={self.neighbors}, random_state={seed})",
                f"rows, labels = sampler.fit_resample(features, {frame}[{self.target!r}])",
                f"{frame} = rows.assign(**{{{self.target!r}: labels}})",
            ]
        bound, more = ("max", "replace=True, ") if self.method == "over" else ("min", "")
        return [
            f"wanted = {frame}[{self.target!r}].value_counts().{bound}()",
            f"{frame} = {frame}.groupby({self.target!r}).sample(wanted, {more}random_state={seed})",
        ]


def _typed(column: pd.Series, dtype: object) -> pd.Series:
    """Return made values as those of the column that they are for; whole numbers are rounded."""
    import pandas as pd

    if pd.api.types.is_integer_dtype(dtype):
        return column.astype("float64").round().astype(dtype)
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype):
        return column.astype(dtype)
    texts = column.astype("string").replace("\0", pd.NA)
    if pd.api.types.is_bool_dtype(dtype):
        return texts.map({"True": True, "true": True, "False": False, "false": False}).astype(dtype)
    return texts.astype(dtype)
