"""What a real Qdrant server has answered, and what the embedded engine and the stand-in server answer to it.

``../shared/cases/qdrant/answers.json``: 78 requests to a server 1.18.3, one after the other. The stand-in is
sent the same over HTTP and gRPC; of the engine the client's method is called that the request stands for.
Where an answer must differ, ``DIFFERENT`` says why, and the test fails once it does not differ any more.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

import grpc
import pytest
from google.protobuf import text_format  # type: ignore[import-untyped]
from qdrant_client import grpc as q, models

from image_search_service.core.errors import VectorStoreError
from image_search_service.vector.embedded import EmbeddedQdrant
from image_search_service.vector.errors import GRPC_ERRORS, HTTP_ERRORS
from tests.conftest import SHARED
from tests.support.qdrant_gate import arguments_of, status_of
from tests.support.qdrant_grpc import SERVICES, fields_of
from tests.support.qdrant_rest import parsed, rendered
from tests.support.qdrant_server import QdrantServer
from tests.unit.vector.strict_qdrant import StrictQdrant

FILE = SHARED / "cases" / "qdrant" / "answers.json"
RECORDED: list[dict[str, Any]] = json.loads(FILE.read_text())["answers"] if FILE.is_file() else []
TOO_LARGE = "body larger than the limit"
"""34 MB, which are not sent: here is no limit, and the project's batches stay far below a server's."""
RECORDED = [each for each in RECORDED if each["name"] != TOO_LARGE]

SUBJECTS = ("engine", "stand-in")
DIFFERENT = (
    ("list|one point that is not there", SUBJECTS, "the project makes no such request"),
    ("version", ("engine",), "it is asked of the server, not of a collection"),
    ("upsert without waiting", SUBJECTS, "every call of the engine is as if it were to wait"),
    (
        "retrieve an id twice|retrieve an id in capitals.*",
        ("engine",),
        "unless it is said, a server gives no payload over REST and the client's method does; it is said",
    ),
    ("strict mode.*", ("engine",), "limits are a server's own"),
    ("no key|wrong key", ("engine",), "who can read its folder needs no key"),
    (
        'read-only key writes|token for "mine": (another|create it|list).*',
        SUBJECTS,
        "the stand-in's only key may do everything, and the engine has none",
    ),
)
"""Which answers (their names as a pattern) of whom are not the server's, and why."""

A, B, Z = (f"00000000-0000-0000-0000-{number:012x}" for number in (1, 2, 999))
NAN = b'{"points":[{"id":1,"vector":[NaN,0,0,0]}]}'
"""The 42 bytes of "upsert with NaN in it"."""
ANEW = {"strict mode set: search_allow_exact=False", "get with vectors, one not there"}
"""Here the collection is A and B again: the recording made it anew, and strict mode let no write through."""


def _get(*ids: str, collection: str = "golden") -> Any:
    wanted = q.WithVectorsSelector(enable=True)
    points = [q.PointId(uuid=one) for one in ids]
    return q.GetPoints(collection_name=collection, ids=points, with_vectors=wanted)


def _vectors(*numbers: float) -> Any:
    return q.Vectors(vector=q.Vector(dense=q.DenseVector(data=numbers)))


def _nearest(*numbers: float) -> Any:
    vector = q.VectorInput(dense=q.DenseVector(data=numbers))
    return q.QueryPoints(collection_name="golden", query=q.Query(nearest=vector), limit=5)


