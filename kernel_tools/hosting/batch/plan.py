"""What a batch transform is to do, as the file that its job reads; it never changes once it is written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import msgspec

from kernel_tools.core.errors import ConflictError, IntegrityError, InvalidArgumentError, NotFoundError
from kernel_tools.core.workspace import atomic_write
from kernel_tools.hosting.configuration import ProductionVariant

FORMAT_VERSION = 1
Format = Literal["csv", "jsonlines", "parquet"]
OnError = Literal["stop", "record"]
Strategy = Literal["multi-record", "single-record"]

_FORMATS: dict[str, Format] = {
    ".csv": "csv", ".jsonl": "jsonlines", ".ndjson": "jsonlines", ".jsonlines": "jsonlines", ".parquet": "parquet",
}  # fmt: skip
PACKED = (".gz", ".bz2", ".zst")


class InputFile(msgspec.Struct, frozen=True):
    """A file as it was when the transform was asked for; `modified` is in nanoseconds since 1970."""

    path: str
    format: Format
    size: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> InputFile:
        """Look at a file; InvalidArgumentError if its name does not say what it is."""
        found = path.stat()
        return cls(str(path), format_of(path), found.st_size, found.st_mtime_ns)

    def require_unchanged(self) -> None:
        """Raise ConflictError if the file is another one by now."""
        try:
            now = InputFile.of(Path(self.path))
        except FileNotFoundError as error:
            raise ConflictError(f"The input {self.path!r} is gone. Bring it back, or transform anew.") from error
        if now != self:
            raise ConflictError(
                f"The input {self.path!r} has changed since the transform began. Its finished parts are of other rows: "
                "delete the output folder, and transform anew."
            )


class BatchPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a batch transform needs.

    Parameters
    ----------
    variant
        What predicts.
    inputs
        The files, in their order.
    output
        The folder of the outputs.
    joins_input
        Whether the columns of the input stand before those of the predictions.
    input_filter, output_filter
        JSONPath: which columns the model is given, and which are written.
    batch_rows
        Rows of one part.
    max_concurrent
        Parts that are predicted at a time.
    on_error
        Whether a row that cannot be predicted ends the transform, or is written down.
    max_failed_share
        With "record": the part of a file's rows that may fail.
    strategy
        Whether the model is given many rows in a call, or one.
    """

    variant: ProductionVariant
    inputs: list[InputFile]
    output: str
    joins_input: bool = True
    input_filter: str = "$"
    output_filter: str = "$"
    batch_rows: int = 50_000
    max_concurrent: int = 1
    on_error: OnError = "stop"
    max_failed_share: float = 0.1
    strategy: Strategy = "multi-record"
    format_version: int = FORMAT_VERSION


def format_of(path: Path) -> Format:
    """Return what a file is by its name; InvalidArgumentError if that does not say it."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in PACKED:
        suffixes.pop()
    found = _FORMATS.get(suffixes[-1]) if suffixes else None
    if found is None:
        raise InvalidArgumentError(
            f"{path.name!r} is no CSV, JSON Lines or Parquet by its name: end it with {', '.join(_FORMATS)}."
        )
    return found


def find_inputs(given: str | os.PathLike[str]) -> list[InputFile]:
    """Return the files of a path, a folder or a glob, by name.

    Raises
    ------
    NotFoundError
        If there is none.
    InvalidArgumentError
        If two have the same name, or one is of no known format.
    """
    path = Path(given).expanduser().resolve()
    if path.is_dir():
        files = sorted(item for item in path.iterdir() if item.is_file() and not item.name.startswith((".", "_")))
    elif path.is_file():
        files = [path]
    else:
        files = sorted(item for item in path.parent.glob(path.name) if item.is_file())
    if not files:
        raise NotFoundError(f"There is no input {str(given)!r}: give a file, a folder or a pattern such as 'in/*.csv'.")
    return [InputFile.of(item) for item in files]


def write_plan(plan: BatchPlan, path: Path) -> None:
    """Write a plan."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as file:
        file.write(msgspec.json.format(msgspec.json.encode(plan), indent=1))


def read_plan(path: Path) -> BatchPlan:
    """Read a plan; IntegrityError if it is broken, or of a newer Atelier."""
    try:
        plan = msgspec.json.decode(path.read_bytes(), type=BatchPlan)
    except (OSError, ValueError) as error:
        raise IntegrityError(f"The plan {str(path)!r} cannot be read: {error}. Transform anew.") from error
    if plan.format_version > FORMAT_VERSION:
        raise IntegrityError(f"The plan {str(path)!r} was written by a newer Atelier. Update Atelier.")
    return plan
