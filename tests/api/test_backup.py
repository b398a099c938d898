"""A backup over HTTP."""

from __future__ import annotations

import asyncio
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import QueuePool
from starlette.requests import ClientDisconnect

from image_search_service.api.routes.backup import TarArchive
from image_search_service.core.errors import UnavailableError
from image_search_service.services.backup.archive import verified, write_file
from image_search_service.services.backup.sending import SENT_AT_ONCE, SentBackup
from image_search_service.services.backup.service import BackupService
from tests.support.served import Served, add_faces, directions
from tests.support.world import World


def test_the_library_is_streamed_as_one_file(api: Served, tmp_path: Path) -> None:
    """Whole, as a download, with or without the small pictures."""
    with api.library.database.write() as session:
        faces = add_faces(api.library, World(session), directions(3))
    crop = api.library.paths.crop(faces[0].id)
    crop.parent.mkdir(parents=True)
    crop.write_bytes(b"picture")
    for pictures in (True, False):
        answer = api.client.get("/api/v1/backup", params={"pictures": pictures})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/x-tar"
        assert "attachment" in answer.headers["content-disposition"]
        (tmp_path / "backup.tar").write_bytes(answer.content)
        counts = verified(tmp_path / "backup.tar").counts
        assert (counts["embeddings"], counts["pictures"]) == (3, int(pictures))
        with tarfile.open(tmp_path / "backup.tar") as archive:
            assert ("pictures/000000.tar" in archive.getnames()) is pictures


def test_a_slow_reader_holds_nothing_that_others_need(api: Served) -> None:
    """What is sent is a finished file without a name: no connection, no file for a crash to leave; the
    third who asks at once is told to come again, and so is nobody when one is through."""
    with api.library.database.write() as session:
        add_faces(api.library, World(session), directions(3))
    readers = [SentBackup(api.library.stores, pictures=False) for _ in range(SENT_AT_ONCE)]
    assert all(next(reader) for reader in readers)
    assert list(api.library.paths.backups.iterdir()) == []
    pool = api.library.database.engine.pool
    assert isinstance(pool, QueuePool)
    assert pool.checkedout() == 0
    refused = api.client.get("/api/v1/backup")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    for reader in readers:
        reader.close()
    answer = api.client.get("/api/v1/backup")
    assert (answer.status_code, answer.headers["content-length"]) == (200, str(len(answer.content)))
    assert api.client.get("/api/v1/backup").status_code == 200


def test_a_reader_who_goes_away_gives_the_turn_back(api: Served) -> None:
    """An answer that breaks off closes its backup at once, whoever still refers to it."""
    with api.library.database.write() as session:
        add_faces(api.library, World(session), directions(3))

    async def gone(_: Any) -> None:
        raise OSError("The client has gone.")

    async def nothing() -> Any:
        await asyncio.sleep(60)

    scope = {"type": "http", "asgi": {"spec_version": "2.4"}}
    answers = [TarArchive.of(SentBackup(api.library.stores, pictures=False)) for _ in range(SENT_AT_ONCE)]
    for answer in answers:
        with pytest.raises(ClientDisconnect):
            asyncio.run(answer(scope, nothing, gone))
    assert api.client.get("/api/v1/backup").status_code == 200


def test_a_full_disk_is_seen_before_a_backup_is_begun(
    api: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Embeddings and pictures have a known size: without room for them nothing is read or written."""
    with api.library.database.write() as session:
        faces = add_faces(api.library, World(session), directions(3))
    crop = api.library.paths.crop(faces[0].id)
    crop.parent.mkdir(parents=True)
    crop.write_bytes(bytes(10_000))
    service = BackupService(api.library.stores)
    embeddings = 3 * 4 * directions(1).shape[1]
    assert (service.room(), service.room(pictures=False)) == (embeddings + 10_000, embeddings)
    nearly_full = shutil.disk_usage(tmp_path)._replace(free=embeddings + 9_999)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: nearly_full)
    pieces = iter([b"a piece"])
    with pytest.raises(UnavailableError, match="are free there"):
        write_file(tmp_path / "a" / "backup.tar", pieces, room=service.room())
    assert list(pieces) == [b"a piece"]
    assert list(tmp_path.glob("a/*")) == []


@pytest.mark.parametrize(("site", "status"), [("cross-site", 403), ("same-site", 403), ("none", 200)])
def test_no_page_of_another_site_has_one_made(api: Served, site: str, status: int) -> None:
    """Not even unread, as a picture that cannot be shown; typed into the browser it is a download."""
    headers = {"Sec-Fetch-Site": site}
    assert api.client.get("/api/v1/backup", headers=headers).status_code == status


def test_what_does_not_work_is_said_by_the_status(api: Served) -> None:
    """Nothing is promised before the first piece is there."""
    with api.library.database.write() as session:
        session.connection().exec_driver_sql("DELETE FROM library")
    api.get("/backup", status=404)
