"""Formulas as text: how they are parsed, which limits they have, and how errors name their parts."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.duckdb import DuckDBParser
from sqlglot.tokenizer_core import TokenType

from kernel_tools.wrangler.operators.base import StepError

LONGEST = 4_000
"""Characters of a formula, at most."""

_MOST_TOKENS = 800
DEEPEST = 30
"""Parentheses within each other, at most."""

TOO_DEEP = "The formula is nested too deeply. Split it into several steps"


class FormulaError(StepError):
    """A formula that cannot be read, or that does not fit the table; `position` counts characters from 0."""

    def __init__(self, message: str, *, position: int | None = None, field: str | None = None) -> None:
        where = "" if position is None else f" (at character {position + 1})"
        super().__init__(f"{message.rstrip('.')}{where}.", field=field)
        self.position = position


class _Parser(DuckDBParser):
    """DuckDB's grammar in which every function is just a name with arguments."""

    FUNCTIONS: ClassVar[dict[str, Any]] = {}
    FUNCTION_PARSERS = {name: DuckDBParser.FUNCTION_PARSERS[name] for name in ("CAST", "TRY_CAST")}
    NO_PAREN_FUNCTIONS: ClassVar[dict[TokenType, Any]] = {}
    NO_PAREN_FUNCTION_PARSERS = {"CASE": DuckDBParser.NO_PAREN_FUNCTION_PARSERS["CASE"]}


class _Dialect(DuckDB):
    Parser = _Parser


def parsed_formula(text: str) -> exp.Expr:
    """Return the tree of a formula.

    Raises
    ------
    FormulaError
        If it is too long, too deep, or no expression.
    """
    if not text.strip():
        raise FormulaError("The formula is empty. Write an expression such as age * 2")
    if len(text) > LONGEST:
        raise FormulaError(f"The formula has {len(text):,} characters, at most {LONGEST:,} are possible")
    dialect = _Dialect()
    try:
        tokens = dialect.tokenize(text)
    except TokenError as error:
        raise FormulaError("A quotation mark or a comment is not closed") from error
    depth = 0
    for token in tokens:
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
        if depth < 0:
            raise FormulaError("There is a ) without its (", position=token.start)
        if token.token_type is TokenType.SEMICOLON:
            raise FormulaError("A formula is one expression, without ;", position=token.start)
        if depth > DEEPEST:
            raise FormulaError(f"Parentheses are nested more than {DEEPEST} deep", position=token.start)
    if depth:
        raise FormulaError("There is a ( without its )", position=len(text))
    if len(tokens) > _MOST_TOKENS:
        raise FormulaError(f"The formula has {len(tokens):,} words and signs, at most {_MOST_TOKENS:,} are possible")
    try:
        # In parentheses, so that a column with the name of a statement (comment, set, show) stays a column.
        found = dialect.parse(f"({text}\n)")
    except RecursionError as error:
        raise FormulaError(TOO_DEEP) from error
    except ParseError as error:
        raise _unreadable(error, text) from error
    if len(found) != 1 or found[0] is None:
        raise FormulaError("A formula is one expression")
    return found[0]


def _unreadable(error: ParseError, text: str) -> FormulaError:
    first = error.errors[0] if error.errors else {}
    marked = str(first.get("highlight") or "").strip(")\n ")
    if not marked or text.rstrip().endswith(marked):
        return FormulaError("The formula ends too early", position=len(text.rstrip()))
    position = int(first["col"]) - len(marked) - 1 if first["line"] == 1 else None
    return FormulaError(f"The formula cannot be read at {marked!r}", position=position)


def position_of(node: exp.Expr) -> int | None:
    """Return where a part of a formula begins, None if it cannot be known."""
    for part in node.walk(bfs=False):
        if "start" in part.meta:
            return max(int(part.meta["start"]) - 1, 0)
    return None


def text_of(node: exp.Expr) -> str:
    """Return a part of a formula as text, cut to 40 characters."""
    text = node.sql("duckdb")
    return text if len(text) <= 40 else f"{text[:37]}..."


def called(node: exp.Expr) -> str:
    """Say what a part is that a formula cannot have."""
    if isinstance(node, (exp.Query, exp.Exists, exp.DDL, exp.DML, exp.Command)):
        return "A statement or a subquery"
    if isinstance(node, exp.Alias):
        return f"Writing {node.alias!r} after {text_of(node.this)!r}"
    if isinstance(node, exp.Window):
        return "OVER (use the step 'window')"
    return f"{text_of(node)!r}"


def quoted_name(name: str) -> str:
    """Return a name as it is written in a formula."""
    return name if name.isidentifier() else '"' + name.replace('"', '""') + '"'
