"""What hosting adds to lineage graphs: which endpoints serve a model version."""

from __future__ import annotations

from dataclasses import replace

from kernel_tools import registry
from kernel_tools.core.errors import IntegrityError, NotFoundError
from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.folder import endpoint_folders
from kernel_tools.hosting.records import EndpointRecord
from kernel_tools.registry.lineage_graph import LineageNode, Links, parse_version_node, version_node, version_node_id
from kernel_tools.registry.records import VersionRecord


def endpoint_links(workspace: Workspace, nodes: frozenset[str]) -> Links:
    """Return the endpoints among the nodes with the versions that they serve, and the endpoints that serve the nodes.

    An endpoint keeps the name that its model had when it was deployed; `VersionRecord.id` finds the version under the
    name that it has now.
    """
    found = Links()
    if not any(node.startswith("endpoint/") or parse_version_node(node) for node in nodes):
        return found
    for folder in endpoint_folders(workspace):
        try:
            served = folder.configuration().version
            endpoint = LineageNode(endpoint_node_id(folder.name), "endpoint", folder.name, folder.record().state.value)
        except (IntegrityError, NotFoundError):
            continue  # deleted meanwhile, or broken: the panel of endpoints says so, and there is no link to show
        version = _present_version(workspace, served)
        if endpoint.id in nodes or version.id in nodes:
            found.add(version, endpoint, "serves")
    return found


def endpoint_node_id(name: str) -> str:
    """Return the id of an endpoint's node."""
    return f"endpoint/{name}"


def with_present_name(workspace: Workspace, record: EndpointRecord) -> EndpointRecord:
    """Return the record with the name that the endpoint's model has now."""
    present = registry.find_by_id(record.version_id, workspace=workspace) if record.version_id else None
    return record if present is None else replace(record, model=present.model)


def present_name(workspace: Workspace, served: VersionRecord) -> str:
    """Return the name that a version's model has now."""
    present = registry.find_by_id(served.id, workspace=workspace) if served.id else None
    return served.model if present is None else present.model


def _present_version(workspace: Workspace, served: VersionRecord) -> LineageNode:
    present = registry.find_by_id(served.id, workspace=workspace) if served.id else None
    if present is not None:
        return version_node(present)
    node = version_node_id(served.model, served.version)
    return LineageNode(node, "version", f"{served.model} {served.version}")
