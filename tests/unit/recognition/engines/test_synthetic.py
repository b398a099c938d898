from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from PIL import Image, ImageFilter

from image_search_service.core.types import FloatArray, Pixels
from image_search_service.demo.darkroom import draw
from image_search_service.demo.plan import plan_library
from image_search_service.recognition.engines import synthetic_code as marker
from image_search_service.recognition.engines.base import Detection
from image_search_service.recognition.engines.synthetic import CHIP_SIZE, SyntheticEngine
from image_search_service.recognition.engines.synthetic_code import FaceCode
from image_search_service.recognition.engines.synthetic_vectors import face_vectors

ENGINE = SyntheticEngine()
Crowd = tuple[Image.Image, list[FaceCode]]
CODES = st.builds(
    FaceCode,
    family=st.integers(0, (1 << 20) - 1),
    member=st.integers(0, 15),
    age=st.integers(0, 127),
    moment=st.integers(0, 255),
    shot=st.integers(0, 15),
    blur=st.integers(0, 15),
    yaw=st.integers(-3, 3),
    tilt=st.integers(-1, 1),
)


@pytest.fixture(scope="module")
def crowd() -> Crowd:
    """A picture of ten people, 640 × 480, and their codes from left to right, then top to bottom."""
    picture = replace(plan_library(3000, 1).pictures[0], blur=0.0)
    figures = sorted(picture.figures, key=lambda figure: (figure.box.x, figure.box.y))
    return draw(picture), [figure.code for figure in figures]


def vectors_of(image: Image.Image) -> FloatArray:
    pixels = np.asarray(image.convert("RGB"))
    return ENGINE.embed([ENGINE.align(pixels, face) for face in ENGINE.detect(pixels)])


def stored(image: Image.Image, kind: str, **options: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return Image.open(file)


@given(CODES)
def test_a_code_means_what_was_written(code: FaceCode) -> None:
    """Whatever a scarf may say is read back."""
    cells = marker.encode(code)
    assert cells.shape == (marker.FRAME_HEIGHT, marker.FRAME_WIDTH)
    assert marker.decode(cells[1:-1, 1:-1].ravel()) == code


@given(CODES, st.sets(st.integers(0, 83), min_size=1, max_size=8))
def test_a_damaged_code_means_nothing(code: FaceCode, wrong: set[int]) -> None:
    """A code with a few wrong cells is refused rather than read as somebody else."""
    cells = marker.encode(code)[1:-1, 1:-1].ravel().copy()
    cells[list(wrong)] ^= True
    assert marker.decode(cells) is None


@pytest.mark.parametrize(
    "code", [FaceCode(1 << 20), FaceCode(0, member=16), FaceCode(0, yaw=4), FaceCode(0, age=-1)]
)
def test_a_code_out_of_range_is_refused(code: FaceCode) -> None:
    """A field that does not fit is an error, not another person."""
    with pytest.raises(ValueError, match="out of its range"):
        marker.encode(code)


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image,
        lambda image: stored(image, "JPEG", quality=85),
        lambda image: stored(image, "WEBP", quality=80),
        lambda image: image.convert("L"),
        lambda image: image.quantize(64),
        lambda image: image.resize((320, 240), Image.Resampling.BILINEAR),
        lambda image: image.resize((410, 307), Image.Resampling.BICUBIC),
        lambda image: image.resize((2000, 1500), Image.Resampling.BICUBIC),
        lambda image: image.filter(ImageFilter.GaussianBlur(1.3)),
        lambda image: image.point(lambda value: value * 0.55),
        lambda image: image.point(lambda value: value * 0.6 + 60),
    ],
    ids=[
        "drawn",
        "jpeg",
        "webp",
        "gray",
        "palette",
        "half",
        "odd size",
        "enlarged",
        "blurred",
        "dim",
        "faded",
    ],
)
def test_everybody_is_recognised_however_the_picture_was_kept(
    change: Callable[[Image.Image], Image.Image], crowd: Crowd
) -> None:
    """Compression, reduction, greying, moderate blur and dim light change no embedding."""
    image, codes = crowd
    np.testing.assert_allclose(vectors_of(change(image)), face_vectors(codes), atol=1e-6)


