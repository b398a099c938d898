"""How much memory this process may use: the machine's, or what its container or `ulimit -v` leaves of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


def memory() -> int:
    """In bytes."""
    import psutil

    return min([int(psutil.virtual_memory().total), *cgroup_limits(CGROUPS, OWN_GROUPS), *_address_space()])


def cgroup_limits(groups: Path, own: Path) -> list[int]:
    """The limits of the process's control groups and of all above them, of either version; none without."""
    with suppress(OSError):
        return list(_limits(groups, own.read_text(encoding="utf-8")))
    return []


def _limits(groups: Path, memberships: str) -> Iterator[int]:
    for line in memberships.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        root, name = (groups / "memory", "memory.limit_in_bytes") if controllers else (groups, "memory.max")
        own = root / path.lstrip("/")
        # in a container the group's own path may be the host's, while its limit is that of the root here
        for folder in {root, own, *(above for above in own.parents if above.is_relative_to(root))}:
            with suppress(OSError, ValueError):  # "max" is no number
                yield int((folder / name).read_text(encoding="ascii"))


def _address_space() -> list[int]:
    """``ulimit -v``; Windows has none."""
    try:
        import resource
    except ImportError:
        return []
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return [] if limit == resource.RLIM_INFINITY else [limit]
