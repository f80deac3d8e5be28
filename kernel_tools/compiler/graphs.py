"""Work on ONNX graphs: checks before one is kept, two joined into one, and the casts that keep trees exact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from kernel_tools.compiler.manifest import Feed
from kernel_tools.core.errors import ForbiddenError, InvalidArgumentError, MissingExtraError

if TYPE_CHECKING:
    import onnx

OPSET = 21
ML_OPSET = 5
IR_VERSION = 10
DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
"""Operators that ONNX Runtime itself has; all others would come from a library."""
MAX_BYTES = 2**31 - 1
TREES = frozenset({"TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor"})


def import_onnx() -> Any:
    """Return the module `onnx`; MissingExtraError if it is not installed."""
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError("onnx", "compiler") from error
    return onnx


def read_model(path: Path) -> onnx.ModelProto:
    """Read a file with its external data, which must lie beside it.

    Raises
    ------
    ForbiddenError
        If the file names data outside of its folder.
    """
    onnx = import_onnx()
    model = onnx.load(path, load_external_data=False)
    refuse_outside_data(model)
    onnx.load_external_data_for_model(model, str(path.parent))
    return model  # type: ignore[no-any-return]


def refuse_outside_data(model: onnx.ModelProto) -> None:
    """Raise ForbiddenError if a tensor is in a file that is not beside the model."""
    for tensor in _tensors(model.graph):
        for entry in tensor.external_data:
            path = PurePosixPath(entry.value.replace("\\", "/"))
            if entry.key == "location" and (path.is_absolute() or ".." in path.parts or ":" in entry.value):
                raise ForbiddenError(
                    f"The ONNX model names the file {entry.value[:200]!r} for the tensor {tensor.name[:100]!r}, which "
                    "is outside of its folder. Save the model with its data beside it."
                )


def check_model(model: onnx.ModelProto) -> None:
    """Check what a package may hold.

    Raises
    ------
    ForbiddenError
        If the graph needs operators that ONNX Runtime does not have, whose library would be code.
    InvalidArgumentError
        If data is not in the model itself, or there is too much of it.
    """
    own = {(function.domain, function.name) for function in model.functions}
    nodes = [node for graph in _graphs(model) for node in graph]
    for node in nodes:
        if node.domain not in DOMAINS and (node.domain, node.op_type) not in own:
            raise ForbiddenError(
                f"The graph needs the operator {node.op_type!r} of {node.domain!r}, which a library outside of ONNX "
                "Runtime would bring. Such libraries are code and are never loaded: export the model without it."
            )
        if node.op_type == "PyOp" or (node.op_type == "PythonOp"):
            raise ForbiddenError(f"The graph holds {node.op_type!r}, which would run Python. Export it without.")
    if any(tensor.external_data for tensor in _tensors(model.graph)):
        raise InvalidArgumentError("The graph keeps tensors in other files. Load it with its external data first.")
    if model.ByteSize() > MAX_BYTES:
        raise InvalidArgumentError(
            f"The graph has {model.ByteSize() / 2**30:.1f} GiB; one file of ONNX holds 2 GiB. Compile a smaller model."
        )


def _graphs(model: onnx.ModelProto) -> Iterator[Any]:
    waiting: list[Any] = [model.graph, *model.functions]
    while waiting:
        graph = waiting.pop()
        yield graph.node
        for node in graph.node:
            for attribute in node.attribute:
                waiting += [attribute.g] * attribute.HasField("g") + list(attribute.graphs)


def _tensors(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            for inner in [attribute.g] * attribute.HasField("g") + list(attribute.graphs):
                yield from _tensors(inner)


def merge_inputs(model: onnx.ModelProto, feeds: Sequence[Feed]) -> list[Feed]:
    """Make one input of columns that the graph only puts side by side, for each costs microseconds in every call.

    Parameters
    ----------
    model
        The graph, which is changed.
    feeds
        Its inputs.

    Returns
    -------
    list
        Its inputs now. An input of several columns has the name that they had side by side.
    """
    onnx = import_onnx()
    graph = model.graph
    single = {feed.name: feed for feed in feeds if feed.columns is not None and len(feed.columns) == 1}
    uses = Counter(name for nodes in _graphs(model) for node in nodes for name in node.input)
    given = {item.name: item for item in graph.input}
    results = {item.name for item in graph.output}
    merged: dict[str, Feed] = {}
    for node in [node for node in graph.node if node.op_type == "Concat" and node.domain == ""]:
        names, [name] = list(node.input), node.output
        parts = [single[one] for one in names if one in single and uses[one] == 1]
        kinds = {(part.dtype, part.missing_text) for part in parts}
        axes = {attribute.name: attribute.i for attribute in node.attribute}
        if not 1 < len(parts) == len(names) or len(kinds) != 1 or axes != {"axis": 1} or name in results:
            continue
        first = given[names[0]]
        item = onnx.helper.make_tensor_value_info(name, first.type.tensor_type.elem_type, [None, len(names)])
        for one in names:
            graph.input.remove(given[one])
            merged[one] = Feed(
                name=name,
                dtype=parts[0].dtype,
                columns=[column for part in parts for column in part.columns or []],
                encodings=[encoding for part in parts for encoding in part.encodings],
                missing_text=parts[0].missing_text,
            )
        graph.input.append(item)
        graph.node.remove(node)
        for known in [known for known in graph.value_info if known.name == name]:
            graph.value_info.remove(known)
    found = {feed.name: feed for feed in (merged.get(feed.name, feed) for feed in feeds)}
    return list(found.values())


def raise_opsets(model: onnx.ModelProto, default: int = OPSET, ml: int = ML_OPSET) -> onnx.ModelProto:
    """Return a model with newer opsets, in which its operators mean the same.

    Raises
    ------
    InvalidArgumentError
        If an operator means something else there.
    """
    onnx = import_onnx()
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    current = {one.domain: one.version for one in copy.opset_import}
    if 0 < current.get("", default) < default:
        copy = onnx.version_converter.convert_version(copy, default) if _needs_conversion(copy, default) else copy
    wanted = {"": default, "ai.onnx.ml": ml}
    for node in copy.graph.node:
        if node.domain == "ai.onnx.ml" and "ai.onnx.ml" in current:
            since = [
                onnx.defs.get_schema(node.op_type, version, node.domain).since_version
                for version in (current["ai.onnx.ml"], ml)
            ]
            if since[0] != since[1] and (node.op_type, *since) not in _ADDITIONS:
                raise InvalidArgumentError(f"{node.op_type} of ai.onnx.ml {since[0]} cannot be joined with {since[1]}.")
    del copy.opset_import[:]
    domains = dict.fromkeys([*current, "", "ai.onnx.ml"])
    for domain in domains:
        copy.opset_import.append(onnx.helper.make_opsetid(domain, wanted.get(domain, current.get(domain, 1))))
    copy.ir_version = IR_VERSION
    return copy  # type: ignore[no-any-return]


_ADDITIONS = {
    ("LabelEncoder", 2, 4),
    ("TreeEnsembleClassifier", 1, 3),
    ("TreeEnsembleRegressor", 1, 3),
    ("TreeEnsembleClassifier", 1, 5),
    ("TreeEnsembleRegressor", 1, 5),
    ("TreeEnsembleClassifier", 3, 5),
    ("TreeEnsembleRegressor", 3, 5),
}
"""Operators whose later version only has more attributes, or is said to be deprecated."""


def _needs_conversion(model: Any, wanted: int) -> bool:
    onnx = import_onnx()
    current = next(one.version for one in model.opset_import if one.domain == "")
    return any(
        onnx.defs.get_schema(node.op_type, current, "").since_version
        != onnx.defs.get_schema(node.op_type, wanted, "").since_version
        for node in model.graph.node
        if node.domain == ""
    )


def join(first: onnx.ModelProto, second: onnx.ModelProto, output: str) -> onnx.ModelProto:
    """Join two graphs: an output of the first becomes the one input of the second, cast to its type.

    Raises
    ------
    InvalidArgumentError
        If the second takes another number of inputs or columns.
    """
    onnx = import_onnx()
    if len(second.graph.input) != 1:
        raise InvalidArgumentError(f"The model takes {len(second.graph.input)} inputs instead of one matrix.")
    first, second = raise_opsets(first), raise_opsets(second)
    given = next(item for item in first.graph.output if item.name == output)
    taken = second.graph.input[0]
    widths = [item.type.tensor_type.shape.dim[1].dim_value for item in (given, taken) if _rank(item) == 2]
    if len(widths) == 2 and all(widths) and widths[0] != widths[1]:
        raise InvalidArgumentError(f"The model takes {widths[1]} columns, and what comes before it gives {widths[0]}.")
    second = onnx.compose.add_prefix(second, "model.", rename_inputs=True, rename_outputs=False)
    types = (given.type.tensor_type.elem_type, taken.type.tensor_type.elem_type)
    if types[0] != types[1]:
        cast = f"{output}.cast"
        first.graph.node.append(onnx.helper.make_node("Cast", [output], [cast], to=types[1]))
        given.name = cast
        given.type.tensor_type.elem_type = types[1]
        output = cast
    joined = onnx.compose.merge_models(first, second, io_map=[(output, second.graph.input[0].name)])
    return joined  # type: ignore[no-any-return]


def _rank(item: Any) -> int:
    return len(item.type.tensor_type.shape.dim)


def cut_trees_to_float(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a graph whose trees of doubles see their inputs rounded to float32, as scikit-learn's trees do."""
    onnx = import_onnx()
    nodes = list(model.graph.node)
    del model.graph.node[:]
    types = {item.name: item.type.tensor_type.elem_type for item in _typed(model)}
    for node in nodes:
        is_double = node.op_type in TREES and types.get(node.input[0]) == onnx.TensorProto.DOUBLE
        if is_double:
            given = node.input[0]
            names = [f"{given}.{node.name or node.output[0]}.{part}" for part in ("float", "double")]
            model.graph.node.append(onnx.helper.make_node("Cast", [given], [names[0]], to=onnx.TensorProto.FLOAT))
            model.graph.node.append(onnx.helper.make_node("Cast", [names[0]], [names[1]], to=onnx.TensorProto.DOUBLE))
            node.input[0] = names[1]
        model.graph.node.append(node)
    return model


