"""Operators on text, one for each purpose: format it, search and edit it, say whether it has a form.

A missing text stays missing. Regular expressions are those of RE2; letters and digits are those of Unicode, white
space is that of ASCII: a no-break space is a symbol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from kernel_tools.wrangler.operators.base import Operator, State, StepError, pick_columns, with_columns

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir


class FormatString(Operator):
    """Change how text is written.

    ``left_pad``, ``right_pad`` and ``center_pad`` fill up to `width` characters with `fill`, ``prepend_zeros`` with
    zeros; longer text stays. ``strip``, ``strip_left`` and ``strip_right`` remove white space, or the characters of
    `characters`. ``capitalize`` makes the first letter large and the others small. ``remove_symbols`` removes what is
    neither letter nor digit nor white space, or the characters of `characters`.
    """

    op = "format_string"
    title = "Format text"
    family = "text"

    columns: list[str] = pick_columns("string", description="The columns.")
    method: Literal[
        "left_pad", "right_pad", "center_pad", "prepend_zeros", "strip", "strip_left", "strip_right", "lower", "upper",
        "capitalize", "swap_case", "add_prefix", "add_suffix", "remove_symbols",
    ] = Field(description="What is done.")  # fmt: skip
    width: int = Field(10, ge=1, le=10_000, description="Characters to fill up to.")
    fill: str = Field(" ", min_length=1, max_length=1, description="What is filled in.")
    text: str = Field("", description="The prefix or suffix to add.")
    characters: str = Field("", description="The characters to strip or remove; none means white space, or symbols.")

    def sentence(self) -> str:
        """Name the method."""
        return f"Format {', '.join(self.columns)}: {self.method.replace('_', ' ')}"

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Write the columns anew."""
        table = tables[0]
        return with_columns(table, {name: self._formatted(table[name]) for name in self.columns})

    def _formatted(self, text: ir.StringValue) -> ir.Value:
        import ibis

        if self.method in ("left_pad", "prepend_zeros"):
            fill = "0" if self.method == "prepend_zeros" else self.fill
            return ibis.ifelse(text.length() >= self.width, text, text.lpad(self.width, fill))
        if self.method == "right_pad":
            return ibis.ifelse(text.length() >= self.width, text, text.rpad(self.width, self.fill))
        if self.method == "center_pad":
            left = text.length() + (self.width - text.length()) // 2
            padded = text.lpad(left.cast("int32"), self.fill).rpad(self.width, self.fill)
            return ibis.ifelse(text.length() >= self.width, text, padded)
        if self.method in ("strip", "strip_left", "strip_right"):
            inner = f"[{escape_class(self.characters)}]+" if self.characters else r"\s+"
            ends = {"strip": f"^{inner}|{inner}$", "strip_left": f"^{inner}", "strip_right": f"{inner}$"}
            return text.re_replace(ends[self.method], "")
        if self.method == "remove_symbols":
            inner = f"[{escape_class(self.characters)}]" if self.characters else r"[^\p{L}\p{N}\s]"
            return text.re_replace(inner, "")
        if self.method == "swap_case":
            letters = text.split("").map(
                lambda letter: ibis.ifelse(letter == letter.lower(), letter.upper(), letter.lower())
            )
            return letters.join("").fill_null("").nullif(ibis.ifelse(text.isnull(), "", None))
        if self.method == "add_prefix":
            return ibis.literal(self.text) + text
        if self.method == "add_suffix":
            return text + self.text
        changed: ir.Value = getattr(text, self.method)()
        return changed


