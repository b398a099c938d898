"""A robot that knows who is who names the demo library over HTTP, as somebody would at the review page."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.naming import SHARE, Album, demo, index, robot_on
from benchmarks.robot import Robot, Tally
from tests.support.copies import copy_library

FACES = 300
MOST_ANSWERS = 1.3
"""Answers for each of the fewest people who have 80 % of the faces together."""
MOST_WRONG = 0.01


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Album:
    return demo(tmp_path_factory.mktemp("album"), FACES)


@pytest.fixture(scope="module")
def indexed(album: Album, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo library with its faces found and grouped, and nobody named."""
    library = tmp_path_factory.mktemp("indexed") / "library"
    index(album, library)
    return library


def people_needed(album: Album) -> int:
    """How few people have so many faces together that their names alone are enough."""
    sizes = sorted(album.truth.wanted().values(), reverse=True)
    needed = 0
    while sum(sizes[:needed]) < SHARE * sum(sizes):
        needed += 1
    return needed


@pytest.mark.depth
def test_a_careful_robot_needs_few_answers(
    album: Album, indexed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Answers are at most 1.3 times the people needed, keys at most half of what groups by size take when
    each name is typed, and what it counts is what the library exports."""
    by_queue = _named(album, indexed, tmp_path / "queue", "queue")
    by_list = _named(album, indexed, tmp_path / "list", "list")
    by_size = _named(album, indexed, tmp_path / "size", "size")
    with capsys.disabled():
        print(f"\nuntil {SHARE:.0%} of {FACES} drawn faces have a name; {people_needed(album)} people needed")
        for way, tally in (("queue", by_queue), ("names in a list", by_list), ("groups", by_size)):
            print(f"{way:16} {tally.answers:4} answers {tally.keys:5} keys {tally.wrong} wrong {tally.kinds}")
    assert by_queue.answers <= MOST_ANSWERS * people_needed(album)
    assert by_list.keys <= by_size.keys / 2
    assert by_queue.wrong_share <= MOST_WRONG


@pytest.mark.depth
def test_a_robot_that_always_presses_enter_makes_few_mistakes(
    album: Album, indexed: Path, tmp_path: Path
) -> None:
    """Whoever accepts all that is proposed, until nothing is left to ask, gives few wrong names."""
    copy_library(indexed, tmp_path / "library")
    with robot_on(tmp_path / "library", album, careful=False) as robot:
        tally = robot.by_queue(1.0)
        assert robot.share > SHARE
    assert tally.wrong_share <= MOST_WRONG


def _named(album: Album, indexed: Path, copy: Path, way: str) -> Tally:
    copy_library(indexed, copy)
    with robot_on(copy, album) as robot:
        if way == "size":
            return robot.by_size(SHARE)
        tally = robot.by_queue(SHARE, sorted(album.truth.wanted()) if way == "list" else ())
        assert robot.share >= SHARE
        assert _exported(robot) == robot.faces_named
        return tally


def _exported(robot: Robot) -> dict[str, str]:
    """The name of each face that has one, as the library exports it."""
    lines = robot.view.export()
    names = {line["id"]: line["name"] for line in lines if line["kind"] == "person"}
    faces = [line for line in lines if line["kind"] == "face"]
    return {line["id"]: names[line["person"]] for line in faces if line["person"]}
