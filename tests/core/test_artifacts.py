"""Blobs: what is stored comes back or an error does; encrypted or not, in a folder or in an object store."""

from __future__ import annotations

import hashlib
import io
import os
import random
import secrets
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel_tools.core.artifacts import ArtifactStore, Freed
from kernel_tools.core.encryption import CHUNK_SIZE, HEADER_SIZE, MAGIC, TAG_SIZE, EncryptionKeyError
from kernel_tools.core.errors import (
    AtelierError,
    IntegrityError,
    InvalidArgumentError,
    MissingExtraError,
    NotFoundError,
    UnavailableError,
)

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))


@pytest.fixture(params=["folder", "folder encrypted", "objects", "objects encrypted"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    key = KEY if "encrypted" in request.param else None
    root = f"memory://{secrets.token_hex(8)}" if "objects" in request.param else (tmp_path / "blobs").as_uri()
    return ArtifactStore(root, key)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


def blob_file(folder: Path, sha256: str) -> Path:
    return folder / sha256[:2] / sha256


class Stream(io.RawIOBase):
    """A stream that cannot seek and gives a few bytes at a time, like a socket."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._file.read(min(size, 3000) if size >= 0 else 3000)


CONTENTS = [b"", b"a", MAGIC, MAGIC + b"\0", MAGIC + b"\1" + bytes(200), bytes(CHUNK_SIZE), bytes(CHUNK_SIZE + 1)]


@pytest.mark.parametrize("content", CONTENTS, ids=range(len(CONTENTS)))
def test_content_comes_back_by_its_sha256_however_it_was_stored(
    store: ArtifactStore, tmp_path: Path, content: bytes
) -> None:
    source = tmp_path / "source"
    source.write_bytes(content)
    expected = hashlib.sha256(content).hexdigest()

    for blob in (store.put_bytes(content), store.put_file(source), store.put_stream(Stream(content))):
        assert (blob.sha256, blob.size) == (expected, len(content))
    assert store.read_bytes(expected) == content
    assert store.size(expected) == len(content)
    assert store.download(expected, tmp_path / "deep" / "copy").read_bytes() == content
    assert store.exists(expected)
    assert list(store.list()) == [expected]

    store.delete(expected)
    store.delete(expected)
    assert not store.exists(expected)
    assert list(store.list()) == []
    for read in (store.open, store.size, store.read_bytes):
        with pytest.raises(NotFoundError, match=expected):
            read(expected)


SIZES = [
    border + offset
    for border in (0, CHUNK_SIZE, 2 * CHUNK_SIZE, 16 * CHUNK_SIZE)
    for offset in (-1, 0, 1, 7)
    if border + offset >= 0
]
moves = st.lists(
    st.tuples(
        st.sampled_from([io.SEEK_SET, io.SEEK_CUR, io.SEEK_END]), st.integers(-9000, 150_000), st.integers(-1, 140_000)
    ),
    max_size=12,
)


@pytest.fixture(scope="module", params=[None, KEY], ids=["plain", "encrypted"])
def shared_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ArtifactStore:
    return ArtifactStore(tmp_path_factory.mktemp("blobs").as_uri(), request.param)


@given(size=st.sampled_from(SIZES), moves=moves)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_seeking_and_reading_in_any_order_is_like_reading_from_memory(
    shared_store: ArtifactStore, size: int, moves: list[tuple[int, int, int]]
) -> None:
    content = random.Random(size).randbytes(size)
    reference = io.BytesIO(content)
    with shared_store.open(shared_store.put_bytes(content).sha256) as file:
        for whence, offset, length in moves:
            base = {io.SEEK_SET: 0, io.SEEK_CUR: reference.tell(), io.SEEK_END: size}[whence]
            position = max(0, base + offset if whence != io.SEEK_END else base - offset)
            assert file.seek(position) == reference.seek(position)
            assert file.read(length) == reference.read(length)
            assert file.tell() == reference.tell()


def test_a_closed_blob_and_a_seek_before_its_start_are_refused_like_with_any_file(store: ArtifactStore) -> None:
    file = store.open(store.put_bytes(b"abc").sha256).detach()
    with pytest.raises(ValueError, match="before the start"):
        file.seek(-1)
    file.close()
    with pytest.raises(ValueError, match="closed"):
        file.read(1)


def read_to_end(store: ArtifactStore, sha256: str) -> bytes:
    with store.open(sha256) as file:
        return b"".join(iter(lambda: file.read(1000), b""))


def read_last_byte_first(store: ArtifactStore, sha256: str) -> bytes:
    with store.open(sha256) as file:
        file.seek(-1, io.SEEK_END)
        last = file.read(1)
        file.seek(0)
        return file.read()[:-1] + last


READS = [ArtifactStore.read_bytes, read_to_end, read_last_byte_first]


@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "encrypted"])
def test_a_change_of_any_byte_is_found_by_every_way_of_reading(folder: Path, key: bytes | None) -> None:
    store = ArtifactStore(str(folder), key)
    content = random.Random(1).randbytes(CHUNK_SIZE + 100)
    sha256 = store.put_bytes(content).sha256
    path = blob_file(folder, sha256)
    original = path.read_bytes()
    positions = [*range(HEADER_SIZE + 20), *range(CHUNK_SIZE - 5, len(original), 40), len(original) - 1]
    for position in positions:
        broken = bytearray(original)
        broken[position] ^= 1 << position % 8
        path.write_bytes(broken)
        for read in READS:
            with pytest.raises((IntegrityError, EncryptionKeyError), match=sha256):
                read(store, sha256)
    path.write_bytes(original)
    assert [read(store, sha256) for read in READS] == [content] * 3


@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "encrypted"])
def test_a_longer_or_shorter_file_is_found_and_storing_again_repairs_it(folder: Path, key: bytes | None) -> None:
    store = ArtifactStore(str(folder), key)
    content = bytes(2 * CHUNK_SIZE)
    sha256 = store.put_bytes(content).sha256
    path = blob_file(folder, sha256)
    original = path.read_bytes()
    stride = CHUNK_SIZE + TAG_SIZE
    for broken in (b"", original[:1], original[:HEADER_SIZE], original[:-1], original[:-stride], original + b"\0"):
        path.write_bytes(broken)
        for read in READS[:2]:
            with pytest.raises(IntegrityError, match=f"{sha256}.*(Store the same content again|restore)"):
                read(store, sha256)
        store.put_bytes(content)
        assert store.read_bytes(sha256) == content


def test_an_unfinished_download_leaves_no_file(folder: Path, tmp_path: Path) -> None:
    store = ArtifactStore(str(folder))
    sha256 = store.put_bytes(b"good").sha256
    blob_file(folder, sha256).write_bytes(b"evil")

    with pytest.raises(IntegrityError):
        store.download(sha256, tmp_path / "copies" / "copy")
    assert os.listdir(tmp_path / "copies") == []


@pytest.mark.parametrize("address", ["", "a", "A" * 64, "../" * 21 + "a", "a" * 64 + "\n", None])
def test_only_a_sha256_is_an_address(store: ArtifactStore, address: str) -> None:
    for use in (store.open, store.exists, store.delete, store.size):
        with pytest.raises(InvalidArgumentError, match="sha256"):
            use(address)
    with pytest.raises(InvalidArgumentError, match="sha256"):
        store.collect_garbage([address])


def test_bad_sources_are_refused_with_a_reason(store: ArtifactStore, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="missing"):
        store.put_file(tmp_path / "missing")
    with pytest.raises(InvalidArgumentError, match="folder"):
        store.put_file(tmp_path)
    with pytest.raises(InvalidArgumentError, match="binary"):
        store.put_stream(io.StringIO("text"))  # type: ignore[arg-type]  # that is what is tested
    with pytest.raises(InvalidArgumentError, match="32"):
        ArtifactStore("memory://x", b"short")


def test_bad_roots_are_refused_with_a_reason() -> None:
    with pytest.raises(InvalidArgumentError, match="nosuch"):
        ArtifactStore("nosuch://bucket")
    with pytest.raises(InvalidArgumentError, match="three slashes"):
        ArtifactStore("file://server/folder")
    if "s3fs" not in sys.modules:
        with pytest.raises(MissingExtraError, match=r"jupyter-atelier\[s3\]"):
            ArtifactStore("s3://bucket/prefix")


def test_an_object_store_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    def fail(*_: object, **__: object) -> None:
        raise ConnectionError("no route")

    store = ArtifactStore("memory://fails")
    monkeypatch.setattr(MemoryFileSystem, "put_file", fail)
    with pytest.raises(UnavailableError, match="memory://fails.*no route"):
        store.put_bytes(b"x")


def test_garbage_is_what_nothing_refers_to_and_is_not_young(store: ArtifactStore, tmp_path: Path) -> None:
    kept, dropped = store.put_bytes(b"kept").sha256, store.put_bytes(b"dropped").sha256

    assert store.collect_garbage([kept], older_than=3600) == Freed(0, 0)
    freed = store.collect_garbage(iter([kept]), older_than=0)

    assert (freed.blobs, freed.bytes >= 7) == (1, True)
    assert list(store.list()) == [kept]
    assert not store.exists(dropped)


def test_storing_again_makes_a_blob_young_again(folder: Path) -> None:
    store = ArtifactStore(str(folder))
    sha256 = store.put_bytes(b"x").sha256
    os.utime(blob_file(folder, sha256), (1, 1))

    store.put_bytes(b"x")
    assert store.collect_garbage([], older_than=3600) == Freed(0, 0)
    assert store.exists(sha256)


def test_garbage_collection_takes_old_temporary_files_and_leaves_young_ones_and_strangers(folder: Path) -> None:
    store = ArtifactStore(str(folder))
    store.put_bytes(b"x")
    old, young, stranger = folder / "tmp" / "old.tmp", folder / "tmp" / "young.tmp", folder / "ab" / "README"
    stranger.parent.mkdir(exist_ok=True)
    for path in (old, young, stranger):
        path.write_bytes(b"12345")
        os.utime(path, (1, 1))
    os.utime(young)

    assert store.collect_garbage([], older_than=3600) == Freed(0, 5)
    assert (old.exists(), young.exists(), stranger.exists()) == (False, True, True)


def test_storing_what_is_already_in_an_object_store_uploads_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    uploads = []
    original = MemoryFileSystem.put_file
    monkeypatch.setattr(
        MemoryFileSystem,
        "put_file",
        lambda self, *args, **kwargs: (uploads.append(args), original(self, *args, **kwargs)),
    )
    store = ArtifactStore(f"memory://{secrets.token_hex(8)}")
    for _ in range(3):
        store.put_bytes(b"same")
    assert len(uploads) == 1


def run_python(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments], stdout=subprocess.PIPE, text=True
    )


PUT_SPARSE = """
    import io, resource, sys
    from kernel_tools.core.artifacts import ArtifactStore

    class Zeros(io.RawIOBase):
        left = 200 * 1024 * 1024
        def readable(self): return True
        def read(self, size=-1):
            size = min(size, self.left)
            self.left -= size
            return bytes(size)

    store = ArtifactStore(sys.argv[1], bytes(32) if sys.argv[2] == "encrypted" else None)
    store.put_bytes(b"warm"), store.list(), list(store.list())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    blob = store.put_stream(Zeros())
    assert blob.size == Zeros.left
    store.download(blob.sha256, sys.argv[3])
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux only")
@pytest.mark.parametrize("kind", ["plain", "encrypted"])
def test_storing_and_reading_200_mb_needs_less_than_16_mb_of_memory(folder: Path, tmp_path: Path, kind: str) -> None:
    process = run_python(PUT_SPARSE, str(folder), kind, str(tmp_path / "copy"))
    output, _ = process.communicate(timeout=120)

    assert process.returncode == 0
    assert float(output) < 16


PUT_FOREVER = """
    import random, sys
    from kernel_tools.core.artifacts import ArtifactStore

    store = ArtifactStore(sys.argv[1], bytes(range(32)) if sys.argv[2] == "encrypted" else None)
    seed = 0
    while True:
        print(store.put_bytes(random.Random(seed).randbytes(3_000_000)).sha256, flush=True)
        seed += 1
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
@pytest.mark.parametrize("kind", ["plain", "encrypted"])
def test_a_writer_killed_at_any_moment_leaves_whole_blobs_only_and_all_it_acknowledged(folder: Path, kind: str) -> None:
    store = ArtifactStore(str(folder), KEY if kind == "encrypted" else None)
    for delay in (0.005, 0.013, 0.021, 0.034):
        process = run_python(PUT_FOREVER, str(folder), kind)
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip()]
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        acknowledged += [
            line.strip() for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")
        ]
        process.wait()

        assert set(acknowledged) <= set(store.list())
        for sha256 in store.list():
            assert len(store.read_bytes(sha256)) == 3_000_000
    store.collect_garbage(store.list(), older_than=0)
    assert os.listdir(folder / "tmp") == []


PUT_SAME = """
    import random, sys
    from kernel_tools.core.artifacts import ArtifactStore

    store = ArtifactStore(sys.argv[1], bytes(range(32)))
    for round in range(30):
        blob = store.put_bytes(random.Random(round % 3).randbytes(100_000))
        assert len(store.read_bytes(blob.sha256)) == 100_000
        store.collect_garbage([], older_than=3600)
"""


def test_many_processes_store_the_same_content_at_once(folder: Path) -> None:
    processes = [run_python(PUT_SAME, str(folder)) for _ in range(4)]
    for process in processes:
        process.communicate(timeout=120)

    assert [process.returncode for process in processes] == [0] * 4
    store = ArtifactStore(str(folder), KEY)
    assert sorted(store.list()) == sorted(
        hashlib.sha256(random.Random(seed).randbytes(100_000)).hexdigest() for seed in range(3)
    )
    assert os.listdir(folder / "tmp") == []


def test_a_file_changed_while_it_is_uploaded_is_not_stored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    source = tmp_path / "source"
    source.write_bytes(b"before")
    original = MemoryFileSystem.put_file

    def change_then_put(self: MemoryFileSystem, *args: object, **kwargs: object) -> None:
        source.write_bytes(b"after!!")
        original(self, *args, **kwargs)

    monkeypatch.setattr(MemoryFileSystem, "put_file", change_then_put)
    store = ArtifactStore(f"memory://{secrets.token_hex(8)}")
    with pytest.raises(AtelierError, match="changed while it was stored"):
        store.put_file(source)
    assert list(store.list()) == []


@pytest.fixture(autouse=True)
def no_key_from_outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("ATELIER_ENCRYPTION_KEY", raising=False)
    monkeypatch.delenv("ATELIER_ENCRYPTION_KEY_FILE", raising=False)
    yield
