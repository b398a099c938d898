"""Photos of a named library are edited at random: no name is on another face, and none is lost in silence.

Two hundred edits in ``make test-all``, the same each time, unless more are asked for, which are new ones:
``IMAGE_SEARCH_TEST_EDITS=1000 pytest -m depth tests/unit/services/indexing/test_random_edits.py``. What it
prints is what docs/performance.md quotes.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image, ImageOps
from sqlalchemy import select

from image_search_service.db.models import AssetPath, FaceInstance, ImageAsset, PersonRow
from image_search_service.db.queries.lost_faces import lost_names
from image_search_service.services.decisions.lost_faces import LostFaceService
from image_search_service.services.decisions.replay import RebuildService
from tests.unit.services.indexing.edited_album import EditedAlbum, Source
from tests.unit.services.indexing.named_library import NamedLibrary

MORE = os.environ.get("IMAGE_SEARCH_TEST_EDITS")
EDITS = int(MORE) if MORE else 200
AT_ONCE = 4
"""Edits between two runs."""
GROUPS, PEOPLE, STRANGERS = 4, 12, 12

Names = dict[str, set[str]]


def pool_of(photos: Path, folder: Path) -> list[Source]:
    """Photos of groups, of people, and others, some of the same people, who are never named."""
    folder.mkdir()
    several = [each for each in sorted((photos / "lfw").iterdir()) if len(list(each.iterdir())) > 3]
    chosen = several[:: len(several) // PEOPLE][:PEOPLE]
    paths = sorted((photos / "groups").glob("Putin_*"))[:GROUPS]
    paths += [sorted(person.iterdir())[0] for person in chosen]
    paths += [sorted(person.iterdir())[number % 3 + 1] for number, person in enumerate(chosen[:STRANGERS])]
    sources = []
    for number, path in enumerate(paths):
        with Image.open(path) as image:
            small = ImageOps.contain(image.convert("RGB"), (700, 700)) if max(image.size) > 700 else image
            target = folder / f"{number:02}.jpg"
            small.convert("RGB").save(target, quality=95)
        sources.append(Source(target))
    return sources


class Watched:
    """The album, the library, and what has to be reported as lost."""

    def __init__(self, named: NamedLibrary, album: EditedAlbum) -> None:
        self.named, self.album = named, album
        self.kept = self.lost = 0
        self.edits: Counter[str] = Counter()
        self.outstanding: dict[tuple[str, str], set[str]] = {}
        """Content and name of what has no face any more, with the files that showed it."""
        self.names: Names = {}
        """By content, whom its faces were called when they were seen last."""

    def name_everybody(self, sources: list[Source]) -> None:
        self.named.index()
        for number, name in enumerate(sorted(self.album.files)):
            for position, face in enumerate(self.named.faces(name)):
                called = f"{number}-{position}"
                self.named.name(face.id, called)
                sources[number].named.append((called, face.box))
        self.look()

    def run(self) -> None:
        """Some edits, and indexing after them."""
        seen = {**self.album.away, **self.album.files}
        before = {name: content.digest for name, content in seen.items()}
        for _ in range(AT_ONCE):
            self.edits[self.album.edit()] += 1
        # of a file that is away the library knows what it held when it was seen
        self.album.away = {name: seen[name] for name in self.album.away if name in seen}
        report = self.named.index()
        assert not report.failures
        self.kept += report.names_kept
        self.lost += report.names_lost
        held = {content.digest for content in [*self.album.files.values(), *self.album.away.values()]}
        for name, digest in before.items():
            if digest not in held:
                for called in self.names.get(digest, ()):
                    self.outstanding.setdefault((digest, called), set()).add(name)
        self.look()
        self.account(held)

    def look(self) -> None:
        """No name is on a face of anybody else."""
        with self.named.opened.database.read() as session:
            rows = session.execute(
                select(AssetPath.path, ImageAsset.content_hash, FaceInstance, PersonRow.name)
                .join(ImageAsset, ImageAsset.id == AssetPath.asset_id)
                .join(FaceInstance, FaceInstance.asset_id == ImageAsset.id)
                .join(PersonRow, PersonRow.id == FaceInstance.person_id)
                .where(AssetPath.missing_since.is_(None))
            ).all()
        self.shown: Names = {}
        self.names |= {digest: set() for _, digest, _, _ in rows}
        for path, digest, face, called in rows:
            content = self.album.files[path.name]
            assert content.digest == digest
            assert content.shows(called, face.box.center), f"{called} is on another face of {path.name}"
            self.names[digest].add(called)
            self.shown.setdefault(path.name, set()).add(called)

    def account(self, held: set[str]) -> None:
        """Each name without a face is reported, with the file that showed it."""
        with self.named.opened.database.read() as session:
            lost = lost_names(session)
        reported = {(name.path.name, name.name) for name in lost if name.path is not None}
        shown = {called for names in self.shown.values() for called in names}
        for (digest, called), files in list(self.outstanding.items()):
            # a photo that was swapped or moved, and changed at once, shows the name in another file
            if digest in held or called in shown:
                del self.outstanding[digest, called]
            else:
                is_reported = any((name, called) in reported for name in files)
                assert is_reported, f"{called} of {files} has no face, and nobody says so"
        for name, called in reported:
            assert called not in self.shown.get(name, ()), f"{called} is in {name} and counts as lost"
        if lost and self.album.random.random() < 0.1:
            answered = self.album.random.choice(lost)
            LostFaceService(self.named.opened.database, "test").nowhere(answered.face_id)
            for key in [key for key in self.outstanding if key[1] == answered.name]:
                del self.outstanding[key]


@pytest.mark.depth
def test_random_edits(
    named: NamedLibrary, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of all edits each name is on its own face or reported, and what was said follows from the events."""
    seed = random.randrange(2**32) if MORE else 15  # noqa: S311 - picks edits
    sources = pool_of(photos, tmp_path / "pool")
    album = EditedAlbum(named.folder, sources, seed)
    album.begin(GROUPS + PEOPLE)
    watched = Watched(named, album)
    watched.name_everybody(sources[: GROUPS + PEOPLE])
    while watched.edits.total() < EDITS:
        watched.run()
    assert RebuildService(named.opened.database).check().wrong == 0
    with capsys.disabled():
        print(
            f"\nseed {seed}: of {watched.edits.total():,} edits {watched.kept:,} names kept, "
            f"{watched.lost:,} reported as lost, 0 wrong ({dict(watched.edits)})"
        )
