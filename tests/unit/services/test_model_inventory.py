from __future__ import annotations

from pathlib import Path

import pytest

from image_search_service.core.errors import ConflictError, InvalidInputError
from image_search_service.recognition.engines import known_models as known
from image_search_service.recognition.engines.model_files import ModelFile, WebAddress, WheelMember
from image_search_service.recognition.engines.model_store import sha256_of
from image_search_service.services.model_inventory import check_models, list_engines, pull_engine
from tests.support.models import save_recognizer, unseen
from tests.unit.recognition.engines.file_server import file_server


def test_every_engine_is_listed_with_what_it_lacks(tmp_path: Path) -> None:
    """On a fresh machine dlib and synthetic can run, and each other engine says what to do."""
    listed = {info.name: info for info in list_engines(models=tmp_path)}
    assert {name for name, info in listed.items() if info.ready} == {"dlib", "synthetic"}
    assert all(bool(info.reason) != info.ready for info in listed.values())
    assert "models pull opencv" in (listed["opencv"].reason or "")
    assert [licence.name for licence in listed["opencv"].licences] == ["MIT", "Apache-2.0"]
    assert all(file.present for file in listed["dlib"].files)
    assert {"insightface", "insightface:buffalo_s"} <= set(listed)


def test_files_given_are_listed_in_place_of_downloads(tmp_path: Path) -> None:
    """With a detector and a recogniser of one's own, onnx can run."""
    own = save_recognizer(tmp_path / "own.onnx")
    listed = {info.name: info for info in list_engines(models=tmp_path, detector=own, recognizer=own)}
    assert listed["onnx"].ready
    assert [file.path for file in listed["onnx"].files] == [own, own]
    missing = {info.name: info for info in list_engines(models=tmp_path, recognizer=own)}
    assert "face_detection_yunet" in (missing["onnx"].reason or "")


def test_pulling_fetches_what_is_missing_or_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``pull`` brings an engine's files; ``check`` finds the damage that ``pull`` repairs."""
    weights = save_recognizer(tmp_path / "r.onnx")
    models = tmp_path / "models"
    with file_server() as server:
        url = server.add("/r.onnx", weights.read_bytes())
        pinned = ModelFile("yunet.onnx", weights.stat().st_size, sha256_of(weights), (WebAddress(url),))
        monkeypatch.setattr(known, "YUNET", pinned)
        (path,) = pull_engine("onnx", models=models, watch=unseen)
        path.write_bytes(b"damaged")
        states = {checked.file.name: checked.state for checked in check_models(models=models)}
        assert states["yunet.onnx"] == "damaged"
        assert states[known.SFACE.name] == "missing"
        assert states[known.DLIB_RESNET.name] == "ok"
        pull_engine("onnx", models=models, watch=unseen)
    assert {one.file.name: one.state for one in check_models(models=models)}["yunet.onnx"] == "ok"


def test_there_is_nothing_to_pull_for_dlib(tmp_path: Path) -> None:
    """An engine without downloads is wrong use, and those with are named."""
    with pytest.raises(InvalidInputError) as refused:
        pull_engine("dlib", models=tmp_path, watch=unseen)
    assert "opencv" in (refused.value.hint or "")


def test_insightface_is_not_pulled_before_its_licence_is_accepted(tmp_path: Path) -> None:
    """The weights' terms come first: no file, no request."""
    with pytest.raises(ConflictError, match="non-commercial") as refused:
        pull_engine("insightface:buffalo_s", models=tmp_path, watch=unseen)
    assert "pull insightface:buffalo_s --accept-licence" in (refused.value.hint or "")
    assert list(tmp_path.iterdir()) == []


def test_every_pinned_file_has_an_address_and_a_checksum() -> None:
    """What can be downloaded is pinned to one content, and to a version that does not move."""
    archives = [pack.archive for pack in known.INSIGHTFACE_PACKS.values()]
    for file in (known.YUNET, known.SFACE, *archives):
        addresses = [source.url for source in file.sources if isinstance(source, WebAddress)]
        assert addresses
        assert all(url.startswith("https://") and "/main/" not in url for url in addresses)
        packages = [source.wheel for source in file.sources if isinstance(source, WheelMember)]
        assert all("==" in wheel.requirement for wheel in packages)
    for pack in known.INSIGHTFACE_PACKS.values():
        assert len(pack.members) == len(pack.files) == 2
        assert all(len(file.sha256) == 64 and file.size > 0 for file in (pack.archive, *pack.files))
