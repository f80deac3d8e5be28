"""From a model to a package: convert, compare, measure, choose."""

from __future__ import annotations

import hashlib
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from kernel_tools.compiler.accuracy import measure_accuracy, require_accuracy
from kernel_tools.compiler.graphs import merge_inputs
from kernel_tools.compiler.manifest import GRAPH, MANIFEST, Manifest, Measure, Parity, encode_manifest
from kernel_tools.compiler.measuring import (
    BATCH_ROWS,
    folder_size,
    library_versions,
    machine_facts,
    probe,
    time_call,
)
from kernel_tools.compiler.missing import refused_missing
from kernel_tools.compiler.package import Candidate, CompiledPackage
from kernel_tools.compiler.parity import ParityError, compare_answers, require_exact
from kernel_tools.compiler.runtime import CompiledModel
from kernel_tools.compiler.sources import Answer, Conversion, UnsupportedModelError
from kernel_tools.compiler.subjects import Subject, read_subject
from kernel_tools.compiler.targets import Target, choose_targets
from kernel_tools.core.audit import current_user
from kernel_tools.core.errors import AtelierError, InvalidArgumentError
from kernel_tools.core.progress import Progress, progress
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.registry.packages import add_package
from kernel_tools.registry.registration import sample_rows
from kernel_tools.registry.version import ModelVersion

