"""What names, keys and values may look like in MLflow's protocol, and how long they may be.

The limits are MLflow's, so that what is logged here can be logged there; the library itself allows more.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import unquote

from studio_ext.mlflow.checks import invalid_value, missing_value
from studio_ext.mlflow.errors import MlflowError, invalid

MAX_KEY = 250
MAX_PARAM = 6000
MAX_TAG = 8000
MAX_EXPERIMENT_NAME = 500
MAX_EXPERIMENT_TAG = 20_000
MAX_MODEL_TAG = 100_000
MAX_ALIAS = 255
MAX_BATCH_METRICS = 1000
MAX_BATCH_TEXTS = 100
MAX_DATASET = {"name": 500, "digest": 36, "source": 65_535, "schema": 1_048_575, "profile": 16_777_215}
MAX_INPUT_TAG_KEY = 255
MAX_INPUT_TAG = 500

RUN_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}")
KEY = re.compile(r"[/\w.\- :]*")
ALIAS = re.compile(r"[\w\-]*")
VERSION_ALIAS = re.compile(r"[vV]\d+")
LOGGED_MODEL_BAD = ("/", ":", ".", "%", '"', "'")


def check_length(what: str, limit: int, value: str) -> str:
    """Return a text that is not too long."""
    if len(value) > limit:
        raise invalid(f"'{what}' exceeds the maximum length of {limit} characters")
    return value


def check_key(key: str, path: str, what: str = "key") -> str:
    """Return the key of a metric, parameter or tag if it may be one."""
    if KEY.fullmatch(key) is None:
        raise invalid_value(
            path,
            key,
            "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and "
            "slashes (/).",
        )
    if _is_other_path(key):
        raise _path_error(path, key)
    return check_length(what, MAX_KEY, key)


def check_metric(metric: dict[str, Any], path: str = "") -> None:
    """Refuse a metric whose key or time cannot be used."""
    prefix = f"{path}." if path else ""
    check_key(metric.get("key", ""), f"{prefix}name", "Metric name")
    if metric.get("timestamp", 0) < 0:
        hint = f"metric '{metric['key']}' (value={metric.get('value')}). Timestamp must be a nonnegative long"
        raise invalid_value(f"{prefix}timestamp", metric["timestamp"], f"{hint} (64-bit integer) ")


def check_param(param: dict[str, Any], path: str = "") -> tuple[str, str]:
    """Return key and value of a parameter; a value that is too long is cut, as MLflow does by default."""
    prefix = f"{path}." if path else ""
    key = check_key(param.get("key", ""), f"{prefix}key", "Param key")
    return key, str(param.get("value", ""))[:MAX_PARAM]


def check_tag(tag: dict[str, Any], path: str = "") -> tuple[str, str]:
    """Return key and value of a run's tag; a value that is too long is cut, as MLflow does by default."""
    prefix = f"{path}." if path else ""
    return check_key(tag.get("key", ""), f"{prefix}key", f"{prefix}key"), str(tag.get("value", ""))[:MAX_TAG]


def check_experiment_tag(tag: dict[str, Any]) -> tuple[str, str]:
    """Return key and value of an experiment's tag."""
    key = check_key(tag.get("key", ""), "key")
    return key, check_length("value", MAX_EXPERIMENT_TAG, tag.get("value", ""))


def check_model_tag(tag: dict[str, Any]) -> tuple[str, str]:
    """Return key and value of a registered model's or a version's tag."""
    key = check_key(tag.get("key", ""), "key")
    return key, check_length("value", MAX_MODEL_TAG, tag.get("value", ""))


def check_experiment_name(name: str) -> str:
    """Return the name of an experiment."""
    return check_length("name", MAX_EXPERIMENT_NAME, name)


def check_experiment_id(experiment_id: str) -> str:
    """Return the id of an experiment in its plain form; no id means the default experiment's."""
    try:
        return str(int(experiment_id or "0"))
    except ValueError:
        raise invalid(f"Invalid experiment ID '{experiment_id}'. Experiment ID must be a valid integer.") from None


def check_run_id(run_id: str) -> str:
    """Return an id that may be a run's."""
    if RUN_ID.fullmatch(run_id) is None:
        raise invalid_value("run_id", run_id)
    return run_id


