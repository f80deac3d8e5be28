"""The tables of a recipe in a session: each step computed once for a look at a few rows, and once for all of them.

A table is known by the hash of its step, so that an edit computes again only what comes after it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

from kernel_tools.core.errors import AtelierError
from kernel_tools.wrangler.document import Fit, Id, Node, RecipeDocument
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.execution import Execution
from kernel_tools.wrangler.graph import before, hashes
from kernel_tools.wrangler.session.task import Task
from kernel_tools.wrangler.sources import Loaded, load, parameter_values

QUICK_ROWS = 1_000
"""Rows of a source that a first look takes."""

KEPT_TABLES = 24
"""Computed steps that are kept, those that were used last."""


@dataclass
class Computed:
    """The rows after a step, in a table of their own.

    `fits` is what the steps up to it have learned on the way; `is_whole` says whether from all rows.
    """

    table: str
    rows: int
    is_whole: bool
    fits: dict[Id, Fit] = field(default_factory=dict)


class Tables:
    """Computes and keeps the tables of one recipe after another."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._loaded: dict[tuple[str, bool], Loaded] = {}
        self._computed: OrderedDict[tuple[str, bool], Computed] = OrderedDict()
        self._locks: dict[tuple[str, bool], threading.Lock] = {}
        self._lock = threading.Lock()

    def loaded(self, document: RecipeDocument, source_id: Id, *, is_whole: bool) -> Loaded | None:
        """Return what is known of a source that was read."""
        return self._loaded.get((hashes(document)[source_id], is_whole))

    def compute(
        self, task: Task, document: RecipeDocument, part_id: Id, *, base: Path, is_trusted: bool, is_whole: bool
    ) -> Computed:
        """Return the rows of a source or after a step; computed if they are not there.

        Raises
        ------
        StepError
            If the step, or one before it, does not fit its table; it names the step.
        AtelierError
            If a source cannot be read.
        """
        cut = before(document, part_id)
        key = (hashes(cut)[part_id], is_whole)
        with self._lock_of(key):
            found = self._computed.get(key)
            looked = self._computed.get((key[0], False))
            if found is None and looked is not None and looked.is_whole:
                return looked
            if found is None:
                engine = task.engine(self._engine)
                node = next((one for one in cut.nodes if one.id == part_id), None)
                if node is None:
                    found = self._read(engine, cut, part_id, base=base, is_whole=is_whole)
                else:
                    found = self._step(task, engine, cut, node, base=base, is_trusted=is_trusted, is_whole=is_whole)
                self._keep(key, found)
            else:
                self._computed.move_to_end(key)
            return found

    def _read(self, engine: Engine, document: RecipeDocument, source_id: Id, *, base: Path, is_whole: bool) -> Computed:
        source = next(one for one in document.sources if one.id == source_id)
        values = parameter_values(document.parameters)
        loaded = load(
            source,
            engine,
            parameters=values,
            name=engine.new_name("source"),
            base=base,
            limit=None if is_whole else QUICK_ROWS,
        )
        self._loaded[hashes(document)[source_id], is_whole] = loaded
        table = loaded.table
        if not engine.is_stored(table):
            table = engine.materialize(engine.table(table)).get_name()
        rows = engine.count(table)
        return Computed(table, rows, is_whole or rows < QUICK_ROWS)

    def _step(
        self,
        task: Task,
        engine: Engine,
        document: RecipeDocument,
        node: Node,
        *,
        base: Path,
        is_trusted: bool,
        is_whole: bool,
    ) -> Computed:
        tables, fits, known = {}, {}, {}
        are_whole = is_whole
        for one in node.inputs:
            earlier = self.compute(task, document, one, base=base, is_trusted=is_trusted, is_whole=is_whole)
            tables[one] = engine.table(earlier.table)
            fits.update(earlier.fits)
            are_whole = earlier.is_whole if one == node.inputs[0] else are_whole and earlier.is_whole
        for source in document.sources:
            loaded = self.loaded(document, source.id, is_whole=is_whole)
            if loaded is not None:
                known[source.id] = loaded.fingerprint
        execution = Execution(document, engine, tables, is_trusted=is_trusted, fingerprints=known)
        try:
            result = engine.materialize(execution.table(node.id), engine.new_name(node.op))
        except AtelierError as error:
            error.args = (f"Step {node.id}: {error}",)
            raise
        fits.update({one.id: one.fit for one in execution.fitted().nodes if one.id == node.id and one.fit is not None})
        name = result.get_name()
        return Computed(name, engine.count(name), are_whole, fits)

    def _keep(self, key: tuple[str, bool], computed: Computed) -> None:
        with self._lock:
            self._computed[key] = computed
            dropped = [self._computed.popitem(last=False)[1] for _ in range(len(self._computed) - KEPT_TABLES)]
        for old in dropped:
            self._engine.drop(old.table)

    def _lock_of(self, key: tuple[str, bool]) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(key, threading.Lock())