SIZE_4 = q.VectorsConfig(params=q.VectorParams(size=4, distance=q.Distance.Cosine))
MESSAGES: dict[str, tuple[str, str, Any]] = {
    "get with vectors, one not there": ("Points", "Get", _get(B, Z, A)),
    "get an id that is none": ("Points", "Get", _get("not-an-id")),
    "get from a collection that is not there": ("Points", "Get", _get(A, collection="nowhere")),
    "strict mode: read rate": ("Points", "Get", _get(A, B)),
    "strict mode: max_query_limit": ("Points", "Scroll", q.ScrollPoints(collection_name="golden", limit=3)),
    "upsert of another dimension": (
        *("Points", "Upsert"),
        q.UpsertPoints(
            collection_name="golden",
            points=[q.PointStruct(id=q.PointId(uuid=A), vectors=_vectors(1, 2, 3))],
        ),
    ),
    "query of another dimension": (  # alone it goes to a method that the project does not call
        *("Points", "QueryBatch"),
        q.QueryBatchPoints(collection_name="golden", query_points=[_nearest(1, 2, 3)]),
    ),
    "count": ("Points", "Count", q.CountPoints(collection_name="golden", exact=True)),
    "create again": (
        *("Collections", "Create"),
        q.CreateCollection(collection_name="golden", vectors_config=SIZE_4),
    ),
    "info, not there": ("Collections", "Get", q.GetCollectionInfoRequest(collection_name="nowhere")),
    "read-only key writes": ("Collections", "Delete", q.DeleteCollection(collection_name="x")),
}
"""What the recording describes in words."""
EXISTS = ("Collections", "CollectionExists", q.CollectionExistsRequest(collection_name="any"))
"""The others: whether a collection is there. Without the right key it does not matter what is asked."""


@dataclass(frozen=True)
class Answer:
    """kind: the project's error for the status or code, None for success. result: what is comparable, of a
    refusal by strict mode its words.
    """

    kind: type[Exception] | None
    result: Any = None


def recorded_answer(recorded: dict[str, Any]) -> Answer:
    if recorded["protocol"] == "rest":
        return _http_answer(recorded["status"], recorded["body"])
    if recorded["code"] != "OK":
        return Answer(GRPC_ERRORS[recorded["code"]], _limit(recorded["details"]))
    empty: Any = {"Get": q.GetResponse, "Count": q.CountResponse}[recorded["request"]["method"]]()
    return _grpc_answer(text_format.Parse(recorded["answer"], empty))


def _http_answer(status: int, body: Any) -> Answer:
    return (
        Answer(None, comparable(body.get("result")))
        if status == 200
        else Answer(HTTP_ERRORS.get(status, VectorStoreError), _limit(body))
    )


def _limit(said: Any) -> str | None:
    """The words of a refusal for a limit; of others they are a server's own."""
    text = said["status"]["error"] if isinstance(said, dict) else str(said)
    return text if text.startswith(("Bad request", "Rate limiting")) else None


def _grpc_answer(message: Any) -> Answer:
    result = message.result
    return Answer(None, sorted(map(str, result)) if hasattr(result, "__len__") else str(result))


def comparable(result: Any) -> Any:
    """Without what is a server's own (versions, settings), what is not there, and the order of dicts."""
    if isinstance(result, list):
        return [comparable(each) for each in result]
    if not isinstance(result, dict):
        return result
    if "config" in result:
        return {"points": result["points_count"], "vectors": result["config"]["params"]["vectors"]["size"]}
    own = {"operation_id", "version"}
    return {key: comparable(value) for key, value in result.items() if value is not None and key not in own}


def _request(recorded: dict[str, Any]) -> tuple[str, str, bytes]:
    request = recorded["request"]
    if request["body"] is None:
        body = b""
    else:
        body = NAN if isinstance(request["body"], str) else json.dumps(request["body"]).encode()
    return request["method"], request["path"], body


def answer_of_engine(engine: EmbeddedQdrant, recorded: dict[str, Any]) -> Answer:
    """The client's method called, its answer brought into the form of the recorded one."""
    if recorded["protocol"] == "grpc":
        return _grpc_answer_of_engine(engine, recorded)
    verb, path, body = _request(recorded)
    call = parsed(verb, path.partition("?")[0], body)
    if call is None:
        return Answer(NotImplementedError)
    method, collection, arguments = call
    try:
        result = getattr(engine, method)(collection, **arguments)
    except Exception as error:  # noqa: BLE001 - as a request's end
        return Answer(HTTP_ERRORS.get(status_of(error)[0], VectorStoreError))
    return Answer(None, comparable(rendered(method, result)))


