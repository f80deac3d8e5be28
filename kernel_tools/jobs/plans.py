"""How a job is started: command line, environment and folders, worked out from its spec alone.

The environment speaks SageMaker's script mode (``SM_HPS``, ``SM_CHANNEL_TRAIN``, ``SM_MODEL_DIR``, ...), so that a
training script made for it runs as it is. Standard library only: supervisors use this.
"""

from __future__ import annotations

import json
import marshal
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.jobs.companions import companion_environment, companions_of
from kernel_tools.jobs.folder import JobFolder
from kernel_tools.jobs.limits import hold_limits
from kernel_tools.jobs.spec import JobSpec

FUNCTION_FILE = "function.pkl"
LARGEST_TEXT = 120_000
"""Bytes of one argument or variable; Linux refuses to start a process with more than 128 KiB in one."""
INHERITED = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "TZ", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TMPDIR",
    "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_HOME",
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "XDG_RUNTIME_DIR",
    "XDG_CACHE_HOME", "XDG_DATA_HOME", "HF_HOME", "TORCH_HOME", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE",
    "ATELIER_HOME", "ATELIER_SERVER_URL", "ATELIER_ENCRYPTION_KEY_FILE", "ATELIER_CAPTURE_SOURCE",
)  # fmt: skip
"""Variables that a job takes over from who submits it; all others stay behind, because some hold secrets."""
STORES = ("ATELIER_DATABASE_URL", "ATELIER_ARTIFACT_ROOT")
"""Where the workspace keeps things; the URLs may hold passwords, so a job gets them from who starts it, and no spec
has them."""
_RESERVE = "reserve"


def prepare_attempt(folder: JobFolder, spec: JobSpec, number: int, *, at_once: bool) -> dict[str, Any]:
    """Make the folders of an attempt and write its plan for `kernel_tools.jobs.supervision.boot`; returns the plan."""
    attempt = folder.attempt(number)
    attempt.mkdir(parents=True, exist_ok=True)
    for path in (folder.output / "model", folder.output / "data", folder.checkpoints):
        path.mkdir(parents=True, exist_ok=True)
    (folder.path / _RESERVE).write_bytes(b"\0" * 16_384)
    plan = {
        "argv": command_line(folder, spec),
        "cwd": spec.working_dir or str(folder.source),
        "dies_with_parent": spec.entry.kind == "command",
        "at_once": at_once,
        "companions": [list(companion.argv) for companion in companions_of(folder, spec) if companion.argv],
        **hold_limits(spec.resources, spec.name),
    }
    with open(attempt / "plan", "wb") as file:
        marshal.dump(plan, file)
    return plan


def free_reserve(folder: JobFolder) -> None:
    """Give back the little space that was kept for the case that the disk is full."""
    (folder.path / _RESERVE).unlink(missing_ok=True)


def command_line(folder: JobFolder, spec: JobSpec) -> list[str]:
    """Return the command that runs the entry."""
    entry = spec.entry
    if entry.kind == "command":
        return [entry.target, *entry.arguments]
    workload = str(Path(__file__).parent / "workload.py")
    target = {
        "script": str(folder.source / entry.target),
        "notebook": str(folder.source / entry.target),
        "function": str(folder.path / FUNCTION_FILE),
    }.get(entry.kind, entry.target)
    takes_flags = entry.kind in ("script", "module")
    flags = to_flags(spec.params, _text_of(folder, spec)) if takes_flags else []
    return [spec.python, workload, entry.kind, target, *entry.arguments, *flags]


def to_flags(params: Mapping[str, Any], script: str = "") -> list[str]:
    """Write parameters as ``--key value``, as SageMaker does.

    One letter is written ``-k value``, unless the script speaks of ``"--k"`` alone. A text that begins with a dash is
    written ``--key=value``: argparse would take it for a flag.
    """
    flags: list[str] = []
    for key, value in params.items():
        text = to_text(value)
        is_short = len(key) == 1 and not (_speaks_of(script, f"--{key}") and not _speaks_of(script, f"-{key}"))
        flag = f"-{key}" if is_short else f"--{key}"
        is_like_flag = text.startswith("-") and not _is_number(text) and not is_short
        flags += [f"{flag}={text}"] if is_like_flag else [flag, text]
    return flags


def to_text(value: Any) -> str:
    """Write a parameter as a word of a command line: texts as they are, lists and dicts as JSON."""
    return value if isinstance(value, str) else str(value) if isinstance(value, bool | None) else json.dumps(value)


def job_environment(folder: JobFolder, spec: JobSpec, number: int) -> dict[str, str]:
    """Return the whole environment of an attempt.

    Raises
    ------
    NotFoundError
        If a secret is not where the spec says.
    InvalidArgumentError
        If a reference to a secret is not understood.
    """
    environment = {name: os.environ[name] for name in STORES if name in os.environ}
    environment |= spec.environment
    environment |= {name: resolve_secret(name, reference) for name, reference in spec.secrets.items()}
    if spec.entry.kind != "command":
        library = str(Path(__file__).parents[2])
        paths = [str(folder.source), *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep)), library]
        environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
        environment.setdefault("PYTHONUNBUFFERED", "1")
        environment.setdefault("PYTHONFAULTHANDLER", "1")
    if spec.resources.cpus is not None:
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            environment.setdefault(name, str(spec.resources.cpus))
    environment |= _script_mode(folder, spec)
    environment |= {
        "ATELIER_HOME": str(folder.root.parent),
        "ATELIER_JOB": spec.name,
        "ATELIER_JOB_FOLDER": str(folder.path),
        "ATELIER_CHECKPOINT_EVERY": str(spec.checkpoint.every),
        "ATELIER_CHECKPOINT_KEEP": str(spec.checkpoint.keep),
        **({"ATELIER_RUN_ID": spec.run_id} if spec.run_id else {}),
        **attempt_environment(folder, number),
        **companion_environment(folder, spec),
    }
    return environment


