from __future__ import annotations

from collections import Counter

import pytest

from image_search_service.demo.dice import dice
from image_search_service.demo.layout import arrange, rows_for
from image_search_service.demo.people import make_people, make_strangers
from image_search_service.demo.picture import SUFFIXES, Picture, Plan
from image_search_service.demo.plan import plan_library
from image_search_service.demo.scenes import SCENES
from image_search_service.recognition.engines import synthetic_code as marker


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_library(600, 1)


def readable(plan: Plan) -> list[Picture]:
    return [picture for picture in plan.pictures if picture.readable]


@pytest.mark.parametrize("faces", [1, 2, 7, 60, 600, 2000, 2001, 2345])
def test_a_library_has_exactly_the_faces_asked_for(faces: int) -> None:
    """Readable faces are counted to the last one, from one face to a load test."""
    assert sum(len(picture.figures) for picture in readable(plan_library(faces, 3))) == faces


def test_the_default_library_is_what_the_documentation_says(plan: Plan) -> None:
    """Some 200 pictures, 40 people, groups of up to twelve, strangers, copies, pictures nobody can read."""
    assert 170 <= len(plan.pictures) <= 230
    assert len(plan.people) == 40
    assert plan.strangers
    assert plan.copies
    sizes = Counter(len(picture.figures) for picture in plan.pictures)
    assert sizes[0] >= 3
    assert max(sizes) >= 10
    assert {True, False} == {picture.readable for picture in plan.pictures}
    assert {picture.format for picture in plan.pictures} == set(SUFFIXES)
    assert {picture.orientation for picture in plan.pictures} == set(range(1, 9))
    assert {picture.scene for picture in plan.pictures} == set(SCENES)
    assert max(picture.size[0] for picture in plan.pictures) > 5000
    years = [picture.taken.year for picture in plan.pictures]
    assert max(years) - min(years) >= 25
    seen = Counter(figure.person.number for picture in readable(plan) for figure in picture.figures)
    assert all(seen[person.number] >= 3 for person in plan.people)
    # A burst shows a passer-by more than once.
    assert all(1 <= seen[stranger.number] <= 3 for stranger in plan.strangers)


@pytest.mark.parametrize("faces", [600, 3000])
def test_nobody_is_twice_in_one_picture_and_no_path_is_used_twice(faces: int) -> None:
    """In every picture each person stands once, and every picture has a path of its own."""
    plan = plan_library(faces, 2)
    for picture in plan.pictures:
        people = [figure.person.number for figure in picture.figures]
        assert len(set(people)) == len(people)
    paths = [picture.path for picture in plan.pictures] + list(plan.copies)
    assert len({path.casefold() for path in paths}) == len(paths)


def test_the_same_seed_gives_the_same_plan_and_another_one_another() -> None:
    """A plan follows from its arguments alone."""
    assert plan_library(80, 5) == plan_library(80, 5)
    assert plan_library(80, 5) != plan_library(80, 6)


def test_a_load_test_has_people_with_many_photos_with_few_and_with_one() -> None:
    """Sizes have a long tail: most people few, some above a hundred, strangers one."""
    plan = plan_library(20_000, 1)
    seen = Counter(figure.person.number for picture in plan.pictures for figure in picture.figures)
    sizes = sorted(seen.values())
    assert sizes[-1] > 100
    assert sum(3 <= size <= 20 for size in sizes) > len(plan.people) / 2
    assert sum(size == 1 for size in sizes) >= len(plan.strangers)


def test_people_are_unlike_each_other_and_children_younger_than_their_parents() -> None:
    """Numbers are unique, strangers are nobody's relatives, children are born after their parents."""
    people, strangers = make_people(300, 1), make_strangers(100, 1)
    assert len({person.number for person in people + strangers}) == 400
    assert not {person.family for person in people} & {person.family for person in strangers}
    born = {person.number: person.born for person in people}
    for person in people:
        if not person.parent:
            assert person.born >= born[person.family * 16] + 16


@pytest.mark.parametrize("count", range(1, 13))
@pytest.mark.parametrize("size", [(1280, 960), (960, 1280), (640, 480)])
def test_no_scarf_is_covered_and_every_face_is_in_the_picture(count: int, size: tuple[int, int]) -> None:
    """Whoever stands in front leaves the codes behind free, and codes lie inside of the picture."""
    for seed in range(20):
        rng = dice(seed, count)
        places = arrange(rng, [rng.choice((1.0, 0.8)) for _ in range(count)], size)
        assert sum(rows_for(count, size)) == len(places) == count
        for i, place in enumerate(places):
            half = (marker.FRAME_WIDTH / 2 + marker.QUIET) * place.cell
            bottom = place.y + (marker.FRAME_HEIGHT + marker.QUIET) * place.cell
            assert place.x - half >= 0
            assert place.x + half <= size[0]
            assert bottom <= size[1]
            assert place.y + marker.FACE_TOP * place.cell >= 0
            for other in places[i + 1 :]:  # drawn later, so in front
                beside = abs(place.x - other.x) >= half + 15 * other.cell
                below = other.y - 37 * other.cell >= bottom - marker.QUIET * place.cell
                assert beside or below