def _grpc_answer_of_engine(engine: EmbeddedQdrant, recorded: dict[str, Any]) -> Answer:
    service, name, message = MESSAGES.get(recorded["name"], EXISTS)
    method, _, message_of = SERVICES[f"qdrant.{service}"][name]
    try:
        result = getattr(engine, method)(message.collection_name, **arguments_of(method, fields_of(message)))
    except Exception as error:  # noqa: BLE001 - as a request's end
        return Answer(GRPC_ERRORS.get(status_of(error)[1], VectorStoreError))
    return _grpc_answer(message_of(result))


def answer_of_server(server: QdrantServer, recorded: dict[str, Any]) -> Answer:
    """The same request to the stand-in."""
    key = {"api-key": "wrong"} if recorded["name"] == "wrong key" else {}
    server.gate.api_key = "right" if recorded["name"] in {"no key", "wrong key"} else None
    if recorded["protocol"] == "grpc":
        service, name, message = MESSAGES.get(recorded["name"], EXISTS)
        with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
            stub = getattr(q, f"{service}Stub")(channel)
            try:
                return _grpc_answer(getattr(stub, name)(message, metadata=list(key.items())))
            except grpc.RpcError as error:
                return Answer(GRPC_ERRORS.get(error.code().name, VectorStoreError), _limit(error.details()))
    verb, path, body = _request(recorded)
    connection = HTTPConnection("127.0.0.1", server.rest_port)
    connection.request(verb, path, body or None, key)
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    return _http_answer(answer.status, json.loads(said))


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Answer]]:
    """The answers of both to every recorded request, in the order of the recording."""
    made: dict[str, list[Answer]] = {subject: [] for subject in SUBJECTS}
    folder = tmp_path_factory.mktemp("answers")
    with (
        EmbeddedQdrant(folder / "engine") as engine,
        EmbeddedQdrant(folder / "server") as served,
        QdrantServer(strict := StrictQdrant(served)) as server,
    ):
        for recorded in RECORDED:
            if recorded["name"] in ANEW:
                _begin_anew(engine)
                _begin_anew(served)
                strict.configure(None)
            made["engine"].append(answer_of_engine(engine, recorded))
            made["stand-in"].append(answer_of_server(server, recorded))
    return made


def _begin_anew(engine: EmbeddedQdrant) -> None:
    engine.delete_collection("golden")
    engine.create_collection("golden", models.VectorParams(size=4, distance=models.Distance.COSINE))
    points = ((A, [1.0, 2.0, 3.0, 4.0]), (B, [0.1, 0.2, 0.3, 0.5]))
    engine.upsert("golden", [models.PointStruct(id=one, vector=vector, payload={}) for one, vector in points])


def test_the_recording_is_there() -> None:
    """Without the recorded answers nothing of this is tested."""
    if not RECORDED:
        pytest.skip(f"there is no {FILE}: put it there, or set IMAGE_SEARCH_TEST_SHARED")
    assert len(RECORDED) == 77


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize(
    "number", range(len(RECORDED)), ids=lambda number: f"{number} {RECORDED[number]['name']}"
)
def test_it_answers_as_a_real_server(answers: dict[str, list[Answer]], subject: str, number: int) -> None:
    """Success or the same error, and the same result, unless ``DIFFERENT`` says why not."""
    name = RECORDED[number]["name"]
    reasons = [why for names, whose, why in DIFFERENT if subject in whose and re.fullmatch(names, name)]
    same = answers[subject][number] == recorded_answer(RECORDED[number])
    assert same == (not reasons), (reasons, answers[subject][number], recorded_answer(RECORDED[number]))
