"""Who the faces without a name are: first those who are known, then groups of the unknown.

Both parts are those that run by themselves, too: faces go to known people by their centroids
(``assigner.py``), and what is left over is grouped (``grouper.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

from image_search_service.core.types import DEFAULT_METHOD, Progress
from image_search_service.faces.assigner import AssignmentRun, FaceAssigner, PersonCentroids
from image_search_service.faces.grouper import FaceGrouper, Grouped
from image_search_service.library.stores import Stores


@dataclass(frozen=True, slots=True)
class DualRun:
    """What both parts did."""

    assigned: AssignmentRun
    grouped: Grouped


class DualModeClusterer:
    """Assigns and groups. Raises UnavailableError; what was assigned by then stays assigned."""

    def __init__(self, stores: Stores, centroids: PersonCentroids) -> None:
        self._assigner = FaceAssigner(stores, centroids)
        self._grouper = FaceGrouper(stores)

    def assign_to_known_people(self, progress: Progress | None = None) -> AssignmentRun:
        """Give faces without a name to the persons that they resemble enough.

        Costs ⌈n ÷ 1,000⌉ fetches for n faces, and as many for the named faces of stale centroids.
        """
        return self._assigner.assign_new_faces(progress=progress)

    def cluster_unknown_faces(
        self,
        *,
        method: str = DEFAULT_METHOD,
        min_cluster_size: int = 2,
        progress: Progress | None = None,
    ) -> Grouped:
        """Group the faces that resemble nobody enough. Costs ⌈n ÷ 1,000⌉ fetches for n faces."""
        return self._grouper.group(method=method, min_cluster_size=min_cluster_size, progress=progress)

    def cluster_all(
        self,
        *,
        method: str = DEFAULT_METHOD,
        min_cluster_size: int = 2,
        progress: Progress | None = None,
    ) -> DualRun:
        """Both, in this order. Raises InvalidInputError for an unknown method or a size below 2."""
        self._grouper.check(method, min_cluster_size)
        assigned = self.assign_to_known_people(progress)
        grouped = self.cluster_unknown_faces(
            method=method, min_cluster_size=min_cluster_size, progress=progress
        )
        return DualRun(assigned, grouped)
