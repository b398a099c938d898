"""Health, readiness and metrics."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from image_search_service.core.errors import UnavailableError
from image_search_service.core.logging import configure_logging
from image_search_service.library import health
from image_search_service.services.backup.last_backup import note_backup
from image_search_service.services.people.persons import PersonCatalogue
from tests.support.served import Served, served
from tests.support.world import World


def test_healthy(api: Served) -> None:
    """A process that answers is healthy."""
    assert api.client.get("/health").json()["status"] == "ok"


def test_ready(api: Served) -> None:
    """Database, Qdrant and queue each say how they are."""
    answer = api.client.get("/ready")
    assert answer.status_code == 200
    assert answer.json()["ready"]
    states = {item["name"]: item["detail"] for item in answer.json()["components"]}
    assert states["database"] == "sqlite, 0 faces"
    assert states["qdrant"].startswith("0 embeddings in faces_synthetic")
    assert states["queue"] == "sqlite"


def test_not_ready(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """When one of them does not answer, it is a 503 that says which; the others are asked all the same."""

    def away() -> int:
        raise UnavailableError("Qdrant does not answer.")

    monkeypatch.setattr(api.library.faces, "count", away)
    answer = api.client.get("/ready")
    assert answer.status_code == 503
    ready = {item["name"]: item["ready"] for item in answer.json()["components"]}
    assert ready == {"database": True, "qdrant": False, "queue": True, "outbox": True}
    report = api.client.get("/ready", params={"report": True})
    assert (report.status_code, report.json()) == (200, answer.json())
    assert api.client.get("/health").status_code == 200


def test_a_redis_that_is_not_there_is_said_at_the_start(tmp_path: Path) -> None:
    """A service that is to run jobs from a Redis that nobody runs does not start."""
    with (
        pytest.raises(UnavailableError, match="queue"),
        served(tmp_path / "library", run_jobs=True, redis_url="redis://127.0.0.1:1/0"),
    ):
        pass


def test_the_backlog_is_shown(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """With Qdrant away a decision is made all the same, and what it has to be told is counted."""

    def away(*_: object) -> None:
        raise UnavailableError("Qdrant does not answer.")

    with api.library.database.write() as session:
        world = World(session)
        faces = [str(world.face(world.photo(f"/{number}.jpg")).id) for number in range(3)]
    monkeypatch.setattr(api.library.faces, "overwrite_payloads", away)
    monkeypatch.setattr(api.library.faces, "update_person_ids", away)
    monkeypatch.setattr(api.library.faces, "update_cluster_ids", away)
    monkeypatch.setattr(api.library.faces, "update_hidden", away)
    assert api.post("/decisions/split", {"face_ids": faces, "name": "Ada"}, status=200)["faces"] == 3
    states = {one["name"]: one["detail"] for one in api.client.get("/ready").json()["components"]}
    assert states["outbox"] == "3 faces to tell Qdrant of"
    assert "image_search_outbox_faces 3.0" in api.client.get("/metrics").text


def test_metrics(api: Served) -> None:
    """Requests to Qdrant and jobs are counted for Prometheus."""
    api.client.get("/ready")
    answer = api.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'image_search_qdrant_requests_total{operation="count"}' in answer.text
    assert 'image_search_jobs{state="failed"} 0.0' in answer.text


def test_unknown_paths_are_problems(api: Served) -> None:
    """What the framework refuses looks like every other error."""
    assert api.get("/nothing", status=404)["title"] == "Not Found"
    answer = api.client.delete("/api/v1/persons")
    assert (answer.status_code, answer.json()["status"]) == (405, 405)
    assert answer.headers["allow"] == "GET"


def test_what_is_missing_can_be_no_error(api: Served) -> None:
    """Who asks so is told of a missing person with an empty answer; a decision about them is refused all the
    same."""
    quiet, nobody = {"Prefer": "missing=empty"}, "3f2a0c9e-5d0b-4a57-9d3b-8a8b2f1c6e01"
    answer = api.client.get(f"/api/v1/persons/{nobody}", headers=quiet)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Preference-Applied"] == "missing=empty"
    assert api.client.get(f"/api/v1/persons/{nobody}").status_code == 404
    body = {"person_id": nobody}
    assert api.client.post("/api/v1/decisions/delete-person", json=body, headers=quiet).status_code == 404


def test_the_unexpected_says_nothing_of_the_inside(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of ours is a 500 whose text does not tell what happened; the log does."""

    def mistake(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(PersonCatalogue, "page", mistake)
    problem = api.get("/persons", status=500)
    assert problem["type"] == "urn:image-search:unexpected"
    assert "secret" not in str(problem)


def test_a_request_has_an_id(api: Served) -> None:
    """An error's body and every answer's head name it; one that a proxy gives is kept, unless it is odd."""
    for given, kept in (("0123456789abcdef", True), ('x" y', False), ("", False)):
        answer = api.client.get("/api/v1/persons/nobody", headers={"X-Request-ID": given})
        assert answer.status_code == 422
        assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
        assert (answer.headers["X-Request-ID"] == given) is kept
    assert len(api.client.get("/health").headers["X-Request-ID"]) == 32


def test_the_log_names_the_request(
    api: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each line is JSON if that is asked for, and has the id that the answer has."""

    def mistake(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(PersonCatalogue, "page", mistake)
    configure_logging(as_json=True)
    try:
        problem = api.get("/persons", status=500)
    finally:
        configure_logging()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    ours = [line for line in lines if line["event"] == "a request failed unexpectedly"]
    assert [(line["level"], line["request"]) for line in ours] == [("error", problem["request_id"])]


def test_what_is_away_is_measured_as_away(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the database away, the metrics say so, and leave out what only it knows."""

    def away(*_: object) -> None:
        raise UnavailableError("The database does not answer.")

    monkeypatch.setattr(health, "library_counts", away)
    text = api.client.get("/metrics").text
    assert 'image_search_store_up{store="database"} 0.0' in text
    assert 'image_search_store_up{store="qdrant"} 1.0' in text
    assert "image_search_outbox_faces " not in text
    assert "image_search_jobs{" not in text


def test_checks_and_backups_are_measured(working: Served) -> None:
    """What the last check found, and of which moment the last backup is."""
    assert "image_search_last_backup_timestamp_seconds " not in working.client.get("/metrics").text
    note_backup(working.library.paths, "2020-01-01T00:00:00+00:00", Path("library.tar"))
    working.ended(working.post("/doctor", {"repair": False}))
    text = working.client.get("/metrics").text
    assert "image_search_last_backup_timestamp_seconds 1.5778368e+09" in text
    assert "image_search_doctor_findings 0.0" in text
    assert "image_search_library_free_bytes " in text
