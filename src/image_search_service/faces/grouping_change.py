"""Compares two groupings of the same faces: which groups are joined, split, new. Pure functions."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from image_search_service.core.records.grouping import GroupingChange, GroupingCounts, ShownGroup
from image_search_service.faces.grouping_plan import ClusterOf

SHOWN_FACES = 6
"""Faces of a group that are shown."""
Members = Mapping[uuid.UUID, Sequence[uuid.UUID]]


def count_changes(before: ClusterOf, after: ClusterOf) -> GroupingCounts:
    """before, after: the cluster of each face, None for none; both of the same faces."""
    comes_from, goes_to = _links(before, after), _links(after, before)
    return GroupingCounts(
        joined=sum(len(former) > 1 for former in comes_from.values()),
        split=sum(len(later) > 1 for later in goes_to.values()),
        new=sum(not former for former in comes_from.values()),
        dissolved=sum(not later for later in goes_to.values()),
        moved=sum(before[face] != cluster for face, cluster in after.items()),
    )


def largest_changes(before: ClusterOf, after: ClusterOf, limit: int) -> list[GroupingChange]:
    """Groups that exchange faces, each with those that they exchange them with; most faces moved first."""
    changed: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    root = _exchanging(before, after)
    for face, cluster in after.items():
        home = cluster or before[face]
        if home is not None:
            changed[root[home]].append(face)
    moved = {key: sum(before[face] != after[face] for face in faces) for key, faces in changed.items()}
    order = sorted((key for key in changed if moved[key]), key=lambda key: (-moved[key], key))
    return [
        GroupingChange(_groups(changed[key], before), _groups(changed[key], after)) for key in order[:limit]
    ]


def _links(of: ClusterOf, to: ClusterOf) -> dict[uuid.UUID, set[uuid.UUID]]:
    """For each cluster of ``to`` the clusters of ``of`` that its faces are in."""
    links: dict[uuid.UUID, set[uuid.UUID]] = {
        cluster: set() for cluster in to.values() if cluster is not None
    }
    for face, cluster in to.items():
        other = of[face]
        if cluster is not None and other is not None:
            links[cluster].add(other)
    return links


def _exchanging(before: ClusterOf, after: ClusterOf) -> dict[uuid.UUID, uuid.UUID]:
    """For each cluster one that stands for all with which it exchanges faces, over however many steps."""
    parent: dict[uuid.UUID, uuid.UUID] = {}

    def find(cluster: uuid.UUID) -> uuid.UUID:
        while parent.setdefault(cluster, cluster) != cluster:
            parent[cluster] = parent[parent[cluster]]
            cluster = parent[cluster]
        return cluster

    for face, cluster in after.items():
        ends = [one for one in (before[face], cluster) if one is not None]
        if ends:
            parent[find(ends[0])] = find(ends[-1])
    return {cluster: find(cluster) for cluster in list(parent)}


def _groups(faces: Iterable[uuid.UUID], cluster_of: ClusterOf) -> list[ShownGroup]:
    members: dict[uuid.UUID | None, list[uuid.UUID]] = defaultdict(list)
    for face in sorted(faces):
        members[cluster_of[face]].append(face)
    order = sorted(members, key=lambda cluster: (cluster is None, -len(members[cluster]), str(cluster)))
    return [ShownGroup(cluster, len(members[cluster]), members[cluster][:SHOWN_FACES]) for cluster in order]
