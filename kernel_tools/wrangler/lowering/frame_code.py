"""A fitted recipe as the code of a library of frames: what reads its sources, then a comment and a chain for each step.

How a library writes it is said by its `Language`; `pandas_code` and `polars_code` have one each.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kernel_tools.wrangler.document import Id, Node, RecipeDocument, Source
from kernel_tools.wrangler.graph import before, last, ordered
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.layout import statement
from kernel_tools.wrangler.lowering.relations import Language, Statements
from kernel_tools.wrangler.operators import make_operator

if TYPE_CHECKING:
    import ibis

_MODULES = {
    "datetime": "import datetime",
    "np": "import numpy as np",
    "pd": "import pandas as pd",
    "pl": "import polars as pl",
    "pa": "import pyarrow as pa",
    "pc": "import pyarrow.compute as pc",
}
"""What the words of the code belong to, in the order in which modules are imported."""

_ENDINGS = {"xlsx": "excel", "xls": "excel", "ndjson": "jsonl", "feather": "arrow", "pq": "parquet"}


def frame_code(
    language: Language,
    document: RecipeDocument,
    schemas: Mapping[Id, ibis.Schema],
    states: Callable[[Id], dict[str, Any]],
    *,
    head: Id | None = None,
) -> str:
    """Return Python that reads the sources and computes a recipe; the result is in the last variable.

    Parameters
    ----------
    language
        Of which library.
    document, head
        The recipe, and the step to end with.
    schemas
        The columns of each source and after each step.
    states
        What a step has learned.

    Raises
    ------
    UnsupportedError
        If a step has no code in this language; it names the step and the operation.
    """
    document = before(document, head or last(document))
    names = variables(document)
    given = {one.id: names[one.id].replace("df", "frame") for one in document.sources}
    body: list[str] = []
    for source in document.sources:
        code = language.read(source, given[source.id], schemas[source.id])
        body.append(statement(names[source.id], code))
    for node in ordered(document):
        operator = make_operator(node.op, node.params)
        if not node.enabled or not operator.applies_to_new:
            if names[node.id] != names[node.inputs[0]]:
                body.append(f"{names[node.id]} = {names[node.inputs[0]]}")
            continue
        body += ["", f"# {' '.join(operator.sentence().split())}"]
        body += step_lines(language, node, names, schemas, states)
    return "\n".join([*_imports(body), "", *(line for line in body if not _is_import(line)), ""])


def frame_steps(
    language: Language,
    document: RecipeDocument,
    schemas: Mapping[Id, ibis.Schema],
    states: Callable[[Id], dict[str, Any]],
) -> dict[Id, str]:
    """Return the code of each step that is enabled, without what reads its rows; arguments as for `frame_code`."""
    names = variables(document)
    enabled = [node for node in document.nodes if node.enabled and make_operator(node.op, node.params).applies_to_new]
    return {node.id: "\n".join(step_lines(language, node, names, schemas, states)) for node in enabled}


def step_lines(
    language: Language,
    node: Node,
    names: Mapping[Id, str],
    schemas: Mapping[Id, ibis.Schema],
    states: Callable[[Id], dict[str, Any]],
) -> list[str]:
    """Return the statements of one step.

    Raises
    ------
    UnsupportedError
        If it has no code in this language.
    """
    import ibis

    operator = make_operator(node.op, node.params)
    inputs = [names[one] for one in node.inputs]
    target = names[node.id]
    if operator.is_eager:
        copied = [f"{target} = {inputs[0]}"] if target != inputs[0] else []
        lines = operator.code(target, *inputs[1:], state=states(node.id))
        return [*copied, *language.to_pandas(target), *lines, *language.from_pandas(target)]
    tables = [ibis.table(schemas[one], name=f"table_{place}") for place, one in enumerate(node.inputs)]
    by_table = {f"table_{place}": variable for place, variable in enumerate(inputs)}
    try:
        return Statements(language, by_table, target).of(operator.build(*tables, state=states(node.id)).op())
    except UnsupportedError as error:
        raise UnsupportedError(
            f"The step {node.id} ({operator.title}) has no {language.name} code: it needs {error}. "
            'Use to_python("sql"), which runs by DuckDB alone, or to_python("atelier").'
        ) from error


def variables(document: RecipeDocument) -> dict[Id, str]:
    """Return a variable for each part: ``df`` along a chain, another one for each branch."""
    followers = Counter(one for node in document.nodes for one in node.inputs)
    names: dict[Id, str] = {}
    for number, source in enumerate(document.sources, start=1):
        names[source.id] = "df" if len(document.sources) == 1 else f"df{number}"
    for node in ordered(document):
        first = node.inputs[0]
        names[node.id] = names[first] if followers[first] == 1 else f"{names[first]}_{node.id}"
    return names


def kind_of_file(source: Source) -> str:
    """Return the format of a source, by its ending if it is not said."""
    ending = (source.uri or "").lower().removesuffix(".gz").removesuffix(".zst").rsplit(".", 1)[-1]
    return source.format or _ENDINGS.get(ending, ending)


def _imports(body: list[str]) -> list[str]:
    text = "\n".join(body)
    needed = [line for word, line in _MODULES.items() if re.search(rf"(?<![\w.\"'])\b{word}\.", text)]
    own = [line.strip() for line in body if _is_import(line) and line not in needed]
    standard = [line for line in needed if line == _MODULES["datetime"]]
    others = sorted({*needed, *own} - set(standard), key=lambda line: line.split()[1])
    return [*standard, *([""] if standard else []), *others]


def _is_import(line: str) -> bool:
    return re.match(r"(import \w|from [\w.]+ import )", line) is not None
