"""Operators on values with parts: JSON, structures and lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from kernel_tools.wrangler.kinds import kind_of
from kernel_tools.wrangler.operators.base import (
    Operator,
    State,
    StepError,
    hinted,
    pick_column,
    pick_columns,
    values,
    with_columns,
)

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir


class JsonField(BaseModel):
    """A part of a JSON value: where it is (``address.city``, ``tags[0]``), what it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(min_length=1, max_length=500, description="Where it is, as in address.city or tags[0].")
    type: Literal["string", "int64", "float64", "boolean"] = Field("string", description="What it is read as.")
    name: str | None = Field(None, description="What the column is called; none takes the path.")


class FlattenJson(Operator):
    """Take parts of a JSON text into columns of their own, or all fields of a structure.

    A part that is not there, or that is not of its type, is missing. Text that is no JSON has no parts.
    """

    op = "flatten_json"
    title = "Flatten structured data"
    family = "nested"

    column: str = pick_column("string", "struct", description="The column.")
    fields: list[JsonField] = Field([], max_length=500, description="The parts of a JSON text.")
    keep_original: bool = Field(False, description="Keep the column itself too.")

    def sentence(self) -> str:
        """Name the parts."""
        parts = ", ".join(field.path for field in self.fields) or "all fields"
        return f"Take {parts} out of {self.column}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Ask for parts of a text."""
        super().check(*schemas)
        if kind_of(schemas[0][self.column]) == "string" and not self.fields:
            raise StepError("Say which parts of the JSON become columns.", field="fields")
        for field in self.fields:
            _steps(field.path)

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Look into the values."""
        import ibis

        table = tables[0]
        value = table[self.column]
        if value.type().is_struct():
            new = {f"{self.column}_{name}": value[name] for name in value.type().names}
        else:
            text = ibis.ifelse(is_json(value), value, None)
            new = {field.name or field.path: self._part(text, field) for field in self.fields}
        flat = with_columns(table, new)
        return flat if self.keep_original or self.column in new else flat.drop(self.column)

    def _part(self, text: Any, field: JsonField) -> Any:
        part = text.cast("json")
        for step in _steps(field.path):
            part = part[step]
        # Unwrapped, a text loses its quotation marks, and what is of another type is missing.
        return part.unwrap_as("string").try_cast(field.type)


class AssembleVector(Operator):
    """Put numbers of several columns into one list."""

    op = "assemble_vector"
    title = "Assemble vector"
    family = "nested"

    columns: list[str] = pick_columns("number", "boolean", description="The columns, in the order of the list.")
    new_column: str = hinted("new_column", min_length=1, description="What the list is called.")
    keep_original: bool = Field(True, description="Keep the columns too.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"Put {', '.join(self.columns)} into the list {self.new_column}"

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Make an array."""
        import ibis

        table = tables[0]
        made = with_columns(
            table, {self.new_column: ibis.array([table[name].cast("float64") for name in self.columns])}
        )
        return made if self.keep_original else made.drop(*(name for name in self.columns if name != self.new_column))


class FlattenVector(Operator):
    """Give each place of a list a column. The number of places is the longest list's, learned once."""

    op = "flatten_vector"
    title = "Flatten vector"
    family = "nested"
    learns = True

    column: str = pick_column("list", description="The column.")
    most: int = Field(100, ge=1, le=2_000, description="The most columns.")
    keep_original: bool = Field(False, description="Keep the list too.")

    def sentence(self) -> str:
        """Name the list."""
        return f"Give each place of {self.column} a column"

    def learn(self, *tables: ir.Table) -> State:
        """Return the length of the longest list."""
        longest = values(tables[0], n=tables[0][self.column].length().max())["n"]
        return {"length": min(int(longest or 0), self.most)}

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Index; a place that a list does not have is missing."""
        table = tables[0]
        flat = with_columns(table, {f"{self.column}_{i}": table[self.column][i] for i in range(state["length"])})
        return flat if self.keep_original or len(flat.columns) == 1 else flat.drop(self.column)


def is_json(text: ir.StringValue) -> Any:
    """Return whether a text is JSON; DuckDB's function of that name."""
    import ibis

    @ibis.udf.scalar.builtin(signature=(("string",), "boolean"))
    def json_valid(text):  # type: ignore[no-untyped-def]  # its types are the signature
        """Only its name and signature count."""

    return json_valid(text)


def _steps(path: str) -> list[str | int]:
    """Return the keys and places of a path.

    Raises
    ------
    StepError
        If it is none.
    """
    import re

    steps: list[str | int] = []
    for part in path.split("."):
        found = re.fullmatch(r"([^\[\]]*)((?:\[\d+\])*)", part)
        if found is None or not part:
            raise StepError(f"{path!r} is no path. Write it as address.city or tags[0].", field="fields")
        if found[1]:
            steps.append(found[1])
        steps += [int(number) for number in re.findall(r"\d+", found[2])]
    return steps