def attempt_environment(folder: JobFolder, number: int) -> dict[str, str]:
    """Return the variables that differ between the attempts of a job."""
    return {"ATELIER_ATTEMPT": str(number), "ATELIER_ATTEMPT_FOLDER": str(folder.attempt(number))}


def resolve_secret(name: str, reference: str) -> str:
    """Return the value of a secret: ``env:NAME`` of the process that starts the job, or ``file:/path``."""
    kind, _, place = reference.partition(":")
    if kind == "env" and place:
        if place in os.environ:
            return os.environ[place]
        raise NotFoundError(
            f"The secret {name!r} is to be found in the environment variable {place!r}, which is not set where the job "
            "is started. Set it, or keep the secret in a file: secrets={...: 'file:/path'}."
        )
    if kind == "file" and os.path.isabs(place):
        try:
            return Path(place).read_text().rstrip("\n")
        except (OSError, UnicodeError) as error:
            raise NotFoundError(f"The secret {name!r} cannot be read from {place!r}: {error}.") from error
    raise InvalidArgumentError(f"The secret {name!r} refers to {reference!r}: use 'env:NAME' or 'file:/absolute/path'.")


def _script_mode(folder: JobFolder, spec: JobSpec) -> dict[str, str]:
    """Return the variables of SageMaker's training toolkit; what does not fit into a variable is in a file only."""
    texts = {key: to_text(value) for key, value in spec.params.items()}
    host = "algo-1"
    channels = sorted(spec.inputs)
    cpus = spec.resources.cpus or os.cpu_count() or 1
    variables = {
        "SM_HPS": json.dumps(dict(spec.params), ensure_ascii=False),
        "SM_USER_ARGS": json.dumps(to_flags(spec.params, _text_of(folder, spec)), ensure_ascii=False),
        "SM_CHANNELS": json.dumps(channels),
        "SM_MODEL_DIR": str(folder.output / "model"),
        "SM_OUTPUT_DATA_DIR": str(folder.output / "data"),
        "SM_OUTPUT_DIR": str(folder.output),
        "SM_OUTPUT_INTERMEDIATE_DIR": str(folder.output / "data"),
        "SM_CHECKPOINT_DIR": str(folder.checkpoints),
        "SM_INPUT_DIR": str(folder.input),
        "SM_INPUT_CONFIG_DIR": str(folder.input / "config"),
        "SM_INPUT_DATA_CONFIG": json.dumps({channel: {"TrainingInputMode": "File"} for channel in channels}),
        "SM_RESOURCE_CONFIG": json.dumps({"current_host": host, "hosts": [host], "network_interface_name": "lo"}),
        "SM_MODULE_DIR": str(folder.source),
        "SM_MODULE_NAME": Path(spec.entry.target).stem,
        "SM_USER_ENTRY_POINT": spec.entry.target,
        "SM_HOSTS": json.dumps([host]),
        "SM_CURRENT_HOST": host,
        "SM_NETWORK_INTERFACE_NAME": "lo",
        "SM_NUM_CPUS": str(cpus),
        "SM_NUM_GPUS": "0"
        if not os.environ.get("CUDA_VISIBLE_DEVICES")
        else str(len(os.environ["CUDA_VISIBLE_DEVICES"].split(","))),
        "SM_CURRENT_INSTANCE_TYPE": f"local-{platform.machine()}",
        "SM_LOG_LEVEL": "20",
        "SM_FRAMEWORK_MODULE": "",
        "TRAINING_JOB_NAME": spec.name,
        **{f"SM_CHANNEL_{channel.upper()}": str(folder.input / "data" / channel) for channel in channels},
        **{f"SM_HP_{key.upper().replace('-', '_')}": text for key, text in texts.items()},
    }
    variables["SM_TRAINING_ENV"] = json.dumps(
        {
            "job_name": spec.name,
            "hyperparameters": dict(spec.params),
            "channel_input_dirs": {channel: str(folder.input / "data" / channel) for channel in channels},
            "model_dir": variables["SM_MODEL_DIR"],
            "output_data_dir": variables["SM_OUTPUT_DATA_DIR"],
            "output_dir": variables["SM_OUTPUT_DIR"],
            "input_dir": variables["SM_INPUT_DIR"],
            "input_config_dir": variables["SM_INPUT_CONFIG_DIR"],
            "module_name": variables["SM_MODULE_NAME"],
            "module_dir": variables["SM_MODULE_DIR"],
            "user_entry_point": spec.entry.target,
            "current_host": host,
            "hosts": [host],
            "num_cpus": cpus,
            "num_gpus": int(variables["SM_NUM_GPUS"]),
            "log_level": 20,
        },
        ensure_ascii=False,
    )
    return {name: text for name, text in variables.items() if len(text.encode()) <= LARGEST_TEXT and "\0" not in text}


def _text_of(folder: JobFolder, spec: JobSpec) -> str:
    """Return the script of a job; only needed where a parameter has one letter."""
    if spec.entry.kind != "script" or all(len(key) > 1 for key in spec.params):
        return ""
    try:
        return (folder.source / spec.entry.target).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _speaks_of(script: str, flag: str) -> bool:
    return f'"{flag}"' in script or f"'{flag}'" in script


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
