"""Pages of a log and searches in it, over logs of any content in parts of any size."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from kernel_tools.jobs import log_pages
from kernel_tools.jobs.log_pages import LogPage, WholeLog, read_page, read_page_before, read_page_near, search_log
from kernel_tools.jobs.supervision.output import OutputWriter

LINES = st.lists(
    st.text(alphabet=st.sampled_from("aB é漢🙂\r\x1b[31m"), max_size=40).map(str.encode)
    | st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")),
    max_size=40,
)


def write_log(folder: Path, content: bytes, part: int = 64, kept: int = 1000) -> Path:
    writer = OutputWriter(folder, part, kept)
    writer.write(content)
    writer.close()
    return folder


def text_of(pages: list[LogPage]) -> str:
    """Join pages as a view does: the last line of a page may go on in the next."""
    text = ""
    for page in pages:
        text += "\n".join(page.lines) + ("" if page.is_open or not page.lines else "\n")
    return text


@given(LINES, st.booleans(), st.integers(1, 90))
def test_pages_forwards_and_backwards_are_the_whole_log(lines: list[bytes], ends: bool, limit: int) -> None:
    content = b"\n".join(lines) + (b"\n" if ends else b"")
    with TemporaryDirectory() as folder:
        attempt = write_log(Path(folder), content)
        position, forwards = 0, []
        while position < len(content):
            page = read_page(attempt, limit, offset=position)
            assert page.start == position < page.end
            assert [offset for offset in page.offsets] == sorted(set(page.offsets))
            forwards.append(page)
            position = page.end
        backwards: list[LogPage] = []
        stop = len(content)
        while stop > 0:
            page = read_page_before(attempt, limit, before=stop)
            assert page.start < page.end == stop
            backwards.insert(0, page)
            stop = page.start
    if is_utf8(content) and limit >= 4:
        assert text_of(forwards) == text_of(backwards) == content.decode()


def is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_a_log_may_be_one_file(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    assert read_page(path, offset=0).lines == read_page_before(path).lines == []
    path.write_bytes(b"one\ntwo\n")
    assert read_page(path, offset=4).lines == ["two"] and search_log(path, "TWO").offsets == [4]
    assert WholeLog(path).read() == b"one\ntwo\n"


@given(LINES, st.integers(0, 400))
def test_a_page_near_an_offset_begins_with_the_line_that_it_lies_in(lines: list[bytes], near: int) -> None:
    content = b"\n".join(lines) + b"\n"
    with TemporaryDirectory() as folder:
        page = read_page_near(write_log(Path(folder), content), 10_000, near=near)
    assert page.start == content.rfind(b"\n", 0, min(near, len(content))) + 1


@given(LINES, st.sampled_from(["a", "B", "ab", "1m", "é", "漢🙂", "zz"]), st.integers(20, 200), st.integers(1, 50))
def test_a_search_finds_the_lines_that_reading_all_finds(lines: list[bytes], text: str, block: int, limit: int) -> None:
    content = b"\n".join(lines) + b"\n"
    expected, position = [], 0
    for line in content.split(b"\n")[:-1]:
        if text.casefold() in log_pages._ANSI.sub(b"", line).decode("utf-8", "replace").casefold():
            expected.append(position)
        position += len(line) + 1
    with TemporaryDirectory() as folder, mock.patch.object(log_pages, "_BLOCK", block):
        attempt = write_log(Path(folder), content)
        longest = max(map(len, content.split(b"\n"))) + 1
        forwards = search_log(attempt, text, limit=limit)
        backwards = search_log(attempt, text, offset=len(content), is_backwards=True, limit=limit)
    if longest < block:
        assert forwards.offsets == expected[:limit]
        assert backwards.offsets == expected[::-1][:limit]
        assert forwards.is_complete == backwards.is_complete == (len(expected) <= limit)


def test_what_was_thrown_away_is_skipped_and_the_rest_is_downloaded_whole(tmp_path: Path) -> None:
    content = b"".join(b"line %06d\n" % number for number in range(100))
    attempt = write_log(tmp_path, content, part=120, kept=3)
    page = read_page(attempt, offset=0)
    assert (page.start, page.end, page.size) == (page.first, len(content), len(content))
    assert page.first == 840  # three parts of ten lines
    assert search_log(attempt, "line 000001").offsets == []
    log = WholeLog(attempt)
    assert log.size == page.size - page.first
    for path in tmp_path.iterdir():
        path.unlink()
    assert b"".join(iter(lambda: log.read(50), b"")) == content[page.first :]
