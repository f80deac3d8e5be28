"""Submitting: a job's folder is made, its supervisor is started, and what was written is made safe before it counts."""

from __future__ import annotations

import json
import logging
import os
import re
import secrets as random
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kernel_tools.core.audit import current_user
from kernel_tools.core.errors import AtelierError, ConflictError, InvalidArgumentError, NotFoundError, TooLargeError
from kernel_tools.core.workspace import Workspace, sync_folder, validate_name, validate_title
from kernel_tools.jobs import catalog, queue
from kernel_tools.jobs.companions import debugger_settings
from kernel_tools.jobs.folder import JobFolder, now
from kernel_tools.jobs.functions import keep_function
from kernel_tools.jobs.inputs import Source, describe_inputs, place_inputs
from kernel_tools.jobs.launchers import launcher_of
from kernel_tools.jobs.plans import FUNCTION_FILE, INHERITED, LARGEST_TEXT, to_text
from kernel_tools.jobs.sources import copy_source, digest_path, require_inside
from kernel_tools.jobs.spec import Checkpoint, Entry, JobSpec, Resources, Retries, Spot, to_seconds
from kernel_tools.jobs.states import JobState

logger = logging.getLogger(__name__)

_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,249}")
_FRESH = 0.5
"""Seconds in which a folder that has no event yet is not taken for what a killed submission has left."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,249}")


@dataclass(frozen=True, slots=True)
class Order:
    """What is submitted, before anything was written: the entry, where its source is, and the function if it is one.

    A function that was kept before is a file, `function_file`; it is copied and not loaded.
    """

    entry: Entry
    source: Path | None = None
    function: Callable[..., Any] | None = None
    args: tuple[Any, ...] = ()
    working_dir: str = ""
    function_file: Path | None = None


def submit_order(
    workspace: Workspace,
    order: Order,
    spec: JobSpec,
    inputs: Mapping[str, Source],
) -> JobFolder:
    """Write a job and start it, or let it wait for its turn; returns when nothing can lose it any more.

    Raises
    ------
    ConflictError
        If there is a job of this name.
    NotFoundError
        If a file is missing.
    UnavailableError
        If an input's URL cannot be read.
    InvalidArgumentError, TooLargeError
        If something cannot be used. Nothing is left of the job after any error.
    """
    root = catalog.root_of(workspace)
    root.mkdir(parents=True, exist_ok=True)
    folder = JobFolder(root / spec.name)
    check_params(order.entry.kind, spec.params)
    described = describe_inputs(inputs)
    lock = _take_name(folder)
    try:
        digest = write_source(folder, order, spec.params)
        spec = replace(spec, source_sha256=digest, inputs=place_inputs(folder, inputs, described))
        folder.spec.write_bytes(spec.to_json())
        folder.append(JobState.QUEUED, is_durable=False)
    except BaseException:
        shutil.rmtree(folder.path, ignore_errors=True)
        raise
    finally:
        os.close(lock)
    launcher_of(spec.launcher).submit(folder, spec)
    for path in (folder.spec, folder.events, folder.path, root):
        _sync(path)
    try:
        _make_known(workspace, folder, spec)
    except (AtelierError, OSError) as error:
        # It runs: to say that it was not submitted would be wrong. Whoever asks for it by its name makes it known.
        logger.warning(
            "Job %s was submitted, but is not listed until it is asked for by its name: %s", spec.name, error
        )
    return folder


def is_submitted(folder: JobFolder) -> bool:
    """Whether a job is there; what is left of a submission that was killed is none, and is removed."""
    if not folder.path.exists():
        return False
    try:
        lock = folder.try_lock()
    except FileNotFoundError:
        return False
    if lock is None:
        return True  # it is being submitted, or its supervisor has it
    try:
        if folder.history().state is not None:
            return True
        shutil.rmtree(folder.path)
        return False
    finally:
        os.close(lock)


def _take_name(folder: JobFolder) -> int:
    """Make a job's folder and return the open file of its lock; ConflictError if there is a job of this name."""
    for _ in range(10):
        try:
            folder.path.mkdir()
            lock = folder.try_lock()
        except FileExistsError:
            if _is_fresh(folder) or is_submitted(folder):
                break
            continue
        except FileNotFoundError:
            continue  # taken for what a killed submission has left
        if lock is not None:
            return lock
    raise ConflictError(
        f"There is already a job {folder.name!r}. Choose another name=, leave it out, or run that one again: "
        f"kernel_tools.jobs.get({folder.name!r}).rerun()."
    )


