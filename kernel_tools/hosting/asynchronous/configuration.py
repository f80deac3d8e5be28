"""How an endpoint answers asynchronous requests: `async/configuration.json` in its folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msgspec

from kernel_tools.core.errors import IntegrityError, InvalidArgumentError, UnavailableError
from kernel_tools.core.workspace import join_inside
from kernel_tools.hosting.asynchronous.files import file_stem, local_path
from kernel_tools.hosting.asynchronous.records import AsyncConfiguration
from kernel_tools.hosting.folder import EndpointFolder


def read_configuration(folder: EndpointFolder) -> AsyncConfiguration:
    """Return an endpoint's configuration, the default if none was written; IntegrityError if it is broken."""
    path = folder.path / "async" / "configuration.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=AsyncConfiguration)
    except FileNotFoundError:
        return AsyncConfiguration()
    except (OSError, ValueError) as error:
        raise IntegrityError(f"{str(path)!r} cannot be read: {error}. Delete it, or configure anew.") from error


def write_configuration(folder: EndpointFolder, configuration: AsyncConfiguration) -> None:
    """Replace an endpoint's configuration; NotFoundError if there is no endpoint."""
    folder.require()
    for name in ("output_path", "failure_path", "input_roots"):
        given = getattr(configuration, name)
        for text in given if isinstance(given, tuple) else filter(None, [given]):
            if "://" not in text and not (Path(text).is_absolute() and Path(text).is_dir()):
                raise InvalidArgumentError(f"{name}: {text!r} is not the absolute path of a folder that exists.")
            if "://" in text and not (name == "input_roots" and text.startswith("s3://")):
                raise InvalidArgumentError(f"{name}: {text!r} cannot be used: give the path of a folder.")
    path = make_folder(folder.path / "async") / "configuration.json"
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(configuration), indent=1))
    os.replace(temporary, path)


def output_paths(
    folder: EndpointFolder,
    configuration: AsyncConfiguration,
    identifier: str,
    *,
    output: str | os.PathLike[str] | None = None,
    extension: str = "",
    filename: str = "",
) -> tuple[Path, Path]:
    """Return where the output of a request appears, and the message if it fails.

    Parameters
    ----------
    folder, configuration
        The endpoint.
    identifier
        The inference id.
    output
        A path that the caller of this process chose instead.
    extension, filename
        What a caller over the network asks for below the output folder, and instead of ``<id>.out``.

    Raises
    ------
    InvalidArgumentError
        If a part leads out of the folder.
    """
    if output is not None:
        chosen = local_path(output).absolute()
        if not chosen.parent.is_dir() or chosen.is_dir():
            raise InvalidArgumentError(f"The output {str(chosen)!r} cannot be a file: its folder does not exist.")
        return chosen, chosen.with_name(f"{chosen.name}-error.out")
    own = folder.path / "async" / "output"
    outputs = Path(configuration.output_path) if configuration.output_path else own
    failures = Path(configuration.failure_path) if configuration.failure_path else outputs
    below = [part for part in extension.split("/") if part]
    if filename and (filename.startswith(".") or "/" in filename or filename.endswith("-error.out")):
        raise InvalidArgumentError(f"{filename!r} is not a name of an output: give a plain file name.")
    if not configuration.output_path:
        make_folder(own)
    name = filename or f"{file_stem(identifier)}.out"
    found = (
        join_inside(outputs, *below, name),
        join_inside(failures, *below, f"{file_stem(identifier)}-error.out"),
    )
    if below:
        for path in found:
            path.parent.mkdir(parents=True, exist_ok=True)
    return found


def make_folder(path: Path) -> Path:
    """Make a folder of the queue, and `async` above it; never that of an endpoint, or a deleted one would come back."""
    try:
        if path.name != "async":
            path.parent.mkdir(exist_ok=True)
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise UnavailableError(f"The folder {str(path)!r} cannot be made: {error.strerror}.") from error
    return path
