"""Lineage: from data to endpoints and back, from any node; what is in use is not deleted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pandas as pd
import pytest

from kernel_tools import experiments, registry
from kernel_tools.core import seams
from kernel_tools.core.errors import ConflictError, InvalidArgumentError, NotFoundError
from kernel_tools.core.figures import figure_json
from kernel_tools.core.workspace import Workspace
from kernel_tools.registry.figures import layer_nodes, lineage_graph
from kernel_tools.registry.lineage_graph import MAX_NODES, Lineage, LineageEdge, LineageNode, Links

SERVED = LineageNode("endpoint/live", "endpoint", "live", "InService")


@pytest.fixture
def made(any_workspace, model) -> tuple[Workspace, experiments.Run, registry.ModelVersion]:
    """A run that read a dataset and made version 1 of "census"; version 1 of "prod" is a copy."""
    with experiments.start_run("census", name="xgb", workspace=any_workspace) as run:
        run.log_dataset(pd.DataFrame({"a": [1, 2]}), name="adult/v1", role="training")
    version = registry.register("census", model, run=run, workspace=any_workspace)
    registry.create_model("prod", workspace=any_workspace)
    registry.create_version_from_source("prod", "models:/census/1", workspace=any_workspace)
    return any_workspace, run, version


@pytest.fixture
def served(made) -> Iterator[None]:
    """A room above the registry that serves version 1 of "census"."""

    def links(workspace: Workspace, nodes: frozenset[str]) -> Links:
        found = Links()
        if nodes & {"model/census/1", SERVED.id}:
            found.add(LineageNode("model/census/1", "version", "census 1"), SERVED, "serves")
        return found

    registry.register_lineage_source("test", links)
    yield
    seams.withdraw("lineage", "test")


def ids(lineage: Lineage) -> set[str]:
    return {node.id for node in lineage.nodes}


def test_a_version_leads_back_to_its_data_and_on_to_its_endpoint(made, served):
    _, run, version = made
    (dataset,) = version.lineage("upstream").of_kind("dataset")
    assert dataset.id.startswith("dataset/adult/v1@")
    assert ids(version.lineage("upstream")) == {"model/census/1", f"run/{run.id}", dataset.id}
    assert ids(version.lineage("downstream")) >= {"model/census/1", "endpoint/live", "model/prod/1"}
    graph = version.lineage()
    assert graph.nodes[0] == LineageNode("model/census/1", "version", "census 1", "PendingManualApproval")
    assert LineageEdge(dataset.id, f"run/{run.id}", "training") in graph.edges
    assert LineageEdge(f"run/{run.id}", "model/census/1", "made") in graph.edges
    assert LineageEdge("model/census/1", "endpoint/live", "serves") in graph.edges
    assert graph.is_complete


def test_every_node_is_a_place_to_start(made, served):
    workspace, run, version = made
    (dataset,) = version.lineage("upstream").of_kind("dataset")
    whole = {dataset.id, f"run/{run.id}", "model/census/1", "model/prod/1", "endpoint/live"}
    assert ids(registry.lineage(dataset.id, "downstream", workspace=workspace)) == whole
    assert ids(registry.lineage(run, workspace=workspace)) == whole
    assert ids(registry.lineage("endpoint/live", workspace=workspace)) == whole - {"model/prod/1"}
    assert ids(registry.lineage("endpoint/live", "downstream", workspace=workspace)) == {"endpoint/live"}


@pytest.mark.parametrize("node", ["model/census/9", "run/none", "dataset/x@y", "endpoint/none", "nonsense", ""])
def test_what_does_not_exist_has_no_lineage(made, node):
    with pytest.raises(NotFoundError, match="Nothing is known"):
        registry.lineage(node, workspace=made[0])


def test_a_direction_is_one_of_three(made):
    with pytest.raises(InvalidArgumentError, match="'upstream', 'downstream' or 'both'"):
        registry.lineage("model/census/1", "sideways", workspace=made[0])


def test_a_run_that_is_gone_is_still_named(workspace, model):
    registry.create_model("census", workspace=workspace)
    registry.create_version_from_source("census", "s3://x", run_id="a" * 32, workspace=workspace)
    (run,) = registry.lineage("model/census/1", workspace=workspace).of_kind("run")
    assert (run.id, run.state) == ("run/" + "a" * 32, "deleted")


def test_a_run_whose_folder_is_gone_keeps_its_place(made):
    workspace, run, version = made
    shutil.rmtree(workspace.folder("runs", run.id))
    assert ids(version.lineage("upstream")) == {"model/census/1", f"run/{run.id}"}


def test_what_is_in_use_is_not_deleted(made, served):
    workspace, _, version = made
    with pytest.raises(ConflictError, match="used by 'endpoint live'"):
        version.delete()
    with pytest.raises(ConflictError, match="used by 'endpoint live'"):
        registry.delete_model("census", workspace=workspace)
    registry.get("prod", workspace=workspace).delete()


def test_a_graph_without_end_is_cut_off_and_says_so(workspace):
    def links(workspace: Workspace, nodes: frozenset[str]) -> Links:
        found = Links()
        for node in nodes:
            if node.startswith("chain/"):
                number = int(node.partition("/")[2])
                for child in (2 * number, 2 * number + 1):
                    ends = [LineageNode(f"chain/{item}", "chain", str(item)) for item in (number, child)]
                    found.add(*ends)
        return found

    registry.register_lineage_source("test", links)
    try:
        graph = registry.lineage("chain/1", workspace=workspace)
    finally:
        seams.withdraw("lineage", "test")
    assert (len(graph.nodes), graph.is_complete) == (MAX_NODES, False)
    assert len(graph.edges) == MAX_NODES - 1


def test_the_figure_stands_in_layers_from_left_to_right(made, served):
    _, run, version = made
    graph = version.lineage()
    layers = layer_nodes(graph)
    assert [len(layer) for layer in layers] == [1, 1, 1, 2]
    assert layers[1] == [f"run/{run.id}"]
    figure = lineage_graph(graph)
    names = {trace.name: list(trace.x) for trace in figure.data}
    assert names == {"dataset": [0], "run": [1], "version": [2, 3], "endpoint": [3]}
    assert len(figure.layout.annotations) == 4
    json.dumps(figure_json(figure))


def test_the_figure_of_a_lone_node_and_of_a_circle_is_drawn():
    nodes = [LineageNode("a", "run", "a"), LineageNode("b", "other", "b")]
    assert len(lineage_graph(Lineage("a", nodes[:1], [])).data) == 1
    circle = Lineage("a", nodes, [LineageEdge("a", "b"), LineageEdge("b", "a")], is_complete=False)
    assert "there are more" in lineage_graph(circle).layout.title.text