def check_model_name(name: str, parameter: str = "name") -> str:
    """Return the name of a registered model."""
    if not name.strip():
        raise invalid(missing_value(parameter))
    if "/" in name or ":" in name:
        raise invalid(f"Invalid model name '{name}'. Names cannot contain '/' or ':'.")
    if _is_other_path(name):
        raise _path_error("name", name)
    return name


def check_version(version: str) -> int:
    """Return the number of a model version."""
    try:
        return int(version)
    except ValueError:
        raise invalid(f"Parameter 'version' must be an integer, got '{version}'.") from None


def check_alias(alias: str) -> str:
    """Return an alias that may be asked for."""
    if not alias:
        raise invalid("Registered model alias name cannot be empty.")
    if ALIAS.fullmatch(alias) is None:
        raise invalid(
            f"Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
        )
    return check_length("Registered model alias name", MAX_ALIAS, alias)


def check_new_alias(alias: str) -> str:
    """Return an alias that may be given to a version."""
    check_alias(alias)
    if alias.lower() == "latest":
        raise invalid("'latest' alias name (case insensitive) is reserved.")
    if VERSION_ALIAS.fullmatch(alias):
        raise invalid(f"Version alias name '{alias}' is reserved.")
    return alias


def check_logged_model_name(name: str) -> str:
    """Return the name of a logged model."""
    if not name or any(character in name for character in LOGGED_MODEL_BAD):
        raise invalid(
            f"Invalid model name ({name!r}) provided. Model name must be a non-empty string and cannot contain the "
            f"following characters: {LOGGED_MODEL_BAD}"
        )
    return name


def check_path(path: str) -> str:
    """Return the path of an artifact that leads nowhere else, also when it is decoded once more."""
    for _ in range(10):
        decoded = unquote(path)
        if decoded == path:
            break
        path = decoded
    is_absolute = PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()
    has_bad = any(character in path for character in ("#", "\\", "\0")) or path.startswith("file:")
    if has_bad or is_absolute or ".." in path.split("/"):
        raise invalid("Invalid path")
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def check_batch(metrics: Sequence[object], params: Sequence[dict[str, Any]], tags: Sequence[object]) -> None:
    """Refuse a batch that is too long, or that has a parameter twice."""
    counts = {"metrics": len(metrics), "params": len(params), "tags": len(tags)}
    limits = {"metrics": MAX_BATCH_METRICS, "params": MAX_BATCH_TEXTS, "tags": MAX_BATCH_TEXTS}
    for what, count in counts.items():
        _check_batch_size(what, limits[what], count)
    _check_batch_size("metrics, params, and tags", MAX_BATCH_METRICS, sum(counts.values()))
    keys = [param.get("key", "") for param in params]
    twice = _repeated(keys)
    if twice:
        raise invalid(
            f"Duplicate parameter keys have been submitted: {twice}. Please ensure the request contains only one param "
            "value per param key."
        )


def check_dataset(dataset: dict[str, Any] | None, tags: Iterable[dict[str, Any]]) -> None:
    """Refuse a dataset that lacks something, or of which something is too long."""
    if dataset is None:
        raise invalid("Dataset cannot be None")
    for name, limit in MAX_DATASET.items():
        check_length(name, limit, dataset.get(name, ""))
    for tag in tags:
        check_length("key", MAX_INPUT_TAG_KEY, tag.get("key", ""))
        check_length("value", MAX_INPUT_TAG, tag.get("value", ""))


def _check_batch_size(what: str, limit: int, count: int) -> None:
    if count > limit:
        raise invalid(
            f"A batch logging request can contain at most {limit} {what}. Got {count} {what}. Please split up {what} "
            "across multiple requests and try again."
        )


def _repeated(keys: list[str]) -> list[str]:
    return [key for position, key in enumerate(keys) if key in keys[:position]]


def _is_other_path(name: str) -> bool:
    normal = posixpath.normpath(name)
    return normal != name or normal == "." or normal.startswith(("..", "/"))


def _path_error(path: str, name: str) -> MlflowError:
    return invalid_value(
        path,
        name,
        "Names may be treated as files in certain cases, and must not resolve to other names when treated as such. "
        f"This name would resolve to {posixpath.normpath(name)!r}",
    )
