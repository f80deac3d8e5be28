"""A recipe on an engine: its steps as expressions over the tables of its sources, and what they learn there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import ConflictError, ForbiddenError, NotFoundError
from kernel_tools.wrangler.document import Fit, Id, Node, RecipeDocument
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.graph import hashes, ordered
from kernel_tools.wrangler.operators import make_operator
from kernel_tools.wrangler.operators.base import Operator, State, StepError
from kernel_tools.wrangler.states import decode_state, encode_state

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd


class Execution:
    """The steps of a recipe over tables.

    Parameters
    ----------
    document
        The recipe.
    engine
        Where the tables are.
    tables
        The table of each source, by its id.
    is_training
        Whether these are the rows that the recipe learns from: steps for training rows only are left out otherwise.
    may_learn
        Whether a step that has learned nothing yet, or something else, learns when it is needed. If not, it is refused.
    is_trusted
        Whether steps that run somebody's code may run.
    fingerprints
        Of each source, for what is learned.
    """

    def __init__(
        self,
        document: RecipeDocument,
        engine: Engine,
        tables: Mapping[Id, ir.Table],
        *,
        is_training: bool = True,
        may_learn: bool = True,
        is_trusted: bool = False,
        fingerprints: Mapping[Id, str] | None = None,
    ) -> None:
        self.document = document
        self.engine = engine
        self._tables: dict[Id, ir.Table] = dict(tables)
        self._nodes = {node.id: node for node in document.nodes}
        self._hashes = hashes(document)
        self._is_training = is_training
        self._may_learn = may_learn
        self._is_trusted = is_trusted
        self._fingerprints = fingerprints or {}
        self._states: dict[Id, State] = {}
        self._fits: dict[Id, Fit] = {}

    def table(self, part_id: Id) -> ir.Table:
        """Return the rows of a source or after a step.

        Raises
        ------
        StepError
            If a step does not fit its table.
        ConflictError
            If a step has not learned yet and may not.
        ForbiddenError
            If a step runs code and the recipe is not trusted.
        """
        missing, open_ids = set(), [part_id]
        while open_ids:
            one = open_ids.pop()
            if one not in self._tables and one not in missing:
                missing.add(one)
                open_ids += self._node(one).inputs
        for node in ordered(self.document):
            if node.id in missing:
                self._tables[node.id] = self._step(node)
        return self._tables[part_id]

    def _node(self, node_id: Id) -> Node:
        if node_id not in self._nodes:
            raise NotFoundError(f"The recipe {self.document.name!r} has no step {node_id!r} and no rows of it.")
        return self._nodes[node_id]

    def state(self, node_id: Id) -> State:
        """Return what a step has learned; empty for one that learns nothing."""
        self.table(node_id)
        return self._states.get(node_id, {})

    def fitted(self) -> RecipeDocument:
        """Return the recipe with what its steps have learned here."""
        nodes = [
            node.model_copy(update={"fit": self._fits[node.id]}) if node.id in self._fits else node
            for node in self.document.nodes
        ]
        return self.document.model_copy(update={"nodes": nodes})

    def _step(self, node: Node) -> ir.Table:
        from ibis.common.annotations import ValidationError
        from ibis.common.exceptions import IbisError

        inputs = [self._tables[one] for one in node.inputs]
        if not node.enabled:
            return inputs[0]
        operator = make_operator(node.op, node.params)
        least, most = operator.arity
        if not least <= len(inputs) <= most:
            wanted = str(least) if least == most else f"{least} or more"
            raise StepError(f"{operator.title} takes {wanted} tables, this step has {len(inputs)}.", field=None)
        operator.check(*(table.schema() for table in inputs))
        if operator.runs_code and not self._is_trusted:
            raise ForbiddenError(
                f"The step {node.id!r} ({operator.title}) runs code that came with the recipe. Read it, and trust the "
                "recipe if you want it to run."
            )
        if not self._is_training and not operator.applies_to_new:
            return inputs[0]
        if operator.is_eager:
            return self._eager_step(node, operator, inputs)
        build = operator.build_training if self._is_training else operator.build
        try:
            if operator.learns and not self._is_fitted(node):
                inputs = [self.engine.named(table) for table in inputs]
            state = self._learned(node, operator, lambda: operator.learn(*inputs), inputs)
            return build(*inputs, state=state)
        except (IbisError, ValidationError) as error:
            raise StepError(f"{operator.title} does not fit the types of this table: {error}") from error

    def _eager_step(self, node: Node, operator: Operator, inputs: list[ir.Table]) -> ir.Table:
        import pyarrow as pa

        frames = [frame_of(self.engine, table) for table in inputs]
        state = self._learned(node, operator, lambda: operator.learn_frame(*frames), inputs)
        apply = operator.apply_training if self._is_training else operator.apply
        try:
            return self.engine.register(arrow_of(apply(*frames, state=state)))
        except (pa.ArrowException, TypeError) as error:
            raise StepError(f"{operator.title} leaves values that no table can hold: {error}") from error

    def _learned(self, node: Node, operator: Operator, learn: Any, inputs: list[ir.Table]) -> State:
        if not operator.learns:
            return {}
        if node.fit is not None and self._is_fitted(node):
            state = node.fit.state
        elif not self._may_learn:
            raise ConflictError(
                f"The step {node.id!r} ({operator.sentence()}) has not learned yet, or something has changed since. "
                "Fit the recipe first."
            )
        else:
            state = encode_state(learn())
            self._fits[node.id] = Fit(
                engine=self.engine.version,
                source_fingerprint=self._fingerprints.get(self._root(node), ""),
                parameters_hash=self._hashes[node.id],
                rows=self.engine.count(self.engine.named(inputs[0]).get_name()),
                fitted_at=datetime.now(UTC).isoformat(timespec="seconds"),
                state=state,
            )
        decoded: State = decode_state(state)
        self._states[node.id] = decoded
        return decoded

    def _is_fitted(self, node: Node) -> bool:
        """Say whether a step has learned, with the parameters and steps before it as they are now."""
        return node.fit is not None and node.fit.parameters_hash == self._hashes[node.id]

    def _root(self, node: Node) -> Id:
        first = node.inputs[0]
        while first in self._nodes:
            first = self._nodes[first].inputs[0]
        return first


def frame_of(engine: Engine, table: ir.Table) -> pd.DataFrame:
    """Compute a table as a pandas frame with Arrow types: missing stays missing, integers stay integers."""
    import pandas as pd

    return engine.arrow(table).to_pandas(types_mapper=pd.ArrowDtype)


def arrow_of(frame: pd.DataFrame) -> Any:
    """Return a pandas frame as an Arrow table; NaN becomes missing, the index goes."""
    import pyarrow as pa

    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