TOLERANCE = 1e-5
MAX_LOSS = 0.01
COMPARED_BATCH = 4096
_NOTHING = Measure(row_us=0.0, batch_us=0.0, batch_rows=0)


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller asked for; see `compile_model`."""

    tolerance: float
    max_loss: float
    labels: Any
    trust: bool
    measures_memory: bool


@dataclass(frozen=True, slots=True)
class Built:
    """A package in a folder, and what was found out about it."""

    folder: Path
    conversion: Conversion
    manifest: Manifest
    parity: Parity


def compile_model(
    model: Any,
    target: str = "auto",
    sample: Any = None,
    *,
    labels: Any = None,
    tolerance: float = TOLERANCE,
    max_loss: float = MAX_LOSS,
    measure_memory: bool = True,
    trust: bool = False,
    workspace: Workspace | None = None,
) -> CompiledPackage:
    """Compile a model to a package that ONNX Runtime serves, and keep it with its version.

    The package is compared with the original on the sample and refused if it answers otherwise; then the time and the
    memory of both are measured on this machine.

    Parameters
    ----------
    model
        A registered version (`kernel_tools.registry.get`), with which the package is kept; or a model: an estimator or
        pipeline of scikit-learn, an XGBoost, LightGBM or CatBoost model, a torch module, a fitted recipe,
        ``(recipe, model)`` or an ONNX model.
    target
        ``onnx``; ``onnx-int8``, whose weights and activations are 8-bit integers, for networks; ``auto`` makes all that
        suit the model and takes the quickest of those that pass.
    sample
        Rows as the model takes them, shape (rows, ...): a DataFrame, an array or a tensor. The more and the more
        varied, the more the comparison says; a few hundred are good. The ranges of ``onnx-int8`` are taken from them
        too. Default: the rows that were registered with the version.
    labels
        The true targets of the sample, shape (rows,): the accuracy of ``onnx-int8`` is measured against them.
    tolerance
        The greatest difference allowed between a probability or value and the original's; relative beyond 1.
    max_loss
        What ``onnx-int8`` may lose: of the accuracy (of R², for values) against `labels`, or without labels of the
        agreement with the original.
    measure_memory
        Whether a process of its own is started for each, to measure memory and start; takes seconds.
    trust
        Restore also classes of the version's files that could execute code.
    workspace
        Default: that of the version, or the current one.

    Returns
    -------
    CompiledPackage
        The chosen package; `CompiledPackage.candidates` are all that were looked at.

    Raises
    ------
    UnsupportedModelError
        If no compiler knows the model or a part of it.
    ParityError
        If the answers differ by more than the tolerance, or too much accuracy is lost; with the numbers and the rows.
    InvalidArgumentError
        If there is no such target, or there are no rows.
    ForbiddenError
        If the model's graph needs code from outside.
    StoppedError
        If it was asked to stop.
    """
    targets = choose_targets(target)
    if not 0 <= tolerance < float("inf") or not 0 <= max_loss <= 1:
        raise InvalidArgumentError("tolerance= is a number from 0, max_loss= a share from 0 to 1.")
    options = Options(tolerance, max_loss, labels, trust, measure_memory)
    folder = tempfile.TemporaryDirectory(prefix="atelier-compile-", ignore_cleanup_errors=True)
    try:
        with progress("Compiling", total=4 + 2 * len(targets), unit="steps") as work:
            work.update(description="Reading the model")
            files = Path(folder.name, "model")
            files.mkdir()
            subject = read_subject(model, sample, files, trust=trust)
            built, candidates = _build(subject, targets, Path(folder.name), options, work)
            record = None
            if isinstance(model, ModelVersion):
                work.update(description="Keeping the package")
                record = add_package(
                    model.name,
                    model.version,
                    built.manifest.target,
                    built.folder,
                    msgspec.to_builtins(built.manifest),
                    [msgspec.to_builtins(candidate) for candidate in candidates],
                    workspace=workspace or model.workspace,
                )
    except BaseException:
        folder.cleanup()
        raise
    place = workspace or (model.workspace if isinstance(model, ModelVersion) else None)
    return CompiledPackage(built.manifest, candidates, record, place or _workspace(record), built.folder, folder)


def _workspace(record: object) -> Workspace | None:
    return current_workspace() if record is not None else None


def _build(
    subject: Subject, targets: Any, folder: Path, options: Options, work: Progress
) -> tuple[Built, list[Candidate]]:
    work.advance()
    work.update(description="Asking the original")
    expected = ask_in_batches(subject, work)
    work.advance()
    work.update(description="Converting")
    plain = _convert(subject, expected, folder, options, work)
    work.advance()
    passed: list[Built] = []
    refused: list[tuple[str, AtelierError]] = []
    for target in targets:
        work.update(description=f"Making {target.name}")
        try:
            if target.suits(plain.conversion):
                passed.append(_make(subject, target, plain, expected, folder, options))
            elif len(targets) == 1:
                raise UnsupportedModelError(
                    f"The target {target.name!r} does nothing for this model: it has no convolutions or products of "
                    "matrices. Use target='onnx'."
                )
        except AtelierError as error:
            if len(targets) == 1:
                raise
            refused.append((target.name, error))
        work.advance()
    if not passed:
        raise refused[0][1]
    work.update(description="Measuring the original")
    original = _measure_original(subject, options, work)
    work.advance()
    refused_columns = refused_missing(subject)
    measured = []
    for built in passed:
        work.update(description=f"Measuring {built.manifest.target}")
        manifest = msgspec.structs.replace(built.manifest, refuses_missing=refused_columns)
        measured.append(_measured(subject, replace(built, manifest=manifest), original, options, work))
        work.advance()
    chosen = min(measured, key=lambda one: one.manifest.compiled.row_us)
    candidates = [Candidate.of_original(original)]
    candidates += [Candidate.of(one.manifest, is_chosen=one is chosen) for one in measured]
    candidates += [Candidate.refused(name, error) for name, error in refused]
    return chosen, candidates


def ask_in_batches(subject: Subject, work: Progress) -> Answer:
    """Ask the original about all rows of the sample; it can be stopped between two batches."""
    parts = []
    for start in range(0, len(subject.sample), COMPARED_BATCH):
        work.raise_if_stopped()
        parts.append(subject.source.answer(subject.model, subject.sample[start : start + COMPARED_BATCH]))
    return _joined(parts)


def _joined(parts: list[Answer]) -> Answer:
    if len(parts) == 1:
        return parts[0]
    import numpy as np

    joined: Answer = {}
    for name, first in parts[0].items():
        if name == "classes":
            joined[name] = first
        elif isinstance(first, list):
            joined[name] = [item for part in parts for item in part[name]]
        else:
            joined[name] = np.concatenate([np.asarray(part[name]) for part in parts])
    return joined


def _convert(subject: Subject, expected: Answer, folder: Path, options: Options, work: Progress) -> Built:
    """Try the ways of the source in their order; the first whose graph answers like the original is taken."""
    unsupported: AtelierError | None = None
    unlike: ParityError | None = None
    for number, way in enumerate(subject.source.conversions(subject.model, subject.signature, subject.sample)):
        work.raise_if_stopped()
        try:
            conversion = way()
            conversion = replace(conversion, feeds=merge_inputs(conversion.model, conversion.feeds))
            built = _write(subject, "onnx", conversion, folder / f"way-{number}", options.tolerance)
            parity = compare_answers(expected, _ask(built.folder, subject.sample), options.tolerance)
            require_exact(parity, f"The compiled {subject.source.name} model")
            return replace(built, parity=parity)
        except ParityError as error:
            if unlike is None or error.parity.max_difference < unlike.parity.max_difference:
                unlike = error
        except AtelierError as error:
            unsupported = unsupported or error
    raise unlike or unsupported or UnsupportedModelError("There is no way to compile this model.")


def _make(subject: Subject, target: Target, plain: Built, expected: Answer, folder: Path, options: Options) -> Built:
    feeds = CompiledModel(plain.folder).read_rows(subject.sample)
    conversion = target.build(plain.conversion, feeds)
    built = _write(subject, target.name, conversion, folder / target.name, options.tolerance)
    answer = _ask(built.folder, subject.sample)
    parity = compare_answers(expected, answer, options.tolerance)
    if target.is_exact:
        require_exact(parity, f"The target {target.name!r}")
    else:
        parity = measure_accuracy(parity, expected, answer, options.labels)
        require_accuracy(parity, options.max_loss, target.name)
    return replace(built, parity=parity)


def _ask(folder: Path, sample: Any) -> Answer:
    model = CompiledModel(folder)
    return _joined(
        [
            model.predict(model.read_rows(sample[start : start + COMPARED_BATCH]))
            for start in range(0, len(sample), COMPARED_BATCH)
        ]
    )


def _write(subject: Subject, target: str, conversion: Conversion, folder: Path, tolerance: float) -> Built:
    """Write a package whose numbers are not known yet."""
    folder.mkdir()
    content = conversion.model.SerializeToString()
    (folder / GRAPH).write_bytes(content)
    manifest = Manifest(
        target=target,
        created_at=time.time_ns() // 1_000_000,
        created_by=current_user(),
        source=subject.described(),
        opsets={one.domain or "ai.onnx": one.version for one in conversion.model.opset_import},
        signature=subject.signature.to_dict(),
        feeds=conversion.feeds,
        outputs=conversion.outputs,
        classes=conversion.classes,
        is_most_probable=conversion.is_most_probable,
        precision=conversion.precision,
        parity=Parity(rows=0, tolerance=tolerance, max_difference=0.0, mean_difference=0.0),
        original=_NOTHING,
        compiled=_NOTHING,
        machine=machine_facts(),
        libraries=library_versions(
            "jupyter-atelier",
            "onnx",
            "onnxruntime",
            "skl2onnx",
            "torch",
            "xgboost",
            "lightgbm",
            "scikit-learn",
            "numpy",
        ),
        files={GRAPH: hashlib.sha256(content).hexdigest()},
        notes=[*subject.notes, *conversion.notes],
    )
    (folder / MANIFEST).write_bytes(encode_manifest(manifest))
    return Built(folder, conversion, manifest, manifest.parity)


def _body(subject: Subject) -> dict[str, Any]:
    rows = sample_rows(subject.sample[:1])
    return {"dataframe_records" if isinstance(rows[0], dict) else "instances": rows}


def _measure_original(subject: Subject, options: Options, work: Progress) -> Measure:
    model, source, sample = subject.model, subject.source, subject.sample
    ask = getattr(model, "predict_proba", None) or (lambda rows: source.answer(model, rows))
    batch = min(BATCH_ROWS, len(sample))
    measure = Measure(
        row_us=time_call(lambda: ask(sample[:1]), work=work),
        batch_us=time_call(lambda: ask(sample[:batch]), work=work) / batch,
        batch_rows=batch,
        size=folder_size(subject.files[0]) if subject.files else 0,
    )
    if not options.measures_memory or subject.files is None:
        return measure
    folder, kind, model_class = subject.files
    request = {
        "folder": str(folder),
        "format": kind,
        "model_class": model_class,
        "signature": subject.signature.to_dict(),
        "trust": options.trust or subject.version is None,
        "body": _body(subject),
    }
    return _with_probe(measure, request, work)


def _measured(subject: Subject, built: Built, original: Measure, options: Options, work: Progress) -> Built:
    model, sample, body = CompiledModel(built.folder), subject.sample, _body(subject)
    batch = min(BATCH_ROWS, len(sample))
    rows = sample[:batch]
    measure = Measure(
        row_us=time_call(lambda: model.answer(body), work=work),
        batch_us=time_call(lambda: model.predict(model.read_rows(rows)), work=work) / batch,
        batch_rows=batch,
        size=folder_size(built.folder),
    )
    if options.measures_memory:
        measure = _with_probe(measure, {"folder": str(built.folder), "body": body}, work)
    notes = list(built.manifest.notes)
    if measure.row_us > original.row_us:
        notes.append("One row takes the original less time than the package.")
    manifest = msgspec.structs.replace(
        built.manifest, parity=built.parity, original=original, compiled=measure, notes=notes
    )
    (built.folder / MANIFEST).write_bytes(encode_manifest(manifest))
    return replace(built, manifest=manifest)


def _with_probe(measure: Measure, request: dict[str, Any], work: Progress) -> Measure:
    found = probe(request, work)
    return measure if found is None else msgspec.structs.replace(measure, memory_mib=found[0], load_s=found[1])
