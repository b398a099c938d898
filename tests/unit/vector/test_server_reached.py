"""How a Qdrant server is reached (addresses, keys, proxies, certificates), and what is said if it is not."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import pytest
from qdrant_client import QdrantClient

from image_search_service.core.errors import (
    ImageSearchError,
    KeyRefusedError,
    LostCollectionError,
    UnavailableError,
)
from image_search_service.vector.calls import Retry
from image_search_service.vector.client import QdrantServerOptions, open_server
from image_search_service.vector.embedded import EmbeddedQdrant
from image_search_service.vector.face_qdrant import FaceQdrantClient
from image_search_service.vector.server_address import ServerAddress, address_of
from image_search_service.vector.server_state import server_state
from tests.support.qdrant_server import Fault, QdrantServer, Refused
from tests.unit.vector.stored_faces import FACES, IDS

BOTH = pytest.mark.parametrize("prefer_grpc", [True, False], ids=["grpc", "rest"])


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedQdrant]:
    with EmbeddedQdrant(tmp_path_factory.mktemp("engine")) as opened:
        yield opened


@pytest.fixture
def server(engine: EmbeddedQdrant) -> Iterator[QdrantServer]:
    with QdrantServer(engine) as running:
        yield running


def options(server: QdrantServer, prefer_grpc: bool, **other: Any) -> QdrantServerOptions:
    given: dict[str, Any] = {
        "url": server.url,
        "grpc_port": server.grpc_port,
        "prefer_grpc": prefer_grpc,
        "timeout": 5,
    }
    return QdrantServerOptions(**(given | other))


def write_and_read(opened: QdrantServerOptions) -> None:
    """Everything that a library begins with, and reading by id."""
    with closing(open_server(opened)) as client:
        faces = FaceQdrantClient(client, "faces", 16, retry=Retry(pauses=()))
        faces.ensure_collection()
        faces.upsert_faces(FACES[:20])
        assert faces.get_embeddings_by_point_ids(IDS[:20]).ids == tuple(IDS[:20])


def why_not(opened: QdrantServerOptions) -> ImageSearchError:
    with pytest.raises(ImageSearchError) as raised:
        write_and_read(opened)
    return raised.value


@BOTH
@pytest.mark.parametrize("host", ["[::1]", "localhost"])
def test_any_name_of_the_host(engine: EmbeddedQdrant, host: str, prefer_grpc: bool) -> None:
    """An IPv6 address works for writing and for reading by id, as a name does."""
    with QdrantServer(engine, host) as running:
        write_and_read(options(running, prefer_grpc))


def test_a_path_before_the_servers_own(server: QdrantServer) -> None:
    """A proxy may serve Qdrant below a path."""
    server.gate.prefix = "/vectors/qdrant"
    write_and_read(options(server, prefer_grpc=False, url=server.url + "/vectors/qdrant"))


@pytest.mark.parametrize(
    ("url", "reached"),
    [
        ("https://example.org/qdrant", "https://example.org:443/qdrant"),
        ("https://example.org:6333", "https://example.org:6333"),
        ("http://qdrant", "http://qdrant:6333"),
    ],
)
def test_the_port_of_an_address_without_one(url: str, reached: str) -> None:
    """https means 443; Qdrant's own port stands in for http. The address that is shown has it."""
    with closing(open_server(QdrantServerOptions(url, prefer_grpc=False))) as client:
        assert str(address_of(client)).rstrip("/") == reached


@BOTH
def test_a_key_for_the_librarys_own_collections(server: QdrantServer, prefer_grpc: bool) -> None:
    """Nothing else is asked for: no list, no other collection, and not whether one exists."""
    write_and_read(options(server, prefer_grpc))
    asked = dict(server.requests)
    making = {"get_collection", "create_collection", "create_payload_index"}
    assert asked.keys() <= making | {"upsert", "retrieve"}
    assert asked["get_collection"] == 1


@BOTH
def test_a_missing_collection_is_no_error_at_opening(server: QdrantServer, prefer_grpc: bool) -> None:
    """ "Not found" is an answer, and a collection that may not be looked at is an error."""
    with closing(open_server(options(server, prefer_grpc))) as client:
        faces = FaceQdrantClient(client, "nowhere", 16)
        assert not faces.exists()
        assert faces.problem() is None
        server.fail(Refused(403, "PERMISSION_DENIED", "Forbidden: Access to collection nowhere is required"))
        with pytest.raises(KeyRefusedError):
            faces.exists()


@BOTH
def test_a_collection_that_is_removed_while_it_is_open(server: QdrantServer, prefer_grpc: bool) -> None:
    """Whoever reads, writes or searches is told how to make it again; then it works without a new start."""
    with closing(open_server(options(server, prefer_grpc))) as client:
        faces = FaceQdrantClient(client, "gone", 16, retry=Retry(pauses=()))
        faces.ensure_collection()
        server.gate.engine.delete_collection("gone")
        for use in (
            lambda: faces.get_embeddings_by_point_ids(IDS[:3]),
            lambda: faces.search_similar_faces(FACES[0].embedding),
            lambda: faces.upsert_faces(FACES[:3]),
            faces.count,
        ):
            with pytest.raises(LostCollectionError) as raised:
                use()
            assert "doctor --repair" in str(raised.value.hint)
        faces.ensure_collection()
        assert faces.count() == 0


def test_the_port_for_grpc(server: QdrantServer) -> None:
    """Where gRPC does not answer (closed, or REST's port by mistake), port and setting are named."""
    closed = why_not(options(server, prefer_grpc=True, grpc_port=1))
    mistaken = why_not(options(server, prefer_grpc=True, grpc_port=server.rest_port))
    for error, port in ((closed, 1), (mistaken, server.rest_port)):
        assert isinstance(error, UnavailableError)
        assert f"127.0.0.1:{port} (gRPC)" in error.message
        assert "IMAGE_SEARCH_QDRANT_GRPC_PORT" in str(error.hint)
        assert server.url in str(error.hint)


