"""The metrics segment: what is written is read, whatever is torn or damaged costs no more than itself."""

import math
import os
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel_tools.core.errors import IntegrityError, InvalidArgumentError
from kernel_tools.experiments.segment import RECORD_SIZE, SegmentWriter, to_float
from kernel_tools.experiments.segment_reader import SegmentReader

INT64 = st.integers(-(2**63), 2**63 - 2)
KEYS = st.text(min_size=1, max_size=250).filter(str.isprintable)
POINTS = st.lists(st.tuples(KEYS, st.floats(), INT64, INT64), max_size=30)


def _read(path: Path) -> list[tuple[str, float, int, int]]:
    reader = SegmentReader(path)
    reader.refresh()
    assert reader.damage is None
    return _points(reader)


def _points(reader: SegmentReader) -> list[tuple[str, float, int, int]]:
    return [
        (reader.keys[point["key"]], float(point["value"]), int(point["step"]), int(point["timestamp"]))
        for point in reader.points()
    ]


def _same(left: list, right: list) -> bool:
    return repr(left) == repr(right)  # NaN equals itself here


@given(POINTS)
@settings(deadline=None)
def test_every_point_is_read_as_it_was_written(points):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "metrics.bin"
        writer = SegmentWriter(path)
        for point in points:
            writer.write(*point)
        writer.close()
        assert _same(_read(path), points)


@given(POINTS, st.integers(0, 10_000))
@settings(deadline=None)
def test_a_file_cut_anywhere_gives_the_points_before_the_cut(points, cut):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "metrics.bin"
        writer = SegmentWriter(path)
        sizes = []
        for point in points:
            writer.write(*point)
            sizes.append(path.stat().st_size)
        writer.close()
        cut = min(cut, path.stat().st_size)
        os.truncate(path, cut)
        whole = [point for point, size in zip(points, sizes, strict=True) if size <= cut]
        assert _same(_read(path), whole)


@given(st.integers(0, RECORD_SIZE * 12 - 1), st.integers(1, 255))
@settings(deadline=None)
def test_a_changed_byte_is_found_and_what_lies_before_it_is_read(position, difference):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "metrics.bin"
        writer = SegmentWriter(path)
        for step in range(9):  # a header, two records for the key, nine points
            writer.write("auc", step / 10, step, step)
        writer.close()
        content = bytearray(path.read_bytes())
        content[position] ^= difference
        path.write_bytes(content)
        reader = SegmentReader(path)
        if position < RECORD_SIZE:
            with pytest.raises(IntegrityError, match=r"metrics\.bin"):
                reader.refresh()
            return
        reader.refresh()
        assert reader.damage is not None
        assert len(reader.points()) == max(0, position // RECORD_SIZE - 3)


def test_a_reader_follows_a_growing_file(tmp_path: Path):
    writer = SegmentWriter(tmp_path / "metrics.bin")
    reader = SegmentReader(writer.path)
    reader.refresh()
    for step in range(5):
        writer.write(f"key {step % 2}", float(step), step, step)
        reader.refresh()
        assert len(_points(reader)) == step + 1


def test_a_name_that_arrives_in_pieces_is_waited_for(tmp_path: Path):
    writer = SegmentWriter(tmp_path / "whole.bin")
    writer.write("a long name " * 10, 1.0, 0, 0)
    content = writer.path.read_bytes()
    path = tmp_path / "pieces.bin"
    path.write_bytes(b"")
    reader = SegmentReader(path)
    for end in range(len(content) + 1):
        path.write_bytes(content[:end])
        reader.refresh()
        assert len(_points(reader)) == (end == len(content))


def test_steps_count_up_when_none_is_given(tmp_path: Path):
    writer = SegmentWriter(tmp_path / "metrics.bin")
    for step in (None, None, 10, None):
        writer.write("auc", 1.0, step, 0)
    writer.write("loss", 1.0, None, 0)
    assert [(key, step) for key, _, step, _ in _read(writer.path)] == [
        ("auc", 0),
        ("auc", 1),
        ("auc", 10),
        ("auc", 11),
        ("loss", 0),
    ]


def test_threads_lose_nothing(tmp_path: Path):
    writer = SegmentWriter(tmp_path / "metrics.bin")

    def log(name: str) -> None:
        for step in range(500):
            writer.write(f"{name}/{step % 7}", step, step, 0)

    threads = [threading.Thread(target=log, args=(f"thread {number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    points = _read(writer.path)
    assert len(points) == 4000
    assert all(key.endswith(f"/{step % 7}") for key, _, step, _ in points)


def test_a_segment_that_exists_is_not_opened_for_writing(tmp_path: Path):
    SegmentWriter(tmp_path / "metrics.bin")
    with pytest.raises(FileExistsError):
        SegmentWriter(tmp_path / "metrics.bin")


@pytest.mark.parametrize("key", ["", "a" * 251, "new\nline", "nul\0", None, 3])
def test_keys_that_cannot_be_used_are_refused(tmp_path: Path, key):
    writer = SegmentWriter(tmp_path / "metrics.bin")
    with pytest.raises(InvalidArgumentError, match="not a valid key"):
        writer.write(key, 1.0, 0, 0)
    assert _read(writer.path) == []


@pytest.mark.parametrize("step", [2**63, -(2**63) - 1, 1.5, "3"])
def test_steps_that_cannot_be_used_are_refused(tmp_path: Path, step):
    writer = SegmentWriter(tmp_path / "metrics.bin")
    with pytest.raises(InvalidArgumentError, match="step and timestamp"):
        writer.write("auc", 1.0, step, 0)
    writer.write("auc", 1.0, 0, 0)
    assert len(_read(writer.path)) == 1


@pytest.mark.parametrize("value", ["text", None, [1], {}, object()])
def test_values_that_are_no_numbers_are_refused(value):
    with pytest.raises(InvalidArgumentError, match="Log numbers as metrics"):
        to_float("auc", value)


def test_numpy_and_torch_scalars_are_numbers():
    import numpy as np
    import torch

    assert to_float("a", np.float32(0.5)) == 0.5
    assert to_float("a", torch.tensor(2.5)) == 2.5
    assert math.isnan(to_float("a", float("nan")))
    assert to_float("a", True) == 1.0
