"""The job that writes a backup, where Qdrant fails; for the other jobs see ``test_faults.py``."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from image_search_service.core.errors import UnavailableError
from image_search_service.services.backup.archive import verified
from image_search_service.services.jobs.service import JobKind
from tests.contract.faulty import copied, make_template
from tests.support.qdrant_server import Fault


def test_qdrant_gone_in_the_middle(drawn: Path, tmp_path: Path) -> None:
    """Wherever the server goes away, there is no backup, nor half of one; written again, it is whole."""
    template = make_template(drawn, tmp_path / "template")
    for passed in count():
        with copied(template, tmp_path / str(passed)) as faulty:
            downloads = faulty.library.paths.downloads
            faulty.server.fail(Fault.UNAVAILABLE, "retrieve", after=passed)
            try:
                faulty.run(JobKind.WRITE_BACKUP, {"pictures": True})
            except UnavailableError:
                assert list(downloads.iterdir()) == []
                faulty.server.heal()
            else:
                break
            counts = faulty.run(JobKind.WRITE_BACKUP, {"pictures": True})["counts"]
            assert counts["missing_embeddings"] == counts["missing_centroids"] == 0
            assert verified(downloads / "library.tar").counts == counts
    assert passed > 1
