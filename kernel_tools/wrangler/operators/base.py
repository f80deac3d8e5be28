"""What an operator is: parameters that are checked, what it learns, and the expression that it stands for.

Each operator is one class in the file of its family. Its fields are its parameters; from them come the JSON Schema of
`schema_of`, the form in the studio, the method of `Recipe` and the documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.wrangler.kinds import KIND_WORDS, Kind, kind_of

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir
    import pandas as pd

State = dict[str, Any]
"""What a step has learned: values that JSON can hold, by words that the operator chooses."""

Family = Literal[
    "columns",
    "rows",
    "combine",
    "missing",
    "outliers",
    "numbers",
    "categories",
    "text",
    "dates",
    "time series",
    "nested",
    "balance",
    "custom",
]
"""The families, in the order in which the studio offers them."""


RowEffect = Literal["same", "subset", "other"]
"""What a step does to rows; see `Operator`."""


class StepError(InvalidArgumentError):
    """A step that does not fit the table that it is given; `field` is the parameter that has to change."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


def pick_column(*kinds: Kind, description: str = "", default: Any = ..., **extra: Any) -> Any:
    """Declare a parameter that names one column of the given kinds (none means any)."""
    return Field(default, description=description, json_schema_extra=_hint("column", kinds), **extra)


def pick_columns(*kinds: Kind, description: str = "", default: Any = ..., minimum: int = 1, **extra: Any) -> Any:
    """Declare a parameter that names several columns of the given kinds (none means any)."""
    return Field(
        default, description=description, min_length=minimum, json_schema_extra=_hint("columns", kinds), **extra
    )


def hinted(widget: str, *, description: str = "", default: Any = ..., **extra: Any) -> Any:
    """Declare a parameter with a special field: ``formula``, ``code``, ``sql``, ``new_column``, ``seed``."""
    return Field(default, description=description, json_schema_extra=_hint(widget, ()), **extra)


def _hint(widget: str, kinds: Sequence[Kind]) -> dict[str, Any]:
    return {"x-ui": {"widget": widget, "kinds": list(kinds)}}


