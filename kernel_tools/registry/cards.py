"""Model cards: what a model is for, what it was made of and where it must not be used; every revision is kept."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

import sqlalchemy as sa

from kernel_tools.core.audit import current_user
from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.registry import catalog
from kernel_tools.registry.groups import now
from kernel_tools.registry.names import validate_text
from kernel_tools.registry.records import ModelCard
from kernel_tools.registry.tables import model_cards

MAX_FIELD = 100_000
CARD_FIELDS = tuple(
    item.name for item in fields(ModelCard) if item.name not in ("revision", "created_at", "created_by")
)
"""The parts that a card is written in: text, intended_use, data, metrics, ethics, limits."""

CARD_TITLES = {
    "intended_use": "Intended use",
    "data": "Data",
    "metrics": "Metrics",
    "ethics": "Ethics",
    "limits": "Limits",
}
"""Headings after the free text, in their order (Mitchell et al., Model Cards for Model Reporting, 2019)."""


def write_card(name: str, version: int, *, workspace: Workspace | None = None, **changes: str) -> ModelCard:
    """Write the next revision of a version's model card.

    Parameters
    ----------
    name, version
        The version.
    workspace
        Default: the current workspace.
    **changes
        The parts to write, in Markdown: ``text`` (free), ``intended_use``, ``data``, ``metrics``, ``ethics`` and
        ``limits``. A part that is not named stays as it is; an empty text empties it.

    Returns
    -------
    ModelCard
        The new revision; the one before it, if nothing would change.

    Raises
    ------
    NotFoundError
        If there is no such version.
    InvalidArgumentError
        If there is no such part, or a part has more than 100,000 characters.
    """
    workspace = workspace or current_workspace()
    for key, text in changes.items():
        if key not in CARD_FIELDS:
            raise InvalidArgumentError(f"A model card has no part {key!r}: write {', '.join(CARD_FIELDS)}.")
        if not isinstance(text, str):
            raise InvalidArgumentError(f"The part {key!r} of a model card is {type(text).__name__}: give it as text.")
        validate_text(text, f"part {key!r} of the model card", MAX_FIELD)
    with workspace.database.write() as connection:
        catalog.get_version(connection, name, version)
        last = _read(connection, name, version, None)
        content = {key: getattr(last, key) if last else "" for key in CARD_FIELDS}
        if last is not None and content | changes == content:
            return last
        card = ModelCard((last.revision if last else 0) + 1, now(), current_user(), **(content | changes))
        row = {key: value for key, value in asdict(card).items() if key not in CARD_FIELDS}
        written = json.dumps({key: getattr(card, key) for key in CARD_FIELDS})
        connection.execute(model_cards.insert().values(model=name, version=version, **row, content=written))
        details = {"revision": card.revision, "parts": sorted(changes)}
        workspace.audit.record("model.card", f"{name}/{version}", details)
    return card


def get_card(
    name: str, version: int, revision: int | None = None, *, workspace: Workspace | None = None
) -> ModelCard | None:
    """Return a version's model card: the newest revision, or the one asked for; None if it has no card.

    Raises
    ------
    NotFoundError
        If there is no such version, or no such revision.
    """
    with (workspace or current_workspace()).database.read() as connection:
        catalog.get_version(connection, name, version)
        card = _read(connection, name, version, revision)
        if card is None and revision is not None:
            last = _read(connection, name, version, None)
            have = f"It has revisions 1 to {last.revision}." if last else "It has no card yet."
            raise NotFoundError(f"The card of {name!r} version {version} has no revision {revision}. {have}")
        return card


def list_cards(name: str, version: int, *, workspace: Workspace | None = None) -> list[ModelCard]:
    """Return all revisions of a version's model card, the newest first (at most 1000)."""
    query = _query(name, version).limit(1000)
    with (workspace or current_workspace()).database.read() as connection:
        catalog.get_version(connection, name, version)
        return [_card(row) for row in connection.execute(query)]


def render_card(card: ModelCard) -> str:
    """Return a card as one Markdown text: the free text, then each part that is filled under its heading."""
    parts = [card.text] if card.text else []
    parts += [f"## {title}\n\n{getattr(card, key)}" for key, title in CARD_TITLES.items() if getattr(card, key)]
    return "\n\n".join(parts) + ("\n" if parts else "")


def _query(name: str, version: int) -> sa.Select[Any]:
    is_version = (model_cards.c.model == name) & (model_cards.c.version == version)
    return sa.select(model_cards).where(is_version).order_by(model_cards.c.revision.desc())


def _read(connection: sa.Connection, name: str, version: int, revision: int | None) -> ModelCard | None:
    query = _query(name, version).limit(1)
    if revision is not None:
        query = query.where(model_cards.c.revision == revision)
    row = connection.execute(query).first()
    return None if row is None else _card(row)


def _card(row: Any) -> ModelCard:
    return ModelCard(row.revision, row.created_at, row.created_by, **json.loads(row.content))