def test_a_face_is_found_where_it_was_drawn() -> None:
    """Boxes lie within a few percent of the face drawn, and the landmarks lie in the box."""
    picture = plan_library(3000, 1).pictures[3]
    found = ENGINE.detect(np.asarray(draw(picture)))
    drawn = sorted(picture.figures, key=lambda figure: (figure.box.x, figure.box.y))
    assert len(found) == len(drawn)
    for face, figure in zip(found, drawn, strict=True):
        near = 0.05 * figure.box.width
        assert face.box.x == pytest.approx(figure.box.x, abs=near)
        assert face.box.y == pytest.approx(figure.box.y, abs=near)
        assert face.box.width == pytest.approx(figure.box.width, abs=near)
        assert 0 < face.confidence <= 1
        for x, y in face.landmarks:
            assert face.box.x < x < face.box.x + face.box.width
            assert face.box.y < y < face.box.y + face.box.height


def test_a_turned_head_shows_in_the_landmarks() -> None:
    """The nose of somebody who looks to the right lies nearer to the right eye of the picture."""
    straight, turned = marker.landmarks(0, 0), marker.landmarks(3, 0)
    assert straight[2][0] == (straight[0][0] + straight[1][0]) / 2
    assert turned[2][0] > (turned[0][0] + turned[1][0]) / 2
    leaning = marker.landmarks(0, 1)
    assert leaning[1][1] > leaning[0][1]


def test_a_large_picture_is_detected_small_and_embedded_from_the_full_one() -> None:
    """A detection on a reduced copy, scaled up, gives the full picture's embedding."""
    picture = next(picture for picture in plan_library(60, 3).pictures if len(picture.figures) > 3)
    figures = tuple(figure.scaled(3.0) for figure in picture.figures)
    size = (picture.size[0] * 3, picture.size[1] * 3)
    image = draw(replace(picture, size=size, figures=figures, supersample=1, blur=0.0, tone="color"))
    reduced = np.asarray(image.reduce(3))
    full = np.asarray(image)
    found = [face.scaled(3.0) for face in ENGINE.detect(reduced)]
    codes = [f.code for f in sorted(figures, key=lambda figure: (figure.box.x, figure.box.y))]
    chips = [ENGINE.align(full, face) for face in found]
    np.testing.assert_allclose(ENGINE.embed(chips), face_vectors(codes), atol=1e-6)


def test_a_face_at_the_edge_still_gives_a_whole_chip(crowd: Crowd) -> None:
    """A chip that reaches beyond the picture is filled up, and a chip far outside is no error."""
    pixels = np.asarray(crowd[0])
    face = ENGINE.detect(pixels)[0]
    cut = pixels[:, max(0, int(face.box.x) - 12) :]
    assert ENGINE.align(cut, ENGINE.detect(cut)[0]).shape == (CHIP_SIZE, CHIP_SIZE, 3)
    outside = Detection(replace(face.box, x=-9000.0, y=9000.0), face.landmarks, 1.0)
    assert ENGINE.align(pixels, outside).shape == (CHIP_SIZE, CHIP_SIZE, 3)


def test_a_chip_that_cannot_be_read_resembles_nobody() -> None:
    """Unreadable chips get unit vectors far from each other and from everybody, the same each time."""
    chips: list[Pixels] = [
        np.random.default_rng(i).integers(0, 256, (CHIP_SIZE, CHIP_SIZE, 3), dtype=np.uint8)
        for i in range(20)
    ]
    vectors = ENGINE.embed([*chips, np.zeros((5, 5, 3), np.uint8)])
    assert np.abs(vectors @ vectors.T - np.eye(21)).max() < 0.5
    np.testing.assert_array_equal(vectors[:20], ENGINE.embed(chips))


@pytest.mark.parametrize("size", [(480, 640), (1, 1), (37, 2000)])
def test_nothing_is_found_in_noise(size: tuple[int, int]) -> None:
    """Noise, black and white hold no face."""
    rng = np.random.default_rng(7)
    for image in (
        rng.integers(0, 256, (*size, 3), dtype=np.uint8),
        np.zeros((*size, 3), np.uint8),
        np.full((*size, 3), 255, np.uint8),
    ):
        assert ENGINE.detect(image) == []


