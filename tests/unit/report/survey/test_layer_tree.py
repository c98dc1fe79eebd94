"""Layers on each other: whiteouts, replaced files and folders, hard links."""

from __future__ import annotations

import pytest

from spokeshave.report.survey.layer_tree import Merged, merge
from spokeshave.report.survey.tar_layers import Entry
from spokeshave.sources.members import Kind


def file(name: str, size: int = 1) -> Entry:
    return Entry(name, Kind.FILE, size)


def merged(*layers: list[Entry]) -> Merged:
    return merge(layers)


BELOW = [file("app/a", 10), file("app/b", 20), file("app/sub/c", 40)]


def test_merge_whiteout_hides_a_file_of_a_lower_layer() -> None:
    result = merged(BELOW, [file("app/.wh.a", 0)])
    assert set(result.files) == {"app/b", "app/sub/c"}
    assert result.hidden() == (10, 0)


def test_merge_whiteout_of_a_folder_hides_all_in_it() -> None:
    assert set(merged(BELOW, [file("app/.wh.sub", 0)]).files) == {"app/a", "app/b"}


@pytest.mark.parametrize("first", [True, False])
def test_merge_opaque_folder_hides_lower_layers_alone(first: bool) -> None:
    """Its own layer's files are kept, whatever the order of the entries."""
    added = [file("app/new", 5)]
    opaque = [file("app/.wh..wh..opq", 0)]
    result = merged(BELOW, opaque + added if first else added + opaque)
    assert set(result.files) == {"app/new"}
    assert result.hidden() == (70, 0)


def test_merge_whiteout_does_not_hide_its_own_layer() -> None:
    assert merged([file("a", 1)], [file("a", 2), file(".wh.a", 0)]).files["a"].layer == 1


def test_merge_whiteout_of_nothing_and_private_entries_are_ignored() -> None:
    result = merged(BELOW, [file(".wh..wh.plnk", 0), file("no/.wh.where", 0), file(".wh.app2", 0)])
    assert len(result.files) == 3


def test_merge_file_again_is_hidden_below() -> None:
    result = merged(BELOW, [file("app/a", 7)])
    assert result.files["app/a"].size == 7
    assert (result.sizes, result.hidden()) == ((70, 7), (10, 0))


def test_merge_file_replaces_a_folder_and_folder_a_file() -> None:
    assert set(merged(BELOW, [file("app/sub")]).files) == {"app/a", "app/b", "app/sub"}
    assert set(merged(BELOW, [file("app/a/x")]).files) == {"app/a/x", "app/b", "app/sub/c"}
    again = merged(BELOW, [Entry("app", Kind.FOLDER)])
    assert set(again.files) == {"app/a", "app/b", "app/sub/c"}


def test_merge_hard_link_counts_once_and_outlives_its_target() -> None:
    link = Entry("link", Kind.HARDLINK, target="app/a")
    result = merged([*BELOW, link])
    assert sum(leaf.size for leaf in result.files.values()) == 70
    assert merged([*BELOW, link], [file("app/.wh.a", 0)]).files["link"].size == 10


def test_merge_keeps_empty_files_and_lists_no_links() -> None:
    assert set(merged([file("empty", 0), Entry("link", Kind.SYMLINK)]).files) == {"empty"}


def test_merge_of_deep_folders_needs_no_recursion() -> None:
    assert len(merged([file("/".join("d" * 250))]).files) == 1
