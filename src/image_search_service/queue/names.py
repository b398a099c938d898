"""Names that the queue's messages are known by, in SQLite or Redis: another version must still know them."""

from __future__ import annotations

from typing import Final

QUEUE: Final = "imagesearch"
"""Letters and digits only: Huey leaves everything else out of a name in Redis."""
RUN_JOB: Final = "run_job"
RECOVER_JOBS: Final = "recover_jobs"
NIGHTLY: Final = "nightly"
