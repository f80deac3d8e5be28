"""Operators that read values as another type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from kernel_tools.wrangler.kinds import kind_of
from kernel_tools.wrangler.operators.base import Operator, State, StepError, pick_columns, with_columns

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir


class Cast(Operator):
    """Convert columns to another type; values that cannot be converted become missing.

    Text becomes a number if it is one (spaces around it do not count), a whole number only without decimals; a date or
    date-time if it is one of ISO 8601 (`parse_datetime` reads others); true or false if it is true, t, yes, y, 1 or
    false, f, no, n, 0 in any case. Numbers lose their decimals as whole numbers, and are true unless they are 0.
    """

    op = "cast"
    title = "Change type"
    family = "columns"

    columns: list[str] = pick_columns(description="The columns to convert.")
    type: Literal["integer", "float", "string", "boolean", "date", "datetime"] = Field(description="The new type.")

    def sentence(self) -> str:
        """Name the columns and the type."""
        return f"Convert {', '.join(self.columns)} to {self.type}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse conversions that there are not."""
        super().check(*schemas)
        import ibis

        from kernel_tools.wrangler.formula_functions import FunctionError, converted

        table = ibis.table(schemas[0], name="t")
        for name in self.columns:
            try:
                converted(table[name], _CAST_TYPES[self.type])
            except FunctionError as error:
                raise StepError(f"{name!r}: {error}", field="type") from error

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Convert."""
        from kernel_tools.wrangler.formula_functions import converted

        return with_columns(
            tables[0], {name: converted(tables[0][name], _CAST_TYPES[self.type]) for name in self.columns}
        )


_CAST_TYPES = {
    "integer": "int64",
    "float": "float64",
    "string": "string",
    "boolean": "boolean",
    "date": "date",
    "datetime": "timestamp",
}


class ParseDatetime(Operator):
    """Read text as dates or date-times in a format, or numbers as the time since 1970; what does not fit is missing.

    The codes of the format are those of Python's strptime: %Y %y %m %b %B %d %j %a %A %H %I %p %M %S %f. All of the
    text has to fit, apart from space around it. Without a format the text is ISO 8601. Date-times are in UTC.
    """

    op = "parse_datetime"
    title = "Parse date-times"
    family = "columns"

    columns: list[str] = pick_columns("string", "number", description="The columns to read.")
    format: str | None = Field(None, max_length=100, description="As in %d/%m/%Y %H:%M; none means ISO 8601.")
    unit: Literal["s", "ms", "us"] = Field("s", description="What numbers count: seconds, milliseconds, microseconds.")
    to: Literal["datetime", "date"] = Field("datetime", description="What is made of it.")

    def sentence(self) -> str:
        """Name the columns and the format."""
        how = f" in the format {self.format}" if self.format else ""
        return f"Read {', '.join(self.columns)} as {self.to}{how}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse formats with unknown codes."""
        super().check(*schemas)
        if self.format is None:
            return
        codes = re.findall(r"%(.?)", self.format)
        for code in codes:
            if not code or code not in _CODES:
                known = " ".join(f"%{one}" for one in _CODES)
                raise StepError(f"The format has the code '%{code}'. There are: {known}.", field="format")
        if not codes:
            raise StepError(f"The format {self.format!r} has no code such as %Y.", field="format")

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Parse."""
        return with_columns(tables[0], {name: self._parsed(tables[0][name]) for name in self.columns})

    def _parsed(self, value: Any) -> Any:
        from kernel_tools.wrangler.formula_functions import converted, try_strptime

        if kind_of(value.type()) == "number":
            whole = converted(value, "int64")
            latest = _YEAR_10000 * {"s": 1, "ms": 1_000, "us": 1_000_000}[self.unit]
            moment = (whole.abs() < latest).ifelse(whole, None).as_timestamp(self.unit)
        elif self.format is None:
            return converted(value, "timestamp" if self.to == "datetime" else "date")
        else:
            moment = try_strptime(value.strip(), self.format)
        return moment if self.to == "datetime" else moment.cast("date")


_CODES = "YymbBdjaAHIpMSf%"
_YEAR_10000 = 253_402_300_800
