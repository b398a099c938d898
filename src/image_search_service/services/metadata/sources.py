"""Reads what the files of a photo say of names: sidecars first, then the photo's own XMP."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from image_search_service.core.errors import MediaError
from image_search_service.core.names import clean_name, is_name
from image_search_service.db.queries.metadata.photo_names import PhotoFiles
from image_search_service.media import person_tags, regions, sidecars, xmp
from image_search_service.media.exif import UPRIGHT
from image_search_service.media.folder_names import Folders, plain_name
from image_search_service.media.orientation import to_upright
from image_search_service.media.picasa import FILES as PICASAS, PicasaFolder, PicasaFolders
from image_search_service.media.regions import Frame, NamedRegion

SHOWN_CHARACTERS = 60
"""Of what is no name, so many are shown in a report."""


@dataclass(frozen=True, slots=True)
class FileNames:
    """What one file says. path: of the photo or its sidecar. state: SHA-256 of its metadata.

    readings: the named regions in each possible interpretation that has any. keys: the keys of all names in
    it, whether or not they are believed. has_regions: whether it has any, named or not. people: names of
    persons without a place. is_of_photo: whether it is one photo's; Picasa's is of a folder.
    """

    path: Path
    state: str
    readings: list[list[NamedRegion]]
    keys: frozenset[str]
    has_regions: bool
    people: tuple[str, ...] = ()
    is_of_photo: bool = True


@dataclass(slots=True)
class PhotoNames:
    """What the files of a photo say. files: those that were read, up to the first with a named region.

    problems: files that could not be read. outdated: files with regions that are not believed, and how many.
    dropped: names that are none, each with its file. misplaced: names whose place cannot be read.
    """

    photo: PhotoFiles
    files: list[FileNames] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    outdated: dict[str, int] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    misplaced: list[str] = field(default_factory=list)

    @property
    def source(self) -> FileNames | None:
        """The file whose names count."""
        return self.files[-1] if self.files and self.files[-1].readings else None


def names_of(
    photo: PhotoFiles, folders: Folders, picasa: PicasaFolders, known: Collection[Path] = ()
) -> PhotoNames:
    """The names from the first of the photo's files that has any; a sidecar before the file itself, and
    Picasa's file in its folder after it.

    known: files that names of the photo were read from, which come before its other files.
    """
    names = PhotoNames(photo)
    for path in sorted(photo.paths, key=lambda path: not _is_known(path, folders, known)):
        try:
            embedded = sidecars.read_embedded(path)
        except MediaError as error:
            names.problems.append(f"{path}: {error.message}")
            continue
        frame = Frame(photo.width, photo.height, embedded.orientation)
        for source, packets in _packets(path, embedded, names.problems, folders):
            try:
                root = xmp.parse_packets(packets)
            except MediaError as error:
                names.problems.append(f"{source}: {error.message}")
                continue
            _add(names, source, packets, root, frame)
            if names.source is not None:
                return names
        _add_picasas(names, path, picasa.folder(path.parent), frame)
        if names.source is not None:
            return names
    return names


def _add_picasas(names: PhotoNames, path: Path, folder: PicasaFolder, frame: Frame) -> None:
    """Picasa measures in the picture as it shows it, and some of its versions in the stored one: the faces
    decide."""
    if folder.problem:
        names.problems.append(f"{folder.path}: {folder.problem}")
    faces = folder.faces.get(plain_name(path.name), [])
    if folder.path is None or not faces:
        return
    valid = [face for face in faces if is_name(face.name)]
    names.dropped += [_no_name(folder.path, face.name) for face in faces if not is_name(face.name)]
    upright = [NamedRegion(face.name, face.box) for face in valid]
    stored = [NamedRegion(face.name, to_upright(face.box, frame.orientation)) for face in valid]
    names.files.append(
        FileNames(
            folder.path,
            folder.state_of(path.name),
            [
                reading
                for reading in ([upright] if frame.orientation == UPRIGHT else [upright, stored])
                if reading
            ],
            frozenset(clean_name(face.name)[1] for face in valid),
            has_regions=True,
            is_of_photo=False,
        )
    )


def _is_known(path: Path, folders: Folders, known: Collection[Path]) -> bool:
    if not known:
        return False
    own = [path, *(path.with_name(name) for name in PICASAS)]
    with suppress(MediaError):  # it is said where the sidecar is read
        own += [sidecar] if (sidecar := sidecars.sidecar_of(path, folders)) is not None else []
    return any(file in known for file in own)


def _packets(
    path: Path, embedded: sidecars.Embedded, problems: list[str], folders: Folders
) -> Iterator[tuple[Path, list[bytes]]]:
    """The XMP of the sidecar, if readable, and of the photo itself; each with its file."""
    sidecar = None
    try:
        sidecar = sidecars.sidecar_of(path, folders)
        if sidecar is not None:
            yield sidecar, [sidecars.read_sidecar(sidecar)]
    except MediaError as error:
        problems.append(f"{sidecar or path}: {error.message}")
    if embedded.packets:
        yield path, embedded.packets


def _add(names: PhotoNames, path: Path, packets: list[bytes], root: xmp.Element, frame: Frame) -> None:
    every = regions.readings(root, frame)
    outdated = {region.name for reading in every for region in reading.outdated if is_name(region.name)}
    if outdated:
        names.outdated[f"{path}: {outdated_note(root, frame)}"] = len(outdated)
    named = [reading.named for reading in every]
    written = {region.name for of_reading in named for region in of_reading} | outdated
    invalid = {name for reading in every for name in reading.invalid}
    names.misplaced += [
        f"{path}: the place of {name[:SHOWN_CHARACTERS]} cannot be read." for name in sorted(invalid)
    ]
    names.dropped += [_no_name(path, name) for name in sorted(written) if not is_name(name)]
    names.files.append(
        FileNames(
            path,
            state_of(*packets),
            [valid for of_reading in named if (valid := _valid(of_reading))],
            frozenset(clean_name(name)[1] for name in written if is_name(name)),
            any(reading.faces or reading.others or reading.outdated for reading in every),
            tuple(clean_name(name)[0] for name in person_tags.people_without_place(root) if is_name(name)),
        )
    )


def _valid(named: Sequence[NamedRegion]) -> list[NamedRegion]:
    return [region for region in named if is_name(region.name)]


def _no_name(path: Path, name: str) -> str:
    """What is said of a name that is none, or of its beginning."""
    shown = repr(name[:SHOWN_CHARACTERS]) + ("…" if len(name) > SHOWN_CHARACTERS else "")
    return f"{path}: {shown} is no name that can be read."


def state_of(*packets: bytes) -> str:
    """Of metadata: what it is compared by."""
    return hashlib.sha256(b"".join(packets)).hexdigest()


def outdated_note(root: xmp.Element, frame: Frame) -> str:
    """Why regions of another shape are not believed, for people."""
    return (
        f"Its regions were made for a picture of {regions.written_size(root)} pixels; "
        f"this one has {frame.width} × {frame.height}."
    )