def _is_fresh(folder: JobFolder) -> bool:
    """Whether somebody may just be making a job's folder."""
    try:
        return time.time() - folder.path.stat().st_mtime < _FRESH
    except FileNotFoundError:
        return False


def _make_known(workspace: Workspace, folder: JobFolder, spec: JobSpec) -> None:
    catalog.index_job(workspace, folder, spec)
    if spec.run_id is not None:
        from kernel_tools.jobs.runs import ensure_run

        ensure_run(workspace, spec)
    workspace.audit.record("job.submit", f"job/{spec.name}", {"entry": spec.entry.target, "kind": spec.entry.kind})


def order_of(
    entry: str | os.PathLike[str] | Sequence[str] | Callable[..., Any],
    source_dir: str | os.PathLike[str] | None,
    args: Sequence[Any],
    working_dir: str | os.PathLike[str] | None = None,
) -> Order:
    """Find out what kind of entry it is: a function, a command, a script, a notebook or a module.

    A text that ends in ``.py`` is a script, in ``.ipynb`` a notebook; ``-m package.module`` is a module; a list of
    texts
    is a command. It runs in `working_dir`, the current folder by default, or in the copy of its source.
    """
    here = os.getcwd() if working_dir is None else os.fspath(Path(working_dir).expanduser().resolve())
    if callable(entry):
        name = getattr(entry, "__name__", type(entry).__name__)
        return Order(Entry("function", name), _folder(source_dir), entry, tuple(args), here)
    if args:
        raise InvalidArgumentError("args= are for functions; give a script its parameters as params={...}.")
    if isinstance(entry, str | os.PathLike):
        text = os.fspath(entry)
        if text.startswith("-m "):
            return Order(Entry("module", text[3:].strip()), _folder(source_dir), working_dir="" if source_dir else here)
        kind = {".py": "script", ".ipynb": "notebook"}.get(Path(text).suffix.lower())
        if kind is None:
            raise InvalidArgumentError(
                f"{text!r} is no script (.py), notebook (.ipynb) or module ('-m package.module'). A command is a list "
                f"of "
                "words, such as ['bash', 'train.sh']."
            )
        source = _folder(source_dir)
        if source is not None:
            return Order(
                Entry(kind, require_inside(source, text)), source, working_dir="" if kind == "script" else here
            )
        path = Path(text).expanduser()
        if not path.is_file():
            raise NotFoundError(f"There is no {text!r} in {here!r}. Give the path of a {kind} that exists.")
        return Order(Entry(kind, path.name), path.resolve(), working_dir=here)
    words = [os.fspath(word) for word in entry]
    if not words or not all(isinstance(word, str) and word for word in words):
        raise InvalidArgumentError("A command is a list of texts, such as ['bash', 'train.sh'], and not empty.")
    found = shutil.which(words[0])
    if found is None and source_dir is None:
        raise NotFoundError(f"There is no program {words[0]!r} on the PATH. Install it, or give its path.")
    command = Entry("command", found or words[0], tuple(words[1:]))
    return Order(command, _folder(source_dir), working_dir="" if source_dir else here)


def new_spec(order: Order, name: str | None, experiment: str | None, **rest: Any) -> JobSpec:
    """Make the spec of an order; what is only known once the source was copied follows."""
    from kernel_tools.experiments.capture.environment import installed_packages

    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(order.entry.target).stem.rpartition(".")[2]).strip("-._") or "job"
    chosen = f"{stem[:80]}-{time.strftime('%Y%m%d-%H%M%S')}-{random.token_hex(4)}"
    run_id = None if experiment is None else uuid.uuid4().hex
    return JobSpec(
        name=chosen if name is None else validate_name(name, "job name"),
        entry=order.entry,
        created_at=now(),
        created_by=current_user(),
        source_origin=str(order.source or ""),
        working_dir=order.working_dir,
        experiment=None if experiment is None else validate_title(experiment, "experiment name"),
        run_id=run_id,
        python=sys.executable,
        packages=installed_packages(),
        **rest,
    )


def checked_spec(
    order: Order,
    name: str | None = None,
    experiment: str | None = None,
    *,
    params: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    resources: Resources | None = None,
    spot: Spot | None = None,
    checkpoint: Checkpoint | None = None,
    retries: Retries | None = None,
    max_runtime: float | str | None = None,
    grace: float | str = 30.0,
    priority: int = 0,
    tags: Mapping[str, str] | None = None,
    launcher: str = "local",
    debugger: Any = None,
) -> JobSpec:
    """Make the spec of an order from the options of `kernel_tools.jobs.submit`; errors are those that it raises."""
    launcher_of(launcher)
    watched = debugger_settings(debugger)
    return new_spec(
        order,
        name,
        "Default" if watched is not None and experiment is None else experiment,
        params=dict(params or {}),
        environment=environment_of(environment or {}),
        secrets=check_secrets(secrets or {}),
        resources=resources or Resources(),
        spot=spot,
        checkpoint=checkpoint or Checkpoint(),
        retries=retries or Retries(),
        max_runtime=None if max_runtime is None else to_seconds(max_runtime, "max_runtime"),
        grace=to_seconds(grace, "grace"),
        priority=check_priority(priority),
        tags=dict(tags or {}),
        launcher=launcher,
        debugger=watched,
    )


