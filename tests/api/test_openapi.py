"""The documentation is complete, and every route keeps to it, whatever it is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

from tests.api.routes_called import documented, fill, keeps_to, requests
from tests.support.served import Served, served


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served library with a person, a cluster and a job."""
    folder = tmp_path_factory.mktemp("served")
    with served(folder, run_jobs=False, allowed_hosts="*", require_token=True) as opened:
        fill(opened)
        yield opened


@pytest.fixture(scope="module")
def schema(filled: Served) -> Any:
    return documented(filled)


@pytest.mark.parametrize(("path", "method", "mode"), requests())
def test_every_route_keeps_to_its_documentation(
    schema: Any, filled: Served, path: str, method: str, mode: GenerationMode
) -> None:
    """Sent what is right or what is wrong, a route answers as documented, never with a mistake of ours. More
    of each are in ``tests/hostile/test_api.py``."""

    @settings(max_examples=2, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    def keeps(case: schemathesis.Case[Any]) -> None:
        keeps_to(case, filled)

    keeps()


@pytest.fixture(scope="module")
def document(filled: Served) -> Any:
    return filled.client.get("/openapi.json").json()


def operations(document: Any) -> list[tuple[str, Any]]:
    return [(path, each) for path, methods in document["paths"].items() for each in methods.values()]


def test_every_route_says_what_it_does_and_how_it_fails(document: Any) -> None:
    """Each route has a name, a sentence, a tag, and each of its errors an example."""
    for path, operation in operations(document):
        assert operation["operationId"], path
        assert operation["description"], path
        assert operation["tags"], path
        if not path.startswith("/api/v1"):
            continue
        assert {"422", "500", "503"} <= operation["responses"].keys(), path
        for status, answer in operation["responses"].items():
            if status[0] in "45":
                assert answer["content"]["application/problem+json"]["example"]["status"] == int(status)


def test_what_is_looked_up_by_id_may_be_missing(document: Any) -> None:
    """Each route with an id in its path documents 404."""
    for path, operation in operations(document):
        if re.search(r"_id\}", path):
            assert "404" in operation["responses"], path


def test_one_way_of_writing_names(document: Any) -> None:
    """Paths' parameters, queries and fields are snake_case throughout."""
    names = {
        parameter["name"]
        for _, operation in operations(document)
        for parameter in operation.get("parameters", [])
        if parameter["in"] != "header"
    }
    for schema in document["components"]["schemas"].values():
        names |= schema.get("properties", {}).keys()
    assert [name for name in sorted(names) if not re.fullmatch(r"[a-z][a-z0-9_]*", name)] == []


def test_a_time_without_a_zone_is_declared_as_one(document: Any) -> None:
    """What a camera's clock said is no ``date-time``, which has a zone."""
    fields = [
        field
        for schema in document["components"]["schemas"].values()
        for name, field in schema.get("properties", {}).items()
        if name == "taken_at"
    ]
    assert len(fields) >= 5
    assert {field["anyOf"][0]["format"] for field in fields} == {"date-time-local"}


def test_lists_come_in_pages(document: Any) -> None:
    """Every route that takes a cursor takes a limit, and answers with a page."""
    paged = {
        path: operation
        for path, operation in operations(document)
        if any(parameter["name"] == "cursor" for parameter in operation.get("parameters", []))
    }
    assert set(paged) == {
        "/api/v1/conflicts",
        "/api/v1/faces/clusters",
        "/api/v1/faces/clusters/{cluster_id}",
        "/api/v1/persons",
        "/api/v1/persons/{person_id}/photos",
        "/api/v1/photos/failed",
        "/api/v1/suggestions",
        "/api/v1/decisions",
        "/api/v1/decisions/{decision_id}",
        "/api/v1/jobs",
    }
    for path, operation in paged.items():
        assert "limit" in {parameter["name"] for parameter in operation["parameters"]}, path
