"""What names, aliases, stages and tags of the registry may be; MLflow's rules, so that its clients fit."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.registry.records import Stage

MAX_NAME = 256
MAX_ALIAS = 255
MAX_TAG_KEY = 250
MAX_TAG_VALUE = 100_000
MAX_DESCRIPTION = 100_000
MAX_NOTE = 10_000
MAX_LICENCE = 250

_ALIAS = re.compile(r"[\w-]+")
_VERSION_ALIAS = re.compile(r"[vV]\d+")


def validate_model_name(name: str, what: str = "model name") -> str:
    """Return the name if a model may have it: 1 to 256 printable characters without ``/`` and ``:``.

    Raises
    ------
    InvalidArgumentError
        If it is anything else, or begins or ends with a space, or is ``.`` or begins with ``..``.
    """
    is_text = isinstance(name, str) and 0 < len(name) <= MAX_NAME and name.isprintable() and name == name.strip()
    is_plain = is_text and not set("/:") & set(name) and posixpath.normpath(name) != "." and not name.startswith("..")
    if not is_plain:
        raise InvalidArgumentError(
            f"{str(name)[:80]!r} is not a valid {what}: use 1 to {MAX_NAME} printable characters without '/' and ':', "
            "no space at either end."
        )
    return name


def validate_alias(alias: str) -> str:
    """Return the alias if it may be one: letters, digits, ``_`` and ``-``, neither ``latest`` nor like ``v1``.

    Raises
    ------
    InvalidArgumentError
        If it is anything else.
    """
    if not isinstance(alias, str) or len(alias) > MAX_ALIAS or _ALIAS.fullmatch(alias) is None:
        raise InvalidArgumentError(
            f"{str(alias)[:80]!r} is not a valid alias: use 1 to {MAX_ALIAS} letters, digits, '_' or '-', such as "
            "'champion'."
        )
    if alias.lower() == "latest" or _VERSION_ALIAS.fullmatch(alias):
        raise InvalidArgumentError(
            f"The alias {alias!r} is reserved, because it reads like the newest version or a version's number. "
            "Choose another word, such as 'champion'."
        )
    return alias


def parse_stage(stage: Stage | str) -> Stage:
    """Return the stage that a word in any case means; InvalidArgumentError if there is none."""
    for known in Stage:
        if str(stage).lower() == known.value.lower():
            return known
    known_stages = ", ".join(known.value for known in Stage)
    raise InvalidArgumentError(f"Invalid Model Version stage: {str(stage)[:80]}. Value must be one of {known_stages}.")


def validate_tags(tags: Mapping[str, Any]) -> dict[str, str]:
    """Return tags as texts.

    Raises
    ------
    InvalidArgumentError
        If a key is not 1 to 250 printable characters, or a value has more than 100,000.
    """
    texts = {}
    for key, value in tags.items():
        if not isinstance(key, str) or not 0 < len(key) <= MAX_TAG_KEY or not key.isprintable():
            raise InvalidArgumentError(
                f"{str(key)[:80]!r} is not a valid tag key: use 1 to {MAX_TAG_KEY} printable characters."
            )
        texts[key] = validate_text(str(value), f"value of the tag {key!r}", MAX_TAG_VALUE)
    return texts


def validate_text(text: str, what: str, limit: int) -> str:
    """Return a text of at most `limit` characters; InvalidArgumentError if it is longer or no database keeps it."""
    if not isinstance(text, str):
        raise InvalidArgumentError(f"The {what} is {type(text).__name__}: give it as text.")
    if len(text) > limit:
        raise InvalidArgumentError(f"The {what} has {len(text):,} characters; at most {limit:,} are kept.")
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidArgumentError(f"The {what} has a NUL character or half of a surrogate pair. Leave it out.")
    return text
