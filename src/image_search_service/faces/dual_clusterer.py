"""Assigns unnamed faces to known people, then groups the rest.

It runs ``assigner.py`` (faces to persons by their centroids) and then ``grouper.py`` (clusters of the rest).
"""

from __future__ import annotations

from dataclasses import dataclass

from image_search_service.core.types import DEFAULT_METHOD, Progress
from image_search_service.faces.assigner import AssignmentRun, FaceAssigner, PersonCentroids
from image_search_service.faces.grouper import FaceGrouper, GroupingResult
from image_search_service.library.stores import Stores


@dataclass(frozen=True, slots=True)
class DualRun:
    """The results of both parts."""

    assigned: AssignmentRun
    grouped: GroupingResult


class DualModeClusterer:
    """Assigns and groups. Raises UnavailableError; faces assigned until then stay assigned."""

    def __init__(self, stores: Stores, centroids: PersonCentroids) -> None:
        self._assigner = FaceAssigner(stores, centroids)
        self._grouper = FaceGrouper(stores)

    def assign_to_known_people(self, progress: Progress | None = None) -> AssignmentRun:
        """Assign unnamed faces to the persons that they resemble enough.

        Costs ⌈n ÷ 1,000⌉ fetches for n faces, and as many for the named faces of stale centroids.
        """
        return self._assigner.assign_new_faces(progress=progress)

    def cluster_unknown_faces(
        self,
        *,
        method: str = DEFAULT_METHOD,
        min_cluster_size: int = 2,
        progress: Progress | None = None,
    ) -> GroupingResult:
        """Group the faces without a person. Costs ⌈n ÷ 1,000⌉ fetches for n faces."""
        return self._grouper.group(method=method, min_cluster_size=min_cluster_size, progress=progress)

    def cluster_all(
        self,
        *,
        method: str = DEFAULT_METHOD,
        min_cluster_size: int = 2,
        progress: Progress | None = None,
    ) -> DualRun:
        """Assign, then group. Raises InvalidInputError for an unknown method or a size below 2."""
        self._grouper.check(method, min_cluster_size)
        assigned = self.assign_to_known_people(progress)
        grouped = self.cluster_unknown_faces(
            method=method, min_cluster_size=min_cluster_size, progress=progress
        )
        return DualRun(assigned, grouped)
