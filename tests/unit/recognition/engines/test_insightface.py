from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from image_search_service.core.errors import ConflictError, UnavailableError
from image_search_service.recognition.engines import known_models as known
from image_search_service.recognition.engines.model_files import ModelArchive, ModelFile, WebAddress
from image_search_service.recognition.engines.model_store import sha256_of
from image_search_service.recognition.engines.registry import open_engine
from image_search_service.services.model_inventory import list_engines, pull_engine
from tests.support.models import save_recognizer, unseen
from tests.unit.recognition.engines.file_server import file_server

STAND_INS = Path(__file__).parent / "stand_ins"


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in for the package, whether the real one is installed or not."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "insightface"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(STAND_INS))
    for name in ("insightface", "insightface.app"):
        monkeypatch.setitem(sys.modules, name, None)  # so that what is imported is taken out at the end
        monkeypatch.delitem(sys.modules, name)


@pytest.fixture
def pulled(package: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder with a tiny pack in ``buffalo_l``'s place, its licence accepted."""
    detector = save_recognizer(tmp_path / "det.onnx", dimension=5)
    recognizer = save_recognizer(tmp_path / "r.onnx", dimension=512)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as content:
        content.write(detector, "det_tiny.onnx")
        content.write(recognizer, "w_tiny.onnx")
    zipped = tmp_path / "pack.zip"
    zipped.write_bytes(buffer.getvalue())

    def pinned(path: Path, name: str, url: str | None = None) -> ModelFile:
        sources = () if url is None else (WebAddress(url),)
        return ModelFile(name, path.stat().st_size, sha256_of(path), sources)

    folder = "insightface/models/buffalo_l"
    with file_server() as server:
        url = server.add("/pack.zip", buffer.getvalue())
        files = pinned(detector, f"{folder}/det_tiny.onnx"), pinned(recognizer, f"{folder}/w_tiny.onnx")
        archive = pinned(zipped, "insightface/buffalo_l.zip", url)
        pack = ModelArchive(archive, ("det_tiny.onnx", "w_tiny.onnx"), files)
        monkeypatch.setitem(known.INSIGHTFACE_PACKS, "buffalo_l", pack)
        pull_engine("insightface", models=tmp_path / "models", watch=unseen, accept_licence=True)
    return tmp_path / "models"


def test_a_pulled_pack_finds_and_embeds(pulled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Detector and recogniser of the package are used as it offers them; its chatter is not our output."""
    engine = open_engine("insightface", models=pulled)
    assert capsys.readouterr().out == ""
    assert (engine.identity.name, engine.identity.dimension) == ("insightface", 512)
    photo = np.random.default_rng(0).integers(1, 255, (200, 300, 3), dtype=np.uint8)
    (face,) = engine.detect(photo)
    assert (face.box.x, face.box.y, face.box.width, face.box.height) == (75, 50, 150, 100)
    assert face.landmarks[0] == pytest.approx((120, 80))
    chips = [engine.align(photo, face)] * 40
    assert engine.embed(chips).shape == (40, 512)
    assert engine.detect(np.zeros((50, 50, 3), np.uint8)) == []


def test_a_pulled_pack_is_listed_as_ready(pulled: Path) -> None:
    """Accepted once, the licence is remembered, for other packs as well."""
    listed = {info.name: info for info in list_engines(models=pulled)}
    assert listed["insightface"].ready
    assert (listed["insightface:buffalo_s"].reason or "").endswith("models pull insightface:buffalo_s")


def test_weights_put_there_by_hand_still_need_the_licence(pulled: Path) -> None:
    """Having the files is not having accepted their terms."""
    (pulled / "insightface" / "LICENCE-ACCEPTED").unlink()
    with pytest.raises(ConflictError, match="non-commercial research") as refused:
        open_engine("insightface", models=pulled)
    assert "--accept-licence" in (refused.value.hint or "")


def test_without_the_package_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named before anything else is asked for."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(UnavailableError) as failed:
        open_engine("insightface", models=tmp_path)
    assert "image-search-service[insightface]" in (failed.value.hint or "")
