"""Names, paths and whole files: nothing leaves its folder, and nothing is half written."""

from __future__ import annotations

import os
import string
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.workspace import (
    Workspace,
    atomic_write,
    current_workspace,
    find_workspace,
    join_inside,
    validate_name,
)

FIRST = string.ascii_letters + string.digits
REST = FIRST + "._-"

good_names = st.builds(str.__add__, st.sampled_from(FIRST), st.text(REST, max_size=127))
path_parts = st.one_of(
    st.sampled_from(
        ["", ".", "..", "/", "//", "a", "a/b", "../a", "a/../b", "a/..", "/etc", "~", "link", "up", "a\\b", "\0"]
    ),
    st.text(max_size=12),
)


@given(good_names)
def test_a_name_of_allowed_characters_is_returned_unchanged(name: str) -> None:
    assert validate_name(name) == name


@given(st.text(max_size=140))
def test_a_name_is_accepted_exactly_when_its_characters_and_length_are_allowed(name: str) -> None:
    is_allowed = 1 <= len(name) <= 128 and name[0] in FIRST and all(character in REST for character in name)
    try:
        validate_name(name)
    except InvalidArgumentError:
        assert not is_allowed
    else:
        assert is_allowed


@pytest.mark.parametrize("name", ["", ".", "..", "-a", "_a", "a/b", "a\n", "a b", "é", "a" * 129, None, 3])
def test_a_bad_name_is_refused_with_its_kind_in_the_message(name: object) -> None:
    with pytest.raises(InvalidArgumentError, match="endpoint name"):
        validate_name(name, "endpoint name")  # type: ignore[arg-type]  # that is what is tested


@given(st.lists(path_parts, max_size=4))
def test_a_joined_path_is_below_its_folder_or_refused(parts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as root:
        outside = Path(root).resolve()
        folder = outside / "folder"
        (folder / "a").mkdir(parents=True)
        (folder / "link").symlink_to(outside)
        (folder / "up").symlink_to("..")
        try:
            joined = join_inside(folder, *parts)
        except InvalidArgumentError:
            return
        assert folder in joined.parents
        assert folder in joined.resolve().parents


def test_a_path_below_the_folder_is_joined(tmp_path: Path) -> None:
    assert join_inside(tmp_path, "plots", "a.b/c d.png") == tmp_path / "plots" / "a.b" / "c d.png"


def test_an_absolute_path_is_refused_even_if_it_lies_inside(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="relative path"):
        join_inside(tmp_path, str(tmp_path / "a"))


def test_a_link_that_leads_out_is_refused_and_one_that_stays_inside_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "inside").mkdir(parents=True)
    (folder / "out").symlink_to(tmp_path)
    (folder / "in").symlink_to(folder / "inside")
    (folder / "self").symlink_to(folder)

    assert join_inside(folder, "in", "file") == folder / "in" / "file"
    for part in ("out", "out/file", "self"):
        with pytest.raises(InvalidArgumentError, match="not a path inside"):
            join_inside(folder, part)


def test_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")

    try:
        joined = join_inside(tmp_path, "a")
    except InvalidArgumentError:
        return
    assert tmp_path.resolve() in joined.resolve().parents  # Python 3.13 resolves a loop to itself


def test_a_folder_that_is_itself_reached_by_a_link_can_be_joined(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    assert join_inside(tmp_path / "link", "a") == tmp_path.resolve() / "real" / "a"


def test_a_lone_surrogate_in_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="not a valid path"):
        join_inside(tmp_path, "\ud800")


def test_an_atomic_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(b"old")

    with pytest.raises(RuntimeError), atomic_write(path) as file:
        file.write(b"new")
        raise RuntimeError

    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["run.json"]


def test_an_atomic_write_makes_its_folder_and_replaces_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / ("n" * 250)
    for content in (b"one", b"two"):
        with atomic_write(path) as file:
            file.write(content)

    assert path.read_bytes() == b"two"
    assert os.listdir(path.parent) == [path.name]


def test_the_workspace_is_the_environments_before_the_nearest_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".atelier").mkdir()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.delenv("ATELIER_HOME", raising=False)
    assert find_workspace(below) == tmp_path.resolve() / ".atelier"

    monkeypatch.setenv("ATELIER_HOME", str(tmp_path / "home"))
    assert find_workspace(below) == tmp_path.resolve() / "home"


def test_the_current_workspace_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_HOME", str(tmp_path / "one"))
    first = current_workspace()
    assert current_workspace() is first

    monkeypatch.setenv("ATELIER_HOME", str(tmp_path / "two"))
    assert current_workspace().root == tmp_path.resolve() / "two"


def test_a_workspace_where_a_file_is_in_the_way_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidArgumentError, match="ATELIER_HOME"):
        Workspace(tmp_path / "file")


def test_a_workspace_with_spaces_and_signs_in_its_name_keeps_its_blobs_inside(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "a b%20#?é")
    blob = workspace.artifacts.put_bytes(b"x")

    assert (workspace.root / "blobs" / blob.sha256[:2] / blob.sha256).read_bytes() == b"x"


def test_the_folder_of_an_object_takes_names_only(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert workspace.folder("runs", "abc") == tmp_path.resolve() / "runs" / "abc"
    with pytest.raises(InvalidArgumentError, match="runs"):
        workspace.folder("runs", "../abc")