class Operator(BaseModel):
    """Base of all operators.

    Class attributes
    ----------------
    op, title, family, version
        The name in recipes and in Python; what the studio calls it; its family; the version of its parameters.
    row_effect
        ``same``: as many rows as before, in their order. ``subset``: some of the rows. ``other``: other rows.
    arity
        How many tables it takes, at least and at most; the first is the one that it changes.
    learns
        Whether `learn` (or `learn_frame`) takes something from the data.
    runs_code
        Whether it runs code that somebody wrote: such a step of a file runs only when the file is trusted.
    applies_to_new
        Whether it is applied to new rows too; one that balances or samples the training rows is not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    op: ClassVar[str]
    title: ClassVar[str]
    family: ClassVar[Family]
    version: ClassVar[int] = 1
    row_effect: ClassVar[RowEffect] = "same"
    arity: ClassVar[tuple[int, int]] = (1, 1)
    learns: ClassVar[bool] = False
    runs_code: ClassVar[bool] = False
    applies_to_new: ClassVar[bool] = True

    @property
    def is_eager(self) -> bool:
        """Whether no expression can say what it does: then `learn_frame`, `apply` and `code` do."""
        return False

    def sentence(self) -> str:
        """Say in a few plain words what this step does, as in "Fill missing values of age with the median"."""
        raise NotImplementedError

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse parameters that do not fit the tables.

        Here: the columns of the fields declared with `pick_column` and `pick_columns` exist in the first table and are
        of the right kinds. An operator adds what else it knows.

        Raises
        ------
        StepError
            With the field, the column, and the columns that there are.
        """
        check_columns(self, schemas[0])

    def learn(self, *tables: ir.Table) -> State:
        """Return what the step takes from the data; `values` of this module computes aggregates."""
        return {}

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Return the table after the step. Computes nothing: the tables may be empty or known by their schema only."""
        raise NotImplementedError

    def build_training(self, *tables: ir.Table, state: State) -> ir.Table:
        """Do as `build`, for the very rows that the state was learned from; the same unless an operator says otherwise.

        Cross-fitted encodings give these rows values that were learned without them.
        """
        return self.build(*tables, state=state)

    def learn_frame(self, *frames: pd.DataFrame) -> State:
        """Do as `learn`, on frames with Arrow types; for eager operators."""
        return {}

    def apply(self, *frames: pd.DataFrame, state: State) -> pd.DataFrame:
        """Do as `build`, on frames with Arrow types; for eager operators. The frames are not changed."""
        raise NotImplementedError

    def apply_training(self, *frames: pd.DataFrame, state: State) -> pd.DataFrame:
        """Do as `apply`, for the very rows that the state was learned from."""
        return self.apply(*frames, state=state)

    def code(self, *variables: str, state: State) -> list[str]:
        """Return lines of Python that set the first of the variables (pandas frames) to the table after the step.

        For eager operators; imports that they need are lines of their own, at the start.
        """
        raise NotImplementedError


def check_columns(parameters: BaseModel, schema: ibis.Schema) -> None:
    """Refuse columns, of the fields declared with `pick_column` and `pick_columns`, that do not fit the table.

    Raises
    ------
    StepError
        With the field, the column, and the columns that there are.
    """
    for name, field in type(parameters).model_fields.items():
        extra = field.json_schema_extra
        hint = extra.get("x-ui") if isinstance(extra, dict) else None
        if not isinstance(hint, dict) or hint["widget"] not in ("column", "columns"):
            continue
        value = getattr(parameters, name)
        for wanted in [value] if isinstance(value, str) else value or ():
            require_column(schema, wanted, tuple(hint["kinds"]), field=name)  # type: ignore[arg-type]  # of `_hint`


def require_column(schema: ibis.Schema, name: str, kinds: Sequence[Kind] = (), *, field: str | None = None) -> None:
    """Refuse a column that the table does not have, or that is of another kind.

    Raises
    ------
    StepError
        With the names that are nearest, or the kinds that are possible.
    """
    import difflib

    if name not in schema:
        near = difflib.get_close_matches(name, schema.names, n=3)
        there = f"Did you mean {', '.join(map(repr, near))}?" if near else f"There are: {_listed(schema.names)}."
        raise StepError(f"The table has no column {name!r}. {there}", field=field)
    kind = kind_of(schema[name])
    if kinds and kind not in kinds:
        raise StepError(
            f"The column {name!r} holds {KIND_WORDS[kind]}, this step works on "
            f"{' or '.join(KIND_WORDS[one] for one in kinds)}. Choose another column, or cast this one first.",
            field=field,
        )


def _listed(names: Sequence[str], most: int = 12) -> str:
    shown = ", ".join(map(repr, names[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def values(table: ir.Table, **aggregates: ir.Scalar) -> dict[str, Any]:
    """Compute aggregates of a table in one pass, as plain Python values.

    Examples
    --------
    ``values(table, middle=table.age.median(), n=table.count())`` gives ``{"middle": 41.0, "n": 48842}``.
    """
    row: dict[str, Any] = table.aggregate(**aggregates).to_pyarrow().to_pylist()[0]
    return row


def rows_of(table: ir.Table) -> list[dict[str, Any]]:
    """Compute a small table as a list of plain dictionaries."""
    result: list[dict[str, Any]] = table.to_pyarrow().to_pylist()
    return result


def with_columns(table: ir.Table, columns: Mapping[str, ir.Value]) -> ir.Table:
    """Return the table with columns added or replaced: `mutate` for columns of any name, ``self`` too."""
    return table.mutate(named(columns))


def named(columns: Mapping[str, ir.Value]) -> list[ir.Value]:
    """Return values with their names, for methods of tables that cannot take any name as a keyword."""
    return [value.name(name) for name, value in columns.items()]


ROW = "__row__"
"""The name of the column in which `in_order` keeps the place of a row."""


def in_order(table: ir.Table, build: Callable[[ir.Table], ir.Table]) -> ir.Table:
    """Return `build(table)` with the rows in the order that they had.

    Window functions shuffle rows. `build` gets the table with the number of each row in the column `ROW`, and must
    leave that column there.
    """
    import ibis

    numbered = table.mutate(**{ROW: ibis.row_number()})
    return build(numbered).order_by(ROW).drop(ROW)