def test_nothing_is_found_in_real_photos(photos: Path) -> None:
    """Photos of real people hold no drawn face."""
    files = sorted((photos / "groups").iterdir()) + sorted((photos / "lfw").glob("A*/*.jpg"))[:150]
    assert files
    for file in files:
        with Image.open(file) as image:
            assert ENGINE.detect(np.asarray(image.convert("RGB"))) == [], file


# -- embeddings


def similarities(codes: list[FaceCode]) -> tuple[FloatArray, np.ndarray, np.ndarray]:
    """Over all pairs: cosine; whether it is one person; whether it is parent and child, or siblings."""
    vectors = face_vectors(codes)
    left, right = np.triu_indices(len(codes), 1)
    family = np.array([code.family for code in codes])
    member = np.array([code.member for code in codes])
    same = (family[left] == family[right]) & (member[left] == member[right])
    blood = (family[left] == family[right]) & ~same & ((member[left] > 1) | (member[right] > 1))
    return (vectors @ vectors.T)[left, right], same, blood


def album(seed: int) -> list[FaceCode]:
    """The codes of an album of 2,000 faces without the strangers in the background."""
    plan = plan_library(2000, seed)
    strangers = {person.number for person in plan.strangers}
    faces = (f for picture in plan.pictures if picture.readable for f in picture.figures)
    return [f.code for f in faces if f.person.number not in strangers]


def test_embeddings_are_unit_vectors_that_follow_from_the_code() -> None:
    """(n, 128) float32 of unit length; the same code gives the same vector in any company."""
    codes = album(1)[:50]
    vectors = face_vectors(codes)
    assert vectors.shape == (50, 128)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(face_vectors(codes[7:8]), vectors[7:8])


def test_similarities_are_those_of_a_real_engine() -> None:
    """One person scatters about 0.67 down to 0.35, relatives lie about 0.35, strangers about 0."""
    cosine, same, blood = similarities(album(1))
    one, relatives, others = cosine[same], cosine[blood], cosine[~same & ~blood]
    assert 0.62 < one.mean() < 0.72
    assert np.quantile(one, 0.001) < 0.4 < np.quantile(one, 0.02)
    assert 0.3 < relatives.mean() < 0.4
    assert abs(others.mean()) < 0.02
    assert 0.07 < others.std() < 0.11


def test_thresholds_are_the_quantiles_that_they_claim_to_be() -> None:
    """Each threshold is reached by its share of the pairs of different people, over three albums."""
    parts = [similarities(album(seed))[:2] for seed in (1, 2, 3)]
    impostors = np.concatenate([cosine[~same] for cosine, same in parts])
    have = ENGINE.thresholds
    for value, one_in in (
        (have.suggest, 100),
        (have.same_person, 1_000),
        (have.neighbour, 50_000),
        (have.assign, 100_000),
    ):
        assert value == pytest.approx(np.quantile(impostors, 1 - 1 / one_in), abs=0.005)
    assert have.baseline == pytest.approx(impostors.mean(), abs=0.002)


def test_shots_of_one_moment_are_nearly_alike() -> None:
    """Two shots of one moment resemble each other more than two moments do, and are not equal."""
    first = FaceCode(family=5, moment=1)
    vectors = face_vectors([first, replace(first, shot=1), replace(first, moment=2)])
    burst, other = vectors[0] @ vectors[1], vectors[0] @ vectors[2]
    assert 0.95 < burst < 0.9999
    assert other < 0.9


def test_the_years_move_a_face() -> None:
    """Somebody at forty resembles himself at thirty more than at five, over many people."""
    ages = [face_vectors([FaceCode(family=i, age=age) for i in range(200)]) for age in (5, 30, 40)]
    as_child, recently = (np.einsum("nd,nd->n", ages[2], other).mean() for other in ages[:2])
    assert recently > as_child + 0.05
