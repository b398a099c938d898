"""What programs write of the two faces of a photo, and what the library makes of it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import PngImagePlugin
from sqlalchemy import select

from image_search_service.core.types import Box
from image_search_service.db.models import FaceInstance, PersonRow
from image_search_service.db.session import Database
from image_search_service.media.orientation import to_stored
from image_search_service.services.metadata.names import MetadataNamesService
from image_search_service.services.metadata.report import ReadReport, WriteReport
from tests.unit.services.metadata.xmp_files import WRITERS, digikam

WIDTH, HEIGHT = 120, 80
LEFT, RIGHT = Box(10, 10, 30, 40), Box(70, 20, 30, 30)
"""In pixels of the upright photo."""


def in_file(suffix: str, packet: bytes) -> dict[str, Any]:
    """How Pillow is told to write XMP into a file of this kind."""
    if suffix == ".png":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", packet.decode())
        return {"pnginfo": text}
    return {"tiffinfo": {700: packet}} if suffix == ".tif" else {"xmp": packet}


def share(box: Box) -> Box:
    return Box(box.x / WIDTH, box.y / HEIGHT, box.width / WIDTH, box.height / HEIGHT)


def stored_size(orientation: int) -> tuple[int, int]:
    return (HEIGHT, WIDTH) if orientation >= 5 else (WIDTH, HEIGHT)


def said(program: str, orientation: int, left: str = "Ada", right: str = "Grace") -> bytes:
    """What a program writes of the two faces."""
    regions = [(left, to_stored(share(LEFT), orientation)), (right, to_stored(share(RIGHT), orientation))]
    return WRITERS[program](regions, stored_size(orientation))


def read(database: Database) -> ReadReport:
    return MetadataNamesService(database, "test", workers=2).read()


def names(database: Database) -> dict[uuid.UUID, str]:
    """Of each face that a human has named."""
    with database.read() as session:
        rows = session.execute(
            select(FaceInstance.id, PersonRow.name)
            .join(PersonRow, PersonRow.id == FaceInstance.person_id)
            .where(FaceInstance.assigned_by == "human")
        )
        return {row[0]: row[1] for row in rows}


def write(database: Database, *, overrule: bool = False) -> WriteReport:
    return MetadataNamesService(database, "test", workers=1).write(overrule=overrule)


def sidecar_with(path: Path, *people: str) -> Path:
    """A sidecar as another program writes it: names of the face on the left, and of that on the right."""
    sidecar = path.with_name(f"{path.name}.xmp")
    regions = [(name, share(box)) for name, box in zip(people, (LEFT, RIGHT), strict=False) if name]
    sidecar.write_bytes(digikam(regions, (WIDTH, HEIGHT)))
    return sidecar


Photo = Callable[..., tuple[Path, list[uuid.UUID]]]


def digest(path: Path) -> tuple[str, int]:
    return hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns
