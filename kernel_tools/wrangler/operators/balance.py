"""The operator that balances the classes of a target, for training rows only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from kernel_tools.core.errors import MissingExtraError
from kernel_tools.wrangler.kinds import kind_of
from kernel_tools.wrangler.operators.base import Operator, State, StepError, hinted, pick_column

if TYPE_CHECKING:
    import ibis
    import numpy as np
    import pandas as pd

CLASSES = 100
"""A target of more values is no class."""


class Balance(Operator):
    """Bring the classes of a target nearer to equal numbers of rows; new rows are never balanced.

    over repeats rows by chance. under drops rows by chance. smote makes new rows between near ones of a class: numbers
    in a straight line, whole ones rounded, all other values as most of the near rows have them [1]_. A class gets, or
    keeps, rows until the smaller is `ratio` of the larger. New rows come last; rows without a target stay.

    References
    ----------
    .. [1] N. V. Chawla et al.: SMOTE: Synthetic minority over-sampling technique. Journal of Artificial Intelligence
       Research 16 (2002).
    """

    op = "balance"
    title = "Balance classes"
    family = "balance"
    row_effect = "other"
    applies_to_new = False

    target: str = pick_column("string", "boolean", "number", description="The column of the classes.")
    method: Literal["over", "under", "smote"] = Field("over", description="How rows are made or dropped.")
    ratio: float = Field(1.0, gt=0, le=1, description="Rows of a smaller class for one of the largest.")
    neighbors: int = Field(5, ge=1, le=100, description="For smote: between how many near rows.")
    seed: int = hinted("seed", default=0, ge=0, lt=2**31, description="Another seed takes other rows.")

    @property
    def is_eager(self) -> bool:
        """It is computed by imbalanced-learn."""
        return True

    def sentence(self) -> str:
        """Say how."""
        how = {"over": "repeating rows", "under": "dropping rows", "smote": "making rows (SMOTE)"}[self.method]
        return f"Balance {self.target} to {self.ratio:g} by {how}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse SMOTE on columns that have no values between or in common."""
        super().check(*schemas)
        if self.method != "smote":
            return
        if len(schemas[0]) < 2:
            raise StepError("SMOTE needs columns besides the target.", field="method")
        for name, dtype in schemas[0].items():
            if kind_of(dtype) in ("list", "struct", "binary", "other"):
                raise StepError(
                    f"SMOTE cannot make values of {name!r} (lists, structures, bytes). Drop the column, or use 'over'.",
                    field="method",
                )

    def apply(self, *frames: pd.DataFrame, state: State) -> pd.DataFrame:
        """Return the balanced rows."""
        import numpy as np
        import pandas as pd

        frame = frames[0].reset_index(drop=True)
        codes, values = frame[self.target].factorize(use_na_sentinel=True)
        if len(values) > CLASSES:
            raise StepError(
                f"The target {self.target!r} has {len(values)} values. Choose a column of at most {CLASSES} classes.",
                field="target",
            )
        rows = np.flatnonzero(codes >= 0)
        wanted = self._wanted(np.bincount(codes[rows], minlength=len(values)))
        if not wanted:
            return frame
        if self.method == "smote":
            return pd.concat([frame, self._made(frame, rows, codes[rows], wanted, values)], ignore_index=True)
        chosen = rows[self._sampled(codes[rows], wanted)]
        if self.method == "under":
            return frame.take(np.sort(np.concatenate([chosen, np.flatnonzero(codes < 0)]))).reset_index(drop=True)
        return frame.take(np.concatenate([np.arange(len(frame)), chosen[len(rows) :]])).reset_index(drop=True)

    def _wanted(self, counts: np.ndarray) -> dict[int, int]:
        """Return the number of rows of each class that changes."""
        if len(counts) < 2:
            return {}
        if self.method == "under":
            most = int(counts.min() / self.ratio)
            return {code: most for code, count in enumerate(counts.tolist()) if count > most}
        least = round(int(counts.max()) * self.ratio)
        return {code: least for code, count in enumerate(counts.tolist()) if count < least}

    def _sampled(self, classes: np.ndarray, wanted: dict[int, int]) -> np.ndarray:
        """Return places of rows, those that are repeated after all others."""
        import numpy as np

        sampling = _imblearn("under_sampling" if self.method == "under" else "over_sampling")
        kind = sampling.RandomUnderSampler if self.method == "under" else sampling.RandomOverSampler
        sampler = kind(sampling_strategy=wanted, random_state=self.seed)
        sampler.fit_resample(np.arange(len(classes))[:, None], classes)
        found: np.ndarray = sampler.sample_indices_
        return found

    def _made(
        self, frame: pd.DataFrame, rows: np.ndarray, classes: np.ndarray, wanted: dict[int, int], values: Any
    ) -> pd.DataFrame:
        """Return new rows."""
        import numpy as np
        import pandas as pd

        smallest = min(int((classes == code).sum()) for code in wanted)
        if smallest < 2:
            raise StepError("A class has one row only, and SMOTE needs two. Use the method 'over'.", field="method")
        names = [name for name in frame.columns if name != self.target]
        is_number = [
            pd.api.types.is_numeric_dtype(frame[name].dtype) and not _is_boolean(frame[name]) for name in names
        ]
        numbers = [name for name, yes in zip(names, is_number, strict=True) if yes]
        nominal = {
            name: frame[name].factorize(use_na_sentinel=False)
            for name, yes in zip(names, is_number, strict=True)
            if not yes
        }
        for name in numbers:
            if frame[name].isna().any():
                raise StepError(f"The column {name!r} has missing values. Fill them first.", field="method")
        table = np.column_stack(
            [frame[name].astype("float64").to_numpy() for name in numbers] + [codes for codes, _ in nominal.values()]
        )[rows]
        sampler = self._smote(wanted, min(self.neighbors, smallest - 1), len(numbers), len(nominal))
        made, made_classes = sampler.fit_resample(table.astype("int64") if not numbers else table, classes)
        made, made_classes = made[len(rows) :], made_classes[len(rows) :]
        kept: Any = values
        new: dict[str, Any] = {self.target: kept.take(made_classes)}
        for place, name in enumerate(numbers):
            is_whole = pd.api.types.is_integer_dtype(frame[name].dtype)
            new[name] = np.rint(made[:, place]).astype("int64") if is_whole else made[:, place]
        for place, (name, (_, words)) in enumerate(nominal.items(), len(numbers)):
            new[name] = words.take(made[:, place].astype("int64"))
        return pd.DataFrame({name: pd.Series(new[name], dtype=frame[name].dtype) for name in frame.columns})

    def _smote(self, wanted: dict[int, int], neighbors: int, numbers: int, nominal: int) -> Any:
        sampling = _imblearn("over_sampling")
        options = {"sampling_strategy": wanted, "k_neighbors": neighbors, "random_state": self.seed}
        if not nominal:
            return sampling.SMOTE(**options)
        if not numbers:
            return sampling.SMOTEN(**options)
        return sampling.SMOTENC(categorical_features=list(range(numbers, numbers + nominal)), **options)

    def code(self, *variables: str, state: State) -> list[str]:
        """Use the operator itself."""
        return [
            "from kernel_tools.wrangler.operators import make_operator",
            f"{variables[0]} = make_operator({self.op!r}, {self.model_dump(exclude_defaults=True)!r}).apply(",
            f"    {variables[0]}, state={{}})",
        ]


def _is_boolean(column: pd.Series) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_bool_dtype(column.dtype))


def _imblearn(module: str) -> Any:
    import importlib

    try:
        return importlib.import_module(f"imblearn.{module}")
    except ImportError as error:
        raise MissingExtraError("imbalanced-learn", "wrangler") from error
