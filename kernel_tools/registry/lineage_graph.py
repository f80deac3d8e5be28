"""Where a model comes from and where it serves: dataset -> run -> version -> endpoint, from any node, both ways.

The registry knows datasets, runs and versions. Rooms above it add what they know by `register_lineage_source`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import sqlalchemy as sa

from kernel_tools.core import seams
from kernel_tools.core.errors import ConflictError, InvalidArgumentError, NotFoundError
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.experiments.records import DatasetInput
from kernel_tools.experiments.run import Run
from kernel_tools.registry.records import VersionRecord
from kernel_tools.registry.tables import model_versions

SEAM = "lineage"
MAX_NODES = 500
"""A graph of more nodes is cut off and says so."""
MAX_LINKED = 100
"""Runs of one dataset, or versions of one run, that are followed."""

Direction = Literal["upstream", "downstream", "both"]


@dataclass(frozen=True, slots=True)
class LineageNode:
    """A thing with an origin or a use.

    `id` is the address of its page in the studio, such as ``run/<id>``, ``model/census/3`` or ``endpoint/census``;
    a dataset is ``dataset/<name>@<digest>``. `kind` is ``dataset``, ``run``, ``version``, ``endpoint``, or what another
    room calls its nodes.
    """

    id: str
    kind: str
    label: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class LineageEdge:
    """From what was used to what came of it; `role` says how, such as ``training`` or ``serves``."""

    source: str
    target: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class Lineage:
    """A graph of `nodes` and `edges`; `is_complete` is False if it was cut off at `MAX_NODES` nodes."""

    root: str
    nodes: list[LineageNode]
    edges: list[LineageEdge]
    is_complete: bool = True

    def of_kind(self, kind: str) -> list[LineageNode]:
        """Return the nodes of one kind."""
        return [node for node in self.nodes if node.kind == kind]


@dataclass(slots=True)
class Links:
    """What a source knows around some nodes: the nodes themselves, their neighbours, and the edges between them."""

    nodes: list[LineageNode] = field(default_factory=list)
    edges: list[LineageEdge] = field(default_factory=list)

    def add(self, source: LineageNode, target: LineageNode, role: str = "") -> None:
        """Add an edge and both its ends."""
        self.nodes += (source, target)
        self.edges.append(LineageEdge(source.id, target.id, role))


LineageSource = Callable[[Workspace, frozenset[str]], Links]
"""Is given the ids of nodes and returns what it knows of them and around them; it ignores ids that it does not know."""


class HasLineage(Protocol):
    """Something that knows its node."""

    @property
    def lineage_node(self) -> str:
        """The id of its node."""


def register_lineage_source(name: str, source: LineageSource | str) -> None:
    """Add a source of links.

    Parameters
    ----------
    name
        Whose it is, such as ``hosting``; a second source of the same name takes the place of the first.
    source
        The function, or its address ``"module:function"``, which is imported when lineage is first asked for.
    """
    seams.provide(SEAM, name, source)


def lineage(
    node: str | Run | HasLineage, direction: Direction = "both", *, workspace: Workspace | None = None
) -> Lineage:
    """Return everything that a node came from, that came of it, or both.

    Parameters
    ----------
    node
        A run, a model version, an endpoint, or the id of a node: ``run/<id>``, ``model/<name>/<version>``,
        ``endpoint/<name>``, ``dataset/<name>@<digest>``.
    direction
        ``upstream`` (what it came from), ``downstream`` (what came of it) or ``both``.
    workspace
        Default: the current workspace.

    Returns
    -------
    Lineage
        The nodes, the root first and then by distance, and the edges between them.

    Raises
    ------
    NotFoundError
        If nothing is known of the node.
    InvalidArgumentError
        If there is no such direction.
    """
    workspace = workspace or current_workspace()
    root = _node_id(node)
    if direction not in ("upstream", "downstream", "both"):
        raise InvalidArgumentError(f"{direction!r} is no direction: use 'upstream', 'downstream' or 'both'.")
    known: dict[str, LineageNode] = {}
    order: dict[str, None] = {root: None}
    edges: dict[LineageEdge, None] = {}
    is_complete = True
    for way in ("upstream", "downstream") if direction == "both" else (direction,):
        seen, frontier = {root}, frozenset({root})
        while frontier:
            reached: dict[str, None] = {}
            for found in _ask(workspace, frontier):
                known |= {item.id: item for item in found.nodes if item.state or item.id not in known}
                for edge in found.edges:
                    near, far = (edge.target, edge.source) if way == "upstream" else (edge.source, edge.target)
                    if near in frontier:
                        edges[edge] = None
                        reached[far] = None
            new = [item for item in reached if item not in seen]
            room = MAX_NODES - len(order | dict.fromkeys(new)) + len(new)
            is_complete = is_complete and len(new) <= room
            new = new[: max(room, 0)]
            seen |= set(new)
            order |= dict.fromkeys(new)
            frontier = frozenset(new)
    if root not in known:
        raise NotFoundError(
            f"Nothing is known of {root!r}. Ask for 'run/<id>', 'model/<name>/<version>', 'endpoint/<name>' or "
            "'dataset/<name>@<digest>' of something that exists."
        )
    kept = [edge for edge in edges if edge.source in order and edge.target in order]
    return Lineage(root, [known[item] for item in order], kept, is_complete)


def refuse_if_in_use(workspace: Workspace, model: str, versions: Sequence[int]) -> None:
    """Raise ConflictError if rooms above the registry use a version: deleting it would take its files from them."""
    ids = frozenset(version_node_id(model, version) for version in versions)
    users: list[str] = []
    for source in seams.providers(SEAM).values():
        users += [
            f"{edge.target.replace('/', ' ', 1)!r}" for edge in source(workspace, ids).edges if edge.source in ids
        ]
    if users:
        shown = ", ".join(sorted(set(users))[:10])
        raise ConflictError(f"{model!r} cannot be deleted, because it is used by {shown}. Delete that first.")


def version_node_id(model: str, version: int) -> str:
    """Return the id of a version's node."""
    return f"model/{model}/{version}"


def parse_version_node(node: str) -> tuple[str, int] | None:
    """Return model and number of a version's node, or None if it is another node's id."""
    match = re.fullmatch(r"model/([^/]+)/(\d{1,9})", node)
    return (match[1], int(match[2])) if match else None


def version_node(record: VersionRecord) -> LineageNode:
    """Return the node of a version."""
    node = version_node_id(record.model, record.version)
    return LineageNode(node, "version", f"{record.model} {record.version}", record.status.value)


def _node_id(node: str | Run | HasLineage) -> str:
    if isinstance(node, Run):
        return f"run/{node.id}"
    return node if isinstance(node, str) else node.lineage_node


def _ask(workspace: Workspace, nodes: frozenset[str]) -> Iterable[Links]:
    yield registry_links(workspace, nodes)
    for source in seams.providers(SEAM).values():
        yield source(workspace, nodes)


def registry_links(workspace: Workspace, nodes: frozenset[str]) -> Links:
    """Return what experiments and the registry know: datasets, runs and versions."""
    found = Links()
    runs = {node.removeprefix("run/") for node in nodes if node.startswith("run/")}
    versions = {version for node in nodes if (version := parse_version_node(node))}
    records = _read_versions(workspace, runs, versions)
    known_runs = _read_runs(workspace, runs | {record.run_id for record in records if record.run_id})
    found.nodes += known_runs.values()
    for record in records:
        node = version_node(record)
        found.nodes.append(node)
        if record.run_id:
            found.add(known_runs.get(record.run_id) or _lost_run(record.run_id), node, "made")
        if original := re.fullmatch(r"models:/([^/@]+)/(\d{1,9})", record.source):
            model, number = original[1], int(original[2])
            found.add(LineageNode(version_node_id(model, number), "version", f"{model} {number}"), node, "copied")
    _add_datasets(workspace, nodes, known_runs, found)
    return found


def _read_versions(workspace: Workspace, runs: set[str], versions: set[tuple[str, int]]) -> list[VersionRecord]:
    from kernel_tools.registry import catalog

    table = model_versions.c
    copies = [f"models:/{model}/{version}" for model, version in versions]
    conditions: list[sa.ColumnElement[bool]] = [table.run_id.in_(runs), table.source.in_(copies)]
    conditions += [(table.model == model) & (table.version == version) for model, version in versions]
    query = sa.select(model_versions).where(sa.or_(*conditions)).order_by(table.created_at.desc()).limit(MAX_NODES)
    if not runs and not versions:
        return []
    with workspace.database.read() as connection:
        return catalog.version_records(connection, connection.execute(query).mappings().all())


def _read_runs(workspace: Workspace, ids: set[str]) -> Mapping[str, LineageNode]:
    from kernel_tools import experiments

    wanted = [run_id for run_id in sorted(ids) if re.fullmatch(r"\w{1,32}", run_id)]
    if not wanted:
        return {}
    listed = ", ".join(f"'{run_id}'" for run_id in wanted[:MAX_NODES])
    rows, _ = experiments.search_run_records(
        filter=f"run_id IN ({listed})", limit=min(len(wanted), MAX_NODES), workspace=workspace
    )
    return {row.id: LineageNode(f"run/{row.id}", "run", row.name, row.status.value) for row in rows}


def _lost_run(run_id: str) -> LineageNode:
    return LineageNode(f"run/{run_id}", "run", run_id[:8], "deleted")


def _add_datasets(workspace: Workspace, nodes: frozenset[str], runs: Mapping[str, LineageNode], found: Links) -> None:
    """Add the datasets that the runs read, and the runs that read the datasets among the nodes."""
    from kernel_tools import experiments

    for run_id, run in runs.items():
        for used in _inputs(workspace, run_id):
            found.add(_dataset_node(used), run, used.context or "input")
    for node in nodes:
        name, _, digest = node.removeprefix("dataset/").rpartition("@")
        if not node.startswith("dataset/") or not name:
            continue
        quoted = [text.replace("'", "''") for text in (name, digest)]
        rows, _ = experiments.search_run_records(
            filter=f"dataset.name = '{quoted[0]}' and dataset.digest = '{quoted[1]}'",
            limit=MAX_LINKED,
            workspace=workspace,
        )
        for row in rows:
            run = LineageNode(f"run/{row.id}", "run", row.name, row.status.value)
            for used in _inputs(workspace, row.id):
                if _dataset_node(used).id == node:
                    found.add(_dataset_node(used), run, used.context or "input")


def _inputs(workspace: Workspace, run_id: str) -> Sequence[DatasetInput]:
    try:
        return Run(workspace, run_id).inputs
    except NotFoundError:
        return []  # its folder is gone: the catalog still knows the run, and nobody knows what it read


def _dataset_node(used: DatasetInput) -> LineageNode:
    return LineageNode(f"dataset/{used.name}@{used.digest}", "dataset", used.name, used.digest[:12])
