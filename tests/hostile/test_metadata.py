"""Metadata that is written to cost much: what is read of it is bounded, in time and in size."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path

import pytest
from PIL import Image

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.names import LONGEST_NAME, clean_name
from image_search_service.db.queries.metadata.photo_names import PhotoFiles
from image_search_service.media.folder_names import Folders
from image_search_service.media.picasa import PicasaFolders, parse_picasa
from image_search_service.services.metadata.sources import names_of
from tests.hostile.bounded import index_bounded, run_bounded
from tests.hostile.packets import REGIONS, hostile_packets, mutated_packets

MEMORY = 3 * 2**30
"""Of address space, most of which is the libraries'."""


def read(folder: Path, packets: Iterable[tuple[str, bytes]], *, seconds: int) -> list[tuple[int, int]]:
    """The longest text and the number of regions of each photo's sidecar, read and written as ever."""
    Image.new("RGB", (120, 80)).save(folder / "photo.jpeg")
    for name, content in packets:
        (folder / f"{name}.jpg").hardlink_to(folder / "photo.jpeg")
        (folder / f"{name}.jpg.xmp").write_bytes(content)
    lines = run_bounded("read_sidecars", folder, seconds=seconds, memory=MEMORY)
    numbers = [line.split() for line in lines[1::2]]
    return [(int(longest), int(regions)) for longest, regions in numbers]


@pytest.mark.depth
def test_no_sidecar_costs_more_than_others_of_its_size(tmp_path: Path) -> None:
    """Sidecars that repeat, nest or lengthen whatever they can, megabytes of each, are read and written in
    some seconds for all of them, and nothing that is kept or said of them is long."""
    said = read(tmp_path, hostile_packets(), seconds=20)
    assert len(said) == len(list(hostile_packets()))
    assert max(longest for longest, _ in said) < 2 * LONGEST_NAME
    assert max(regions for _, regions in said) == REGIONS


@pytest.mark.depth
def test_no_damage_to_a_sidecar_ends_the_run(tmp_path: Path) -> None:
    """500 sidecars, each damaged in another way, are read or refused, and the run goes on; indexed, they
    leave a library in which nothing is wrong."""
    folder = tmp_path / "photos"
    folder.mkdir()
    assert len(read(folder, mutated_packets(500), seconds=20)) == 500
    assert index_bounded(folder, seconds=60, memory=MEMORY)["photos"] == 1


def test_a_name_has_a_length(tmp_path: Path) -> None:
    """A name of megabytes in a sidecar is no name: it is not stored, and its beginning is shown."""
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (120, 80)).save(path)
    (tmp_path / "photo.jpg.xmp").write_bytes(dict(hostile_packets())["a name of megabytes"])
    photo = PhotoFiles(uuid.UUID(int=1), 120, 80, [path])
    names = names_of(photo, Folders(), PicasaFolders())
    assert [file.readings for file in names.files] == [[]]
    assert [len(dropped) < 2 * LONGEST_NAME + len(str(path)) for dropped in names.dropped] == [True]
    for name in ("a" * (LONGEST_NAME + 1), "a" + "\u0301\u0316" * 2**20):
        with pytest.raises(InvalidInputError, match="at most"):
            clean_name(name)
    assert clean_name("a" * LONGEST_NAME)[0] == "a" * LONGEST_NAME


def test_picasas_file_is_read_in_time_with_its_size(tmp_path: Path) -> None:
    """Contacts, faces and sections of megabytes cost no more than many short ones."""
    accents = "a" + "\u0301\u0316" * 2**19
    face = "rect64(3f845bcb59418507),1;"
    content = f"[{accents}]\nfaces={face}\n[Contacts2]\n1={accents};;\n[a.jpg]\nfaces={face * 10_000}\n"
    faces = parse_picasa(content.encode())
    assert [len(of_photo) for of_photo in faces.values()] == [REGIONS]
    assert max(len(face.name) for face in faces["a.jpg"]) < 1_000
