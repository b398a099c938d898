"""What Prometheus reads of the library; the process and Qdrant's requests count themselves.

docs/operations.md lists the names. What a store that is away would have to say is left out, not zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from image_search_service.library.metrics import Measurements


def exposition(measured: Measurements) -> bytes:
    """The text that Prometheus reads: the library's state, then what this process has counted."""
    registry = CollectorRegistry()
    registry.register(_LibraryCollector(measured))
    return generate_latest(registry) + generate_latest()


class _LibraryCollector(Collector):
    """The measurements of one moment."""

    def __init__(self, measured: Measurements) -> None:
        self._measured = measured

    def collect(self) -> Iterator[Metric]:
        measured = self._measured
        yield _labelled("build_info", "The program's version.", "version", {_version(): 1})
        stores = {name: int(up) for name, up in measured.stores.items()}
        yield _labelled("store_up", "Whether a store works: 1, or 0.", "store", stores)
        yield _labelled("jobs", "Jobs by what has become of them.", "state", measured.jobs)
        single = {
            "outbox_faces": ("Faces whose changes Qdrant does not know yet.", measured.outbox),
            "doctor_findings": ("What the last check found and did not repair.", measured.doctor_findings),
            "doctor_last_run_timestamp_seconds": ("When that check ended.", measured.doctor_ended),
            "last_backup_timestamp_seconds": (
                "Of which moment the last backup is that image-search backup made.",
                measured.last_backup,
            ),
            "library_free_bytes": ("Room that is left where the library's folder is.", measured.free_bytes),
            "library_size_bytes": ("Size of the file system it is in.", measured.size_bytes),
        }
        for name, (words, value) in single.items():
            if value is not None:
                yield GaugeMetricFamily(f"image_search_{name}", words, value)


def _labelled(name: str, words: str, label: str, values: dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"image_search_{name}", words, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


def _version() -> str:
    return version("image-search-service")