def even_types(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a graph that puts floats and doubles side by side only after casting the floats."""
    onnx = import_onnx()
    types = {item.name: item.type.tensor_type.elem_type for item in _typed(model)}
    nodes = list(model.graph.node)
    del model.graph.node[:]
    for node in nodes:
        kinds = {types.get(name) for name in node.input}
        if node.op_type == "Concat" and kinds == {onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE}:
            for place, name in enumerate(node.input):
                if types[name] == onnx.TensorProto.FLOAT:
                    wider = f"{name}.{node.name or node.output[0]}.wider"
                    model.graph.node.append(onnx.helper.make_node("Cast", [name], [wider], to=onnx.TensorProto.DOUBLE))
                    node.input[place] = wider
            types[node.output[0]] = onnx.TensorProto.DOUBLE
        model.graph.node.append(node)
    return model


def _typed(model: Any) -> list[Any]:
    onnx = import_onnx()
    inferred = onnx.shape_inference.infer_shapes(model)
    return [*inferred.graph.input, *inferred.graph.value_info, *inferred.graph.output]


def without_zip_maps(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Any] | None]:
    """Return a graph that gives probabilities as a matrix instead of dictionaries, and the classes that they named."""
    onnx = import_onnx()
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    classes: list[Any] | None = None
    for node in [node for node in copy.graph.node if node.op_type == "ZipMap"]:
        for attribute in node.attribute:
            values = onnx.helper.get_attribute_value(attribute)
            classes = [value.decode() if isinstance(value, bytes) else value for value in values]
        output = next((item for item in copy.graph.output if item.name == node.output[0]), None)
        if output is None:
            continue
        copy.graph.node.remove(node)
        copy.graph.output.remove(output)
        shape = [None, len(classes or [])]
        copy.graph.output.append(onnx.helper.make_tensor_value_info(node.input[0], onnx.TensorProto.FLOAT, shape))
    return copy, classes
