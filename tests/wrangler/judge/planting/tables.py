"""The real tables that defects are planted in, and what is known to be wrong with them: written before the checks ran.

Thresholds were chosen on samples of these tables with the seed 0; the campaign takes seeds from 100 on.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

FOLDERS = [Path(os.environ.get("ATELIER_DATA", "")) / "tabular", Path(__file__).parents[4] / "notebooks" / "data"]
"""Where the tables are: a folder of the environment, or the data of the notebooks (Adult only)."""

ROWS = 4_000


@dataclass(frozen=True)
class Base:
    """A real table.

    `known` holds what a person who knows the table would call wrong with it, for the checks that judge; what the other
    checks count is told by `oracle`. It `is_separable` if XGBoost gets nine of ten classes right: only there can wrong
    labels be told from rare cases.
    """

    name: str
    file: str
    target: str
    known: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    is_mostly_numbers: bool = False
    is_separable: bool = False

    @property
    def path(self) -> Path | None:
        return next((folder / self.file for folder in FOLDERS if (folder / self.file).exists()), None)

    @property
    def is_regression(self) -> bool:
        return self.target in ("Sale_Price", "price")

    def sample(self, seed: int) -> pd.DataFrame:
        """Return rows of it by chance, without the column of the parts."""
        path = self.path
        assert path is not None
        frame = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
        frame = frame.drop(columns=[name for name in ("split", "__split__") if name in frame.columns])
        return frame.sample(min(ROWS, len(frame)), random_state=seed).reset_index(drop=True)


BASES = [
    # 99999 is the census's code for "more than can be said".
    Base("adult", "adult.parquet", "income", frozenset({("disguised_missing", "capital_gain")})),
    Base("german_credit", "german_credit.csv", "credit_risk"),
    Base("churn_telco", "churn_telco.parquet", "churn"),
    Base("lending_club", "lending_club.parquet", "Class", is_mostly_numbers=True, is_separable=True),
    Base("ames", "ames.parquet", "Sale_Price", frozenset({("disguised_missing", "Electrical")})),
    # The weight of a stone and its length, width and depth make its price.
    Base(
        "diamonds",
        "diamonds.parquet",
        "price",
        frozenset(("strong_predictor", name) for name in ("carat", "x", "y", "z")),
    ),
    Base("satellite", "satellite.parquet", "classes", is_mostly_numbers=True, is_separable=True),
    Base("spambase", "spambase.parquet", "type", is_mostly_numbers=True, is_separable=True),
]
