"""Names survive the editing of a photo."""

from __future__ import annotations

import uuid

import pytest

from image_search_service.core.types import Box
from image_search_service.db.queries.faces import LocatedFace
from image_search_service.services.edited_photos import overlap, successor_faces

ADA, GRACE = uuid.uuid4(), uuid.uuid4()


def face(x: float, person: uuid.UUID | None = None) -> LocatedFace:
    return LocatedFace(uuid.uuid4(), person, Box(x, 0.4, 0.2, 0.2))


def test_names_go_to_the_faces_in_the_same_place() -> None:
    """Each named face hands its person to the new face that lies where it lay."""
    new = [face(0.11), face(0.62)]
    moves = successor_faces([face(0.6, GRACE), face(0.1, ADA)], new)
    assert moves == {new[0].id: ADA, new[1].id: GRACE}


def test_unnamed_faces_hand_nothing_on() -> None:
    """There is no name to hand on."""
    assert successor_faces([face(0.1)], [face(0.1)]) == {}


def test_a_face_named_already_keeps_its_person() -> None:
    """What a human said of the new face is not overruled."""
    assert successor_faces([face(0.1, ADA)], [face(0.1, GRACE)]) == {}


def test_each_name_is_handed_on_once() -> None:
    """Of two new faces in one place, only the nearer one gets the name."""
    near, far = face(0.1), face(0.13)
    assert successor_faces([face(0.1, ADA)], [far, near]) == {near.id: ADA}


@pytest.mark.parametrize(("x", "expected"), [(0.0, 1.0), (0.5, 1 / 3), (1.0, 0.0), (2.0, 0.0)])
def test_overlap_is_intersection_over_union(x: float, expected: float) -> None:
    """Unit squares shifted by x."""
    assert overlap(Box(0, 0, 1, 1), Box(x, 0, 1, 1)) == pytest.approx(expected)
