"""Names in the queue's messages, in SQLite or Redis. Other versions read them, so they must not change."""

from __future__ import annotations

from typing import Final

QUEUE: Final = "imagesearch"
"""Letters and digits only: Huey removes all other characters from a name in Redis."""
RUN_JOB: Final = "run_job"
RECOVER_JOBS: Final = "recover_jobs"
NIGHTLY: Final = "nightly"
