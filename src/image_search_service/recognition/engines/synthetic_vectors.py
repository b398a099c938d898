"""Embeddings for drawn people: made by a counter-based generator, so any face's vector follows from its code.

The model, on the unit sphere in 128 dimensions:

- parents are independent directions; a child is a mixture of both parents and of itself, so siblings have
  cosine 0.58 and parent and child 0.54 (of the persons; of two photos it is less, see below);
- the years move a face: somebody at 5 and at 65 resembles himself less than at 30 and 40, and small
  children resemble each other a little;
- a photo is its person plus noise that is larger in bad pictures and in profile; photos of one moment
  share most of it.

Each number is the count of ones in a hashed 64-bit word: binomial(64, ½), which is normal enough,
and the same on every machine, as no logarithm or cosine is taken.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from image_search_service.core.types import FloatArray
from image_search_service.recognition.engines.synthetic_code import FaceCode

DIMENSION = 128

_Words = npt.NDArray[np.uint64]

_SHARED = 0.76
"""Weight of the parents in a child: siblings have cosine 0.76² = 0.58, parent and child 0.76 ÷ √2 = 0.54."""
_CHILDHOOD = 0.5
"""Weight that all faces of newborn children share; it fades to nothing at the age of 16."""
_DRIFT = 0.45
"""How far a person moves between the ages of 0 and 80."""
_SHOT = 0.3
"""How much of the noise is a shot's own; the rest belongs to its moment."""
_PERSON, _AGEING, _CHILD, _NOISE, _STRANGER = range(1, 6)
"""Streams of the generator."""


def face_vectors(codes: Sequence[FaceCode]) -> FloatArray:
    """Embeddings ``(n, 128)`` float32 of unit length."""
    fields = np.array(
        [(c.family, c.member, c.age, c.moment, c.blur, c.yaw, c.tilt, c.shot) for c in codes], dtype=np.int64
    ).reshape(-1, 8)
    family, member, age, _, blur, yaw, _, _ = fields.T
    person = _aged(_person_vectors(family, member), family * 16 + member, age)
    fidelity = np.clip(0.9 - 0.019 * blur - 0.025 * np.abs(yaw), 0.3, 1.0)[:, None]
    noise = _unit(_normal(_NOISE, _seeds(fields[:, :-1])) + _SHOT * _normal(_NOISE, _seeds(fields)))
    return _unit(fidelity * person + np.sqrt(1 - fidelity**2) * noise)


def stranger_vectors(seeds: Sequence[int]) -> FloatArray:
    """Embeddings ``(n, 128)`` that resemble nobody, for chips that cannot be read."""
    return _normal(_STRANGER, np.array(seeds, dtype=np.uint64))


def _person_vectors(family: npt.NDArray[np.int64], member: npt.NDArray[np.int64]) -> FloatArray:
    own = _normal(_PERSON, family * 16 + member)
    parents = _unit(_normal(_PERSON, family * 16) + _normal(_PERSON, family * 16 + 1))
    child = (member > 1)[:, None]
    return np.where(child, _unit(_SHARED * parents + np.sqrt(1 - _SHARED**2) * own), own)


def _aged(base: FloatArray, person: npt.NDArray[np.int64], age: npt.NDArray[np.int64]) -> FloatArray:
    drift = _DRIFT * (np.minimum(age, 80)[:, None] / 40.0 - 1.0)
    childhood = _CHILDHOOD * np.clip(1 - age / 16.0, 0.0, 1.0)[:, None]
    everybody = _normal(_CHILD, np.zeros(1, dtype=np.uint64))
    return _unit(base + drift * _normal(_AGEING, person) + childhood * everybody)


def _seeds(fields: npt.NDArray[np.int64]) -> _Words:
    """One number for each row that depends on all of its fields."""
    seeds: _Words = np.zeros(len(fields), dtype=np.uint64)
    for column in fields.T:
        seeds = _hash(seeds + column.astype(np.uint64))
    return seeds


def _normal(stream: int, numbers: npt.NDArray[np.int64] | _Words) -> FloatArray:
    """``(n, 128)`` directions, uniform on the sphere, that depend on stream and number only."""
    starts = _hash(_hash(numbers.astype(np.uint64)) + np.uint64(stream))
    words = _hash(starts[:, None] + np.arange(DIMENSION, dtype=np.uint64)[None, :])
    return _unit(np.bitwise_count(words).astype(np.float32) - 32.0)


def _hash(words: _Words) -> _Words:
    """SplitMix64's step: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _unit(rows: npt.NDArray[np.floating]) -> FloatArray:
    unit: FloatArray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit
