"""The manifest of a compiled package: what the graph takes and gives, what it was made of, and what was measured.

A package is a folder with `MANIFEST` and the files that it names. Reading one needs msgspec and nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from kernel_tools.core.errors import IntegrityError, NotFoundError

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
GRAPH = "model.onnx"

Encoding = Literal["number", "code", "text", "moment"]
"""How the values of a column are written into an input.

``number``: as they are, true and false as 1 and 0; ``code``: the position among the categories of the signature;
``text``: as text; ``moment``: microseconds since 1970 in UTC.
"""


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """One input of the graph.

    Parameters
    ----------
    name
        Its name in the graph.
    dtype
        NumPy's name of its type, ``object`` for text.
    columns
        The columns of the signature that it holds side by side, shape (rows, columns); None is the whole array.
    encodings
        For each column, how its values are written.
    missing_text
        What stands for a missing text.
    """

    name: str
    dtype: str
    columns: list[str] | None = None
    encodings: list[Encoding] = []
    missing_text: str = ""


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """One output of the graph that a reply needs.

    Parameters
    ----------
    name
        Its name in the graph.
    role
        ``value``: the predictions; ``label``: the label of a classifier; ``probabilities``: of its classes;
        ``column``: one column of a table of predictions, named by `column`.
    kind
        Of a column: ``number``, ``boolean``, ``text`` or ``moment``.
    """

    name: str
    role: Literal["value", "label", "probabilities", "column"]
    column: str = ""
    kind: Literal["number", "whole", "boolean", "text", "moment"] = "number"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What was compiled. The names are empty for a model that is not registered."""

    model: str = ""
    version: int | None = None
    version_id: str = ""
    model_class: str = ""
    fingerprint: str = ""
    """sha256 over the paths and contents of the model's files."""


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """How the package answers the sample, against the original.

    Parameters
    ----------
    rows
        Rows that were compared.
    tolerance
        The greatest difference that is allowed, for values beyond 1 relative to them.
    max_difference
        The greatest difference of a probability or value, measured in the same way.
    mean_difference
        Its mean.
    labels_changed
        Rows with another label, although their best classes are further apart than the tolerance.
    ties
        Rows with another label whose best classes are as probable as each other, within the tolerance.
    agreement
        The share of rows with the same label; of values, R² against the original's.
    loss
        How much of the accuracy (of values: of R²) against the true targets is lost; None without targets.
    worst
        The rows that differ most: row, original, compiled, difference.
    """

    rows: int
    tolerance: float
    max_difference: float
    mean_difference: float
    labels_changed: int = 0
    ties: int = 0
    agreement: float = 1.0
    loss: float | None = None
    worst: list[dict[str, Any]] = []


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """What one model costs on the machine that compiled it.

    Parameters
    ----------
    row_us
        Median microseconds from one row as the original takes it (a DataFrame or array), or as JSON's values for a
        compiled model, to its answer.
    batch_us
        Median microseconds per row of a batch.
    batch_rows
        The rows of that batch.
    memory_mib
        Memory of a process that answers with this model and does nothing else; None if it was not measured.
    load_s
        Seconds from its start to its first answer; None if it was not measured.
    size
        Bytes of the model's files.
    """

    row_us: float
    batch_us: float
    batch_rows: int
    memory_mib: float | None = None
    load_s: float | None = None
    size: int = 0


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of a package; times are milliseconds since 1970 UTC."""

    format_version: int = FORMAT_VERSION
    target: str
    created_at: int
    created_by: str = ""
    source: Source = Source()
    opsets: dict[str, int]
    signature: dict[str, Any] | None = None
    feeds: list[Feed]
    outputs: list[Output]
    classes: list[Any] | None = None
    is_most_probable: bool = False
    """Whether the label is the first class of the highest probability."""
    precision: str = ""
    refuses_missing: list[str] = []
    """The columns in which the original takes no missing number; an empty name is the whole array."""
    parity: Parity
    original: Measure
    compiled: Measure
    machine: dict[str, Any] = {}
    libraries: dict[str, str] = {}
    files: dict[str, str] = {}
    """sha256 of each file of the package by its path."""
    notes: list[str] = []


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a package.

    Raises
    ------
    NotFoundError
        If the folder has none.
    IntegrityError
        If it is damaged, or was written by a newer Atelier.
    """
    try:
        content = (folder / MANIFEST).read_bytes()
    except FileNotFoundError as error:
        raise NotFoundError(f"{str(folder)!r} is no compiled package: it has no {MANIFEST}.") from error
    return decode_manifest(content)


def decode_manifest(content: bytes | str) -> Manifest:
    """Read a manifest from its JSON; IntegrityError as in `read_manifest`."""
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise IntegrityError(f"The manifest of the compiled package cannot be read: {error}. Compile again.") from error
    if manifest.format_version > FORMAT_VERSION:
        raise IntegrityError(
            f"The compiled package has the format {manifest.format_version}, and this Atelier reads up to "
            f"{FORMAT_VERSION}. Compile the model again, or install the Atelier that wrote it."
        )
    return manifest


def encode_manifest(manifest: Manifest) -> bytes:
    """Write a manifest as JSON that people can read."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1)
