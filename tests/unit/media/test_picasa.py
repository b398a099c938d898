"""Picasa's file of a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from image_search_service.core.types import Box
from image_search_service.media.picasa import PicasaFolders, parse_picasa

INI = b"""[Picasa]
name=Summer
[photo.jpg]
rotate=rotate(0)
faces=rect64(1999333380004ccc),8e62398ebda8c1a5;rect64(8000000bfff8000),ffffffffffffffff;rect64(0),8e62398ebda8c1a5
backuphash=12345
[other.jpg]
faces=rect64(1999333380004ccc),00a1
[Contacts2]
8e62398ebda8c1a5=Ada Lovelace;;
a1=Grace;grace@example.com;
ffffffffffffffff=Nobody;;
"""


def test_faces_of_each_photo() -> None:
    """Names come from the contacts, whose numbers may lack zeros; ignored and invalid faces are left out."""
    faces = parse_picasa(INI)
    assert {photo: [face.name for face in of_photo] for photo, of_photo in faces.items()} == {
        "photo.jpg": ["Ada Lovelace"],
        "other.jpg": ["Grace"],
    }
    box = faces["photo.jpg"][0].box
    assert (box.x, box.y, box.width, box.height) == pytest.approx((0.1, 0.2, 0.4, 0.1), abs=1e-4)


@pytest.mark.parametrize("name", [".picasa.ini", "Picasa.ini"])
def test_a_folder_is_read_once(tmp_path: Path, name: str) -> None:
    """The file is found under both of its names, and read once for all photos."""
    (tmp_path / name).write_bytes(INI)
    folders = PicasaFolders()
    first = folders.folder(tmp_path)
    assert first.path == tmp_path / name
    assert folders.folder(tmp_path) is first
    assert first.state_of("PHOTO.jpg") != first.state_of("other.jpg")


@given(st.binary(max_size=300))
def test_any_bytes_are_read(content: bytes) -> None:
    """Whatever a file has, its photos have faces with names inside the picture, or none."""
    for faces in parse_picasa(INI + content).values():
        for face in faces:
            assert face.name
            assert isinstance(face.box, Box)
            assert 0 <= face.box.x < face.box.x + face.box.width <= 1.0001