def test_a_silent_port_for_grpc(server: QdrantServer) -> None:
    """A port that accepts and says nothing is named, too."""
    server.fail(Fault.HANGS)
    error = why_not(options(server, prefer_grpc=True, timeout=1))
    assert f"127.0.0.1:{server.grpc_port} (gRPC)" in error.message
    assert "IMAGE_SEARCH_QDRANT_GRPC_PORT" in str(error.hint)


def test_another_servers_page_is_no_missing_collection(server: QdrantServer) -> None:
    """A proxy's "404 page not found" is an outage: it says nothing of the collection."""
    server.gate.prefix = "/elsewhere"
    with closing(open_server(options(server, prefer_grpc=False))) as client:
        faces = FaceQdrantClient(client, "faces", 16, retry=Retry(pauses=()))
        with pytest.raises(ImageSearchError) as raised:
            faces.exists()
    assert isinstance(raised.value, UnavailableError)


@BOTH
def test_loopback_is_reached_without_the_proxy(
    server: QdrantServer, monkeypatch: pytest.MonkeyPatch, prefer_grpc: bool
) -> None:
    """A proxy of the environment cannot reach this machine's loopback."""
    _proxy_in_the_environment(monkeypatch)
    write_and_read(options(server, prefer_grpc))


@BOTH
def test_a_proxy_is_named(monkeypatch: pytest.MonkeyPatch, prefer_grpc: bool) -> None:
    """Who is refused by a proxy learns of it, without its password."""
    _proxy_in_the_environment(monkeypatch)
    error = why_not(QdrantServerOptions("http://qdrant.example:6333", prefer_grpc=prefer_grpc, timeout=5))
    assert "by the proxy http://…@127.0.0.1:9;" in str(error.hint)
    assert "geheim" not in f"{error.message} {error.hint}"
    monkeypatch.setenv("no_proxy", "qdrant.example")
    with closing(open_server(QdrantServerOptions("http://qdrant.example:6333"))) as client:
        assert address_of(client) == ServerAddress("http://qdrant.example:6333", "qdrant.example:6334")


def _proxy_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "all_proxy", "https_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("http_proxy", "http://user:geheim@127.0.0.1:9")


def test_a_connection_that_broke_is_taken_up_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's channels and the one for reading by id try again after 10 s at most, and ping."""
    opened: list[dict[str, Any]] = []
    insecure = grpc.insecure_channel

    def noted(target: str, settings: Any = None, compression: Any = None) -> Any:
        opened.append({"target": target} | dict(settings))
        return insecure(target, settings, compression)

    monkeypatch.setattr(grpc, "insecure_channel", noted)
    why_not(QdrantServerOptions("http://[::1]:1", grpc_port=1, timeout=1))
    with (
        closing(open_server(QdrantServerOptions("http://[::1]:1", grpc_port=1, timeout=1))) as client,
        pytest.raises(UnavailableError),
    ):
        FaceQdrantClient(client, "x", 4, retry=Retry(pauses=())).get_embeddings_by_point_ids(IDS[:1])
    assert len(opened) >= 2
    for channel in opened:
        assert channel["target"] == "[::1]:1"
        assert channel["grpc.max_reconnect_backoff_ms"] <= 10_000
        assert channel["grpc.keepalive_time_ms"] > channel["grpc.keepalive_timeout_ms"] > 0


@BOTH
def test_a_certificate_of_ones_own_authority(
    engine: EmbeddedQdrant, tmp_path: Path, prefer_grpc: bool
) -> None:
    """One file serves REST and gRPC; without it the setting is named."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate: install it")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    _make_certificate(certificate, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    pair = (key.read_bytes(), certificate.read_bytes())
    with QdrantServer(engine, "localhost", (grpc.ssl_server_credentials([pair]), context)) as running:
        write_and_read(options(running, prefer_grpc, certificates=certificate))
        error = why_not(options(running, prefer_grpc))
    assert isinstance(error, UnavailableError)
    assert "IMAGE_SEARCH_QDRANT_CA" in str(error.hint)


def _make_certificate(certificate: Path, key: Path) -> None:
    made = ["-keyout", str(key), "-out", str(certificate), "-subj", "/CN=localhost"]
    kind = ["-x509", "-nodes", "-newkey", "rsa:2048", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(["openssl", "req", *kind, *made], check=True, capture_output=True)


@BOTH
def test_what_a_server_says_of_itself(server: QdrantServer, prefer_grpc: bool) -> None:
    """Address, version, nodes and copies; a key that may not ask for nodes leaves that out alone."""
    with closing(open_server(options(server, prefer_grpc))) as client:
        faces = FaceQdrantClient(client, "faces", 16)
        faces.ensure_collection()
        state = server_state(client, faces)
    assert state.address.startswith(server.url)
    assert (str(server.grpc_port) in state.address) == prefer_grpc
    assert (state.version, state.nodes, state.shards, state.copies) == ("1.18.3", 1, 1, 1)


@BOTH
def test_a_server_of_another_version_is_no_warning(server: QdrantServer, prefer_grpc: bool) -> None:
    """The client is two minor versions ahead: nothing is asked of the version, and nobody is warned."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        write_and_read(options(server, prefer_grpc))
    assert [str(each.message) for each in warned if "compatib" in str(each.message)] == []
    assert server.requests["info"] == 0


def test_in_memory_there_is_no_address() -> None:
    """An engine in this process is at no address."""
    assert address_of(QdrantClient(":memory:")) is None
