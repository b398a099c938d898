"""What a vendor raises becomes an error of this project's tree."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from uuid import uuid4

import grpc
import httpx
import pytest
from qdrant_client import QdrantClient
from qdrant_client.common import client_exceptions
from qdrant_client.http import exceptions as http_exceptions

from image_search_service.core.errors import (
    ConflictError,
    ImageSearchError,
    InvalidInputError,
    KeyRefusedError,
    LostCollectionError,
    NotFoundError,
    RateLimitedError,
    RequestTooLargeError,
    UnavailableError,
    VectorStoreError,
)
from image_search_service.vector.collections import CollectionSettings
from image_search_service.vector.embedded import EmbeddedQdrant
from image_search_service.vector.errors import translate, translated
from image_search_service.vector.queries import new_collection, point
from tests.support.backends import unit_vectors


class Status(grpc.RpcError):  # type: ignore[misc]
    """What a call over gRPC ends with."""

    def __init__(self, code: grpc.StatusCode, text: str = "text") -> None:
        self._code, self._text = code, text

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return self._text


def response(status: int, body: bytes = b'{"status":{}}') -> http_exceptions.UnexpectedResponse:
    return http_exceptions.UnexpectedResponse(status, "reason", body, httpx.Headers())


def errors_of(module: object, base: type[Exception]) -> list[type[Exception]]:
    return [kind for _, kind in inspect.getmembers(module, inspect.isclass) if issubclass(kind, base)]


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_every_grpc_status_is_translated(code: grpc.StatusCode) -> None:
    """No status of gRPC leaves this project as an error of gRPC."""
    assert isinstance(translate(Status(code), "in a test"), ImageSearchError)


@pytest.mark.parametrize("status", range(400, 600))
def test_every_http_status_is_translated(status: int) -> None:
    """No status of HTTP leaves this project as an error of the client's."""
    assert isinstance(translate(response(status), "in a test"), ImageSearchError)


@pytest.mark.parametrize("kind", errors_of(httpx, httpx.TransportError), ids=lambda kind: kind.__name__)
def test_every_transport_error_of_httpx_is_translated(kind: type[httpx.TransportError]) -> None:
    """A broken connection is translated, bare or wrapped by qdrant-client."""
    bare = translate(kind("text"), "in a test")
    wrapped = translate(http_exceptions.ResponseHandlingException(kind("text")), "in a test")
    assert isinstance(bare, ImageSearchError)
    assert type(bare) is type(wrapped)


def test_no_error_of_qdrant_client_is_forgotten() -> None:
    """Every class of error that qdrant-client defines is translated; a new one fails here."""
    examples = [
        http_exceptions.ApiException("text"),
        http_exceptions.ResponseHandlingException(ValueError("text")),
        response(418),
        client_exceptions.QdrantException("text"),
        client_exceptions.ResourceExhaustedResponse("text", 1),
    ]
    defined = [
        *errors_of(http_exceptions, http_exceptions.ApiException),
        *errors_of(client_exceptions, client_exceptions.QdrantException),
    ]
    assert {type(error) for error in examples} == set(defined)
    assert all(isinstance(translate(error, "in a test"), ImageSearchError) for error in examples)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Status(grpc.StatusCode.UNAVAILABLE), UnavailableError),
        (Status(grpc.StatusCode.DEADLINE_EXCEEDED), UnavailableError),
        (Status(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many requests"), RateLimitedError),
        (
            Status(grpc.StatusCode.RESOURCE_EXHAUSTED, "Received message larger than max"),
            RequestTooLargeError,
        ),
        (Status(grpc.StatusCode.UNAUTHENTICATED), KeyRefusedError),
        (Status(grpc.StatusCode.INVALID_ARGUMENT), InvalidInputError),
        (Status(grpc.StatusCode.NOT_FOUND), NotFoundError),
        (Status(grpc.StatusCode.INTERNAL), UnavailableError),
        (Status(grpc.StatusCode.INTERNAL, "Exception deserializing response!"), VectorStoreError),
        (Status(grpc.StatusCode.UNKNOWN, "Received http2 header with status: 413"), RequestTooLargeError),
        (Status(grpc.StatusCode.UNIMPLEMENTED, "Received http2 header with status: 404"), UnavailableError),
        (client_exceptions.ResourceExhaustedResponse("slow down", 1), RateLimitedError),
        (response(429), RateLimitedError),
        (response(503), UnavailableError),
        (response(401), KeyRefusedError),
        (response(400), InvalidInputError),
        (response(404), UnavailableError),
        (response(404, b'{"status":{"error":"Not found: Point with id 1 does not exists!"}}'), NotFoundError),
        (
            response(404, b'{"status":{"error":"Not found: Collection `x` doesn\'t exist!"}}'),
            LostCollectionError,
        ),
        (response(413), RequestTooLargeError),
        (response(500), UnavailableError),
        (http_exceptions.ResponseHandlingException(httpx.ConnectError("refused")), UnavailableError),
        (http_exceptions.ResponseHandlingException(httpx.ReadTimeout("slow")), UnavailableError),
        (http_exceptions.ResponseHandlingException(httpx.RemoteProtocolError("cut")), UnavailableError),
        (http_exceptions.ResponseHandlingException(ValueError("no JSON")), VectorStoreError),
        (httpx.UnsupportedProtocol("ftp"), InvalidInputError),
        (json.JSONDecodeError("Expecting value", "<html>", 0), VectorStoreError),
        (Exception("Vector dimension error: expected dim: 4, got 3"), InvalidInputError),
        (Exception("No point with id 1"), NotFoundError),
        (Exception("Service runtime error: disk on fire"), VectorStoreError),
        (ValueError("Collection faces not found"), LostCollectionError),
        (RuntimeError("QdrantLocal instance is closed."), ConflictError),
    ],
    ids=repr,
)
def test_what_an_error_means(error: Exception, kind: type[ImageSearchError]) -> None:
    """Unavailable is told from refused, missing, malformed and unusable."""
    assert type(translate(error, "in a test")) is kind


def test_other_errors_pass() -> None:
    """A programming mistake is not dressed up as a failure of Qdrant."""
    mistake, ours = KeyError("x"), NotFoundError("y")
    assert translate(mistake, "in a test") is mistake
    assert translate(ours, "in a test") is ours


def test_the_cause_is_kept() -> None:
    """The vendor's error is the cause of ours, and its text is in the message."""
    with pytest.raises(UnavailableError, match="in a test: gone") as raised, translated("in a test"):
        raise httpx.ConnectError("gone")
    assert isinstance(raised.value.__cause__, httpx.ConnectError)
    assert raised.value.hint


def test_local_mode_and_embedded_engine(tmp_path: Path) -> None:
    """What the engines in this process say about a missing collection and a wrong vector is understood."""
    wrong = point(uuid4(), unit_vectors(1, 3)[0], {})
    with EmbeddedQdrant(tmp_path) as embedded:
        for client in (QdrantClient(":memory:"), embedded):
            with pytest.raises(NotFoundError), translated("in a test"):
                client.count("faces")
            client.create_collection("faces", **new_collection(4, CollectionSettings()))
            with pytest.raises(InvalidInputError), translated("in a test"):
                client.upsert("faces", [wrong])
            with pytest.raises(ConflictError), translated("in a test"):
                client.create_collection("faces", **new_collection(4, CollectionSettings()))
