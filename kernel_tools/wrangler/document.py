"""The recipe as a document: sources, a graph of steps, what the steps have learned, outputs and analyses.

What a step does is said in `kernel_tools.wrangler.operators`; how a document is read, written and brought up to date in
`kernel_tools.wrangler.files`.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

RECIPE_VERSION = 1

Id = str
"""The id of a source or of a step: it names one and the same thing as long as the recipe lives."""


class Part(BaseModel):
    """Base of the parts of a recipe; fields that are not known here are kept."""

    model_config = ConfigDict(extra="allow")


class Parameter(Part):
    """A value that is put in for ``${name}`` in the addresses and queries of sources.

    A pattern is a regular expression that the default and every value has to match as a whole. A datetime is ISO 8601,
    or relative to now: ``-30d``, ``-12h``, ``now``, ``today``.
    """

    type: Literal["number", "string", "pattern", "datetime"] = "string"
    default: str | float | None = None
    pattern: str | None = None
    description: str = ""


class Sampling(Part):
    """Which rows of a source are taken.

    `first` takes the first `rows`; `random` takes `rows` out of all; `stratified` takes `rows` with the shares that the
    values of `column` have in the source. The same seed takes the same rows.
    """

    method: Literal["none", "first", "random", "stratified"] = "none"
    rows: int = Field(default=50_000, ge=1)
    column: str | None = None
    seed: int = 0


class Source(Part):
    """Where rows come from.

    Attributes
    ----------
    kind
        ``file``: `uri` is a path, a glob or an address that fsspec knows. ``database``: `uri` is a database URL and
        `query` a table or a SELECT. ``frame``: a table given in Python; `uri` is the Parquet file it was kept in, or
        None if it was only there.
    format
        Of a file: csv, parquet, json, jsonl, orc, arrow, excel; None finds it out.
    options
        What the reader of the format is told: delimiter, encoding, header, sheet, types {column: type} ...
    """

    id: Id
    kind: Literal["file", "database", "frame"] = "file"
    uri: str | None = None
    format: str | None = None
    query: str | None = None
    options: dict[str, Any] = {}
    sampling: Sampling = Sampling()
    name: str = ""


class Fit(Part):
    """What a step has learned, from what, and when.

    `status` is ``frozen``: the state stays until somebody refits. `parameters_hash` is that of the step when it was
    fitted: a step whose parameters or predecessors have changed since is not fitted.
    """

    status: Literal["frozen"] = "frozen"
    engine: str
    source_fingerprint: str
    parameters_hash: str
    rows: int
    fitted_at: str
    state: dict[str, Any]


class Node(Part):
    """A step: an operator, its parameters and where its rows come from (ids of sources and of other steps)."""

    id: Id
    op: str
    op_version: int = 1
    inputs: list[Id]
    params: dict[str, Any] = {}
    fit: Fit | None = None
    enabled: bool = True
    note: str = ""


class Output(Part):
    """A result with a name: the rows of a step, all or those of one part of a split."""

    node: Id
    role: str = "result"


class Analysis(Part):
    """A figure or a table about the rows of a step."""

    id: str = ""
    node: Id
    kind: str
    params: dict[str, Any] = {}


class RecipeDocument(Part):
    """All of a recipe; see `kernel_tools.wrangler.files` for how it is kept."""

    recipe_version: int = RECIPE_VERSION
    name: str = "recipe"
    description: str = ""
    parameters: dict[str, Parameter] = {}
    sources: list[Source] = []
    nodes: list[Node] = []
    outputs: list[Output] = []
    analyses: list[Analysis] = []
