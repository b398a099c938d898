"""A backup over HTTP: a job writes it, and it is sent as often as it is asked for."""

from __future__ import annotations

import asyncio
import shutil
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from image_search_service.api.routes.backup import TarArchive
from image_search_service.queue.runner import BEAT_SECONDS
from image_search_service.services.backup.archive import verified
from image_search_service.services.backup.sending import open_backup, write_backup
from image_search_service.services.backup.service import BackupService
from tests.support.served import Served, add_faces, directions
from tests.support.world import World

SCOPE = {"type": "http", "method": "GET", "headers": [], "asgi": {"spec_version": "2.3"}}
"""As uvicorn gives it: an answer listens for the end of its connection by itself."""


def fill(api: Served) -> Path:
    """Three faces, one with a crop; returns the crop's path."""
    with api.library.database.write() as session:
        faces = add_faces(api.library, World(session), directions(3))
    crop = api.library.paths.crop(faces[0].id)
    crop.parent.mkdir(parents=True)
    crop.write_bytes(bytes(10_000))
    return crop


def write(api: Served, *, pictures: bool = True) -> None:
    """What the job does, in this thread."""
    write_backup(api.library.stores, lambda _done, _total: None, pictures=pictures)


async def nothing() -> Any:
    await asyncio.sleep(60)


def test_a_job_writes_the_library_into_one_file(working: Served, tmp_path: Path) -> None:
    """Whole, as a download, with or without the small pictures; the job says of which moment it is, how
    large, and what it holds."""
    fill(working)
    for pictures in (True, False):
        job = working.client.post("/api/v1/backup", params={"pictures": pictures})
        assert (job.status_code, job.json()["kind"]) == (202, "write_backup")
        ended = working.ended(job.json())
        assert ended["state"] == "succeeded", ended["error"]
        answer = working.client.get("/api/v1/backup", params={"pictures": pictures})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/x-tar"
        assert answer.headers["content-disposition"] == 'attachment; filename="library.tar"'
        assert answer.headers["content-length"] == str(len(answer.content)) == str(ended["result"]["bytes"])
        assert {"last-modified", "etag"} <= answer.headers.keys()
        (tmp_path / "backup.tar").write_bytes(answer.content)
        manifest = verified(tmp_path / "backup.tar")
        assert (manifest.created_at, manifest.counts) == (
            ended["result"]["created_at"],
            ended["result"]["counts"],
        )
        assert (manifest.counts["embeddings"], manifest.counts["pictures"]) == (3, int(pictures))
        with tarfile.open(tmp_path / "backup.tar") as archive:
            assert ("pictures/000000.tar" in archive.getnames()) is pictures


def test_whoever_asks_while_one_waits_gets_that_one(api: Served) -> None:
    """A second job is submitted for the other kind of backup alone."""
    fill(api)
    first, second = (api.post("/backup")["id"] for _ in range(2))
    other = api.client.post("/api/v1/backup", params={"pictures": False}).json()["id"]
    assert (first == second, first == other) == (True, False)


def test_where_none_was_written_it_is_said_how(api: Served) -> None:
    """404, with the request that has one written; and 404 for that one where nothing was ever indexed."""
    fill(api)
    write(api, pictures=False)
    missing = api.get("/backup", status=404)
    assert "POST /api/v1/backup" in missing["hint"]
    assert api.client.get("/api/v1/backup", params={"pictures": False}).status_code == 200
    with api.library.database.write() as session:
        session.connection().exec_driver_sql("DELETE FROM library")
    api.post("/backup", status=404)


def test_a_part_is_sent_and_a_broken_download_goes_on(api: Served) -> None:
    """By `Range`, as long as the file is the one that was begun; else all of the new one comes, and so it
    does where no part of it is asked for."""
    fill(api)
    write(api)
    whole = api.client.get("/api/v1/backup")
    asked = {"Range": "bytes=1000-", "If-Range": whole.headers["etag"]}
    part = api.client.get("/api/v1/backup", headers=asked)
    assert (part.status_code, part.content) == (206, whole.content[1000:])
    end = len(whole.content)
    for more, sent in ((f"bytes={end - 1}-{end}", whole.content[-1:]), ("bytes=0-9", whole.content[:10])):
        assert api.client.get("/api/v1/backup", headers={"Range": more}).content == sent
    for odd in (f"bytes={end}-", "bytes=9-8", "bytes=", "lines=1-2", "bytes=0-1,5-6", f"bytes={'9' * 99}-"):
        assert api.client.get("/api/v1/backup", headers={"Range": odd}).content == whole.content, odd
    with api.library.database.write() as session:
        add_faces(api.library, World(session), directions(2, seed=1))
    write(api)
    other = api.client.get("/api/v1/backup", headers=asked)
    assert (other.status_code, len(other.content) > len(whole.content)) == (200, True)


def test_a_file_that_is_replaced_is_sent_to_its_end(api: Served) -> None:
    """Whoever began to download a backup gets that one, in the length that was said, although the next one
    has its name by then, or it was removed for its age."""
    fill(api)
    write(api)
    before = api.client.get("/api/v1/backup").content
    begun = [TarArchive.of(open_backup(api.library.paths, pictures=True)) for _ in range(2)]
    with api.library.database.write() as session:
        add_faces(api.library, World(session), directions(2, seed=1))
    write(api)
    assert _sent(begun[0]) == before
    shutil.rmtree(api.library.paths.downloads)
    assert _sent(begun[1]) == before


def _sent(answer: TarArchive) -> bytes:
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    asyncio.run(answer(SCOPE, nothing, send))
    content = b"".join(message.get("body", b"") for message in messages)
    assert dict(messages[0]["headers"])[b"content-length"] == str(len(content)).encode()
    assert answer.file.closed
    return content


def test_a_reader_who_goes_away_leaves_no_file_open(api: Served) -> None:
    """An answer that breaks off, or waits for a reader who has gone, closes its file at once, whoever still
    refers to it."""
    fill(api)
    write(api)

    async def broken(_: Any) -> None:
        raise OSError("The client has gone.")

    async def stalled(_: Any) -> None:
        await asyncio.sleep(60)

    async def gone() -> Any:
        return {"type": "http.disconnect"}

    answers = [TarArchive.of(open_backup(api.library.paths, pictures=True)) for _ in range(2)]
    with pytest.raises(OSError, match="has gone"):
        asyncio.run(answers[0](SCOPE | {"asgi": {"spec_version": "2.4"}}, nothing, broken))
    asyncio.run(answers[1](SCOPE, gone, stalled))
    assert [answer.file.closed for answer in answers] == [True, True]


def test_a_running_job_is_cancelled(working: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """As any other job is: no file comes of it."""
    fill(working)
    stream = BackupService.stream

    def slow(service: BackupService, **options: Any) -> Any:
        for piece in stream(service, **options):
            while True:
                yield piece
                time.sleep(BEAT_SECONDS / 10)

    monkeypatch.setattr(BackupService, "stream", slow)
    job = working.seen(working.post("/backup"), lambda found: found["state"] == "running")
    working.post(f"/jobs/{job['id']}/cancel", status=200)
    assert working.ended(job)["state"] == "cancelled"
    assert list(working.library.paths.downloads.iterdir()) == []
    working.get("/backup", status=404)


@pytest.mark.parametrize(("site", "status"), [("cross-site", 403), ("same-site", 403), ("none", 200)])
def test_no_page_of_another_site_gets_one(api: Served, site: str, status: int) -> None:
    """Not even unread, as a picture that cannot be shown; typed into the browser it is a download."""
    fill(api)
    write(api)
    headers = {"Sec-Fetch-Site": site}
    assert api.client.get("/api/v1/backup", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://example.org"}, 403),
        ({"Origin": "http://localhost:8000", "Sec-Fetch-Site": "same-origin"}, 202),
    ],
)
def test_no_page_of_another_site_has_one_written(api: Served, headers: dict[str, str], status: int) -> None:
    """No form and no script of theirs submits the job."""
    fill(api)
    assert api.client.post("/api/v1/backup", headers=headers).status_code == status
    assert api.get("/jobs")["total"] == int(status == 202)
