from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.types import Pixels
from image_search_service.recognition.engines.onnx import ArcFaceModel, OnnxEngine
from tests.support import models as tiny
from tests.unit.recognition.engines.threads import assert_four_threads_find_what_one_does


def chips(count: int, size: int = 112) -> list[Pixels]:
    return list(np.random.default_rng(3).integers(0, 255, (count, size, size, 3), dtype=np.uint8))


def load(path: Path) -> Pixels:
    return np.asarray(Image.open(path).convert("RGB"))


def test_name_size_and_dimension_are_read_from_the_file(tmp_path: Path) -> None:
    """A recogniser needs no description beside its file."""
    model = ArcFaceModel(tiny.save_recognizer(tmp_path / "r.onnx", dimension=24, size=224))
    assert (model.size, model.dimension) == (224, 24)
    assert model.embed(chips(3, 224)).shape == (3, 24)


@pytest.mark.parametrize(
    "shape", [{"batch": 1}, {"batch": "n"}, {"batch": "n", "broken_batch": True}, {"size": "side"}]
)
def test_many_chips_are_embedded_whatever_batches_the_file_takes(
    tmp_path: Path, shape: dict[str, object]
) -> None:
    """A fixed batch of one, a dynamic one and one that only pretends to be give the same embeddings."""
    model = ArcFaceModel(tiny.save_recognizer(tmp_path / "r.onnx", **shape))  # type: ignore[arg-type]
    given = chips(70)
    one_by_one = np.concatenate([model.embed([chip]) for chip in given])
    np.testing.assert_allclose(model.embed(given), one_by_one, rtol=1e-4, atol=1e-4)


def test_chips_are_given_as_arcface_wants_them(tmp_path: Path) -> None:
    """Channels come in the order red, green, blue, from −1 to 1."""
    model = ArcFaceModel(tiny.save_recognizer(tmp_path / "r.onnx", dimension=4))
    red = np.zeros((112, 112, 3), np.uint8)
    red[..., 0] = 255
    weights = np.random.default_rng(0).standard_normal((3 * 28 * 28, 4)).astype(np.float32)
    picture = np.repeat([1.0, -1.0, -1.0], 28 * 28).astype(np.float32)
    np.testing.assert_allclose(model.embed([red])[0], picture @ weights, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    "make",
    [
        tiny.save_two_inputs,
        tiny.save_filter,
        lambda path: tiny.save_recognizer(path, channels=1),
        lambda path: tiny.save_recognizer(path, dimension=1),
        lambda path: path.write_bytes(b"no model at all"),
        lambda path: path.write_bytes(b""),
        lambda _: None,
    ],
    ids=["two inputs", "a filter", "grey", "one number", "no model", "empty", "not there"],
)
def test_what_is_no_recogniser_is_refused(tmp_path: Path, make: object) -> None:
    """The message names the file and what is wrong with it, and the hint says what would be right."""
    path = tmp_path / "other.onnx"
    make(path)  # type: ignore[operator]
    with pytest.raises(InvalidInputError, match=r"other\.onnx is not an ArcFace-style") as refused:
        ArcFaceModel(path)
    assert "N × 3 × 112 × 112" in (refused.value.hint or "")


@pytest.mark.parametrize("what", ["another model", "no model"])
def test_what_is_no_yunet_is_refused(tmp_path: Path, what: str) -> None:
    """A recogniser or a text given as detector is named, with a hint."""
    recognizer = tiny.save_recognizer(tmp_path / "r.onnx", batch=1)
    path = recognizer if what == "another model" else tmp_path / "detector.onnx"
    if what == "no model":
        path.write_text("text")
    with pytest.raises(InvalidInputError, match="is not a YuNet"):
        OnnxEngine(path, recognizer)


def engine(models: Path) -> OnnxEngine:
    return OnnxEngine(models / "face_detection_yunet_2023mar.onnx", models / "mobilefacenet.onnx")


def test_one_person_is_more_alike_than_two(models: Path, photos: Path) -> None:
    """With real models, a person is found among 25 faces, and in no photo where they are not."""
    real = engine(models)

    def embeddings(name: str) -> np.ndarray:
        photo = load(photos / "groups" / name)
        return real.embed([real.align(photo, face) for face in real.detect(photo)])

    portrait = embeddings("Obama_0.png")[0]
    assert real.identity.dimension == 128
    assert np.sum(embeddings("Obama_1.png") @ portrait > real.thresholds.same_person) == 1
    assert np.all(embeddings("Putin_7.jpg") @ portrait < real.thresholds.same_person)


def test_identity_follows_the_files(tmp_path: Path, models: Path) -> None:
    """The same files are the same engine, another recogniser is another."""
    detector = models / "face_detection_yunet_2023mar.onnx"
    first, second = (tiny.save_recognizer(tmp_path / f"{i}.onnx", seed=i) for i in range(2))
    assert OnnxEngine(detector, first).identity == OnnxEngine(detector, first).identity
    assert OnnxEngine(detector, first).identity != OnnxEngine(detector, second).identity


def test_threads_may_share_an_engine(models: Path, photos: Path) -> None:
    """Four threads with photos of different sizes find what one thread finds."""
    real = engine(models)
    pictures = [load(path) for path in sorted((photos / "groups").iterdir())[5:9]]
    assert_four_threads_find_what_one_does(real, pictures)


def test_the_smallest_pictures_have_no_face(models: Path) -> None:
    """Pictures of one pixel, and long thin ones, are no error."""
    real = engine(models)
    for shape in ((1, 1, 3), (2, 500, 3), (500, 1, 3)):
        assert real.detect(np.zeros(shape, np.uint8)) == []


def test_loading_prints_nothing(models: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """OpenCV's warning about targets, which nobody asked for, does not reach the user."""
    engine(models)
    assert capfd.readouterr() == ("", "")
