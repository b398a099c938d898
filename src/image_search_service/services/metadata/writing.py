"""Writes the names of a photo's faces into its sidecar."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from image_search_service.core.errors import MediaError
from image_search_service.core.files import has_vanished
from image_search_service.core.names import name_key
from image_search_service.db.queries.metadata.photo_names import PhotoFiles, PlacedFace
from image_search_service.db.queries.people_in_files import NamedInFile
from image_search_service.db.queries.said_in_files import Seen, SeenName
from image_search_service.media import person_tags, regions, sidecars, xmp
from image_search_service.media.folder_names import Folders
from image_search_service.media.regions import Frame
from image_search_service.services.metadata.region_faces import Edit, LastSeen, apply, edit_of
from image_search_service.services.metadata.sources import outdated_note, state_of


@dataclass(frozen=True, slots=True)
class WriteTask:
    """A file, the named faces of its photo, and the names that are wrong for faces.

    seen: what files had for the faces when they were last read or written. placed_by: the last decision about
    whose each face is. people: persons whom the photo's files name without a place. overrule: also write over
    what another program has changed since.
    """

    path: Path
    photo: PhotoFiles
    faces: list[PlacedFace]
    wrong: Mapping[uuid.UUID, set[str]]
    seen: Seen = field(default_factory=dict)
    placed_by: Mapping[uuid.UUID, int] = field(default_factory=dict)
    people: Sequence[NamedInFile] = ()
    overrule: bool = False


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """The result for a file's sidecar: its change, or the problem that prevented it; neither if unchanged.

    corrected: names that another program has changed since, and that were left. seen, gone: names that the
    sidecar has for faces, which the library did not know yet, and faces for which it has none any more.
    """

    change: str = ""
    problem: str = ""
    corrected: tuple[str, ...] = ()
    seen: tuple[SeenName, ...] = ()
    gone: tuple[tuple[uuid.UUID, Path], ...] = ()


def write_names(wanted: WriteTask, folders: Folders, *, dry_run: bool) -> WriteOutcome:
    """Bring a file's sidecar up to date, unless it is."""
    source = wanted.path
    try:
        embedded = sidecars.read_embedded(wanted.path)
        target = sidecars.sidecar_to_write(wanted.path, folders)
        if not dry_run:
            sidecars.remove_abandoned(folders.take_half_written(target.parent))
        source = target if target == sidecars.sidecar_of(wanted.path, folders) else source
        former = sidecars.read_sidecar(target) if source is target else None
        packets = embedded.packets if former is None else [former]
        root = xmp.parse_packets(packets) if packets else xmp.new_packet()
        frame = Frame(wanted.photo.width, wanted.photo.height, embedded.orientation)
        readings = regions.readings(root, frame)
        edit = edit_of(readings, wanted.faces, wanted.wrong, _last_seen(wanted, source))
        tags = person_tags.rename_people(root, *_renames(wanted, edit, (target, wanted.path)))
        corrected = tuple(f"{source}: {correction}" for correction in edit.corrected)
        if not edit and not tags:
            return _seen_as_it_is(WriteOutcome(corrected=corrected), wanted, edit, source, state_of(*packets))
        if readings[0].outdated and former is not None:
            # another program's work, which a new size would make wrong
            return WriteOutcome(problem=f"{source}: {outdated_note(root, frame)}")
        if former is None and embedded.too_large:
            return WriteOutcome(problem=f"{source}: {_too_large(embedded.too_large)}")
        regions.drop_outdated(root, readings[0].outdated)
        entries = "1 keyword is renamed" if tags == 1 else f"{tags} keywords are renamed"
        change = f"{target}: {', '.join([str(edit)] * bool(edit) + [entries] * bool(tags))}"
        if dry_run:
            return WriteOutcome(change, corrected=corrected)
        apply(edit, root, frame)
        content = xmp.packet_bytes(root)
        sidecars.write_sidecar(target, content, former)
        folders.add(target)
    except MediaError as error:
        return WriteOutcome(problem=f"{source}: {error.message}")
    return _seen_as_it_is(WriteOutcome(change, corrected=corrected), wanted, edit, target, state_of(content))


