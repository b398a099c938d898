"""Made-up embeddings whose similarities are spread like a real engine's: what large libraries are tried with.

A face is ``common + person + photo``, brought to unit length: what all faces share, what a person adds, and
what a photo does, the latter two normally distributed. Persons differ more along some axes than along others
(``decay``), photos along all alike; and photos are better and worse (``unevenness``). The constants were
fitted to the engine ``opencv`` on photographs of known people by ``python -m benchmarks.made_up FILE --fit``,
which prints quantiles of both: of pairs of different people, down to one in a hundred thousand, and of one
person. What is rarer, such as relatives and strangers who look alike, is not imitated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from image_search_service.core.types import FloatArray, IntArray

CHUNK = 10_000
"""Faces made at a time."""


@dataclass(frozen=True, slots=True)
class FaceSpread:
    """How alike made-up faces are. The variances are sums over all axes; only their ratios matter.

    common: squared length of what all faces share.
    person, photo: variance of what a person adds, and a photo.
    decay: how much faster than evenly persons' variance falls: along axis i of d it is ∝ exp(−decay · i ÷ d).
    unevenness: standard deviation of the logarithm of a photo's own variance.
    """

    dimension: int
    common: float
    person: float
    photo: float
    decay: float
    unevenness: float

    def looks(self, generator: np.random.Generator, people: int) -> FloatArray:
        """(people, dimension) float32: what photos of each person scatter around; not of unit length."""
        variance = np.exp(-self.decay * np.arange(self.dimension) / self.dimension)
        variance *= self.person / variance.sum()
        looks = generator.standard_normal((people, self.dimension), dtype=np.float32)
        looks *= np.sqrt(variance).astype(np.float32)
        looks += np.float32(np.sqrt(self.common / self.dimension))
        return looks

    def photographed(self, generator: np.random.Generator, looks: FloatArray) -> FloatArray:
        """(n, dimension) float32 unit rows: a photo of each of some people, (n, dimension) from ``looks``."""
        n, d = looks.shape
        worse = np.exp(self.unevenness / 2 * generator.standard_normal((n, 1), dtype=np.float32))
        faces = generator.standard_normal((n, d), dtype=np.float32)
        faces *= np.float32(np.sqrt(self.photo / d)) * worse
        faces += looks
        faces /= np.linalg.norm(faces, axis=1, keepdims=True)
        return faces

    def faces(self, generator: np.random.Generator, people: IntArray) -> Iterator[FloatArray]:
        """The faces of people, (n,) int64 from 0, ``CHUNK`` at a time, as ``photographed`` makes them."""
        looks = self.looks(generator, int(people.max(initial=-1)) + 1)
        for start in range(0, len(people), CHUNK):
            yield self.photographed(generator, looks[people[start : start + CHUNK]])


SFACE_SPREAD = FaceSpread(128, common=0.0895, person=0.593, photo=0.3175, decay=2.548, unevenness=0.51)
"""The engine ``opencv``, fitted to 5,103 photos of 2,320 people (Labeled Faces in the Wild). From the median
to one in a hundred thousand, similarities of different people are within 0.008 of the real ones."""
