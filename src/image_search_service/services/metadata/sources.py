"""Reads what the files of a photo say of names: sidecars first, then the photo's own XMP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from image_search_service.core.errors import MediaError
from image_search_service.core.names import is_name
from image_search_service.db.queries.metadata.photo_names import PhotoFiles
from image_search_service.media import regions, sidecars
from image_search_service.media.folder_names import Folders
from image_search_service.media.regions import Frame, NamedRegion, Reading


@dataclass(frozen=True, slots=True)
class PhotoNames:
    """The named regions of a photo in each possible interpretation. problems: files that could not be
    read. outdated: files with regions that are not believed, and how many. dropped: names that are none,
    each with its file."""

    photo: PhotoFiles
    readings: list[list[NamedRegion]]
    problems: list[str]
    outdated: Mapping[str, int] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)


def names_of(photo: PhotoFiles, folders: Folders) -> PhotoNames:
    """The names from the first of the photo's files that has any; a sidecar before the file itself."""
    problems: list[str] = []
    outdated: dict[str, int] = {}
    dropped: list[str] = []
    for path in photo.paths:
        try:
            embedded = sidecars.read_embedded(path)
        except MediaError as error:
            problems.append(f"{path}: {error.message}")
            continue
        frame = Frame(photo.width, photo.height, embedded.orientation)
        for source, packet in _packets(path, embedded, problems, folders):
            try:
                root = regions.parse_packet(packet)
            except MediaError as error:
                problems.append(f"{source}: {error.message}")
                continue
            every = regions.readings(root, frame)
            ignored = {
                region.name for reading in every for region in reading.outdated if is_name(region.name)
            }
            if ignored:
                outdated[f"{source}: {outdated_note(root, frame)}"] = len(ignored)
            invalid = {
                region.name for reading in every for region in reading.named if not is_name(region.name)
            }
            dropped += [f"{source}: {name!r} is no name that can be read." for name in sorted(invalid)]
            readings = [named for reading in every if (named := _valid(reading))]
            if readings:
                return PhotoNames(photo, readings, problems, outdated, dropped)
    return PhotoNames(photo, [], problems, outdated, dropped)


def _valid(reading: Reading) -> list[NamedRegion]:
    return [region for region in reading.named if is_name(region.name)]


def _packets(
    path: Path, embedded: sidecars.Embedded, problems: list[str], folders: Folders
) -> Iterator[tuple[Path, bytes]]:
    """The XMP packets of the sidecar, if readable, and of the photo itself; each with its file."""
    sidecar = sidecars.sidecar_of(path, folders)
    if sidecar is not None:
        try:
            yield sidecar, sidecars.read_sidecar(sidecar)
        except MediaError as error:
            problems.append(f"{sidecar}: {error.message}")
    yield from ((path, packet) for packet in (embedded.packet, embedded.extension) if packet is not None)


def outdated_note(root: regions.Element, frame: Frame) -> str:
    """Why regions of another shape are not believed, for people."""
    return (
        f"Its regions were made for a picture of {regions.written_size(root)} pixels; "
        f"this one has {frame.width} × {frame.height}."
    )