class EditString(Operator):
    """Search in text and change it.

    ``find`` and ``find_last`` give the place of `pattern` (plain text) from 0, -1 if it is not there.
    ``matches_prefix`` says whether the text begins with the regular expression. ``find_all`` lists what matches.
    ``extract`` gives the group (0: all) of the first match, missing if there is none. ``extract_between`` and
    ``replace_between`` work on what is between the first `left` and the next `right`; ``extract_position`` and
    ``replace_position`` on the characters from `start` (from 0) to before `end`. ``replace`` replaces all matches.
    ``missing_if_matches`` makes text missing in which the expression is found. ``split`` makes a list.
    """

    op = "edit_string"
    title = "Search and edit text"
    family = "text"

    columns: list[str] = pick_columns("string", description="The columns.")
    method: Literal[
        "find", "find_last", "matches_prefix", "find_all", "extract", "extract_between", "extract_position", "replace",
        "replace_between", "replace_position", "missing_if_matches", "split",
    ] = Field(description="What is done.")  # fmt: skip
    pattern: str = Field("", description="What is looked for; a regular expression, but plain text for find and split.")
    replacement: str = Field("", description="What is put in its place.")
    group: int = Field(0, ge=0, le=9, description="The group of the expression that extract gives.")
    left: str = Field("", description="What stands before.")
    right: str = Field("", description="What stands after.")
    start: int = Field(0, ge=0, description="The first character, from 0.")
    end: int | None = Field(
        None, ge=0, description="The character before which to end; none means the end of the text."
    )
    suffix: str = Field("", description="If given, the result goes to new columns whose names end with it.")

    def sentence(self) -> str:
        """Name the method."""
        what = self.pattern or (f"{self.left} ... {self.right}" if self.left or self.right else "")
        return f"{self.method.replace('_', ' ').capitalize()} {what} in {', '.join(self.columns)}".replace("  ", " ")

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse an expression that is none, and missing parameters."""
        super().check(*schemas)
        needs_pattern = self.method not in (
            "extract_between", "extract_position", "replace_between", "replace_position",
        )  # fmt: skip
        if needs_pattern and not self.pattern:
            raise StepError("Say what to look for.", field="pattern")
        if self.method.endswith("_between") and not (self.left and self.right):
            raise StepError("Say what stands before and after.", field="right" if self.left else "left")
        if self.method.endswith("_position") and self.end is not None and self.end < self.start:
            raise StepError("The end lies before the start.", field="end")
        if self.method in ("matches_prefix", "find_all", "extract", "replace", "missing_if_matches"):
            check_pattern(self.pattern, "pattern")
        if self.method == "replace":
            check_replacement(self.pattern, self.replacement, "replacement")
        if self.method == "extract":
            check_replacement(self.pattern, f"\\{self.group}", "group")

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Compute the columns."""
        table = tables[0]
        return with_columns(table, {name + self.suffix: self._edited(table[name]) for name in self.columns})

    def _edited(self, text: ir.StringValue) -> ir.Value:
        import ibis

        if self.method == "find":
            return text.find(self.pattern).cast("int64")
        if self.method == "find_last":
            place = text.reverse().find(self.pattern[::-1])
            return ibis.ifelse(place < 0, -1, text.length() - place - len(self.pattern)).cast("int64")
        if self.method == "matches_prefix":
            return text.re_search(f"^(?:{self.pattern})")
        if self.method == "find_all":
            return regexp_extract_all(text, self.pattern)
        if self.method == "extract":
            return ibis.ifelse(text.re_search(self.pattern), text.re_extract(self.pattern, self.group), None)
        if self.method == "extract_between":
            pattern = f"(?s){escape(self.left)}(.*?){escape(self.right)}"
            return ibis.ifelse(text.re_search(pattern), text.re_extract(pattern, 1), None)
        if self.method == "replace_between":
            pattern = f"(?s){escape(self.left)}(.*?){escape(self.right)}"
            whole = text.re_extract(pattern, 0)
            place = text.find(whole)
            rest = text.substr(place + whole.length())
            changed = text.substr(0, place) + self.left + self.replacement + self.right + rest
            return ibis.ifelse(text.re_search(pattern), changed, text)
        if self.method == "extract_position":
            return text.substr(self.start, None if self.end is None else self.end - self.start)
        if self.method == "replace_position":
            rest = text.substr(self.end) if self.end is not None else ibis.literal("")
            return text.substr(0, self.start) + self.replacement + rest
        if self.method == "replace":
            return text.re_replace(self.pattern, self.replacement)
        if self.method == "missing_if_matches":
            return ibis.ifelse(text.re_search(self.pattern), None, text)
        return text.split(self.pattern)


class ValidateString(Operator):
    """Add for each column one that says whether its text has a form.

    ``length`` looks at the number of characters; ``starts_with`` and ``ends_with`` at `text`. ``is_digit`` and
    ``is_decimal`` mean decimal digits, ``is_numeric`` any kind of number sign, ``is_lower`` and ``is_upper`` text with
    at least one letter and none of the other case, ``is_title`` words that begin with a large letter and go on with
    small ones. Empty text has none of these forms.
    """

    op = "validate_string"
    title = "Validate text"
    family = "text"

    columns: list[str] = pick_columns("string", description="The columns.")
    method: Literal[
        "length", "starts_with", "ends_with", "is_alphanumeric", "is_alpha", "is_digit", "is_space", "is_title",
        "is_lower", "is_upper", "is_numeric", "is_decimal",
    ] = Field(description="The form.")  # fmt: skip
    text: str = Field("", description="What it starts or ends with.")
    minimum: int = Field(0, ge=0, description="The fewest characters.")
    maximum: int | None = Field(None, ge=0, description="The most characters; none means no limit.")

    def sentence(self) -> str:
        """Name the form."""
        return f"Say whether {', '.join(self.columns)} {self.method.replace('_', ' ')}"

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Search with an expression."""
        table = tables[0]
        return with_columns(table, {f"{name}_{self.method}": self._valid(table[name]) for name in self.columns})

    def _valid(self, text: ir.StringValue) -> ir.Value:
        if self.method == "length":
            long = text.length() >= self.minimum
            return long if self.maximum is None else long & (text.length() <= self.maximum)
        if self.method == "starts_with":
            return text.startswith(self.text)
        if self.method == "ends_with":
            return text.endswith(self.text)
        if self.method == "is_lower":
            return (text == text.lower()) & (text != text.upper())
        if self.method == "is_upper":
            return (text == text.upper()) & (text != text.lower())
        return text.re_search(_FORMS[self.method])


_FORMS = {
    "is_alphanumeric": r"^[\p{L}\p{N}]+$",
    "is_alpha": r"^\p{L}+$",
    "is_digit": r"^\p{Nd}+$",
    "is_decimal": r"^\p{Nd}+$",
    "is_numeric": r"^\p{N}+$",
    "is_space": r"^\s+$",
    "is_title": r"^\P{L}*(?:\p{Lu}\p{Ll}*\P{L}+)*\p{Lu}\p{Ll}*\P{L}*$",
}


def escape(text: str) -> str:
    """Return plain text as a regular expression of RE2."""
    return "".join("\\" + letter if letter in r"\.+*?()|[]{}^$" else letter for letter in text)


def escape_class(text: str) -> str:
    """Return characters for the inside of a class of RE2."""
    return "".join("\\" + letter if letter in r"\]^-[" else letter for letter in text)


def check_pattern(pattern: str, field: str) -> None:
    """Refuse what is no regular expression of RE2.

    Raises
    ------
    StepError
        With what is wrong.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        pc.match_substring_regex(pa.array(["x"]), pattern)
    except pa.ArrowInvalid as error:
        reason = str(error).removeprefix("Invalid regular expression: ")
        raise StepError(f"{pattern!r} is no regular expression: {reason}.", field=field) from error


def check_replacement(pattern: str, replacement: str, field: str) -> None:
    r"""Refuse a replacement that RE2 cannot write, or with a group (``\1``) that the expression does not have.

    Raises
    ------
    StepError
        With the replacement.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        pc.replace_substring_regex(pa.array(["x"]), pattern, replacement)
    except pa.ArrowInvalid as error:
        raise StepError(
            f"{replacement!r} does not fit {pattern!r}: a backslash stands before the number of a group that the "
            "expression has, in parentheses, or before another backslash.",
            field=field,
        ) from error


def regexp_extract_all(text: ir.StringValue, pattern: str) -> Any:
    """Return the list of all matches; a function that DuckDB, Spark and Trino have under this name."""
    import ibis

    @ibis.udf.scalar.builtin(signature=(("string", "string"), "array<string>"))
    def regexp_extract_all(text, pattern):  # type: ignore[no-untyped-def]  # its types are the signature
        """Only its name and signature count."""

    return regexp_extract_all(text, pattern)
