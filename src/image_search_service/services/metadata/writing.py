"""Writes the names of a photo's faces into its sidecar."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from image_search_service.core.errors import MediaError
from image_search_service.db.queries.metadata.photo_names import PhotoFiles, PlacedFace
from image_search_service.media import regions, sidecars
from image_search_service.media.folder_names import Folders
from image_search_service.media.regions import Frame
from image_search_service.services.metadata.region_faces import apply, edit_of
from image_search_service.services.metadata.sources import outdated_note


@dataclass(frozen=True, slots=True)
class WriteTask:
    """A file, the named faces of its photo, and the names that are wrong for faces."""

    path: Path
    photo: PhotoFiles
    faces: list[PlacedFace]
    wrong: Mapping[uuid.UUID, set[str]]


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """The result for a file's sidecar: its change, or the problem that prevented it; neither if unchanged."""

    change: str = ""
    problem: str = ""


def write_names(wanted: WriteTask, folders: Folders, *, dry_run: bool) -> WriteOutcome:
    """Bring a file's sidecar up to date, unless it is."""
    source = wanted.path
    try:
        embedded = sidecars.read_embedded(wanted.path)
        target = sidecars.sidecar_to_write(wanted.path, folders)
        source = target if target.exists() else source
        former = sidecars.read_sidecar(target) if source is target else None
        start = embedded.packet if former is None else former
        root = regions.new_packet() if start is None else regions.parse_packet(start)
        frame = Frame(wanted.photo.width, wanted.photo.height, embedded.orientation)
        readings = regions.readings(root, frame)
        edit = edit_of(readings, wanted.faces, wanted.wrong)
        if not edit:
            return WriteOutcome()
        if readings[0].outdated and former is not None:
            # another program's work, which a new size would make wrong
            return WriteOutcome(problem=f"{source}: {outdated_note(root, frame)}")
        regions.drop_outdated(root, readings[0].outdated)
        change = f"{target}: {edit}"
        if not dry_run:
            apply(edit, root, frame)
            sidecars.write_sidecar(target, regions.packet_bytes(root), former)
            folders.add(target)
    except MediaError as error:
        return WriteOutcome(problem=f"{source}: {error.message}")
    return WriteOutcome(change=change)
