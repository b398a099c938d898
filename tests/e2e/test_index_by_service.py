"""``image-search index`` while ``image-search serve`` holds the library."""

from __future__ import annotations

import getpass
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from image_search_service.cli.app import app
from image_search_service.core.errors import UnavailableError
from image_search_service.services.jobs.client import ServiceClient
from tests.support.service_processes import ask, ended, free_port, serving
from tests.support.waiting import wait_until

DIFFERS = {"seconds", "photos_per_second"}


@dataclass(frozen=True, slots=True)
class Holder:
    """A service that holds a library."""

    library: Path
    port: int

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A command on that library, in a process of its own."""
        command = [sys.executable, "-m", "image_search_service", *arguments, "--library", str(self.library)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """What a command on that library says; for the service this is another process already."""
        given = [*arguments, "--library", str(self.library)]
        result = CliRunner().invoke(app, given, env={"http_proxy": "http://127.0.0.1:1"})
        return result.exit_code, result.stdout, result.stderr

    def json(self, *arguments: str) -> Any:
        code, out, error = self.run(*arguments, "--json")
        assert code == 0, error
        return json.loads(out)


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[Holder]:
    library, port = tmp_path / "library", free_port()
    settings = {
        "library": library,
        "port": port,
        "engine": "synthetic",
        "offline": True,
        "photo_roots": tmp_path / "elsewhere",
    }
    with serving(settings):
        yield Holder(library, port)


@pytest.mark.depth
def test_p7_photos_added_while_the_service_runs(holder: Holder, drawn: Path, tmp_path: Path) -> None:
    """The command hands its work to the service, wherever the photos lie, and prints what it would have
    printed itself, as JSON and for people."""
    done = holder.json("index", str(drawn))
    assert (done["faces"], done["photos_new"] > 0) == (60, True)
    expected = Holder(tmp_path / "other", 0).json("index", str(drawn), "--engine", "synthetic")
    assert {**done, **dict.fromkeys(DIFFERS)} == {**expected, **dict.fromkeys(DIFFERS)}
    code, shown, said = holder.run("index", str(drawn))
    assert (code, "Files seen" in shown, "image-search name" in shown) == (0, True, True)
    assert f"served at http://127.0.0.1:{holder.port}" in said
    assert holder.run("index", str(drawn), "--engine", "opencv")[0] == 1
    assert holder.run("index", str(tmp_path / "nothing"))[0] == 2
    (root,) = holder.json("roots", "list")["roots"]
    assert (root["path"], holder.json("roots", "add", str(tmp_path))["indexed_at"]) == (str(drawn), None)
    assert len(holder.json("roots", "remove", str(tmp_path))["removed"]) == 1
    assert ask(holder.port, "/api/v1/library")["faces"] == 60
    report = holder.json("doctor")
    assert (report["healthy"], report["checked"]["faces"]) == (True, 60)


@pytest.mark.depth
def test_p7_commands_that_group_and_forget_hand_over_their_work(
    holder: Holder, drawn: Path, tmp_path: Path
) -> None:
    """While the service runs, it groups, assigns, marks folders, forgets and erases for the commands, as the
    user who typed them."""
    album = Path(shutil.copytree(drawn, tmp_path / "album"))
    photos = holder.json("index", str(album))["photos"]
    grouped = holder.json("cluster", "--dual")
    assert (grouped["faces"], grouped["clusters"] > 0, grouped["assigned"]["assigned"]) == (60, True, 0)
    assert holder.json("cluster")["clusters"] == grouped["clusters"]
    assert holder.json("assign")["assigned"] == 0
    album.rename(tmp_path / "elsewhere")
    assert holder.json("gone", str(album))["photos"] == photos
    planned = holder.json("forget", "--dry-run")
    assert (planned["photos"], planned["faces"], planned["decision"]) == (photos, 60, None)
    assert holder.json("forget")["faces"] == 60
    decision = ask(holder.port, "/api/v1/decisions")["items"][0]
    assert (decision["kind"], decision["actor"]) == ("forget_photos", getpass.getuser())
    assert holder.json("forget", "--erase")["erased"]["faces"] == 60


@pytest.mark.depth
def test_p7_the_command_is_stopped_and_the_service_goes_on(holder: Holder, drawn: Path) -> None:
    """Ctrl-C ends the command, which says so; the job comes to its end."""
    process = holder.start("index", str(drawn))
    (job,) = wait_until(lambda: ask(holder.port, "/api/v1/jobs")["items"])
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert (process.returncode, "goes on" in said) == (1, True), said
    assert ended(holder.port, job)["state"] == "succeeded"


@pytest.mark.depth
def test_tokens_while_the_service_runs(tmp_path: Path) -> None:
    """A token that a command adds lets its holder in at once, under that name, and removed not any more."""
    library, port = tmp_path / "library", free_port()
    holder = Holder(library, port)
    with serving({"library": library, "port": port, "offline": True, "require_token": True}):
        made = holder.json("token", "add", "Ada")
        assert made["address"] == f"http://127.0.0.1:{port}/?token={made['token']}"
        headers = {"Authorization": f"Bearer {made['token']}", "X-Actor": "Eve"}
        service = ServiceClient(f"http://127.0.0.1:{port}", headers)
        service.post("/decisions/create-person", {"name": "Grace"})
        assert holder.json("token", "list")["tokens"][0]["last_used"]
        assert service.get("/decisions")["items"][0]["actor"] == "Ada"
        assert holder.json("token", "remove", "ada")["removed"]["name"] == "Ada"
        with pytest.raises(UnavailableError, match="token"):
            service.get("/decisions")
