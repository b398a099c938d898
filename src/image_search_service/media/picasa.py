"""Picasa's names: ``.picasa.ini`` in each folder, with a section for each photo and one of contacts.

A face is ``rect64(`` and a number of 64 bits: left, top, right and bottom, 16 bits each, in shares of the
picture; then a comma and the contact's number. A file is read once for all photos of its folder, in time and
memory linear in its size.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from image_search_service.core.errors import MediaError
from image_search_service.core.files import is_file
from image_search_service.core.types import Box
from image_search_service.media.errors import media_errors
from image_search_service.media.folder_names import plain_name
from image_search_service.media.region_dialects import MOST_REGIONS, NOBODY, written_name
from image_search_service.media.xmp import LARGEST, LONGEST_NUMBER

FILES: Final = (".picasa.ini", "Picasa.ini")
MOST_FACES: Final = 200_000
"""How many faces are remembered; the folders asked for longest ago are forgotten first."""
LONGEST_FILE_NAME: Final = 255
"""Characters of a file's name; a longer one is none."""
_FACE: Final = re.compile(r"rect64\(([0-9a-fA-F]{1,16})\),([0-9a-fA-F]{1,16})")
_UNIT: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class PicasaFace:
    """A named face. box: in shares of the picture."""

    name: str
    box: Box


@dataclass(slots=True)
class PicasaFolder:
    """What Picasa says of one folder. path: its file, None without. faces: of each photo, by
    ``plain_name``. problem: why the file cannot be read."""

    path: Path | None = None
    faces: dict[str, list[PicasaFace]] = field(default_factory=dict)
    problem: str = ""
    size: int = 0

    def state_of(self, name: str) -> str:
        """Of what it says of one photo."""
        said = "\n".join(f"{face.name} {face.box}" for face in self.faces.get(plain_name(name), ()))
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


class PicasaFolders:
    """Reads each folder's file once while it is remembered. Several threads may ask."""

    def __init__(self) -> None:
        self._read: OrderedDict[Path, PicasaFolder] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def folder(self, path: Path) -> PicasaFolder:
        """What Picasa says of a folder."""
        with self._lock:
            if path in self._read:
                self._read.move_to_end(path)
                return self._read[path]
        read = _read_folder(path)
        with self._lock:
            if path not in self._read:
                self._read[path] = read
                self._size += read.size
            while self._size > MOST_FACES and len(self._read) > 1:
                self._size -= self._read.popitem(last=False)[1].size
            return self._read.get(path, read)


def _read_folder(folder: Path) -> PicasaFolder:
    path: Path | None = folder / FILES[0]
    try:
        with media_errors():
            path = next((folder / name for name in FILES if is_file(folder / name)), None)
            if path is None:
                return PicasaFolder(size=1)
            with path.open("rb") as file:
                content = file.read(LARGEST + 1)
    except MediaError as error:
        return PicasaFolder(path, problem=error.message, size=1)
    if len(content) > LARGEST:
        return PicasaFolder(path, problem=f"It has more than {LARGEST:,} bytes.", size=1)
    faces = parse_picasa(content)
    return PicasaFolder(path, faces, size=1 + sum(map(len, faces.values())))


def parse_picasa(content: bytes) -> dict[str, list[PicasaFace]]:
    """The named faces of each photo, by its ``plain_name``; invalid lines are left out."""
    contacts: dict[str, str] = {}
    lines: dict[str, str] = {}
    section = ""
    for raw_line in content.decode("utf-8-sig", "replace").splitlines():
        line = raw_line.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
            continue
        key, is_field, value = line.partition("=")
        if section in ("Contacts", "Contacts2") and is_field:
            contacts.setdefault(_number(key[:LONGEST_NUMBER]), written_name(value.split(";", 1)[0]))
        elif key == "faces" and is_field and len(section) <= LONGEST_FILE_NAME:
            lines[plain_name(section)] = value
    return {photo: faces for photo, value in lines.items() if (faces := _faces(value, contacts))}


def _number(text: str) -> str:
    return text.strip().lower().lstrip("0")


def _faces(value: str, contacts: dict[str, str]) -> list[PicasaFace]:
    faces: list[PicasaFace] = []
    for found in _FACE.finditer(value):
        if len(faces) == MOST_REGIONS:
            break
        number = int(found[1], 16)
        left, top, right, bottom = (number >> shift & _UNIT for shift in (48, 32, 16, 0))
        name = contacts.get(_number(found[2]), "")
        if name and found[2].lower() != NOBODY and left < right and top < bottom:
            box = Box(left / _UNIT, top / _UNIT, (right - left) / _UNIT, (bottom - top) / _UNIT)
            faces.append(PicasaFace(name, box))
    return faces