def environment_of(given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a job is started with: the allowed ones of this process, and those given."""
    for name, value in given.items():
        if not _VARIABLE.fullmatch(name) or not isinstance(value, str) or "\0" in value:
            raise InvalidArgumentError(
                f"The environment variable {name!r}: use a name of letters, digits and '_', and a text as its value."
            )
    taken = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {**taken, **{name: value for name, value in os.environ.items() if name.startswith("LC_")}, **given}


def check_priority(priority: int) -> int:
    """Return a priority; InvalidArgumentError unless it is a whole number from -1000 to 1000."""
    limit = queue.MAX_PRIORITY
    if not isinstance(priority, int) or isinstance(priority, bool) or not -limit <= priority <= limit:
        raise InvalidArgumentError(f"priority is {priority!r}: use a whole number from -{limit} to {limit}.")
    return priority


def write_source(folder: JobFolder, order: Order, params: Mapping[str, Any]) -> str:
    """Copy what is run, and its parameters, into an empty folder; returns the digest of the source."""
    folder.source.mkdir()
    config = folder.input / "config"
    config.mkdir(parents=True)
    (folder.input / "data").mkdir()
    (config / "parameters.json").write_text(json.dumps(dict(params), ensure_ascii=False), encoding="utf-8")
    texts = {key: to_text(value) for key, value in params.items()}
    (config / "hyperparameters.json").write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
    digest = "" if order.source is None else copy_source(order.source, folder.source)
    if order.function is not None:
        readable = folder.source / f"{order.entry.target.strip('<>')}.py"
        keep_function(order.function, order.args, params, folder.path / FUNCTION_FILE, readable)
        digest, _ = digest_path(readable)
    elif order.function_file is not None:
        shutil.copyfile(order.function_file, folder.path / FUNCTION_FILE)
    return digest


def check_params(kind: str, params: Mapping[str, Any]) -> None:
    """Raise InvalidArgumentError or TooLargeError if parameters cannot be given to an entry of this kind."""
    for key, value in params.items():
        if not isinstance(key, str) or not _PARAMETER.fullmatch(key):
            raise InvalidArgumentError(
                f"{str(key)[:80]!r} is not a parameter name: use letters, digits, '_', '-' and '.', beginning with a "
                f"letter."
            )
        if kind == "function":
            continue  # its arguments travel by value
        try:
            text = to_text(value)
            json.dumps(value, allow_nan=True)
        except (TypeError, ValueError) as error:
            raise InvalidArgumentError(
                f"Parameter {key!r} is a {type(value).__name__}, which has no JSON form. Use numbers, texts, lists and "
                f"dicts."
            ) from error
        if "\0" in text:
            raise InvalidArgumentError(f"Parameter {key!r} holds a NUL character, which no program can be given.")
        if kind in ("script", "module") and len(text.encode("utf-8", "surrogatepass")) > LARGEST_TEXT:
            raise TooLargeError(
                f"Parameter {key!r} has {len(text):,} characters; a command line carries {LARGEST_TEXT:,} bytes in one "
                "word. Write it to a file and give that as inputs={...}, or submit a function or notebook instead."
            )


def _folder(source_dir: str | os.PathLike[str] | None) -> Path | None:
    if source_dir is None:
        return None
    path = Path(source_dir).expanduser()
    if not path.is_dir():
        raise NotFoundError(f"source_dir {str(source_dir)!r} is not a folder. Give the folder that holds the code.")
    return path.resolve()


def _sync(path: Path) -> None:
    if path.is_dir():
        sync_folder(path)
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_secrets(secrets: Mapping[str, str]) -> dict[str, str]:
    """Return the references to secrets; they must be found now, so that a mistake shows before the job waits."""
    from kernel_tools.jobs.plans import resolve_secret

    for name, reference in secrets.items():
        if not _VARIABLE.fullmatch(name):
            raise InvalidArgumentError(f"The secret {name!r}: use a name of letters, digits and '_'.")
        resolve_secret(name, reference)
    return dict(secrets)
