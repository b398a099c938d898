from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.types import Pixels
from image_search_service.recognition.engines.alignment import TEMPLATE, align_face
from image_search_service.recognition.engines.opencv import OpenCvEngine, SFace
from image_search_service.recognition.engines.yunet import without_target_warning
from tests.support.models import save_recognizer


@pytest.fixture
def recognizer(tmp_path: Path) -> Path:
    """In the place of SFace: the same loader and the same call, other weights."""
    return save_recognizer(tmp_path / "sface.onnx", dimension=128, batch=1)


def chip(seed: int) -> Pixels:
    return np.random.default_rng(seed).integers(0, 255, (112, 112, 3), dtype=np.uint8)


def test_sface_is_given_red_green_blue(recognizer: Path) -> None:
    """Our chips are RGB, OpenCV's are BGR, SFace wants RGB from 0 to 255: nothing is swapped on the way."""
    red = np.zeros((112, 112, 3), np.uint8)
    red[..., 0] = 255
    weights = np.random.default_rng(0).standard_normal((3 * 28 * 28, 128)).astype(np.float32)
    picture = np.repeat([255.0, 0.0, 0.0], 28 * 28).astype(np.float32)
    np.testing.assert_allclose(SFace(recognizer).embed(red), picture @ weights, rtol=1e-3, atol=0.1)


def test_chips_are_those_of_opencv_s_own_alignment(recognizer: Path) -> None:
    """``align_face`` gives what ``FaceRecognizerSF.alignCrop`` gives, so SFace sees what it was made for."""
    sharp = np.random.default_rng(1).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    photo = cv2.GaussianBlur(sharp, (0, 0), 3).astype(np.uint8)
    landmarks = tuple((x * 0.8 + 30 + y * 0.1, y * 0.8 + 25) for x, y in TEMPLATE)
    row = np.array([[20, 20, 90, 90, *np.ravel(landmarks), 0.9]], np.float32)
    with without_target_warning():
        opencv = cv2.FaceRecognizerSF.create(str(recognizer), "")
    difference = align_face(photo, landmarks).astype(int) - opencv.alignCrop(photo, row)
    assert np.abs(difference).max() <= 2


def test_what_opencv_cannot_load_is_refused(tmp_path: Path, models: Path) -> None:
    """A file that is no network is an error that names it and says what to run."""
    broken = tmp_path / "sface.onnx"
    broken.write_bytes(b"no network")
    with pytest.raises(InvalidInputError, match=r"sface\.onnx is not an SFace recogniser") as refused:
        OpenCvEngine(models / "face_detection_yunet_2023mar.onnx", broken)
    assert "models pull opencv" in (refused.value.hint or "")


def test_threads_may_share_the_engine(recognizer: Path, models: Path) -> None:
    """OpenCV's networks keep their state, so that no two threads have one at once: the embeddings are the
    same, with one network and with the more that many faces earn, and after these were given back."""
    engine = OpenCvEngine(models / "face_detection_yunet_2023mar.onnx", recognizer)
    chips = [[chip(i), chip(i + 100)] for i in range(40)]
    alone = [engine.embed(pair) for pair in chips]
    for _ in range(2):
        with ThreadPoolExecutor(4) as pool:
            np.testing.assert_array_equal(list(pool.map(engine.embed, chips)), alone)
        engine.release()
    assert engine.identity.dimension == 128


def test_loading_is_silent_and_warnings_are_back_afterwards(
    recognizer: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The one warning that means nothing is kept back, OpenCV's other messages are not."""
    level = cv2.utils.logging.getLogLevel()
    SFace(recognizer)
    assert capfd.readouterr() == ("", "")
    assert cv2.utils.logging.getLogLevel() == level
