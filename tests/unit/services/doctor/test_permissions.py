"""The doctor finds what other users of the machine may read of a library."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from image_search_service.core.access_token import read_or_create_token
from image_search_service.core.config import Settings
from image_search_service.library.opening import Library, open_library
from image_search_service.services.doctor.findings import Kind
from image_search_service.services.doctor.service import DoctorService
from tests.support.damage import found
from tests.support.served import add_faces, bind, directions, no_bar
from tests.support.world import World


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """A library with faces, as an older version made it: open to all."""
    settings = Settings(library=tmp_path / "library", engine="synthetic", offline=True, workers=1)
    with open_library(settings, lambda _: None, no_bar) as opened:
        bind(opened)
        with opened.database.write() as session:
            faces = add_faces(opened, World(session), directions(3))
        for face in faces:
            opened.paths.crop(face.id).parent.mkdir(parents=True, exist_ok=True)
            opened.paths.crop(face.id).write_bytes(b"picture")
        opened.job_queue.check()
        read_or_create_token(opened.paths.token)
        for path in everything(opened):
            path.chmod(0o755 if path.is_dir() else 0o644)
        yield opened


def everything(library: Library) -> list[Path]:
    return [library.paths.root, *library.paths.root.rglob("*")]


def test_everything_of_an_older_library_is_found_and_closed(library: Library) -> None:
    """Also the databases' logs, the token and what the embedded engine has made; others' files stay."""
    (library.paths.root / "notes.txt").touch()
    (library.paths.root / "notes.txt").chmod(0o644)
    expected = len(everything(library)) - 1
    assert found(DoctorService(library.stores).examine())[Kind.OPEN_TO_OTHERS] == expected
    report = DoctorService(library.stores).examine(repair=True)
    assert report.findings[Kind.OPEN_TO_OTHERS].repaired == expected
    open_to_others = [path.name for path in everything(library) if path.stat().st_mode & 0o077]
    assert open_to_others == ["notes.txt"]


def test_what_cannot_be_closed_is_said(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system that does not keep rights, and where they are another user's to give."""
    monkeypatch.setattr(Path, "chmod", lambda *_: None)
    finding = DoctorService(library.stores).examine(repair=True).findings[Kind.OPEN_TO_OTHERS]
    assert finding.repaired == 0
    assert "does not keep" in finding.reasons[0]

    def refused(path: Path, mode: int) -> None:
        raise PermissionError(1, os.strerror(1))

    monkeypatch.setattr(Path, "chmod", refused)
    finding = DoctorService(library.stores).examine(repair=True).findings[Kind.OPEN_TO_OTHERS]
    assert "Operation not permitted" in finding.reasons[0]