def _renames(wanted: WriteTask, edit: Edit, paths: Sequence[Path]) -> tuple[dict[str, str], set[str]]:
    """Who is to be renamed wherever their name stands: by the former name's key, the new one; and the keys of
    all names in regions.

    A name that somebody else in the picture has stays, and so does one that leads to two new ones.
    """
    pairs = [(region.name, name) for region, name in edit.renamed]
    for face in wanted.faces:
        for path, seen in wanted.seen.get(face.id, {}).items():
            if path in paths and face.name_to_write is not None and seen.person_id == face.person_id:
                pairs.append((seen.name, face.name_to_write))
    pairs += [
        (person.name, person.present_name)
        for person in wanted.people
        if person.present_name is not None and person.path in paths
    ]
    renamed = {id(region) for region, _ in edit.renamed} | {id(region) for region in edit.removed}
    regions_left = {
        name_key(region.name)
        for region in (*edit.reading.faces, *edit.reading.others)
        if id(region) not in renamed
    }
    here = {name_key(face.name_to_write) for face in wanted.faces if face.name_to_write is not None}
    names: dict[str, set[str]] = {}
    for former, new in pairs:
        if former and name_key(former) not in regions_left | here:
            names.setdefault(name_key(former), set()).add(new)
    known = regions_left | here | {name_key(region.name) for region, _ in edit.renamed}
    return {former: name for former, (name, *others) in names.items() if not others}, known


def _too_large(size: int) -> str:
    return (
        f"It has {size:,} bytes of extended XMP, which a new sidecar would hide from other programs; "
        f"more than {xmp.LARGEST:,} are not read."
    )


def _last_seen(wanted: WriteTask, path: Path) -> dict[uuid.UUID, LastSeen]:
    """What this file had for each face; of one that moved or was renamed with its photo, what it had where it
    was."""
    if wanted.overrule:
        return {}
    last: dict[uuid.UUID, LastSeen] = {}
    for face in wanted.faces:
        of_face = wanted.seen.get(face.id, {})
        name = of_face.get(path) or _of_moved(path, of_face)
        if name is not None:
            is_answered = name.changed_after is None or wanted.placed_by.get(face.id, 0) > name.changed_after
            last[face.id] = LastSeen(name.key, is_answered)
    return last


def _of_moved(path: Path, of_face: Mapping[Path, SeenName]) -> SeenName | None:
    """What the file had that is at ``path`` now: a sidecar for a sidecar, a photo for a photo, rather one of
    the same name; None if none of them has gone."""
    moved = [
        name
        for place, name in of_face.items()
        if sidecars.is_sidecar(place) == sidecars.is_sidecar(path) and has_vanished(place)
    ]
    return min(moved, key=lambda name: name.path.name != path.name, default=None)


def _seen_as_it_is(
    outcome: WriteOutcome, wanted: WriteTask, edit: Edit, path: Path, state: str
) -> WriteOutcome:
    """The outcome with what the library learns of the file."""
    seen: list[SeenName] = []
    gone: list[tuple[uuid.UUID, Path]] = []
    for face in wanted.faces:
        before = wanted.seen.get(face.id, {}).get(path)
        if face.id in edit.agreed and face.name_to_write is not None:
            key = name_key(face.name_to_write)
            if before is None or before.key != key or before.changed_after is not None:
                seen.append(SeenName(face.id, path, state, face.name_to_write, key, face.person_id))
        elif before is not None and face.id in edit.emptied:
            gone.append((face.id, path))
    return WriteOutcome(outcome.change, outcome.problem, outcome.corrected, tuple(seen), tuple(gone))
